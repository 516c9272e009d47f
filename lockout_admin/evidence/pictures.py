"""Pictures of counts over time: bars and a line, as whole numbers for an SVG of a template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone
from django.utils.dateformat import format as date_format

WIDTH: Final = 720
HEIGHT: Final = 120
#: A sparkline, in the same units.
SPARK_HEIGHT: Final = 20
SPARK_STEP: Final = 4
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Row:
    """What is drawn in one row: its name, and a number for each slice."""

    #: The word of its colour: "failures", "refused", "successes".
    name: str
    label: Any
    counts: Sequence[int]
    #: As far as a slice is counted; 0: to its end.
    cap: int = 0

    @property
    def total(self) -> int:
        """All of it."""
        return sum(self.counts)

    @property
    def is_capped(self) -> bool:
        """Whether some slice has at least what it shows."""
        return bool(self.cap) and max(self.counts, default=0) >= self.cap


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of one slice."""

    name: str
    x: int
    y: int
    width: int
    height: int
    start: datetime
    count: int


@dataclass(frozen=True, slots=True)
class Slice:
    """A line of the table that says the same."""

    start: datetime
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """Stacked bars, and a line to compare them with."""

    bars: tuple[Bar, ...]
    #: Points of the line as SVG has them; empty without one.
    line: str
    rows: tuple[Row, ...]
    #: The slices in which there was anything.
    slices: tuple[Slice, ...]
    #: The highest pile.
    most: int
    #: When the first bar begins, and the last one ends.
    ends: tuple[datetime, datetime]
    #: How its moments are told, as Django writes dates: to the second where bars are short.
    form: str

    @property
    def told(self) -> tuple[str, ...]:
        """The ends in words; one, where they are the same second."""
        return tuple(dict.fromkeys(date_format(end, self.form) for end in self.ends))

    @classmethod
    def of(
        cls, starts: Sequence[datetime], rows: Sequence[Row], before: Sequence[int] = ()
    ) -> Picture:
        """Return the picture of some rows of counts; `before` is drawn as the line."""
        starts = [_local(start) for start in starts]
        piles = [sum(row.counts[number] for row in rows) for number in range(len(starts))]
        most = max([1, *piles, *before])
        step = max(1, WIDTH // max(1, len(starts)))
        bars = [
            bar for number in range(len(starts)) for bar in _pile(number, starts, rows, most, step)
        ]
        slices = tuple(
            Slice(start, tuple(row.counts[number] for row in rows))
            for number, start in enumerate(starts)
            if piles[number]
        )
        line = _line(before, most, step)
        length = starts[1] - starts[0]
        form = "Y-m-d H:i" if length >= _MINUTE else "Y-m-d H:i:s"
        ends = starts[0], starts[-1] + length
        return cls(tuple(bars), line, tuple(rows), slices, most, ends, form)


def _pile(
    number: int, starts: Sequence[datetime], rows: Sequence[Row], most: int, step: int
) -> list[Bar]:
    bars = []
    foot = HEIGHT
    for row in rows:
        count = row.counts[number]
        if count:
            height = max(1, count * HEIGHT // most)
            foot = max(0, foot - height)
            bars.append(
                Bar(row.name, number * step, foot, max(1, step - 1), height, starts[number], count)
            )
    return bars


def _line(counts: Sequence[int], most: int, step: int) -> str:
    points = (
        f"{number * step + step // 2},{HEIGHT - count * HEIGHT // most}"
        for number, count in enumerate(counts)
    )
    return " ".join(points)


def spark(counts: Sequence[int]) -> list[tuple[int, int, int]]:
    """Return the bars of a sparkline: where each is, from where down, and how high."""
    most = max([1, *counts])
    heights = [-(-count * SPARK_HEIGHT // most) for count in counts]
    return [
        (number * SPARK_STEP, SPARK_HEIGHT - height, height)
        for number, height in enumerate(heights)
        if height
    ]


def _local(moment: datetime) -> datetime:
    return timezone.localtime(moment) if timezone.is_aware(moment) else moment
