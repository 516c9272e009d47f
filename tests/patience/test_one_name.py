"""Several attacks on the same name, one after the other: each has its tool, and is its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import cycle
from typing import Final

import pytest

from ..incidents import traces
from ..incidents.crowds import Site
from ..incidents.judging import judge
from ..incidents.player import Player, incidents
from ..incidents.traces import DISTRIBUTED, HOUR, MINUTE, Attack
from . import attacks
from .attacks import DICTIONARY, later

pytestmark = pytest.mark.django_db

Play = Callable[..., Player]

ALICE: Final = "user60"
BROWSERS: Final = tuple(
    f"Mozilla/5.0 (X11; Linux x86_64; rv:{version}.0) Gecko/20100101 Firefox/{version}.0"
    for version in range(90, 96)
)
HYDRA, WGET, CURL = "Mozilla/4.0 (Hydra)", "Wget/1.21.3", "curl/8.5.0"


def by(attack: Attack, *agents: str, label: str = "") -> Attack:
    """Return an attack with tools of its own, one after the other."""
    tries = [
        replace(one, agent=agent) for one, agent in zip(attack.tries, cycle(agents), strict=False)
    ]
    return replace(attack, tries=tries, label=label or attack.label)


def botnet(site: Site) -> Attack:
    """Everywhere, each time with another browser."""
    return by(attacks.distributed(ALICE, 3, 200), *BROWSERS)


def botnet_with_a_tool(site: Site) -> Attack:
    return by(attacks.distributed(ALICE, 3, 200), CURL)


def dictionary(site: Site) -> Attack:
    attack = attacks.dictionary([ALICE, *site.names[61:63]], 2, 60)
    return by(replace(attack, kinds=(DICTIONARY,)), HYDRA)


def malice(site: Site) -> Attack:
    addresses = [f"198.19.{n % 64}.{n + 1}" for n in range(100)]
    return by(attacks.keeping_out(site.names[55:65], 2, 20 * MINUTE, addresses), WGET)


def brute(site: Site) -> Attack:
    return by(traces.brute_force(ALICE, 2, 200, ("203.0.113.66",)), traces.SCRIPT)


#: Attacks one after the other, and how long a pause they make.
SEQUENCES: dict[str, Sequence[Callable[[Site], Attack]]] = {
    "a botnet, a dictionary": (botnet, dictionary),
    "a botnet, then ten are kept out": (botnet, malice),
    "a botnet, a guesser": (botnet, brute),
    "a botnet with a tool, a dictionary": (botnet_with_a_tool, dictionary),
    "a botnet with a tool, then ten are kept out": (botnet_with_a_tool, malice),
    "a botnet with a tool, a guesser": (botnet_with_a_tool, brute),
    "ten are kept out, then a botnet": (malice, botnet),
    "ten are kept out, then a botnet with a tool": (malice, botnet_with_a_tool),
    "ten are kept out, a guesser": (malice, brute),
    "a guesser, then a botnet": (brute, botnet),
    "a dictionary, then ten are kept out": (dictionary, malice),
    "a guesser, a dictionary": (brute, dictionary),
    "all": (botnet, dictionary, malice, brute),
}
#: Seconds between one and the next; less than none: at once.
PAUSES: Final = [
    *((label, 3 * MINUTE) for label in SEQUENCES),
    ("a botnet, a guesser", -5 * MINUTE),
    ("a botnet, then ten are kept out", -5 * MINUTE),
    ("all", -5 * MINUTE),
    ("all", 2 * HOUR),
]


@pytest.mark.parametrize(("label", "pause"), PAUSES)
def test_each_of_several_attacks_on_a_name_is_an_incident(
    label: str, pause: float, club: Site, play: Play
) -> None:
    found: list[Attack] = []
    at = 0.0
    for make in SEQUENCES[label]:
        attack = later(make(club), at)
        found.append(attack)
        at = max(one.at for one in attack.tries) + pause
    player = play(*found)
    judged = [judge(attack, player) for attack in found]
    assert len({one.pk for one in judged}) == len(incidents()) == len(found)


def by_tools_of_their_own(site: Site) -> Attack:
    """Sixty networks, each hammering with another tool."""
    hosts = attacks.hosts("198.19.7")[:60]
    attack = traces.brute_force(ALICE, 1, 1200, hosts)
    tries = [
        replace(one, address=hosts[number % 60], agent=f"tool/{number % 60}")
        for number, one in enumerate(attack.tries)
    ]
    return replace(attack, kinds=(DISTRIBUTED,), tries=tries)


def many_browsers_keep_ten_out(site: Site) -> Attack:
    return by(malice(site), *BROWSERS)


@pytest.mark.parametrize("make", [by_tools_of_their_own, many_browsers_keep_ten_out])
def test_tools_of_many_are_one_hand(make: Callable[[Site], Attack], club: Site, play: Play) -> None:
    attack = make(club)
    judge(attack, play(attack))
    assert len(incidents()) == 1
