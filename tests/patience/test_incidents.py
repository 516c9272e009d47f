"""Weeks of a shop with 300,000 logins, and a day of a botnet of 20,000: found, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from lockout_admin.incidents.grouping import group
from lockout_admin.incidents.thresholds import LEAST_NETWORKS
from lockout_admin.models import FailedLogin, SuccessfulLogin

from ..incidents import traces
from ..incidents.conftest import LEAKED, MONDAY
from ..incidents.crowds import DAY, PASSWORD, Scribe, Site, in_steps, settle
from ..incidents.judging import judge, one_of
from ..incidents.player import Player, entered_of, incidents, names_of
from ..incidents.traces import HOUR, MINUTE
from .test_truth import ATTACKS

pytestmark = pytest.mark.django_db

#: With ``LONG=1`` both weeks whole, more attacks, and all day of the botnet.
LONG = bool(os.environ.get("LONG"))
#: Of the names that a botnet tries in a day, those that are played: the first six hours' in CI.
PLAYED = 20_000 if LONG else 5_000
#: 300,000 logins a week of 20,000 people.
PEOPLE, A_DAY = 20_000, 300_000 / 7


def reasons() -> list[str]:
    return [f"{one.kind} {one.about}: {one.because}" for one in incidents()]


def live(scribe: Scribe, clock: Any, visits: Iterator[Any], step: float) -> None:
    for end, some in in_steps(visits, step):
        if scribe.write(some):
            clock.move_to(MONDAY + timedelta(seconds=end))
            group()


def test_two_honest_weeks_of_a_shop_raise_no_incident(clock: Any) -> None:
    """The first has a Monday on which all passwords of an office have expired, and no history."""
    shop = Site(PEOPLE, A_DAY)
    settle([*shop.names, *(f"family{n}" for n in range(5))], MONDAY - timedelta(days=365))
    scribe = Scribe(MONDAY)
    live(scribe, clock, shop.a_week(), 10 * MINUTE)
    assert SuccessfulLogin.objects.count() > 280_000
    assert FailedLogin.objects.filter(repeated=False).count() > 22_000
    assert reasons() == []
    second = shop.a_week(first_day=7) if LONG else iter(shop.a_day(7))
    live(scribe, clock, second, HOUR)
    assert reasons() == []


def test_a_monday_on_which_everybodys_password_has_expired(clock: Any) -> None:
    """Twenty thousand people, two or three wrong passwords each, in an hour and a half."""
    shop = Site(PEOPLE, A_DAY / 4)
    settle(shop.names, MONDAY - timedelta(days=365))
    scribe = Scribe(MONDAY)
    for day in range(7):
        scribe.write(shop.a_day(day))
    clock.move_to(MONDAY + timedelta(days=7))
    while not group().is_caught_up:
        pass
    visits = sorted(shop.expired(7, shop.people), key=lambda one: one.at)
    live(scribe, clock, iter(visits), MINUTE)
    assert scribe.written > 100_000
    assert reasons() == []


@pytest.fixture
def shop(clock: Any) -> Site:
    """A shop on a Wednesday, ten o'clock, after nine days."""
    opened = Site(PEOPLE, A_DAY)
    settle(opened.names, MONDAY - timedelta(days=365), LEAKED)
    scribe = Scribe(MONDAY)
    for day in range(9):
        scribe.write(opened.a_day(day))
    scribe.write(one for one in opened.a_day(9) if one.at < 9 * DAY + 10 * HOUR)
    clock.move_to(MONDAY + timedelta(days=9, hours=10))
    while not group().is_caught_up:
        pass
    assert reasons() == []
    return opened


#: How an attack is told does not hang on the size of a site, but for where many people are.
ON_A_SHOP = ["stuffing from forty addresses"]
if LONG:
    ON_A_SHOP += ["spraying, a name a second", "distributed, a guess a second"]


def names_of_a_crowd() -> int:
    """Return how many names fail at once before it is no accident, as the page of thresholds says.

    A hundred times the logins, a longer list: where so many come in, so many more fail.
    """
    since = timezone.now() - timedelta(hours=1)
    logins = SuccessfulLogin.objects.filter(timestamp__gt=since).count()
    assert logins > 1000
    return LEAST_NETWORKS + 2 * logins // 100


@pytest.mark.parametrize("label", ON_A_SHOP)
def test_an_attack_on_a_shop_becomes_one_incident_beside_its_customers(
    label: str, shop: Site, clock: Any
) -> None:
    attack = ATTACKS[label](shop)
    if attack.kinds == (traces.STUFFING,):
        attack = replace(attack, known_after=max(attack.known_after, names_of_a_crowd()))
    seconds = min(attack.tries[-1].at, HOUR / 2)
    beside = traces.passers_by(shop.names[2000:6000], PASSWORD, seconds, A_DAY / DAY)
    player = Player(clock)
    player.play(attack, beside)
    judge(attack, player)
    assert len(incidents()) == 1


def test_a_botnet_of_twenty_thousand_tries_each_name_once_a_day(clock: Any) -> None:
    """One guess a name from an address each, beside the customers of the shop."""
    names = [f"person{number}" for number in range(20_000)]
    lucky = {names[number]: "Football1" for number in range(60, PLAYED, 1999)}
    settle(names, MONDAY - timedelta(days=365), lucky)
    customers = [f"customer{number}" for number in range(5000)]
    settle(customers, MONDAY - timedelta(days=365))
    attack = traces.botnet(names[:PLAYED], DAY / len(names), "Football1")
    player = Player(clock)
    seconds = PLAYED * DAY / len(names)
    player.play(attack, traces.passers_by(customers, PASSWORD, seconds, A_DAY / DAY))
    one = one_of(attack)
    truth = player.fates[attack.label]
    assert reasons() == [f"{one.kind} {one.about}: {one.because}"]
    assert one.found_at <= player.moment(attack.known_at + 10)
    assert one.kind in attack.kinds
    assert (one.names, one.networks) == pytest.approx((PLAYED, PLAYED), rel=0.01)
    assert one.evaluated == pytest.approx(truth.evaluated, rel=0.01)
    kept_by_name = 10_000
    assert len(names_of(one) & truth.names) >= 0.99 * min(PLAYED, kept_by_name)
    assert entered_of(one) == truth.entered
