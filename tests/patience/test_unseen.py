"""Traces that nobody has tuned for: attacks become one incident each, odd honest days none.

``LONG=1`` plays all of them, on a young site as well; what is not right there is marked.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import pytest

from lockout_admin.incidents.grouping import group

from ..incidents.conftest import MONDAY
from ..incidents.crowds import DAY, PASSWORD, Scribe, Site, settle
from ..incidents.traces import FIREFOX, HOUR, SCRIPT, Attack, Try, ghosts
from . import oddities, unseen
from .attacks import later
from .verdicts import verdict

pytestmark = pytest.mark.django_db

PEOPLE, A_DAY = 4000, 2000
#: The passwords that some are found by.
OWN = {f"user{n}": f"own secret {n}" for n in range(2000, 2050)}
WEAK = {"user107": "Letmein2026", "user111": "Welcome2027!", "user123": "Letmein2026"}


Make = Callable[[Site], list[Attack | list[Try]]]


def beside(site: Site, seconds: float, *attacks: Attack, a_day: float = A_DAY) -> list[Any]:
    """Return attacks with the usual traffic of those who are not in them."""
    apart = set().union(*(attack.names for attack in attacks))
    return [*attacks, oddities.hum(site, seconds, a_day, apart)]


def behind_a_gateway(site: Site, agent: str) -> list[Any]:
    """Somebody behind the gateway of five hundred sprays; they log in beside him."""
    names = [*site.names[100:140], *ghosts(20)]
    attack = unseen.list_of("gateway", names, "100.128.0.1", "Letmein2026", agent)
    crowd = Site(PEOPLE, A_DAY)
    crowd.people = [one for one in site.people if one.place == "100.128.0.1"]
    neighbours = oddities.hum(crowd, HOUR, 3000, attack.names)
    return [*beside(site, HOUR, attack), neighbours]


def two_hands(site: Site) -> list[Any]:
    """A list with two names of a botnet in it, at the same hour, by somebody else."""
    spray = unseen.list_of("list", [*site.names[300:360], "admin"], "45.1.1.1", "Summer2026")
    botnet = unseen.hourly_botnet("admin", 30, 4)
    return beside(site, 4 * HOUR, spray, botnet)


def two_stuffers(site: Site) -> list[Any]:
    """Two who bought the same list go through it at the same time, in another order."""
    names = [*site.names[300:360], *ghosts(60, "leak")]
    one = unseen.list_of("one", names, "45.1.1.1")
    other = unseen.list_of("other", names[::-1], "103.9.9.9", agent="Go-http-client/2.0")
    return beside(site, HOUR, one, later(other, 40))


#: Label: seconds between turns of the grouping, and what happens.
ATTACKS: dict[str, tuple[float, Make]] = {
    "three passwords a day from a /24": (
        1200,
        lambda site: beside(
            *(site, 4 * DAY, unseen.slow_spray(site.names[100:160], 4, WEAK)), a_day=150
        ),
    ),
    "40 addresses, one guess an hour": (
        600,
        lambda site: beside(site, DAY, unseen.hourly_botnet("user90"), a_day=150),
    ),
    "a list, and a botnet on one of its names": (10, two_hands),
    "two with the same list": (10, two_stuffers),
    "a pause of twenty hours": (
        10,
        lambda site: beside(site, 21 * HOUR, unseen.long_pause(site.names[100:160]), a_day=150),
    ),
    "behind a gateway, with a script": (
        10,
        lambda site: behind_a_gateway(site, SCRIPT),
    ),
    "behind a gateway, with a browser of its own": (
        10,
        lambda site: behind_a_gateway(site, unseen.AGENTS[3]),
    ),
    "a /48: pairs": (
        10,
        lambda site: beside(
            *(site, HOUR),
            unseen.rotating_prefixes([*site.names[100:220], *ghosts(80)]),
        ),
    ),
    "a /48: one password": (
        10,
        lambda site: beside(
            *(site, HOUR),
            unseen.rotating_prefixes([*site.names[100:220], *ghosts(80)], "Letmein2026"),
        ),
    ),
    "a /48: one name": (
        10,
        lambda site: beside(site, HOUR, unseen.rotating_on_a_name("user100", 100)),
    ),
    "pairs with everybody's browser": (
        10,
        lambda site: beside(
            *(site, HOUR),
            unseen.list_of(
                *("browser", [*site.names[100:150], *ghosts(50)], "45.2.2.2", ""),
                FIREFOX,
            ),
        ),
    ),
    "thirty owners kept out": (
        10,
        lambda site: beside(site, 3 * HOUR, unseen.malice(site.names[100:130], 3)),
    ),
    "a name in all its spellings": (
        10,
        lambda site: beside(site, 2 * HOUR, unseen.spelled("user100", PASSWORD)),
    ),
    "the top list on a department": (
        10,
        lambda site: beside(site, 6 * HOUR, unseen.top_list(site.names[100:140])),
    ),
    "a word each ten minutes from three hosts": (
        600,
        lambda site: beside(site, 30 * HOUR, unseen.patient_dictionary("user100"), a_day=150),
    ),
    "5,000 pairs through 200 proxies": (
        10,
        lambda site: beside(site, 1.4 * HOUR, unseen.proxied_stuffing(site.names[50:], OWN)),
    ),
}


def office(site: Site, times: int) -> list[Any]:
    """Return those in the offices first, then the others; all of them have the usual password."""
    return sorted(usual(site), key=lambda one: one.number % 10 not in (4, 5))[:times]


def usual(site: Site) -> list[Any]:
    """Return those who have the usual password."""
    return [one for one in site.people if one.username not in OWN | WEAK]


def members(times: int, prefix: str) -> list[str]:
    return [f"{prefix}{n}" for n in range(times)]


STUDENTS = members(2000, "student")
TRAINEES = members(20, "trainee")

HONEST: dict[str, tuple[float, Make]] = {
    "term start": (30, lambda site: [oddities.term_start(STUDENTS)]),
    "an app with a wrong password": (
        30,
        lambda site: [oddities.app_release(usual(site)[:400], 2)],
    ),
    "an app that sends the same word for all": (
        30,
        lambda site: [oddities.app_release(usual(site)[:400], 2, "null")],
    ),
    "an expiry Monday": (10, lambda site: [oddities.expiry_monday(office(site, 600))]),
    "a training room in the office": (
        10,
        lambda site: [
            oddities.training_room(TRAINEES, "100.129.0.1"),
            oddities.hum(site, HOUR, A_DAY, {*OWN, *WEAK}),
        ],
    ),
    "a training room of its own": (
        10,
        lambda site: [
            oddities.training_room(TRAINEES, "195.7.7.7"),
            oddities.hum(site, HOUR, A_DAY, {*OWN, *WEAK}),
        ],
    ),
    "a probe from one place": (300, lambda site: [oddities.probe(1, 12)]),
    "a probe from eight places": (300, lambda site: [oddities.probe(8, 12)]),
    "a probe on an account": (300, lambda site: [oddities.probe(8, 12, "user5")]),
    "an outage": (10, lambda site: [oddities.outage(office(site, 500))]),
    "Black Friday": (30, lambda site: [oddities.black_friday(site, 10 * A_DAY, 3)]),
    "a migration": (30, lambda site: [oddities.migration(office(site, 600))]),
    "swapped fields": (10, lambda site: [oddities.swapped_fields(office(site, 300))]),
    "a conference": (10, lambda site: [oddities.conference(site.names[400:550])]),
    "a provider renumbers": (30, lambda site: [oddities.renumbered(usual(site)[:600])]),
}


#: Days of usual traffic behind a site.
AGES = {"young": 0, "settled": 14}
LONG = bool(os.environ.get("LONG"))
#: Played each time.
SHORT = {
    "two with the same list",
    "behind a gateway, with a browser of its own",
    "a /48: pairs",
    "an expiry Monday",
    "a training room in the office",
    "a conference",
}
#: What a person would still find wrong.
LIMITS: dict[tuple[str, str], str] = {
    ("settled", "term start"): "nobody knows the address, and its lock keeps most of them out",
    ("settled", "an app with a wrong password"): "it fails for hundreds at once, for two hours",
    ("settled", "a probe on an account"): "it keeps the owner out",
}


def each(labels: Iterable[str]) -> Any:
    """Return what to play, and on which site."""
    ages = AGES if LONG else ["settled"]
    chosen = [label for label in labels if LONG or label in SHORT]
    params = [
        pytest.param(label, age, id=f"{age}: {label}", marks=_marks(LIMITS.get((age, label))))
        for age in ages
        for label in chosen
    ]
    return pytest.mark.parametrize(("label", "opened"), params, indirect=["opened"])


def _marks(why: str | None) -> Any:
    return [pytest.mark.xfail(strict=True, reason=why)] if why else []


@pytest.fixture
def opened(request: Any, clock: Any, db: None) -> Site:
    """A site with so many days of usual traffic behind it, grouped; it is Monday, ten o'clock."""
    days = AGES[request.param]
    site = Site(PEOPLE, A_DAY)
    clock.move_to(MONDAY)
    settle(site.names, MONDAY - timedelta(days=365), OWN | WEAK)
    scribe = Scribe(MONDAY)
    for day in range(days):
        scribe.write(site.a_day(day))
    morning = site.a_day(days) if days else []
    scribe.write(visit for visit in morning if visit.at < days * DAY + 36_000)
    settle([*STUDENTS, *TRAINEES], MONDAY + timedelta(days=days))
    clock.move_to(MONDAY + timedelta(days=days, hours=10))
    while not group().is_caught_up:
        pass
    return Site(PEOPLE, A_DAY, "today")


@each(ATTACKS)
def test_an_attack_becomes_one_incident(label: str, opened: Site, clock: Any) -> None:
    every, make = ATTACKS[label]
    assert verdict(make(opened), every, clock) == []


@each(HONEST)
def test_an_odd_day_raises_none(label: str, opened: Site, clock: Any) -> None:
    every, make = HONEST[label]
    assert verdict(make(opened), every, clock) == []
