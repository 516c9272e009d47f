"""A day by the quarter hour. What is over does not change: it is counted once, and remembered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.utils import timezone

from ..engine.store import store
from ..identity.subject import Subject
from ..models import FailedLogin, SuccessfulLogin
from .slices import count_entries, count_slices

QUARTER_SECS: Final = 15 * 60
#: Quarter hours of a day, and of a week.
DAY: Final = 96
WEEK: Final = 7 * DAY
#: Rows of a quarter that are counted; more are as many.
CAP: Final = 5_000
#: For the line of a week later.
_KEPT_SECS: Final = 9 * 24 * 60 * 60
#: Hosts' clocks differ, and a row may be written after its moment.
_GRACE_SECS: Final = 120
_UNKNOWN: Final = -1

#: When each begins and ends.
Quarters = Sequence[tuple[datetime, datetime]]


def this_quarter() -> int:
    """Return the number of the quarter hour that it is, counted from 1970 on."""
    return int(timezone.now().timestamp()) // QUARTER_SECS


def edges_of(quarter: int) -> tuple[datetime, datetime]:
    """Return when a quarter begins and ends, as the site's records have moments."""
    start = datetime.fromtimestamp(quarter * QUARTER_SECS, UTC)
    if timezone.is_naive(timezone.now()):
        start = start.astimezone().replace(tzinfo=None)
    return start, start + timedelta(seconds=QUARTER_SECS)


def failures(last: int) -> list[int]:
    """Return the failures of each quarter of the day that ends with `last`."""
    return _remembered("failures", last, _failures)


def successes(last: int) -> list[int]:
    """Return the logins likewise."""
    return _remembered("logins", last, _logins)


def _remembered(name: str, last: int, counted: Callable[[Quarters], list[int]]) -> list[int]:
    wanted = range(last - DAY + 1, last + 1)
    days = {quarter // DAY for quarter in wanted}
    # The subject of nobody keeps the namespaces apart.
    prefix = f"lockout_admin:{{quarters:{Subject.of('').key:x}}}:{name}"
    keys = {day: f"{prefix}:{day}" for day in days}
    entries = store.get_many(list(keys.values())) or {}
    known = {day: _numbers(entries.get(key)) for day, key in keys.items()}
    missing = [one for one in wanted if known[one // DAY][one % DAY] == _UNKNOWN]
    fresh = dict(zip(missing, counted(list(map(edges_of, missing))), strict=True))
    found = [fresh.get(one, known[one // DAY][one % DAY]) for one in wanted]
    now = timezone.now().timestamp() - _GRACE_SECS
    over = {one: number for one, number in fresh.items() if (one + 1) * QUARTER_SECS <= now}
    for quarter, number in over.items():
        known[quarter // DAY][quarter % DAY] = number
    changed = {quarter // DAY for quarter in over}
    if changed:
        store.set_many({keys[day]: known[day] for day in changed}, _KEPT_SECS)
    return found


def _failures(quarters: Quarters) -> list[int]:
    return count_slices(FailedLogin.objects.all(), "timestamp", quarters, CAP)


def _logins(quarters: Quarters) -> list[int]:
    return count_entries(SuccessfulLogin.objects.all(), quarters, CAP)


def _numbers(value: Any) -> list[int]:
    """Return the numbers of a day, whatever is in the store."""
    is_day = isinstance(value, list) and len(value) == DAY
    if is_day and all(isinstance(one, int) for one in value):
        return list(value)
    return [_UNKNOWN] * DAY
