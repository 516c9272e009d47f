"""A network that goes on by itself is no part of what is known by a name that it tries as well."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from lockout_admin.identity.client import Client
from lockout_admin.identity.network import number_of
from lockout_admin.identity.subject import Subject
from lockout_admin.incidents import suspicion
from lockout_admin.incidents.grouping import group
from lockout_admin.models import (
    FailedLogin,
    Incident,
    IncidentNetwork,
    SuccessfulLogin,
)

from .crowds import DAY
from .player import incidents, names_of, networks_of
from .records import comes_in, refused, rows
from .traces import FIREFOX, MINUTE, SCRIPT

pytestmark = pytest.mark.django_db

ALONE = "203.0.113.7"
NETWORK = f"{ALONE}/32"


def from_everywhere(networks: int = 4, each: int = 5) -> Incident:
    """Have one name tried from several networks, none of which is suspicious by itself."""
    for number in range(networks):
        rows(each, address=f"198.51.100.{number}")
    group()
    incident: Incident = Incident.objects.get()
    assert (incident.about, incident.networks, incident.evaluated) == ("root", networks, 20)
    return incident


def test_whoever_goes_on_by_himself_takes_his_tries_along(clock: Any) -> None:
    before = from_everywhere()
    clock.tick(40 * MINUTE)
    rows(6, address=ALONE)
    refused(1, address=ALONE, each=3)
    group()
    assert [(one.networks, one.evaluated, one.refused) for one in incidents()] == [(5, 26, 3)]
    clock.tick(30)
    rows(6, address=ALONE)
    group()
    left, own = incidents()
    assert (left.names, left.networks, left.evaluated, left.refused) == (1, 4, 20, 0)
    assert left.last_seen_at == before.last_seen_at
    assert (own.names, own.evaluated, own.refused) == (1, 12, 3)
    assert networks_of(own) == {NETWORK}
    assert NETWORK not in networks_of(left)
    assert left.tried.get().evaluated == 20


def test_whoever_goes_on_with_others_stays(clock: Any) -> None:
    from_everywhere()
    clock.tick(5 * MINUTE)
    rows(6, address=ALONE)
    group()
    rows(6, address=ALONE)
    group()
    assert [(one.networks, one.evaluated) for one in incidents()] == [(5, 32)]


def test_a_list_takes_along_the_name_that_others_are_after(clock: Any) -> None:
    from_everywhere()
    clock.tick(40 * MINUTE)
    rows(1, address=ALONE)
    rows(8, "name{}", ALONE)
    group()
    # By then, what tells is the name.
    assert [(one.names, one.networks, one.evaluated) for one in incidents()] == [(1, 5, 21)]
    clock.tick(10)
    rows(4, "other{}", ALONE)
    group()
    left, own = incidents()
    assert (left.names, left.networks, left.evaluated) == (1, 4, 20)
    assert (own.names, own.networks, own.evaluated) == (13, 1, 13)
    assert "root" in names_of(own)


def test_the_next_one_who_goes_on_by_himself_leaves_as_well(clock: Any) -> None:
    """The one before has left: he is none of the others any more."""
    from_everywhere()
    clock.tick(40 * MINUTE)
    rows(1, address=ALONE)
    rows(12, "name{}", ALONE)
    group()
    clock.tick(MINUTE)
    rows(12, address="203.0.113.200")
    group()
    assert [(one.names, one.networks, one.evaluated) for one in incidents()] == [
        (1, 4, 20),
        (13, 1, 13),
        (1, 1, 12),
    ]


def test_what_was_tried_with_the_others_stays_theirs(clock: Any) -> None:
    from_everywhere()
    clock.tick(40 * MINUTE)
    rows(12, address="198.51.100.3")
    group()
    left, own = incidents()
    assert (left.networks, left.evaluated, own.networks, own.evaluated) == (4, 20, 1, 12)
    assert left.sources.get(network="198.51.100.3/32").evaluated == 5


def test_a_list_of_later_takes_nothing_along(clock: Any) -> None:
    from_everywhere()
    clock.tick(40 * MINUTE)
    rows(5, address=ALONE)
    group()
    clock.tick(40 * MINUTE)
    rows(12, "name{}", ALONE)
    group()
    assert [(one.names, one.networks, one.evaluated) for one in incidents()] == [
        (1, 5, 25),
        (12, 1, 12),
    ]


def test_a_list_leaves_a_crowd_with_all_of_its_names(clock: Any) -> None:
    """A crowd holds each of its networks, until one is seen to be something else."""
    from_everywhere(20, 1)
    clock.tick(40 * MINUTE)
    rows(1, address=ALONE)
    rows(6, "name{}", ALONE)
    group()
    clock.tick(10)
    rows(5, "other{}", ALONE)
    group()
    left, own = incidents()
    assert (names_of(left), left.names, left.networks, left.evaluated) == ({"root"}, 1, 20, 20)
    assert (own.names, own.networks, own.evaluated) == (12, 1, 12)


def test_where_an_account_was_entered_nothing_leaves(clock: Any) -> None:
    from_everywhere()
    clock.tick(40 * MINUTE)
    rows(6, address=ALONE)
    group()
    IncidentNetwork.objects.filter(network=NETWORK).update(entered=1)
    rows(6, address=ALONE)
    group()
    assert [(one.networks, one.evaluated) for one in incidents()] == [(5, 32)]


def test_no_more_is_taken_out_than_was_counted(clock: Any) -> None:
    from_everywhere()
    clock.tick(40 * MINUTE)
    rows(6, address=ALONE)
    group()
    IncidentNetwork.objects.filter(network=NETWORK).update(evaluated=4)
    rows(6, address=ALONE)
    group()
    assert [(one.networks, one.evaluated) for one in incidents()] == [(4, 22), (1, 12)]


def test_a_list_that_was_never_counted_has_nothing_to_take_out(clock: Any) -> None:
    rows(1, address=ALONE)
    rows(7, "name{}", ALONE)
    clock.tick(30 * MINUTE)
    from_everywhere()
    clock.tick(15 * MINUTE)
    rows(4, "other{}", ALONE)
    group()
    own, left = incidents()
    assert (left.names, left.networks, left.evaluated) == (1, 4, 20)
    assert (own.names, own.networks, own.evaluated) == (12, 1, 12)


def test_who_keeps_people_out_by_himself_does_not_leave_himself(clock: Any, alice: Any) -> None:
    """Known by its names, and from one network: there is nobody whom he could leave."""
    comes_in("alice", "192.0.2.9", FIREFOX)
    clock.tick(2 * DAY)
    for _ in range(4):
        rows(10, "alice", ALONE, SCRIPT, repeated=True)
        group()
        clock.tick(10)
    assert [(one.kind, one.networks, one.evaluated) for one in incidents()] == [
        ("keeping-out", 1, 40)
    ]


# -- What is judged at all ------------------------------------------------------------------------


def test_what_people_mistype_at_home_is_not_judged_however_much_it_is(
    clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[int] = []
    monkeypatch.setattr(suspicion, "of_network", lambda _extent, one, *_rest: judged.append(one))
    monkeypatch.setattr(suspicion, "of_name", lambda _extent, one, *_rest: judged.append(one))
    client = Client(ALONE, "", "/login/")
    SuccessfulLogin.objects.bulk_create(
        SuccessfulLogin.objects.build(
            Subject.of(f"name{one}"), client, timestamp=timezone.now(), account=str(one)
        )
        for one in range(12)
    )
    clock.tick(2 * DAY)
    for _ in range(3):
        rows(12, "name{}", ALONE)
        rows(30, "name0", ALONE, repeated=True)
        # A machine without an account.
        rows(30, "probe", "203.0.113.99", repeated=True)
        group()
    assert FailedLogin.objects.count() == 216
    assert judged == []
    rows(1, "stranger", ALONE)
    group()
    assert judged == [number_of(NETWORK)]
