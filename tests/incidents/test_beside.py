"""Who shares the attacker's network is not entered, nor counted; who comes in with him is."""

from __future__ import annotations

from datetime import timedelta
from itertools import cycle
from typing import Any

import pytest
from django.utils import timezone

from lockout_admin.incidents.grouping import group
from lockout_admin.models import Incident, IncidentName, TrustedDevice

from .crowds import DAY
from .player import incidents, names_of, networks_of
from .records import comes_in, refused, rows
from .traces import FIREFOX, MINUTE, SCRIPT

pytestmark = pytest.mark.django_db

OFFICE = "203.0.113.77"
HOME = "192.0.2.9"


def sprays(clock: Any, times: int = 12) -> Incident:
    """Have one machine of an office try names; return what it is found to be, a minute later."""
    rows(times, "name{}", OFFICE, SCRIPT)
    group()
    clock.tick(MINUTE)
    incident: Incident = Incident.objects.get()
    assert (incident.names, incident.evaluated, incident.entered) == (times, times, 0)
    return incident


def how_entered() -> dict[str, str]:
    """Group once more; return who was entered, and how that is known."""
    group()
    rows = IncidentName.objects.exclude(entered_at=None)
    return dict(rows.values_list("username", "how"))


# -- From the attacker's network ------------------------------------------------------------------


@pytest.mark.parametrize("agent", [SCRIPT, FIREFOX])
def test_who_comes_in_from_where_nobody_lives_is_entered(clock: Any, agent: str) -> None:
    sprays(clock)
    comes_in("victim", OFFICE, agent)
    assert how_entered() == {"victim": "network"}
    assert Incident.objects.get().names == 13


def test_who_comes_in_from_a_shared_network_is_not_entered(clock: Any) -> None:
    for name in ("ann", "bob", "carol"):
        comes_in(name, OFFICE, FIREFOX)
    clock.tick(DAY)
    sprays(clock, 25)
    comes_in("newcomer", OFFICE, "Another browser")
    assert how_entered() == {}
    # But with the attacker's user agent, or on a name that he has tried.
    comes_in("victim", OFFICE, SCRIPT)
    comes_in("name3", OFFICE, FIREFOX)
    assert how_entered() == {"victim": "network", "name3": "network"}


def test_who_has_the_user_agent_of_a_neighbour_is_not_entered(clock: Any) -> None:
    comes_in("ann", OFFICE, FIREFOX)
    clock.tick(DAY)
    sprays(clock)
    rows(1, "newcomer", OFFICE, FIREFOX)
    comes_in("newcomer", OFFICE, FIREFOX)
    assert how_entered() == {}


def test_unless_names_of_the_attack_were_tried_with_it_as_well(clock: Any) -> None:
    comes_in("ann", OFFICE, FIREFOX)
    clock.tick(DAY)
    sprays(clock)
    rows(1, "name3", OFFICE, FIREFOX)
    comes_in("newcomer", OFFICE, FIREFOX)
    assert how_entered() == {"newcomer": "network"}


@pytest.mark.parametrize(
    ("agent", "is_entered"), [(FIREFOX, False), ("New", False), (SCRIPT, True)]
)
def test_who_is_at_home_there_is_entered_with_the_attacks_user_agent_only(
    clock: Any, agent: str, is_entered: bool
) -> None:
    comes_in("ann", OFFICE, FIREFOX)
    clock.tick(DAY)
    sprays(clock)
    comes_in("ann", OFFICE, agent)
    assert bool(how_entered()) == is_entered


@pytest.mark.parametrize("who", ["ann", "bob"])
def test_nor_with_that_if_somebody_there_had_it_before(clock: Any, who: str) -> None:
    comes_in("ann", OFFICE, FIREFOX)
    comes_in(who, OFFICE, SCRIPT)
    clock.tick(DAY)
    sprays(clock, 25)
    comes_in("ann", OFFICE, SCRIPT)
    assert how_entered() == {}


def test_tries_on_those_who_live_there_are_the_attacks_as_well(clock: Any) -> None:
    """If nobody has come in with its user agent; one of theirs is mistyped by themselves."""
    for number in range(4):
        comes_in(f"ann{number}", OFFICE, FIREFOX)
    clock.tick(DAY)
    rows(3, "ann{}", OFFICE, SCRIPT)
    rows(1, "ann3", OFFICE, FIREFOX)
    rows(25, "name{}", OFFICE, SCRIPT)
    group()
    (incident,) = incidents()
    assert (incident.names, incident.evaluated) == (28, 28)
    assert "ann3" not in names_of(incident)


def test_who_came_in_before_it_began_is_not_entered(clock: Any) -> None:
    comes_in("victim", OFFICE, SCRIPT)
    clock.tick(1)
    rows(12, "name{}", OFFICE, SCRIPT)
    assert how_entered() == {}
    assert Incident.objects.get().evaluated == 12


@pytest.mark.parametrize(("made", "is_entered"), [(DAY, False), (0, True)])
def test_who_has_been_here_with_his_browser_is_not_entered(
    clock: Any, made: int, is_entered: bool
) -> None:
    """A browser that was made a device by this very login says nothing."""
    sprays(clock)
    now = timezone.now()
    TrustedDevice.objects.create(
        id=5, account="5", first_seen=now - timedelta(seconds=made), until=now + timedelta(days=9)
    )
    comes_in("victim", OFFICE, SCRIPT, device=5)
    assert bool(how_entered()) == is_entered


def test_what_neighbours_mistype_is_not_counted(clock: Any) -> None:
    """As many names as people come in, thrice each."""
    comes_in("ann", OFFICE, FIREFOX)
    comes_in("bob", OFFICE, FIREFOX)
    clock.tick(DAY)
    incident = sprays(clock)
    for name in ("carol", "dave"):
        rows(3, name, OFFICE, FIREFOX)
    group()
    incident.refresh_from_db()
    assert incident.evaluated == 12
    rows(1, "erin", OFFICE, FIREFOX)
    for name in ("carol", "dave"):
        rows(3, name, OFFICE, FIREFOX)
    group()
    incident.refresh_from_db()
    assert incident.evaluated == 12 + 7


def test_whom_a_lock_keeps_out_of_an_office_is_no_list_of_names(clock: Any) -> None:
    """Their passwords were never compared; as many are kept out as come in within a week."""
    for number in range(30):
        comes_in(f"colleague{number}", OFFICE, FIREFOX)
    clock.tick(2 * DAY)
    rows(12, "typed-otherwise{}", OFFICE, FIREFOX)
    refused(30, "kept-out{}", OFFICE, FIREFOX)
    group()
    assert incidents() == []
    clock.tick(1)
    refused(9, "others{}", OFFICE, FIREFOX)
    group()
    (incident,) = incidents()
    assert (incident.names, incident.evaluated, incident.refused) == (51, 12, 39)


@pytest.mark.parametrize(("compared", "kept_out"), [(30, 0), (0, 30)])
def test_whoever_has_another_user_agent_than_the_office_is_a_list(
    clock: Any, compared: int, kept_out: int
) -> None:
    for number in range(30):
        comes_in(f"colleague{number}", OFFICE, FIREFOX)
    clock.tick(2 * DAY)
    rows(compared, "name{}", OFFICE, SCRIPT)
    refused(kept_out, "name{}", OFFICE, SCRIPT)
    group()
    assert [one.names for one in incidents()] == [30]


# -- On the attacked name -------------------------------------------------------------------------


def tries_from_everywhere(name: str = "root", first: int = 0, *agents: str) -> None:
    """Have a name tried from five networks, four times each."""
    for number, agent in zip(range(first, first + 5), cycle(agents or (SCRIPT,)), strict=False):
        rows(4, name, f"198.51.100.{number}", agent)


def attacked(clock: Any, *agents: str) -> Incident:
    tries_from_everywhere("root", 0, *agents)
    group()
    clock.tick(MINUTE)
    incident: Incident = Incident.objects.get()
    assert (incident.kind, incident.about, incident.evaluated) == ("distributed", "root", 20)
    return incident


def test_who_comes_in_from_elsewhere_on_an_attacked_name_is_entered(clock: Any) -> None:
    attacked(clock)
    comes_in("root", "192.0.2.200", SCRIPT)
    assert how_entered() == {"root": "name"}


def test_who_comes_in_from_where_people_live_has_gone_to_a_cafe(clock: Any) -> None:
    for name in ("ann", "bob", "carol", "dave"):
        comes_in(name, "192.0.2.200", FIREFOX)
    attacked(clock)
    comes_in("root", "192.0.2.200", SCRIPT)
    assert how_entered() == {}


def test_owners_who_come_from_a_new_place_are_no_part_of_it(clock: Any) -> None:
    """Nor of one that begins; from three places, it is somebody with a copy of their user agent.

    One of many, that is: an attack with one tool is known by it.
    """
    comes_in("root", HOME, FIREFOX)
    clock.tick(DAY)
    rows(3, "root", "192.0.2.200", FIREFOX)
    clock.tick(10 * MINUTE)
    incident = attacked(clock, *(f"browser {number}" for number in range(5)))
    for place in (201, 202):
        rows(2, "root", f"192.0.2.{place}", FIREFOX)
    group()
    incident.refresh_from_db()
    assert (incident.evaluated, incident.networks) == (20, 5)
    for place in (203, 204, 205):
        rows(2, "root", f"192.0.2.{place}", FIREFOX)
    group()
    incident.refresh_from_db()
    assert (incident.evaluated, incident.networks) == (30, 10)


@pytest.mark.parametrize(
    ("agents", "left_out"),
    # Whose attack has come with it from five places before; whose attack has not.
    [((FIREFOX,), 0), (tuple(f"browser {number}" for number in range(5)), 5)],
)
def test_who_has_a_copy_of_an_owners_user_agent_is_told_by_his_many_places(
    clock: Any, agents: tuple[str, ...], left_out: int
) -> None:
    """One at a time he looks like the owner: the sixth new place of a day is no owner's."""
    comes_in("root", HOME, FIREFOX)
    clock.tick(DAY)
    incident = attacked(clock, *agents)
    for count, place in enumerate(range(201, 208), 1):
        rows(1, "root", f"192.0.2.{place}", FIREFOX)
        group()
        clock.tick(10 * MINUTE)
        incident.refresh_from_db()
        told = 0 if count <= left_out else count
        assert (incident.evaluated, incident.networks) == (20 + told, 5 + told)
    assert incidents() == [incident]


def test_an_owner_who_comes_in_at_home_is_not_entered(clock: Any) -> None:
    comes_in("root", HOME, FIREFOX)
    clock.tick(DAY)
    attacked(clock)
    comes_in("root", HOME, SCRIPT)
    assert how_entered() == {}


# -- What one hand does ---------------------------------------------------------------------------


def test_three_names_at_once_from_everywhere_are_one_campaign(clock: Any) -> None:
    """With what the same program has done in that hour to others."""
    for place, name in enumerate(("root", "admin", "boss")):
        tries_from_everywhere(name, 5 * place)
    rows(4, "clerk", "198.51.100.99", SCRIPT)
    rows(4, "ann", "198.51.100.98", FIREFOX)
    group()
    (found,) = incidents()
    assert names_of(found) == {"root", "admin", "boss", "clerk"}
    assert (found.networks, found.evaluated) == (16, 64)


@pytest.mark.parametrize(
    "agents", [(SCRIPT, SCRIPT), (SCRIPT, SCRIPT, FIREFOX), ("", "", "")], ids=str
)
def test_two_names_or_three_programs_are_none(clock: Any, agents: tuple[str, ...]) -> None:
    names = ("root", "admin", "boss")
    for place, agent in enumerate(agents):
        tries_from_everywhere(names[place], 5 * place, agent)
    group()
    assert [(one.names, one.networks) for one in incidents()] == [(1, 5)] * len(agents)


@pytest.mark.parametrize(
    ("address", "later", "found"),
    [
        ("203.0.113.99", 5 * MINUTE, 1),
        ("203.0.113.99", 15 * MINUTE, 2),
        ("203.0.112.99", 5 * MINUTE, 2),
    ],
)
def test_a_list_that_goes_on_next_door_at_once_is_the_same(
    clock: Any, address: str, later: int, found: int
) -> None:
    sprays(clock)
    clock.tick(later)
    rows(12, "other{}", address, SCRIPT)
    group()
    assert len(incidents()) == found
    assert {f"{address}/32", f"{OFFICE}/32"} == set().union(*map(networks_of, incidents()))
