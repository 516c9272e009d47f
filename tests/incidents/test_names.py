"""What is counted on one name that is tried from several networks, and what is not."""

from __future__ import annotations

from typing import Any

import pytest

from lockout_admin.incidents.grouping import group
from lockout_admin.models import Exemption

from .crowds import DAY, MAIL
from .player import incidents
from .records import comes_in, rows
from .test_guesses import spray
from .traces import FIREFOX, HOUR, SCRIPT

pytestmark = pytest.mark.django_db

LISTED = ("alice", "admin", "root", "test")


def lists() -> None:
    """Have four names tried once from each of twenty networks."""
    for number in range(20):
        for name in LISTED:
            rows(1, name, f"198.51.100.{number}")
    group()


def test_a_name_on_the_list_of_many_networks_is_not_attacked_for_that(clock: Any) -> None:
    lists()
    assert incidents() == []


def test_but_where_somebody_has_it(clock: Any, alice: Any) -> None:
    lists()
    assert [(one.about, one.evaluated) for one in incidents()] == [("alice", 20)]


@pytest.mark.parametrize(("more", "found"), [(0, []), (1, [("root", 4, 20)])])
def test_what_a_machine_repeats_counts_once(
    clock: Any, more: int, found: list[tuple[str, int, int]]
) -> None:
    rows(1, "root", "198.51.100.9")
    rows(10, "root", "198.51.100.9", repeated=True)
    for place, times in enumerate((9, 9, more)):
        rows(times, "root", f"198.51.100.{place}")
    group()
    assert [(one.about, one.networks, one.evaluated) for one in incidents()] == found


def test_two_bursts_of_which_neither_is_enough_are_one_attack(clock: Any) -> None:
    for place in (1, 2):
        rows(6, "root", f"198.51.100.{place}")
    group()
    assert incidents() == []
    clock.tick(2 * HOUR)
    for place in (3, 4):
        rows(6, "root", f"198.51.100.{place}")
    group()
    assert [(one.about, one.networks, one.evaluated) for one in incidents()] == [("root", 4, 24)]


@pytest.mark.parametrize(("agent", "found"), [(MAIL, []), (SCRIPT, [("keeping-out", 30)])])
def test_who_repeats_nonsense_wants_the_lock_unless_it_is_the_owners_client(
    clock: Any, alice: Any, agent: str, found: list[tuple[str, int]]
) -> None:
    """A phone with an old password in a new place, and a stranger who says the same all day."""
    comes_in("alice", "192.0.2.9", FIREFOX)
    comes_in("alice", "192.0.2.9", MAIL)
    clock.tick(2 * DAY)
    rows(1, "alice", "198.51.100.9", agent)
    rows(29, "alice", "198.51.100.9", agent, repeated=True)
    group()
    assert [(one.kind, one.evaluated) for one in incidents()] == found


@pytest.mark.parametrize(("network", "found"), [("198.51.0.0/24", []), ("203.0.113.0/24", [40])])
def test_a_guess_of_our_own_scanner_is_none(clock: Any, network: str, found: list[int]) -> None:
    Exemption.objects.create(network=network, verdict="scanner")
    spray(40)
    group()
    assert [one.names for one in incidents()] == found
