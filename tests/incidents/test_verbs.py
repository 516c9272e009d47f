"""What staff say of incidents, and what is learnt from it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from lockout_admin.identity.client import Client
from lockout_admin.identity.subject import Subject
from lockout_admin.incidents import verbs
from lockout_admin.incidents.grouping import group
from lockout_admin.models import (
    AuditEntry,
    Exemption,
    FailedLogin,
    Incident,
    IncidentName,
    IncidentNetwork,
    UserAgent,
)
from lockout_admin.signals import incident_changed

from .records import rows

pytestmark = pytest.mark.django_db

SCANNER = "Scanner/1.0"


def fail(address: str = "198.51.100.7", agent: str = SCANNER, first: int = 0) -> None:
    """Have twenty-five names fail from an address."""
    UserAgent.objects.remember(agent)
    client = Client(address, agent, "/login/")
    for number in range(first, first + 25):
        subject = Subject.of(f"name{number}")
        FailedLogin.objects.build(subject, client, timestamp=timezone.now()).save()


@pytest.fixture
def told() -> Iterator[list[str]]:
    heard: list[str] = []

    def hear(what: str, **signal: Any) -> None:
        heard.append(what)

    incident_changed.connect(hear)
    yield heard
    incident_changed.disconnect(hear)


@pytest.fixture
def incident(clock: Any) -> Incident:
    fail()
    group()
    found: Incident = Incident.objects.get()
    return found


def test_each_verb_is_told_once_and_written_down(incident: Incident, told: list[str]) -> None:
    verbs.acknowledge(incident, "sam")
    verbs.name(incident, " Monday's scan ", "sam")
    verbs.note(incident, "Asked the network team.", "sam")
    verbs.close(incident, "attack", "sam", "blocked")
    verbs.reopen(incident, "sam")
    said = list(incident.events.filter(by="sam").values_list("what", "text"))
    assert told == ["acknowledged", "named", "noted", "closed", "reopened"]
    assert [what for what, _text in said] == told
    assert ("closed", "blocked") in said
    incident.refresh_from_db()
    assert (incident.state, incident.verdict, incident.closed_at) == ("open", "", None)
    assert str(incident) == "Monday's scan"


@pytest.mark.parametrize(
    "verb",
    [
        lambda one: verbs.acknowledge(verbs.acknowledge(one, "sam"), "sam"),
        lambda one: verbs.note(one, "  ", "sam"),
        lambda one: verbs.close(one, "", "sam"),
        lambda one: verbs.close(one, "nonsense", "sam"),
        lambda one: verbs.close(verbs.close(one, "nothing", "sam"), "attack", "sam"),
        lambda one: verbs.reopen(one, "sam"),
        lambda one: verbs.merge(one, [one], "sam"),
        lambda one: verbs.merge(one, [], "sam"),
    ],
)
def test_what_makes_no_sense_is_refused(incident: Incident, verb: Any) -> None:
    with pytest.raises(ValueError, match=r"\."):
        verb(incident)


def test_a_scanner_of_ours_raises_no_incident_again_until_that_is_undone(
    incident: Incident, clock: Any
) -> None:
    verbs.close(incident, "scanner", "sam")
    (lesson,) = Exemption.objects.all()
    assert (lesson.network, lesson.user_agent) == ("198.51.100.7/32", SCANNER)
    clock.tick(3 * 24 * 60 * 60)
    fail()
    assert group().found == 0
    verbs.undo(lesson, "kim")
    with pytest.raises(ValueError, match="ended"):
        verbs.undo(lesson, "kim")
    fail()
    assert group().found == 1


def test_a_lesson_is_of_its_network_and_agent_alone(incident: Incident, clock: Any) -> None:
    verbs.close(incident, "client", "sam")
    fail(agent="Other/1.0", first=100)
    fail("203.0.113.9", first=200)
    assert group().found == 2


def test_a_scanner_with_several_agents_teaches_these_and_not_its_network(clock: Any) -> None:
    """Others live there, and a few tries of theirs are not the scanner's."""
    for number, agent in enumerate(("Scan/1.0", "Scan/2.0")):
        fail(agent=agent, first=100 * number)
    rows(1, "somebody", "198.51.100.7", "Stranger/1.0")
    group()
    verbs.close(Incident.objects.get(), "scanner", "sam")
    assert set(Exemption.objects.values_list("network", "user_agent")) == {
        ("198.51.100.7/32", "Scan/1.0"),
        ("198.51.100.7/32", "Scan/2.0"),
    }
    clock.tick(3 * 24 * 60 * 60)
    fail(agent="Scan/2.0", first=300)
    assert group().found == 0
    fail(agent="Stranger/1.0", first=400)
    assert group().found == 1


def test_what_comes_from_everywhere_teaches_nothing(incident: Incident) -> None:
    IncidentNetwork.objects.bulk_create(
        IncidentNetwork(incident=incident, network=f"192.0.2.{one}/32", number=one)
        for one in range(30)
    )
    with pytest.raises(ValueError, match="too many networks"):
        verbs.close(incident, "scanner", "sam")
    IncidentNetwork.objects.all().delete()
    with pytest.raises(ValueError, match="Nobody knows"):
        verbs.close(incident, "scanner", "sam")


def test_what_is_merged_is_counted_once(incident: Incident, told: list[str]) -> None:
    fail("203.0.113.9", "Other/1.0", first=20)
    group()
    other = Incident.objects.exclude(pk=incident.pk).get()
    both = IncidentName.objects.filter(username="name22")
    both.update(entered_at=timezone.now(), account="7")
    Incident.objects.update(entered=1)
    incident.refresh_from_db()
    other.refresh_from_db()
    verbs.merge(incident, [other], "sam")
    incident.refresh_from_db()
    counted = (incident.names, incident.networks, incident.evaluated, incident.entered)
    assert counted == (45, 2, 50, 1)
    assert IncidentName.objects.get(username="name22", incident=incident).evaluated == 2
    assert list(Incident.objects.open()) == [incident]
    assert told[-1] == "merged"
    with pytest.raises(ValueError, match="into another"):
        verbs.merge(incident, [other], "sam")
    with pytest.raises(ValueError, match="merged into another"):
        verbs.merge(other, [incident], "sam")


def test_what_is_merged_into_what_people_were_is_open(incident: Incident) -> None:
    """Who may not know that people came in takes it for open; what comes to it is in sight."""
    fail("203.0.113.9", "Other/1.0", first=20)
    group()
    other = Incident.objects.exclude(pk=incident.pk).get()
    verbs.close(incident, "people", "sam")
    verbs.merge(incident, [other], "sam")
    assert list(Incident.objects.open()) == [incident]
    incident.refresh_from_db()
    assert (incident.verdict, incident.closed_at) == ("", None)


def test_honest_people_of_a_network_stay_its_honest_people(incident: Incident) -> None:
    fail("203.0.113.9", "Other/1.0", first=20)
    group()
    other = Incident.objects.exclude(pk=incident.pk).get()
    own = incident.sources.get()
    fields = {"number": own.number, "network": own.network, "honest": 3}
    other.sources.update(**fields)
    verbs.merge(incident, [other], "sam")
    assert incident.sources.get().honest == 3


def test_a_network_of_both_adds_up(incident: Incident) -> None:
    other = Incident.objects.create(
        kind="stuffing", started_at=timezone.now(), last_seen_at=timezone.now()
    )
    number = incident.sources.get().number
    IncidentNetwork.objects.create(
        incident=other, number=number, network="198.51.100.7/32", evaluated=3, refused=2, entered=1
    )
    name = IncidentName.objects.filter(incident=incident).first()
    assert name is not None
    IncidentName.objects.create(
        incident=other, subject=name.subject, username=name.username, entered_at=timezone.now()
    )
    verbs.merge(incident, [other], "sam")
    source = incident.sources.get()
    assert (source.evaluated, source.refused, source.entered) == (28, 2, 1)
    assert IncidentName.objects.get(incident=incident, subject=name.subject).entered_at


def test_what_staff_say_is_audited(incident: Incident) -> None:
    verbs.acknowledge(incident, "sam")
    verbs.close(incident, "scanner", "sam", "ticket 4711")
    verbs.reopen(incident, "robin")
    verbs.close(incident, "people", "robin")
    verbs.helped(incident, "2 owners", "sam")
    written = AuditEntry.objects.filter(label=f"incident {incident.pk}").order_by("id")
    assert list(written.values_list("actor", "details")) == [
        ("sam", "acknowledged"),
        ("sam", "closed: scanner: ticket 4711"),
        ("robin", "reopened"),
        ("robin", "closed"),
    ]


def test_what_is_gone_by_now_is_said(incident: Incident) -> None:
    Incident.objects.filter(pk=incident.pk).delete()
    with pytest.raises(ValueError, match="gone"):
        verbs.acknowledge(incident, "sam")
