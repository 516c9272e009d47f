"""Who is after names from everywhere is known by his tool, where he has one."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from lockout_admin.engine.sightings import GuessSeen
from lockout_admin.identity.subject import Subject
from lockout_admin.incidents import guesses
from lockout_admin.incidents.grouping import group
from lockout_admin.models import Incident, UserAgent

from .crowds import DAY
from .player import incidents, names_of
from .records import comes_in, refused, rows
from .traces import FIREFOX, MINUTE, SCRIPT

pytestmark = pytest.mark.django_db

CURL = "curl/8.5.0"
BROWSERS = tuple(f"browser {number}" for number in range(7))
HOME = "192.0.2.9"


def everywhere(name: str, first: int, *agents: str, networks: int = 5, each: int = 4) -> None:
    """Have a name tried from several networks, none of which is suspicious by itself."""
    for number in range(networks):
        rows(each, name, f"198.51.100.{first + number}", agents[number % len(agents)])


def figures() -> list[tuple[set[str], int, int]]:
    return [(names_of(one), one.networks, one.evaluated) for one in incidents()]


def guessed(name: str, place: int) -> GuessSeen:
    """Have a name be tried with the guess of all; return what the process has seen."""
    address = f"203.0.113.{place}"
    rows(1, name, address)
    return GuessSeen(7, Subject.of(name).key, name, f"{address}/32", timezone.now())


# -- On one name ----------------------------------------------------------------------------------


def test_who_is_after_a_name_with_another_tool_is_another_attack(clock: Any) -> None:
    everywhere("root", 0, SCRIPT)
    group()
    clock.tick(MINUTE)
    everywhere("root", 10, CURL)
    everywhere("root", 20, SCRIPT)
    group()
    assert figures() == [({"root"}, 10, 40), ({"root"}, 5, 20)]


def test_less_than_an_attack_with_another_tool_is_none(clock: Any) -> None:
    everywhere("root", 0, SCRIPT)
    group()
    rows(4, "root", "198.51.100.10", CURL)
    group()
    assert figures() == [({"root"}, 5, 20)]


def test_who_takes_many_tools_by_and_by_goes_on(clock: Any) -> None:
    everywhere("root", 0, SCRIPT)
    group()
    clock.tick(MINUTE)
    everywhere("root", 10, *BROWSERS, networks=7)
    group()
    assert figures() == [({"root"}, 12, 48)]
    assert incidents()[0].agent is None
    rows(1, "root", "198.51.100.50", "the next one")
    group()
    assert figures() == [({"root"}, 13, 49)]


def test_one_with_a_tool_beside_many_browsers_goes_on_by_himself(clock: Any) -> None:
    everywhere("root", 0, *BROWSERS)
    group()
    clock.tick(MINUTE)
    rows(12, "root", "203.0.113.7", SCRIPT)
    everywhere("root", 10, *BROWSERS)
    group()
    assert figures() == [({"root"}, 10, 40), ({"root"}, 1, 12)]


def test_one_of_many_who_each_have_a_tool_does_not(clock: Any) -> None:
    everywhere("root", 0, *BROWSERS, networks=6)
    group()
    clock.tick(MINUTE)
    everywhere("root", 0, *BROWSERS, networks=6, each=12)
    group()
    assert figures() == [({"root"}, 6, 96)]


@pytest.mark.parametrize(("agent", "entered"), [(SCRIPT, 1), (FIREFOX, 0)])
def test_who_comes_in_from_there_with_the_attacks_tool_is_entered(
    clock: Any, agent: str, entered: int
) -> None:
    """Each network has little: with another user agent it is somebody who lives there."""
    everywhere("root", 0, SCRIPT)
    group()
    clock.tick(MINUTE)
    comes_in("ann", "198.51.100.2", agent)
    group()
    assert [one.entered for one in incidents()] == [entered]


# -- Before the names were what tells -------------------------------------------------------------


def test_what_was_tried_on_its_names_before_it_was_found_is_a_part_of_it(
    clock: Any, alice: Any
) -> None:
    comes_in("alice", HOME, FIREFOX)
    clock.tick(2 * DAY)
    rows(9, "alice", "203.0.113.7", SCRIPT, repeated=True)
    clock.tick(1)
    rows(3, "alice", "203.0.113.8", SCRIPT)
    refused(1, "alice", "203.0.113.9", SCRIPT, each=2)
    # Neither what comes with another tool, nor the owner's own.
    rows(2, "alice", "203.0.113.10", CURL)
    rows(2, "alice", "203.0.113.11", FIREFOX)
    group()
    assert incidents() == []
    rows(20, "alice", "203.0.113.7", SCRIPT, repeated=True)
    group()
    (found,) = incidents()
    assert (found.kind, found.networks, found.evaluated) == ("keeping-out", 3, 32)
    assert found.refused == 2
    group()
    found.refresh_from_db()
    assert (found.networks, found.evaluated, found.refused) == (3, 32, 2)


def test_what_came_with_its_tool_before_that_was_known_is_a_part_of_it(clock: Any) -> None:
    everywhere("root", 0, SCRIPT, networks=20, each=1)
    group()
    # From a network, and on a name, that it has not had.
    rows(1, "admin", "203.0.113.1", SCRIPT)
    rows(1, "admin", "203.0.113.2", FIREFOX)
    for _ in range(2):
        group()
        clock.tick(MINUTE)
    assert figures() == [({"root"}, 20, 20)]
    rows(1, "admin", "198.51.100.1", SCRIPT)
    rows(1, "boss", "198.51.100.2", SCRIPT)
    group()
    assert figures() == [({"root", "admin", "boss"}, 21, 23)]


def test_a_guess_of_many_names_on_one_that_is_attacked_counts_once(clock: Any) -> None:
    """One of the names on which the same password is tried is attacked from everywhere."""
    everywhere("name7", 0, "")
    group()
    guesses.hand_over([guessed(f"name{number}", number) for number in range(41)], ())
    group()
    attacked, same = figures()
    assert attacked == ({"name7"}, 6, 21)
    assert same == ({f"name{number}" for number in range(41)} - {"name7"}, 40, 40)


# -- On several -----------------------------------------------------------------------------------


def test_names_that_are_found_one_after_the_other_are_one_campaign(clock: Any) -> None:
    for place, name in enumerate(("root", "admin", "boss", "clerk")):
        everywhere(name, 5 * place, SCRIPT)
        group()
        clock.tick(MINUTE)
    assert figures() == [({"root", "admin", "boss", "clerk"}, 20, 80)]
    assert Incident.objects.exclude(merged_into=None).count() == 1


def test_what_staff_has_closed_is_no_part_of_the_next_one(clock: Any) -> None:
    for place, name in enumerate(("root", "admin", "boss")):
        everywhere(name, 5 * place, SCRIPT)
        group()
        Incident.objects.update(state="closed", verdict="attack")
        clock.tick(MINUTE)
    assert len(incidents()) == 3


def popular(agent: str) -> None:
    for number in range(9):
        comes_in(f"person{number}", HOME, agent)


@pytest.mark.parametrize(("names", "found"), [(4, 4), (5, 1), (6, 1)])
def test_with_what_people_have_three_names_may_be_chance_and_five_are_not(
    clock: Any, names: int, found: int
) -> None:
    popular(FIREFOX)
    for place in range(names):
        everywhere(f"name{place}", 5 * place, FIREFOX)
    # Of what else comes with it, nobody knows whose it is.
    rows(4, "clerk", "198.51.100.99", FIREFOX)
    group()
    assert len(incidents()) == found
    assert sum(one.names for one in incidents()) == names


def test_a_campaign_takes_its_tries_out_of_what_has_many_tools(clock: Any) -> None:
    everywhere("root", 0, *BROWSERS)
    group()
    clock.tick(MINUTE)
    for place, name in enumerate(("root", "admin"), 10):
        everywhere(name, 5 * place, SCRIPT)
    refused(1, "root", "198.51.100.50", SCRIPT, each=3)
    group()
    # Until three names are seen, it may be the same.
    assert figures()[0] == ({"root"}, 10, 40)
    clock.tick(MINUTE)
    for place, name in enumerate(("boss", "clerk"), 20):
        everywhere(name, 5 * place, SCRIPT)
    group()
    assert figures() == [
        ({"root"}, 5, 20),
        ({"root", "admin", "boss", "clerk"}, 20, 80),
    ]
    mixed, campaign = incidents()
    assert (mixed.refused, campaign.refused) == (0, 3)
    assert campaign.agent == UserAgent.objects.key_of(SCRIPT)


@pytest.mark.parametrize("name", ["root", "zoe", "amy", "kim"])
def test_what_is_found_in_one_turn_counts_each_try_once(clock: Any, name: str) -> None:
    everywhere(name, 0, *BROWSERS, networks=7)
    rows(3, name, "198.51.100.90", SCRIPT)
    for place, other in enumerate(("admin", "boss", "clerk"), 2):
        everywhere(other, 10 * place, SCRIPT)
    group()
    assert sorted((one.names, one.evaluated) for one in incidents()) == [(1, 28), (4, 63)]
