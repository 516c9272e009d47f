"""A picture of a range: failures, refused attempts and successes, by the hour or by the day."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.utils import timezone

#: What is stacked, from the ground up.
KINDS: Final = ("failures", "refused", "successes")
WIDTH: Final = 960
HEIGHT: Final = 64
#: As many bars at most.
MOST: Final = 100
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_STEPS: Final = (timedelta(minutes=5), _HOUR, _DAY, 7 * _DAY, 30 * _DAY, 365 * _DAY, 3650 * _DAY)

#: Moments and how many things happened at each.
Events = Iterable[tuple[datetime, int]]


@dataclass(frozen=True, slots=True)
class Part:
    """One kind in a bar."""

    kind: str
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Bar:
    """What happened from one moment to the next, `end` not included."""

    start: datetime
    end: datetime
    x: int
    width: int
    #: By kind, in the order of `KINDS`.
    counts: tuple[int, ...]
    parts: tuple[Part, ...]

    @property
    def total(self) -> int:
        """All that happened."""
        return sum(self.counts)


@dataclass(frozen=True, slots=True)
class Histogram:
    """Bars side by side, without gaps between their times."""

    bars: tuple[Bar, ...]
    #: The kinds that were asked for: others are not shown to who looks.
    kinds: tuple[str, ...]
    is_daily: bool

    @property
    def highest(self) -> int:
        """What the highest bar has."""
        return max((bar.total for bar in self.bars), default=0)

    @classmethod
    def of(cls, edges: list[datetime], events: Mapping[str, Events]) -> Histogram:
        """Return the picture of `events` between `edges`; what is outside is left out."""
        counts = {kind: [0] * (len(edges) - 1) for kind in KINDS}
        for kind, moments in events.items():
            for when, many in moments:
                place = bisect_right(edges, when) - 1
                if 0 <= place < len(edges) - 1:
                    counts[kind][place] += many
        stacks = list(zip(*(counts[kind] for kind in KINDS), strict=True))
        highest = max(map(sum, stacks), default=0)
        width = max(1, WIDTH // len(stacks))
        bars = [
            Bar(edges[place], edges[place + 1], place * width, width, stack, _parts(stack, highest))
            for place, stack in enumerate(stacks)
        ]
        kinds = tuple(kind for kind in KINDS if kind in events)
        return cls(tuple(bars), kinds, edges[1] - edges[0] >= timedelta(hours=20))


def _parts(stack: tuple[int, ...], highest: int) -> tuple[Part, ...]:
    parts = []
    top = HEIGHT
    for kind, count in zip(KINDS, stack, strict=True):
        if count:
            # What is there is seen, however small beside the rest.
            height = max(1, count * HEIGHT // highest)
            top = max(0, top - height)
            parts.append(Part(kind, top, height))
    return tuple(parts)


def edges_of(start: datetime, end: datetime) -> list[datetime]:
    """Return where bars begin, the end of the last behind them: days begin at local midnight."""
    step = next((step for step in _STEPS if (end - start) / step <= MOST), _STEPS[-1])
    first = _floor(start, step)
    edges = [first]
    steps = itertools.count(1)
    while edges[-1] < end:
        # Wall clocks: a day is a day where clocks are set. An hour that they leave out has no bar.
        edge = _moment(_wall(first) + next(steps) * step, first)
        if _instant(edge) > _instant(edges[-1]):
            edges.append(edge)
    return edges


def _floor(moment: datetime, step: timedelta) -> datetime:
    wall = _wall(moment)
    midnight = wall.replace(hour=0, minute=0, second=0, microsecond=0)
    whole = (wall - midnight) // step * step if step < _DAY else timedelta()
    return _moment(midnight + whole, moment)


def _wall(moment: datetime) -> datetime:
    """Return what the reader's clock shows."""
    return timezone.localtime(moment).replace(tzinfo=None) if moment.tzinfo else moment


def _instant(moment: datetime) -> float:
    # Two moments of one zone would compare by what their clocks show.
    return moment.timestamp()


def _moment(wall: datetime, like: datetime) -> datetime:
    # By way of UTC: what clocks leave out is the hour behind it.
    return timezone.localtime(timezone.make_aware(wall).astimezone(UTC)) if like.tzinfo else wall
