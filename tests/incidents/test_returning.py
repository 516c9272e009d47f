"""Half of an attack's names do not come in: where they do, it was people."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from lockout_admin.identity.client import Client
from lockout_admin.identity.subject import Subject
from lockout_admin.incidents import verbs
from lockout_admin.incidents.grouping import group
from lockout_admin.models import Incident, SuccessfulLogin

from .player import entered_of
from .records import rows
from .traces import HOUR, MINUTE

pytestmark = pytest.mark.django_db

OFFICE = "198.51.100.7"


@pytest.fixture
def storm(clock: Any) -> Incident:
    """Sixteen accounts fail from one place, twice each, which have never been there."""
    for number in range(16):
        get_user_model().objects.create_user(f"person{number}")
    for _ in range(2):
        rows(16, "person{}", OFFICE)
    group()
    clock.tick(5 * MINUTE)
    incident: Incident = Incident.objects.get()
    assert (incident.names_existing, incident.state) == (16, "open")
    return incident


def come_in(first: int, last: int, address: str = OFFICE, agent: str = "") -> None:
    client = Client(address, agent, "/login/")
    SuccessfulLogin.objects.bulk_create(
        SuccessfulLogin.objects.build(
            Subject.of(f"person{number}"), client, timestamp=timezone.now(), account=f"{number}"
        )
        for number in range(first, last)
    )
    group()


def facts(incident: Incident) -> tuple[str, str, int, set[str]]:
    incident.refresh_from_db()
    return incident.state, incident.verdict, incident.entered, set(entered_of(incident))


def test_a_few_who_come_in_are_entered(storm: Incident) -> None:
    come_in(0, 7)
    assert facts(storm) == ("open", "", 7, {f"person{n}" for n in range(7)})


def test_where_half_come_in_it_was_they(storm: Incident) -> None:
    come_in(0, 7)
    come_in(7, 8)
    assert facts(storm) == ("closed", "people", 0, set())
    event = storm.events.get(what="closed")
    assert (event.by, event.verdict, event.text) == ("", "people", "8 / 16")
    come_in(8, 12)
    assert facts(storm) == ("closed", "people", 0, set())
    assert storm.events.filter(what="closed").count() == 1


@pytest.mark.parametrize(("address", "agent"), [("198.51.100.99", ""), (OFFICE, "curl/8")])
def test_whoever_comes_from_elsewhere_or_with_something_else_did_not_fail_there(
    address: str, agent: str, storm: Incident
) -> None:
    come_in(0, 12, address, agent)
    assert facts(storm)[:2] == ("open", "")


def test_of_very_few_names_all_may_have_been_guessed(clock: Any) -> None:
    for number in range(4):
        get_user_model().objects.create_user(f"person{number}")
    for _ in range(5):
        rows(4, "person{}", OFFICE)
    group()
    clock.tick(MINUTE)
    come_in(0, 4)
    incident = Incident.objects.get()
    assert facts(incident)[:3] == ("open", "", 4)


def test_pairs_that_are_right_at_once_are_no_people(storm: Incident) -> None:
    for number in range(16, 40):
        get_user_model().objects.create_user(f"person{number}")
    come_in(16, 40)
    assert facts(storm)[:3] == ("open", "", 24)


def test_an_attack_from_where_people_came_in_opens_it_again(storm: Incident, clock: Any) -> None:
    come_in(0, 10)
    assert facts(storm)[1] == "people"
    for number in range(60):
        get_user_model().objects.create_user(f"victim{number}")
    rows(60, "victim{}", OFFICE)
    group()
    assert facts(storm) == ("open", "", 10, {f"person{n}" for n in range(10)})
    assert storm.events.filter(what="reopened", by="").count() == 1


def test_accounts_of_the_attacker_do_not_speak_for_whom_he_guessed(
    storm: Incident, clock: Any
) -> None:
    """One name is tried as no person would, and entered; others fail, and come in, beside it."""
    get_user_model().objects.create_user("victim")
    rows(12, "victim", OFFICE)
    group()
    come_in(0, 12)
    assert facts(storm)[:2] == ("closed", "people")
    SuccessfulLogin.objects.build(
        Subject.of("victim"), Client(OFFICE, "", "/login/"), timestamp=timezone.now(), account="99"
    ).save()
    group()
    assert facts(storm)[:2] == ("open", "")
    assert "victim" in entered_of(storm)


def test_a_list_of_nobody_is_no_bad_day(storm: Incident, clock: Any) -> None:
    rows(40, "leaked{}", OFFICE)
    group()
    come_in(0, 12)
    assert facts(storm) == ("open", "", 12, {f"person{n}" for n in range(12)})


def test_who_came_in_without_a_failure_is_not_among_people(storm: Incident, clock: Any) -> None:
    get_user_model().objects.create_user("person40")
    come_in(40, 41)
    come_in(0, 12)
    assert facts(storm)[:3] == ("open", "", 13)


def test_what_staff_have_said_stays(storm: Incident, clock: Any) -> None:
    verbs.close(storm, "people", "olga")
    rows(60, "victim{}", OFFICE)
    group()
    assert facts(storm)[:2] == ("closed", "people")
    verbs.reopen(storm, "olga")
    verbs.close(storm, "attack", "olga")
    come_in(0, 12)
    assert facts(storm)[1] == "attack"


def test_people_who_come_late_do_not_open_it(storm: Incident, clock: Any) -> None:
    come_in(0, 12)
    clock.tick(7 * HOUR)
    group()
    assert storm.events.filter(what="over").count() == 1
    rows(2, "person{}", OFFICE)
    group()
    assert facts(storm)[:2] == ("closed", "people")
    assert not storm.events.filter(what="resumed").exists()
