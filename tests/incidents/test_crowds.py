"""Attacks from everywhere, a try or two from each network: a user agent that nobody else has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import Any

import pytest
from django.utils import timezone

from lockout_admin.incidents import growing
from lockout_admin.incidents.grouping import group
from lockout_admin.models import IncidentName

from . import traces
from .crowds import PASSWORD, settle
from .judging import judge, one_of
from .player import Player, incidents, names_of, networks_of
from .records import comes_in
from .traces import FIREFOX, MINUTE, Attack, Try

pytestmark = pytest.mark.django_db

Play = Callable[..., Player]

VICTIMS = [f"victim{number}" for number in range(20)]


def stuffing(times: int, pace: float = 1, *, each: int = 1, right: tuple[int, ...] = ()) -> Attack:
    """Leaked pairs, so many from each network; `right`: the turns at which one is right here."""
    names = traces.ghosts(times)
    pairs = dict(zip(right, VICTIMS, strict=False))
    for turn, name in pairs.items():
        names[turn] = name
    sources = [address for address in islice(traces.everywhere(), times) for _ in range(each)]
    attack = traces.stuffing(names, pace, dict.fromkeys(pairs.values(), PASSWORD), sources)
    return replace(attack, known_after=60 * each)


def with_agents(attack: Attack, agents: list[str]) -> Attack:
    """Have an attack take one user agent after the other."""
    tries = [
        replace(one, agent=agents[turn % len(agents)]) for turn, one in enumerate(attack.tries)
    ]
    return replace(attack, tries=tries)


@pytest.fixture
def town(clock: Any, play: Play) -> None:
    """Twelve people have come in, with Firefox, each from home."""
    neighbours = [f"neighbour{number}" for number in range(12)]
    settle([*VICTIMS, *neighbours], timezone.now() - timedelta(days=365))
    play(
        [
            Try(number, name, PASSWORD, f"192.0.2.{number}", FIREFOX)
            for number, name in enumerate(neighbours)
        ]
    )
    clock.tick(30 * MINUTE)


@pytest.fixture
def come(clock: Any, play: Play) -> Play:
    """Play attacks, and look once more when whoever has mistyped would have noticed."""

    def come(*parts: Any) -> Player:
        player = play(*parts)
        clock.tick(30)
        group()
        return player

    return come


def how_entered() -> dict[str, str]:
    rows = IncidentName.objects.exclude(entered_at=None)
    return dict(rows.values_list("username", "how"))


def test_who_comes_in_with_the_user_agent_of_a_crowd_is_entered(town: None, come: Play) -> None:
    """Before anybody can know of the crowd, and after; who comes in with another is not."""
    attack = stuffing(90, right=(20, 80))
    player = come(attack, [Try(85, "victim5", PASSWORD, "192.0.2.200", FIREFOX)])
    assert player.fates[""].entered
    judge(attack, player)
    assert how_entered() == {"victim0": "agent", "victim1": "agent"}


def test_what_came_from_there_before_belongs_to_it_as_well(town: None, come: Play) -> None:
    """From each network two pairs, some of them in two turns; of some the second is right."""
    attack = stuffing(140, 1 / 2, each=2, right=(31, 131))
    judge(attack, come(attack))
    assert set(how_entered()) == {"victim0", "victim1"}


def test_a_crowd_with_many_user_agents_needs_twice_as_many(town: None, come: Play) -> None:
    tries = with_agents(stuffing(130, 1 / 2), [f"Browser/{number}.0" for number in range(10)]).tries
    come(tries[:110])
    assert incidents() == []
    come([replace(one, at=0) for one in tries[110:]])
    (found,) = incidents()
    assert (found.agent, found.names, found.evaluated) == (None, 130, 130)


@pytest.mark.parametrize(
    ("place", "beside", "is_all"),
    [
        ("2001:db8:1:{:x}::1", "", True),
        ("203.0.113.{}", "", True),
        ("2001:db8:1:{:x}::1", "198.51.100.7", False),
    ],
)
def test_a_crowd_from_one_block_is_all_that_comes_from_there(
    place: str, beside: str, is_all: bool, town: None, come: Play
) -> None:
    """With many user agents nothing else tells; from a second block, the first does not."""
    sources = [place.format(number) for number in range(1, 181)]
    sources[30:31] = [beside or sources[30]]
    attack = traces.stuffing(traces.ghosts(180), 1, {}, sources)
    attack = with_agents(attack, [f"agent {number}" for number in range(9)])
    come(replace(attack, known_after=200))
    (one,) = incidents()
    assert (one.names == 180) is is_all, one.names


def test_a_storm_is_not_waited_out(town: None, come: Play) -> None:
    """Whoever mistypes has a quarter of a minute to notice; a hundred and forty at once do not."""
    attack = stuffing(140, 1 / 20)
    player = come(attack)
    assert one_of(attack).found_at == player.moment(10)
    judge(attack, player)


def test_a_crowd_with_the_user_agent_of_everybody_goes_on_as_one(town: None, come: Play) -> None:
    """Nobody can be told from it one by one; what passes the threshold again is the same."""
    attack = with_agents(stuffing(150, 1 / 2), [FIREFOX])
    come(attack)
    found = one_of(attack)
    assert len(incidents()) == 1
    assert found.names >= 120


def test_a_list_from_one_host_beside_a_crowd_is_another_attack(town: None, come: Play) -> None:
    crowd = stuffing(80)
    host = traces.spraying(traces.ghosts(60, "list"), 1)
    player = come(crowd, host)
    assert judge(crowd, player) != judge(host, player)
    assert len(incidents()) == 2


@pytest.mark.parametrize(("agent", "are_people"), [(FIREFOX, True), ("Other/1.0", False)])
def test_telephones_with_a_new_network_at_each_try_are_no_crowd(
    town: None, clock: Any, come: Play, agent: str, are_people: bool
) -> None:
    """A hundred people mistype, and come in half a minute later, from somewhere else."""
    people = [f"caller{number}" for number in range(100)]
    settle(people, timezone.now() - timedelta(days=365))
    wrong = [
        Try(10 * number, name, f"mistyped{number}", f"2001:db8:{number:x}:1::1", FIREFOX)
        for number, name in enumerate(people)
    ]
    right = [
        replace(
            one,
            at=one.at + 30,
            password=PASSWORD,
            address=f"2001:db8:{number:x}:2::1",
            agent=agent,
        )
        for number, one in enumerate(wrong)
    ]
    come(wrong, right)
    assert (incidents() == []) is are_people
    clock.tick(2 * 60 * MINUTE)
    come(wrong)
    assert max(one.names for one in incidents()) >= 60


@pytest.mark.parametrize(("logins", "found"), [(0, 1), (2_000, 0)])
def test_at_a_small_site_a_whole_day_tells_of_a_patient_crowd(
    town: None, come: Play, logins: int, found: int
) -> None:
    """A pair every few minutes, each from a new address, with whatever browser."""
    tries = with_agents(stuffing(250, 150), [f"Browser/{n}.0" for n in range(10)]).tries
    for number in range(logins):
        comes_in(f"person{number}", f"192.0.{number // 250}.{number % 250}", FIREFOX)
    come(tries)
    assert len(incidents()) == found
    for one in incidents():
        assert (one.sign, one.agent) == ("crowd-day", None)
        assert one.names >= 240


def test_a_crowd_of_more_networks_than_are_kept_is_counted_once(
    town: None, come: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growing, "MOST_PARTS", 70)
    attack = stuffing(200)
    come(attack)
    (found,) = incidents()
    assert (found.names, found.networks, found.evaluated) == (200, 200, 200)
    assert found.sources.count() == found.tried.count() == 70


def test_people_at_a_network_that_comes_in_late_have_not_entered(
    town: None, clock: Any, play: Play
) -> None:
    """They came in after the attack had begun, and before it came from their network."""
    first = [
        Try(30 * number, "victim9", f"guess{number}", address, "curl/8.5")
        for number, address in enumerate(islice(traces.everywhere(), 40))
    ]
    people = [
        Try(300 + number, f"victim{number}", PASSWORD, "198.51.100.50", FIREFOX)
        for number in range(4)
    ]
    late = [Try(1200 + n, "victim9", f"late{n}", "198.51.100.50", "curl/8.5") for n in range(12)]
    play(first, people, late)
    assert how_entered() == {}
    (found,) = incidents()
    assert "198.51.100.50/32" in networks_of(found)


def test_two_programs_on_one_name_are_two_attacks(town: None, come: Play) -> None:
    first = traces.brute_force("victim9", 4, 60)
    second = traces.brute_force("victim9", 5, 50, ("203.0.113.24",))
    second = replace(with_agents(second, ["curl/8.5"]), label="another program")
    come(first, second)
    assert one_of(first) != one_of(second)
    assert names_of(one_of(second)) == {"victim9"}
