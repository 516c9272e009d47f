"""What happened in the range of a list: counted as far as an index goes, and no further."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from django.db.models import QuerySet
from django.utils import timezone

from ..models import FailedLogin, SuccessfulLogin
from . import bars
from .filters import FailureFilter, LockFilter, SuccessFilter
from .histograms import Histogram, edges_of
from .selection import RecordFilter, Search
from .slices import count_entries, count_slices, span_of_newest

#: Rows of one kind that are read where filters select them; of more, the newest are shown.
SAMPLE: Final = 2_000
#: They are looked for among so many times their number first, before anywhere else.
_SPARSEST: Final = 15
#: Without such filters, an index counts those of each bar faster than more of them are read.
FEW: Final = 1_000
#: A list without a range shows the newest days.
_USUAL: Final = timedelta(days=30)
#: Filters that select the same on each kind of record.
SHARED: Final = ("username", "match", "net", "agent", "time", "after", "before")
_NAMED: Final = ("username", "net", "agent")
#: Those of them that a lock does not know.
_OF_VISITS: Final = frozenset(["net", "agent"])

#: Moments, and what happened at each; the newest first.
Events = Sequence[tuple[datetime, int]]


@dataclass(frozen=True, slots=True)
class Loudness:
    """A histogram, and how far it can be trusted."""

    histogram: Histogram
    #: Some bar has at least what it shows.
    is_capped: bool
    #: Of some kind, only what came since then was counted.
    since: datetime | None
    #: No start was asked for: these are the last days before the end.
    is_usual: bool

    @classmethod
    def of(
        cls,
        given: Mapping[str, str],
        kinds: Collection[str],
        search: Search | None = None,
        listed: Mapping[str, Events] | None = None,
    ) -> Loudness | None:
        """Return what happened in a range; ``None`` where a filter is not valid.

        `listed` are the newest `SAMPLE` + 1 of what a list shows that has filters of its own; there
        is no other kind then.
        """
        shared = {name: given[name] for name in SHARED if given.get(name)}
        asked = FailureFilter(shared, queryset=FailedLogin.objects.all())
        if not asked.is_valid():
            return None
        end = asked.form.cleaned_data.get("before") or timezone.now()
        start = asked.form.start or end - _USUAL
        # The same start for all that is counted: a preset's moves on.
        shared = {**shared, "time": "all", "after": start.isoformat()}
        edges = edges_of(start, max(end, start + timedelta(minutes=1)))
        if listed is None:
            wanted = _Asked(shared, search, start, end, edges)
            counts = {kind: _READ[kind](wanted) for kind in kinds if wanted.is_known_of(kind)}
        else:
            counts = {kind: _sampled(listed[kind]) for kind in kinds if kind in listed}
        return cls(
            Histogram.of(edges, {kind: count.events for kind, count in counts.items()}),
            any(count.is_capped for count in counts.values()),
            max((count.since for count in counts.values() if count.since), default=None),
            is_usual=asked.form.start is None,
        )


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a list shows, and where the bars of that begin."""

    shared: Mapping[str, str]
    search: Search | None
    start: datetime
    end: datetime
    edges: list[datetime]

    @property
    def is_narrow(self) -> bool:
        """Whether some of a time are meant, not all of it."""
        return bool(self.search or any(name in self.shared for name in _NAMED))

    @property
    def has_order(self) -> bool:
        """Whether an index has the order by time: for a name as it is, and for nothing else."""
        is_typed = self.shared.get("match") in ("prefix", "contains")
        return not (self.search or is_typed or self.shared.keys() & _OF_VISITS)

    def is_known_of(self, kind: str) -> bool:
        """Tell whether records of a kind know what is asked for."""
        by_network = self.search is not None and self.search.network is not None
        # A lock knows a sample of its addresses only.
        return kind != "refused" or not (by_network or self.shared.keys() & _OF_VISITS)

    def rows(self, filterset_class: type[RecordFilter]) -> QuerySet[Any]:
        """Return the records of a kind that are asked for."""
        everything = filterset_class.Meta.model._default_manager.all()
        rows: QuerySet[Any] = filterset_class(self.shared, queryset=everything).qs
        return self.search.among(rows, filterset_class) if self.search else rows


@dataclass(frozen=True, slots=True)
class _Count:
    events: list[tuple[datetime, int]]
    is_capped: bool = False
    since: datetime | None = None


def _visits(
    kind: str, rows: QuerySet[Any], asked: _Asked, count: Callable[[bars.Bars], list[int]]
) -> _Count:
    most = SAMPLE if asked.is_narrow else FEW
    newest = rows.filter(timestamp__gte=asked.start).order_by("-timestamp")
    moments = _newest(newest.values_list("timestamp", flat=True), most + 1, asked)
    if len(moments) <= most:
        return _Count([(moment, 1) for moment in moments])
    if asked.is_narrow:
        # No index has both a network and a time: the newest, and it is said that there are more.
        return _Count([(moment, 1) for moment in moments], since=moments[-1])
    counts = bars.counts(kind, [*pairwise(asked.edges)], count, asked.start, asked.end)
    return _Count([*zip(asked.edges, counts, strict=False)], is_capped=bars.CAP in counts)


def _newest(moments: QuerySet[Any], most: int, asked: _Asked) -> list[datetime]:
    """Return the newest of some moments, at most so many."""
    if not asked.has_order:
        everything: QuerySet[Any] = moments.model._default_manager.all()
        near = span_of_newest(everything, "timestamp", most * _SPARSEST)
        found = list(moments.filter(timestamp__range=near)[:most]) if near else []
        if len(found) == most:
            return found
    return list(moments[:most])


def _failures(asked: _Asked) -> _Count:
    rows = asked.rows(FailureFilter)

    def count(spans: bars.Bars) -> list[int]:
        return count_slices(rows, "timestamp", spans, bars.CAP)

    return _visits("failures", rows, asked, count)


def _successes(asked: _Asked) -> _Count:
    rows = asked.rows(SuccessFilter)
    entries = rows.exclude(event=SuccessfulLogin.Event.LOGOUT)

    def count(spans: bars.Bars) -> list[int]:
        return count_entries(rows, spans, bars.CAP)

    return _visits("successes", entries, asked, count)


def _refused(asked: _Asked) -> _Count:
    """Return what locks refused, where each lock began."""
    rows = asked.rows(LockFilter)
    # Its end is no earlier than its start: an index of a name has the ends.
    lately = {"started_at__gte": asked.start, "until__gte": asked.start}
    loud = rows.filter(**lately, refused__gt=0).order_by("-started_at")
    return _sampled(list(loud.values_list("started_at", "refused")[: SAMPLE + 1]))


def _sampled(newest: Events) -> _Count:
    return _Count([*newest], since=newest[-1][0] if len(newest) > SAMPLE else None)


_READ: Final = {"failures": _failures, "refused": _refused, "successes": _successes}
