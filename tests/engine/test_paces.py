"""Patience: how many passwords a stranger gets evaluated on one account, at any pace.

Through Django's ``authenticate()``, over days of moved time. ``LONG=1`` lets the owner log in every
second of three days beside one of the paces, in place of right before and after each guess.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.utils import timezone

from lockout_admin import lockout
from lockout_admin.engine.rules import DAY
from lockout_admin.models import AccountLock, FailedLogin

from ..conftest import HOME, request_from
from ..defences.person import Person
from ..measuring import unmeasured

pytestmark = pytest.mark.django_db

PACES = [1, 5, 20.5, 60, 300, 900, 3600]
#: A name that no database takes for that of Alice, though both share a budget.
TWIN = "al\u00adice"
LONG = bool(os.environ.get("LONG"))
#: The pace beside which the long run has an owner who logs in every second.
BY_THE_SECOND = 20.5


def addresses() -> Iterator[str]:
    """Return a new address each time, of another network each."""
    for number in count():  # pragma: no branch
        yield f"198.{18 + number // 65536 % 2}.{number // 256 % 256}.{number % 256}"


def log_in(password: str, ip: str, username: str = "alice") -> Any:
    return unmeasured(authenticate)(request_from(ip), username=username, password=password)


class Attack:
    """A stranger who never gives up, and sleeps while the name is locked."""

    def __init__(
        self, clock: Any, pace: float, sources: Iterator[str], *, by_the_second: bool = False
    ) -> None:
        self.clock = clock
        #: Whether what goes on beside it does so in each second, and not at each guess alone.
        self.by_the_second = by_the_second
        self.pace = pace
        self.sources = sources
        self.guesses = count()

    def run(self, seconds: float, beside: Callable[[], Any] = lambda: None) -> None:
        end = timezone.now() + timedelta(seconds=seconds)
        while timezone.now() < end:
            beside()
            log_in(f"guess {next(self.guesses)}", next(self.sources))
            beside()
            self.sleep(beside)

    def sleep(self, beside: Callable[[], Any]) -> None:
        lock = unmeasured(lockout.get_lock)("alice")
        wait = max(self.pace, lock.remaining if lock else 0)
        if self.by_the_second:  # pragma: no cover
            self.sleep_by_the_second(wait, beside)
        else:
            self.clock.tick(wait)

    def sleep_by_the_second(  # pragma: no cover - the long run
        self, wait: float, beside: Callable[[], Any]
    ) -> None:
        for _ in range(int(wait)):
            self.clock.tick(1)
            beside()
        self.clock.tick(wait % 1)


def most_within(seconds: int) -> int:
    """Return the most guesses that were evaluated in any window of so many seconds."""
    whens: list[datetime] = list(
        FailedLogin.objects.order_by("timestamp").values_list("timestamp", flat=True)
    )
    span = timedelta(seconds=seconds)
    first = 0
    most = 0
    for number, when in enumerate(whens):
        while whens[first] <= when - span:
            first += 1
        most = max(most, number - first + 1)
    return most


def owner_from(ip: str) -> Callable[[], Any]:
    return lambda: log_in("right", ip)


@pytest.mark.parametrize("pace", PACES)
def test_from_ever_new_addresses(pace: float, alice: Any, clock: Any) -> None:
    Attack(clock, pace, addresses()).run(3 * DAY)
    assert 10 <= most_within(DAY) <= 34


@pytest.mark.parametrize("pace", PACES)
@pytest.mark.parametrize("owner", [HOME, "198.51.100.7"], ids=["elsewhere", "same network"])
def test_beside_an_owner_who_logs_in_all_the_time(
    pace: float, owner: str, alice: Any, clock: Any
) -> None:
    by_the_second = LONG and pace == BY_THE_SECOND
    sources = iter(lambda: "198.51.100.7", "")
    attack = Attack(clock, pace, sources, by_the_second=by_the_second)
    attack.run(3 * DAY, owner_from(owner))
    assert most_within(DAY) <= 34


@pytest.mark.parametrize("pace", [1, 20.5, 3600])
@pytest.mark.parametrize("owner", [HOME, "198.51.100.7"], ids=["elsewhere", "same network"])
def test_beside_an_owner_in_a_browser_of_her_own(
    pace: float, owner: str, alice: Any, clock: Any
) -> None:
    """She always gets in, and gives the stranger nothing."""
    person = Person(owner)
    answers = set()
    sources = iter(lambda: "198.51.100.7", "") if owner != HOME else addresses()
    Attack(clock, pace, sources).run(DAY, lambda: answers.add(person.log_in()))
    assert answers == {"in"}
    assert most_within(DAY) <= 34


@pytest.mark.parametrize("pace", [20.5, 3600])
def test_beside_a_twin_who_changes_his_password_all_the_time(
    pace: float, alice: Any, clock: Any
) -> None:
    twin = get_user_model().objects.create_user(TWIN, "twin@example.com", "twins")

    def beside() -> None:
        twin.set_password("twins")
        twin.save()
        log_in("twins", "198.51.100.7", TWIN)

    Attack(clock, pace, iter(lambda: "198.51.100.7", "")).run(3 * DAY, beside)
    assert most_within(DAY) <= 34


def test_in_thirty_days_at_the_slowest_pace_that_is_no_wait(alice: Any, clock: Any) -> None:
    Attack(clock, 26_300, addresses()).run(60 * DAY)
    assert most_within(30 * DAY) <= 130


def test_in_thirty_days_at_the_pace_of_the_daily_lock(alice: Any, clock: Any) -> None:
    Attack(clock, 3600, addresses()).run(60 * DAY)
    assert 100 <= most_within(30 * DAY) <= 130


def test_one_wrong_password_a_minute_from_one_network_locks_nothing(alice: Any, clock: Any) -> None:
    for _ in range(1440):
        assert log_in("old password", HOME) is None
        clock.tick(60)
    assert not AccountLock.objects.exists()
    assert FailedLogin.objects.filter(repeated=False).count() == 1


def test_a_repetition_is_refused_like_a_fresh_guess_when_all_slots_are_taken(
    attempt: Callable[..., str], clock: Any
) -> None:
    answers = [attempt("the same") for _ in range(4)]
    assert answers == ["wrong"] * 4
    assert [attempt("the same"), attempt("a fresh one")] == ["locked"] * 2


def test_a_repetition_from_another_network_is_a_fresh_guess(clock: Any, alice: Any) -> None:
    for ip in (HOME, "198.51.100.7", HOME):
        log_in("the same", ip)
    repeated = FailedLogin.objects.order_by("pk").values_list("repeated", flat=True)
    assert list(repeated) == [False, False, True]


def test_a_repetition_is_forgotten_after_a_day(clock: Any, alice: Any) -> None:
    log_in("the same", HOME)
    clock.tick(DAY)
    log_in("the same", HOME)
    assert not FailedLogin.objects.filter(repeated=True).exists()
