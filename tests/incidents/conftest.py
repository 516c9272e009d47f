"""Sites of two sizes, with the weeks behind them, and what plays attacks on them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from .crowds import DAY, Scribe, Site, settle
from .player import Player

#: A Monday, as the crowds have it.
MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
#: The passwords that have leaked elsewhere, and that some are found by.
LEAKED = {"user7": "Winter2026!", "user31": "leaked-31", "user44": "leaked-44"}


@pytest.fixture
def site(clock: Any, db: None) -> Callable[..., Site]:
    """Open a site and have it live through some weeks; then it is Tuesday, ten o'clock."""

    def site(people: int, logins_a_day: float, days: int = 15) -> Site:
        opened = Site(people, logins_a_day)
        clock.move_to(MONDAY)
        settle(opened.names, MONDAY - timedelta(days=365), LEAKED)
        scribe = Scribe(MONDAY)
        for day in range(days):
            scribe.write(opened.a_day(day))
        scribe.write(visit for visit in opened.a_day(days) if visit.at < days * DAY + 36_000)
        clock.move_to(MONDAY + timedelta(days=days, hours=10))
        return opened

    return site


@pytest.fixture
def office(site: Callable[..., Site]) -> Site:
    """A company of four hundred, of whom a third log in on a day."""
    return site(400, 130, days=8)


@pytest.fixture
def play(clock: Any) -> Callable[..., Player]:
    """Play attacks from now on; return what their programs know."""

    def play(*parts: Any) -> Player:
        player = Player(clock)
        player.play(*parts)
        return player

    return play
