"""Honest people raise no incident, whatever they and their software do wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from lockout_admin.incidents.grouping import group

from ..defences.person import Person
from . import traces
from .conftest import MONDAY
from .crowds import DAY, PASSWORD, Resident, Scribe, Site, Visit, in_steps, settle
from .player import Player, incidents
from .traces import Try

pytestmark = pytest.mark.django_db

Story = Callable[[Site, int], list[Visit]]


def reasons() -> list[str]:
    return [f"{one.kind} {one.about}: {one.because}" for one in incidents()]


#: Label, and what happens on a Wednesday.
DAYS: dict[str, Story] = {
    "all passwords have expired": lambda site, day: site.expired(day, half(site)),
    "a password manager for everybody": lambda site, day: site.roll_out(day, half(site)),
    "a household behind one prefix": lambda site, day: site.household(day),
    "a class types what the board says": lambda site, day: site.school_class(
        day, [one for one in site.people if one.place == "100.130.0.1"][:30]
    ),
}


def half(site: Site) -> list[Resident]:
    return site.people[: len(site.people) // 2]


def live_a_day(story: Story, site: Site, clock: Any, step: float = 600) -> None:
    """Have a day that is not like others go by, with a turn of the grouping after each step."""
    group()
    scribe = Scribe(MONDAY)
    visits = sorted(story(site, 9), key=lambda one: one.at)
    for end, found in in_steps(visits, step):
        if scribe.write(found):
            clock.move_to(MONDAY + timedelta(seconds=end))
            group()
    assert scribe.written >= 30


@pytest.mark.parametrize("label", DAYS)
def test_a_day_that_is_not_like_others_raises_none(label: str, office: Site, clock: Any) -> None:
    """One by one: so that it is seen which of them is taken for an attack."""
    live_a_day(DAYS[label], office, clock, step=1800)
    assert reasons() == []


def test_a_young_site_takes_its_first_users_for_no_attack(clock: Any, db: None) -> None:
    """No history yet, and everybody registers and mistypes from one office on the first day."""
    site = Site(60, 200)
    settle(site.names, MONDAY)
    scribe = Scribe(MONDAY)
    for end, visits in in_steps(site.a_day(0), 600):
        if scribe.write(visits):
            clock.move_to(MONDAY + timedelta(seconds=end))
            group()
    assert reasons() == []


def test_an_office_whose_passwords_have_expired_goes_through_the_engine(clock: Any) -> None:
    """Thirty people behind one address, each with a browser: locks and devices are real."""
    names = [f"clerk{number}" for number in range(30)]
    settle(names, MONDAY - timedelta(days=365))
    clock.move_to(MONDAY + timedelta(hours=8))
    browsers = {name: Person() for name in names}
    for name in names:
        clock.tick(20)
        assert browsers[name].log_in(PASSWORD, name) == "in"
    group()
    clock.move_to(MONDAY + timedelta(days=7, hours=8))
    for number, name in enumerate(names):
        clock.tick(20)
        tries = [f"old {name}"] * (1 + number % 3)
        assert {browsers[name].log_in(one, name) for one in tries} == {"wrong"}
        assert browsers[name].log_in(PASSWORD, name) == "in"
        group()
    assert reasons() == []


def test_a_word_that_many_try_at_home_on_an_evening_is_no_attack(office: Site, clock: Any) -> None:
    """Thirty of four hundred mistype their passwords in the same way: the shift key, in one day."""
    beside = traces.passers_by(office.names[100:350], PASSWORD, DAY / 8, 600 / 86_400)
    shift = [
        Try(225.0 * number, office.names[350 + number], PASSWORD.upper(), f"192.0.2.{number + 1}")
        for number in range(30)
    ]
    then = [Try(one.at + 9, one.username, PASSWORD, one.address) for one in shift]
    player = Player(clock)
    player.play(beside, shift, then)
    assert player.fates[""].evaluated > 30
    assert reasons() == []


def test_a_week_is_told_in_order_and_has_a_household_on_each_day() -> None:
    """What begins in the last evening goes on after midnight."""
    visits = list(Site(120, 50).a_week())
    times = [one.at for one in visits]
    assert times == sorted(times)
    assert times[-1] > 7 * DAY
    family = [one for one in visits if one.username.startswith("family")]
    assert {one.at // DAY for one in family} == set(range(7))
