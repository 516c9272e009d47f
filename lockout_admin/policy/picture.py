"""A picture of locks by the day: bars, as whole numbers for an SVG that a template draws."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Final

from django.utils import timezone

from .comparison import Comparison
from .findings import Findings

WIDTH: Final = 720
HEIGHT: Final = 160
#: As many groups of bars at most.
_MOST: Final = 45


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of one side in some days."""

    x: int
    y: int
    width: int
    height: int
    #: Which of the sides it is of, from 0 on.
    side: int
    start: datetime
    locks: int


@dataclass(frozen=True, slots=True)
class Picture:
    """Bars of both sides, and what they say in words."""

    bars: tuple[Bar, ...]
    #: Days that one group stands for.
    days: int
    #: The highest group, of whichever side.
    most: int
    since: datetime
    until: datetime

    @property
    def top(self) -> Bar | None:
        """The highest bar; the first of several."""
        return max(self.bars, key=attrgetter("locks"), default=None)

    @classmethod
    def of(cls, comparison: Comparison) -> Picture:
        """Return the picture of a comparison."""
        length = comparison.until - comparison.since
        days = max(1, -(-length // timedelta(days=1)))
        width = -(-days // _MOST)
        groups = -(-days // width)
        sides = [_by_group(side.findings, width, groups) for side in comparison.sides]
        most = max(max(counts) for counts in sides)
        step = WIDTH // groups
        bars = [
            _bar(side, len(sides), step, group, locks, most, comparison.since, width)
            for side, counts in enumerate(sides)
            for group, locks in enumerate(counts)
            if locks
        ]
        return cls(tuple(bars), width, most, comparison.since, comparison.until)


def _by_group(findings: Findings, width: int, groups: int) -> list[int]:
    counts = [0] * groups
    for day, locks in findings.days.items():
        counts[min(day // width, groups - 1)] += locks
    return counts


def _bar(
    side: int,
    sides: int,
    step: int,
    group: int,
    locks: int,
    most: int,
    since: datetime,
    days: int,
) -> Bar:
    width = max(1, (step - 2) // sides)
    height = max(1, locks * HEIGHT // most)
    start = since + timedelta(days=group * days)
    if timezone.is_aware(start):
        start = timezone.localtime(start)
    return Bar(group * step + side * width, HEIGHT - height, width, height, side, start, locks)
