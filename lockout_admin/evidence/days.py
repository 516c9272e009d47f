"""Thirty days of something, day by day: counts that read a bounded part of an index, a picture."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any, Final, Self

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.formats import date_format

from ..figures import counted, grouped
from ..models import SuccessfulLogin
from .slices import count_slices

DAYS: Final = 30
#: Rows of one day that are counted; more are "at least" so many.
CAP: Final = 200

STEP: Final = 24
WIDTH: Final = DAYS * STEP
#: Heights of what is above the axis and below it.
ABOVE: Final = 100
BELOW: Final = 44
_GAP: Final = 2


def edges(now: datetime) -> list[datetime]:
    """Return the midnights around the last thirty days of the reader's calendar."""
    today = timezone.localtime(now).date() if timezone.is_aware(now) else now.date()
    days = [today + timedelta(days=number) for number in range(1 - DAYS, 2)]
    midnights = [datetime.combine(day, time.min) for day in days]
    return [timezone.make_aware(one) if settings.USE_TZ else one for one in midnights]


def counts(rows: QuerySet[Any], moments: Sequence[datetime]) -> list[int]:
    """Return how many rows there are between the moments, `CAP` at most; one statement."""
    return count_slices(rows, "timestamp", [*pairwise(moments)], CAP)


def entries(rows: QuerySet[Any], moments: Sequence[datetime]) -> list[int]:
    """Return how many of logins there are likewise, without those that were ended.

    Where twice `CAP` came and went, `CAP` came: no row is read, the index has them.
    """
    spans = [*pairwise(moments)]
    every = count_slices(rows, "timestamp", spans, 2 * CAP)
    few = [number for number, count in enumerate(every) if 0 < count < 2 * CAP]
    came = rows.exclude(event=SuccessfulLogin.Event.LOGOUT)
    exact = count_slices(came, "timestamp", [spans[number] for number in few], CAP)
    found = [min(CAP, count) for count in every]
    for number, count in zip(few, exact, strict=True):
        found[number] = count
    return found


def summed(amounts: Iterable[tuple[datetime, int]], moments: Sequence[datetime]) -> list[int]:
    """Return the sums of what is of each day; what is of none is left out."""
    sums = [0] * (len(moments) - 1)
    for when, amount in amounts:
        number = bisect_right(moments, when) - 1
        if 0 <= number < len(sums):
            sums[number] += amount
    return sums


@dataclass(frozen=True, slots=True)
class Day:
    """What one day saw."""

    date: date
    failures: int = 0
    refused: int = 0
    logins: int = 0
    #: False: it is older than what was looked at.
    is_counted: bool = True

    @property
    def name(self) -> str:
        """The date, as the reader writes it."""
        return date_format(self.date, "SHORT_DATE_FORMAT")

    def said(self, name: str) -> str:
        """Return one of the numbers as it is shown."""
        if not self.is_counted:
            return "?"
        return counted(getattr(self, name), CAP)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the picture; the class says what it stands for."""

    kind: str
    x: int
    y: int
    height: int
    day: Day
    width: int = STEP - _GAP


@dataclass(frozen=True, slots=True)
class Days:
    """Thirty days, and their picture: failures and refusals above the axis, logins below it."""

    days: tuple[Day, ...]

    @classmethod
    def of(
        cls,
        moments: Sequence[datetime],
        *,
        since: datetime | None = None,
        **series: Sequence[int],
    ) -> Self:
        """Return the days that begin at `moments`, with the series that are given.

        Days before the one of `since` were not looked at.
        """
        days = [
            Day(
                start.date(),
                **{name: counted[number] for name, counted in series.items()},
                is_counted=since is None or since < end,
            )
            for number, (start, end) in enumerate(pairwise(moments))
        ]
        return cls(tuple(days))

    @property
    def is_empty(self) -> bool:
        """Whether nothing happened."""
        return not any(day.failures or day.refused or day.logins for day in self.days)

    @property
    def most_against(self) -> int:
        """The failures and refusals of the worst day."""
        return max(day.failures + day.refused for day in self.days)

    @property
    def most_logins(self) -> int:
        """The logins of the busiest day."""
        return max(day.logins for day in self.days)

    @property
    def said_against(self) -> str:
        """The same with separators."""
        return grouped(self.most_against)

    @property
    def said_logins(self) -> str:
        """The same with separators."""
        return grouped(self.most_logins)

    @property
    def bars(self) -> list[Bar]:
        """The bars that have a height."""
        return [bar for number, day in enumerate(self.days) for bar in self._of_day(number, day)]

    def _of_day(self, number: int, day: Day) -> list[Bar]:
        failures = _height(day.failures, self.most_against, ABOVE)
        refused = min(_height(day.refused, self.most_against, ABOVE), ABOVE - failures)
        logins = _height(day.logins, self.most_logins, BELOW)
        bars = [
            Bar("failures", number * STEP, ABOVE - failures, failures, day),
            Bar("refused", number * STEP, ABOVE - failures - refused, refused, day),
            Bar("logins", number * STEP, ABOVE + _GAP, logins, day),
        ]
        return [bar for bar in bars if bar.height]

    @property
    def rows(self) -> list[tuple[str, str, str, str]]:
        """The same as rows of a table, the newest day first; days of nothing are left out."""
        told = [
            day
            for day in self.days
            if day.failures or day.refused or day.logins or not day.is_counted
        ]
        return [
            (day.name, day.said("failures"), day.said("refused"), day.said("logins"))
            for day in reversed(told)
        ]


def _height(count: int, most: int, room: int) -> int:
    """Return the height of a bar: whatever there is can be seen."""
    return max(3, count * room // most) if count else 0
