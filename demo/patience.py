"""The attack that takes a month, in this process: the clock is moved on, and nobody waits.

A server's clock can't be moved, nor can that of its cache. So the site's own views and rules are
called here, on a database of their own, with the table as the store and a hasher that takes no
time: it slows attackers, and counts for nothing in the rules.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import (
    override_settings,
    setup_test_environment,
    teardown_test_environment,
)
from freezegun import api as freezer
from freezegun import freeze_time
from freezegun.api import FrozenDateTimeFactory

from .attacks import Guess, owners_of
from .people import BESIDE, Person
from .records import quiet
from .rules import of
from .tally import Answer
from .target import API

#: So four are never within the minute of the rule `account`.
PACE_SECS: Final = 20.5
DAY_SECS: Final = 86400
_BEGIN: Final = "2026-01-01 12:00:00"
_HASHER: Final = "django.contrib.auth.hashers.MD5PasswordHasher"


@contextmanager
def own_database() -> Iterator[None]:
    """Work on a database beside the site's, as tests do; it is gone afterwards."""
    name = connection.settings_dict["NAME"]
    setup_test_environment(debug=False)
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)
        teardown_test_environment()


@contextmanager
def moved_time(rules: str) -> Iterator[FrozenDateTimeFactory]:
    """Give the site a clock that is moved by hand, and the rules of that name."""
    lockout = {**settings.LOCKOUT_ADMIN, **of(rules), "CACHE": None, "TRUSTED_PROXIES": 1}
    with ExitStack() as stack:
        stack.enter_context(quiet())
        stack.enter_context(override_settings(PASSWORD_HASHERS=[_HASHER], LOCKOUT_ADMIN=lockout))
        stack.enter_context(own_database())
        frozen: Any = stack.enter_context(freeze_time(_BEGIN))
        yield frozen


@dataclass(slots=True)
class Patience:
    """What a stranger gets who has time; beside him an owner and others come once a day."""

    username: str
    days: int
    #: Of real time; the attack ends when they are up.
    seconds: float
    #: Called after each guess with how much is done (from 0 to 1) and how far it is.
    report: Callable[[float, str], None]
    #: Seconds of moved time and of real time that it took.
    elapsed: float = 0.0
    took: float = 0.0
    #: When the evaluated guesses were, in seconds from the beginning.
    whens: list[float] = field(default_factory=list)
    refused: int = 0
    found: bool = False
    #: How often these came and got in: the owner's browser, a new one of his, a stranger's
    #: neighbour.
    visits: int = 0
    known: int = 0
    new: int = 0
    neighbours: int = 0

    def run(self, guesses: Iterator[Guess], clock: FrozenDateTimeFactory) -> None:
        """Guess until the days are over, or the seconds."""
        owner = self._settle()
        browser = Client()
        _log_in(browser, owner, _OWN)
        begin, started = time.time(), freezer.real_monotonic()
        for guess in guesses:
            self.elapsed, self.took = time.time() - begin, freezer.real_monotonic() - started
            if self.elapsed >= self.days * DAY_SECS or self.took >= self.seconds:
                return
            # In the middle of the wait: a lock of the guess before has not ended by itself.
            half = self._try(guess) / 2
            clock.tick(half)
            if self.elapsed >= self.visits * DAY_SECS:
                self._come(owner, browser, guess.forwarded_for)
            clock.tick(half)
            done = max(self.elapsed / DAY_SECS / self.days, self.took / self.seconds)
            self.report(done, f"day {self.elapsed / DAY_SECS:.1f}, {len(self.whens):,} evaluated")

    def _settle(self) -> Person:
        owner = next(iter(owners_of("patient", self.username)), Person(self.username, "own", ""))
        for person in (owner, *BESIDE):
            if not get_user_model().objects.filter(username=person.username).exists():
                get_user_model().objects.create_user(person.username, password=person.password)
        return owner

    def _try(self, guess: Guess) -> float:
        """Return how long a patient stranger waits after it."""
        person = Person(guess.username, guess.password, "")
        response = _post(Client(), person, guess.forwarded_for)
        answer = _answer_of(response)
        self.refused += answer is Answer.REFUSED
        self.found |= answer is Answer.LOGGED_IN
        if answer is Answer.EVALUATED:
            self.whens.append(self.elapsed)
        return max(PACE_SECS, float(response.headers.get("Retry-After", 0)))

    def _come(self, owner: Person, browser: Client, attacker: str) -> None:
        neighbour = BESIDE[self.visits % len(BESIDE)]
        self.visits += 1
        self.known += _log_in(browser, owner, _OWN)
        self.new += _log_in(Client(), owner, _ELSEWHERE.format(self.visits % 250))
        self.neighbours += not _log_in(Client(), neighbour, attacker)

    def lines(self) -> Iterator[str]:
        """Yield the summary."""
        days = self.elapsed / DAY_SECS
        sent = len(self.whens) + self.refused + self.found
        yield (
            f"{sent:,} guesses in {days:.1f} days of moved time ({self.took:.1f} s):"
            f" {len(self.whens):,} evaluated, {self.refused:,} refused without a look"
        )
        yield f"Guesses evaluated: at most {most_within(DAY_SECS, self.whens):,} in any 24 h"
        if days < self.days and self.elapsed:
            month = round(len(self.whens) / days * self.days)
            yield f"  the time was up; going on like this makes {month:,} in {self.days} days"
        else:
            yield f"  {len(self.whens):,} in {self.days} days"
        yield f"Accounts entered: {int(self.found)}"
        yield (
            f"The owner, once a day: in {self.known} of {self.visits} times in his own browser,"
            f" {self.new} in a new one"
        )
        yield f"People behind the attacker's address refused: {self.neighbours} of {self.visits}"


def most_within(seconds: float, whens: list[float]) -> int:
    """Return the most of these moments, in order, that lie within any span of so many seconds."""
    first = most = 0
    for number, when in enumerate(whens):
        while whens[first] <= when - seconds:
            first += 1
        most = max(most, number - first + 1)
    return most


_OWN: Final = "192.0.2.1"
_ELSEWHERE: Final = "198.18.0.{}"


def _log_in(browser: Client, person: Person, address: str) -> bool:
    return _answer_of(_post(browser, person, address)) is Answer.LOGGED_IN


def _post(browser: Client, person: Person, address: str) -> Any:
    return browser.post(
        API,
        {"username": person.username, "password": person.password},
        content_type="application/json",
        headers={"X-Forwarded-For": address},
    )


def _answer_of(response: Any) -> Answer:
    # Programs get 200 where the form redirects.
    return Answer.LOGGED_IN if response.status_code == 200 else Answer.of(response.status_code)
