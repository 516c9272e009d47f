"""Each attack becomes one incident, of its kind, in time, with what its own program knows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from lockout_admin.incidents.grouping import group
from lockout_admin.models import Incident, IncidentEvent

from ..incidents import traces
from ..incidents.conftest import LEAKED
from ..incidents.crowds import DAY, PASSWORD, Site
from ..incidents.judging import found_of, judge, one_of
from ..incidents.player import Player, incidents
from ..incidents.traces import HOUR, MINUTE, Attack
from . import attacks

pytestmark = pytest.mark.django_db

Play = Callable[..., Player]


def people(site: Site, times: int, first: int = 50) -> list[str]:
    """Return names of accounts whose passwords nobody has."""
    return site.names[first : first + times]


def leak(site: Site, times: int) -> list[str]:
    """Return the names of a leak: three of five are nobody's here, two of whom reuse a password."""
    names = [
        *traces.ghosts(times * 3 // 5, "leaked"),
        *people(site, times * 2 // 5 - 2),
    ]
    # Shuffled, but the same way each time.
    names.sort(key=lambda name: hash_of(name))
    return [*names[:12], "user31", *names[12:30], "user44", *names[30:]]


def hash_of(name: str) -> int:
    return sum(place * ord(char) for place, char in enumerate(name, 7)) * 7919 % 1009


#: Label, and how to make it for a site.
ATTACKS: dict[str, Callable[[Site], Attack]] = {
    "brute force, a guess a second": lambda site: traces.brute_force("user60", 1, 200),
    "brute force on a name that nobody has": lambda site: traces.brute_force("root", 1, 100),
    "brute force, a guess in two minutes": lambda site: traces.brute_force(
        "user60", 2 * MINUTE, 60
    ),
    "brute force, a guess in twenty minutes": lambda site: traces.brute_force(
        "user60", 20 * MINUTE, 72
    ),
    "brute force from a home with IPv6": lambda site: traces.brute_force(
        "user60", 5, 60, ("2001:db8:bad:1::5",)
    ),
    "brute force that gets in": lambda site: traces.brute_force(
        "user61", 30, 60, right={3: PASSWORD}
    ),
    "brute force with its owner's browser, from three addresses": lambda site: Attack(
        "browser",
        (traces.BRUTE_FORCE,),
        [
            traces.Try(45.0 * n, "user60", f"guess {n}", f"203.0.113.{n % 3}", traces.FIREFOX)
            for n in range(80)
        ],
        20,
        "user60",
    ),
    "spraying, a name a second": lambda site: traces.spraying(
        [*people(site, 60), *traces.ghosts(60)], 1
    ),
    "spraying, a name in ten minutes": lambda site: traces.spraying(
        [*people(site, 30), *traces.ghosts(30)], 10 * MINUTE
    ),
    "spraying from three addresses": lambda site: traces.spraying(
        people(site, 60), 5, ("Winter2026!", "Spring2026!"), attacks.hosts()[:3]
    ),
    "spraying that gets in": lambda site: traces.spraying(
        [*people(site, 5), "user7", *people(site, 40, 56)], 2
    ),
    "stuffing, a pair a second": lambda site: traces.stuffing(
        leak(site, 110), 1, {"user31": LEAKED["user31"]}
    ),
    "stuffing, a pair in five minutes": lambda site: traces.stuffing(
        leak(site, 80), 5 * MINUTE, {"user31": LEAKED["user31"], "user44": LEAKED["user44"]}
    ),
    "stuffing from forty addresses": lambda site: traces.stuffing(
        leak(site, 160),
        2,
        {"user31": LEAKED["user31"], "user44": LEAKED["user44"]},
        attacks.hosts()[:40],
    ),
    "distributed, a guess a second": lambda site: attacks.distributed("user62", 1, 200),
    "distributed, a guess in five minutes": lambda site: attacks.distributed(
        "user62", 5 * MINUTE, 72
    ),
    "distributed, and it gets in": lambda site: attacks.distributed(
        "user64", 40, 60, right={25: PASSWORD}
    ),
    "a dictionary on three names": lambda site: attacks.dictionary(people(site, 3), 2, 60),
    "a dictionary, a word a minute": lambda site: attacks.dictionary(people(site, 2), MINUTE, 60),
    "keeping ten people out": lambda site: attacks.keeping_out(
        people(site, 10), 2, HOUR, attacks.hosts()[:50]
    ),
    "keeping two people out, from one address": lambda site: attacks.keeping_out(
        people(site, 2), 8, HOUR, ("203.0.113.200",)
    ),
    "two kinds by one hand": lambda site: attacks.mixed(people(site, 8)),
    "a pause of two hours": lambda site: attacks.interrupted(people(site, 60)),
    "from one network to the next": lambda site: attacks.moving("user63"),
}


@pytest.mark.parametrize("label", ATTACKS)
def test_an_attack_on_a_club_becomes_one_incident(label: str, club: Site, play: Play) -> None:
    attack = ATTACKS[label](club)
    judge(attack, play(attack))
    assert len(incidents()) == 1


PAIRS = {
    "a name and a list": lambda site: (
        traces.brute_force("user60", 2, 90),
        traces.spraying(people(site, 45, 70), 4, addresses=("203.0.113.23",)),
    ),
    "two names": lambda site: (
        traces.brute_force("user60", 2, 90),
        traces.brute_force("user61", 3, 60, ("203.0.113.24",)),
    ),
    "two lists": lambda site: (
        traces.spraying(people(site, 30), 3),
        traces.spraying(
            traces.ghosts(30), 3, ("Letmein1",), ("203.0.113.25",), label="another spray"
        ),
    ),
    "a botnet of its own on each of two names": lambda site: (
        attacks.distributed("user60", 3, 60),
        attacks.distributed("user61", 4, 45, first=9000),
    ),
}


@pytest.mark.parametrize("label", PAIRS)
def test_two_attacks_at_once_are_two_incidents(label: str, club: Site, play: Play) -> None:
    first, second = PAIRS[label](club)
    player = play(first, second)
    assert judge(first, player) != judge(second, player)
    assert len(incidents()) == 2


def test_an_owner_who_is_kept_out_is_no_attacker(club: Site, play: Play) -> None:
    victims = people(club, 2)
    attack = attacks.keeping_out(victims, 8, HOUR, ("203.0.113.200",))
    owners = [
        traces.Try(at, name, PASSWORD, "192.0.2.9", traces.FIREFOX)
        for name in victims
        for at in range(600, 3600, 600)
    ]
    player = play(attack, owners)
    assert player.fates[""].refused
    assert [one.kind for one in found_of(attack)] == [attacks.KEEPING_OUT]
    assert len(incidents()) == 1


def test_an_owner_who_comes_in_from_home_while_he_is_attacked_is_no_entry(
    club: Site, play: Play, clock: Any
) -> None:
    home = "192.0.2.9"
    play([traces.Try(60 * at, "user60", PASSWORD, home, traces.FIREFOX) for at in range(3)])
    clock.tick(DAY)
    attack = attacks.distributed("user60", 60, 60)
    owner = [traces.Try(at, "user60", PASSWORD, home, traces.FIREFOX) for at in range(90, 3600, 97)]
    player = play(attack, owner)
    assert player.fates[""].entered
    one = judge(attack, player)
    assert one.entered == 0


def test_people_behind_the_attackers_address_are_not_entered(club: Site, play: Play) -> None:
    """One machine of an office sprays; its people log in as on all days."""
    office = "203.0.113.77"
    staff = [name for name in club.names[:30] if name not in LEAKED]
    play([traces.Try(30 * n, name, PASSWORD, office) for n, name in enumerate(staff)])
    attack = traces.spraying(people(club, 60), 5, addresses=(office,))
    beside = [traces.Try(7 * n, name, PASSWORD, office) for n, name in enumerate(staff)]
    player = play(attack, beside)
    truth, honest = player.fates[attack.label], player.fates[""]
    assert len(honest.entered) >= 5
    one = one_of(attack)
    assert (one.kind, one.entered) == (traces.SPRAYING, 0)
    assert (one.evaluated, one.networks) == (truth.evaluated, 1)
    # Whom the lock of the address refuses, nobody can tell apart.
    assert truth.refused <= one.refused <= truth.refused + honest.refused


def test_a_list_on_fewer_names_than_live_at_its_place_is_found(
    club: Site, clock: Any, play: Play
) -> None:
    """Forty people have an office; one of them goes through the names of thirty others."""
    office = "203.0.113.77"
    staff = [one.username for one in club.people if one.username not in LEAKED][:40]
    play([traces.Try(30 * n, name, PASSWORD, office) for n, name in enumerate(staff)])
    clock.tick(timedelta(days=2))
    play([traces.Try(30 * n, name, PASSWORD, office) for n, name in enumerate(staff)])
    names = [name for name in people(club, 60) if name not in staff][:30]
    attack = traces.spraying(names, 5, ("Winter2026!",), addresses=(office,))
    play(attack)
    one = one_of(attack)
    assert (one.kind, one.entered, one.names, one.networks) == (traces.SPRAYING, 0, 30, 1)


def test_an_attack_is_over_after_silence_and_resumes_as_the_same(
    club: Site, clock: Any, play: Play
) -> None:
    attack = traces.spraying(people(club, 60), 1)
    play(attack)
    clock.tick(6 * HOUR)
    group()
    over = Incident.objects.get()
    assert over.is_over
    again = play(traces.spraying(people(club, 60), 1, ("Summer2026!",)))
    group()
    one = Incident.objects.get()
    assert not one.is_over
    assert one.evaluated + one.refused == 120
    assert again.fates["spray"].names == attack.names
    told = list(IncidentEvent.objects.filter(incident=one).values_list("what", flat=True))
    assert told.index("found") < told.index("over") < told.index("resumed")


def test_after_two_weeks_of_silence_it_is_another_attack(
    club: Site, clock: Any, play: Play
) -> None:
    play(traces.spraying(people(club, 60), 1))
    clock.tick(timedelta(days=14))
    group()
    play(traces.spraying(people(club, 60), 1, ("Summer2026!",)))
    assert len(incidents()) == 2


def test_what_happens_while_nobody_groups_is_caught_up_with(club: Site, clock: Any) -> None:
    """An instance that was down finds the same, late."""
    attack = traces.spraying(people(club, 40), 2)
    player = Player(clock)
    for one in attack.tries:
        clock.move_to(player.moment(one.at))
        player.tries(one)
    clock.tick(5 * HOUR)
    assert group().is_caught_up
    attack.grace = 6 * HOUR
    judge(attack, player)


def test_grouping_once_more_changes_nothing(club: Site, play: Play) -> None:
    attack = traces.spraying(people(club, 40), 2)
    player = play(attack)
    for _ in range(5):
        group()
    judge(attack, player)
    assert len(incidents()) == 1
