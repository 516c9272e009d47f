"""What happened in the range of a list: counted as far as an index goes, and no further."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from django.db.models import QuerySet
from django.utils import timezone

from ..models import AccountLock, FailedLogin, SuccessfulLogin
from . import bars
from .filters import FailureFilter, LockFilter, SuccessFilter
from .histograms import Histogram, edges_of
from .slices import count_entries, count_slices, span_of_newest

#: Moments of one kind that are read where filters select them; of more, the newest are shown.
SAMPLE: Final = 2_500
#: They are looked for among so many times their number first, before anywhere else.
_SPARSEST: Final = 15
#: Without such filters, an index counts those of each bar faster than more of them are read.
FEW: Final = 1_000
#: A list without a range shows the newest days.
_USUAL: Final = timedelta(days=30)
#: Filters that select the same on each kind of record.
_SHARED: Final = ("username", "match", "net", "agent", "time", "after", "before")
_NAMED: Final = ("username", "net", "agent")


@dataclass(frozen=True, slots=True)
class Loudness:
    """A histogram, and how far it can be trusted."""

    histogram: Histogram
    #: Some bar has at least what it shows.
    is_capped: bool
    #: Of some kind, only what came since then was counted.
    since: datetime | None

    @classmethod
    def of(cls, given: Mapping[str, str], kinds: Collection[str]) -> Loudness | None:
        """Return what happened in a range; ``None`` where a filter is not valid."""
        shared = {name: given[name] for name in _SHARED if given.get(name)}
        asked = FailureFilter(shared, queryset=FailedLogin.objects.all())
        if not asked.is_valid():
            return None
        end = asked.form.cleaned_data.get("before") or timezone.now()
        start = asked.form.start or end - _USUAL
        # The same start for all that is counted: a preset's moves on.
        shared = {**shared, "time": "all", "after": start.isoformat()}
        span = _Span(start, end, edges_of(start, max(end, start + timedelta(minutes=1))))
        # A lock knows a sample of its addresses only.
        unknown = {"refused"} if shared.keys() & {"net", "agent"} else set()
        kinds = [kind for kind in kinds if kind not in unknown]
        counts = [_READ[kind](shared, span) for kind in kinds]
        events = {kind: count.events for kind, count in zip(kinds, counts, strict=True)}
        since = [count.since for count in counts if count.since]
        return cls(
            Histogram.of(span.edges, events),
            any(count.is_capped for count in counts),
            max(since, default=None),
        )


@dataclass(frozen=True, slots=True)
class _Span:
    """What a list shows, and where the bars of that begin."""

    start: datetime
    end: datetime
    edges: list[datetime]


@dataclass(frozen=True, slots=True)
class _Count:
    events: list[tuple[datetime, int]]
    is_capped: bool = False
    since: datetime | None = None


def _visits(
    kind: str,
    rows: QuerySet[Any],
    shared: Mapping[str, str],
    span: _Span,
    count: Callable[[bars.Bars], list[int]],
) -> _Count:
    is_named = any(name in shared for name in _NAMED)
    most = SAMPLE if is_named else FEW
    newest = rows.filter(timestamp__gte=span.start).order_by("-timestamp")
    moments = _newest(newest.values_list("timestamp", flat=True), most + 1, shared)
    if len(moments) <= most:
        return _Count([(moment, 1) for moment in moments])
    if is_named:
        # No index has both a network and a time: the newest, and it is said that there are more.
        return _Count([(moment, 1) for moment in moments], since=moments[-1])
    counts = bars.counts(kind, [*pairwise(span.edges)], count, span.start, span.end)
    return _Count([*zip(span.edges, counts, strict=False)], is_capped=bars.CAP in counts)


def _newest(moments: QuerySet[Any], most: int, shared: Mapping[str, str]) -> list[datetime]:
    """Return the newest of some moments, at most so many."""
    # An index has the order for a name as it is, and for nothing.
    if shared.keys() & {"net", "agent"} or shared.get("match") in ("prefix", "contains"):
        everything: QuerySet[Any] = moments.model._default_manager.all()
        near = span_of_newest(everything, "timestamp", most * _SPARSEST)
        found = list(moments.filter(timestamp__range=near)[:most]) if near else []
        if len(found) == most:
            return found
    return list(moments[:most])


def _failures(shared: Mapping[str, str], span: _Span) -> _Count:
    rows = FailureFilter(shared, queryset=FailedLogin.objects.all()).qs

    def count(spans: bars.Bars) -> list[int]:
        return count_slices(rows, "timestamp", spans, bars.CAP)

    return _visits("failures", rows, shared, span, count)


def _successes(shared: Mapping[str, str], span: _Span) -> _Count:
    rows = SuccessFilter(shared, queryset=SuccessfulLogin.objects.all()).qs
    entries = rows.exclude(event=SuccessfulLogin.Event.LOGOUT)

    def count(spans: bars.Bars) -> list[int]:
        return count_entries(rows, spans, bars.CAP)

    return _visits("successes", entries, shared, span, count)


def _refused(shared: Mapping[str, str], span: _Span) -> _Count:
    """Return what locks refused, where each lock began."""
    rows = LockFilter({**shared}, queryset=AccountLock.objects.all()).qs
    # Its end is no earlier than its start: an index of a name has the ends.
    lately = {"started_at__gte": span.start, "until__gte": span.start}
    loud = rows.filter(**lately, refused__gt=0).order_by("-started_at")
    events = list(loud.values_list("started_at", "refused")[: SAMPLE + 1])
    return _Count(events, since=events[-1][0] if len(events) > SAMPLE else None)


_READ: Final = {"failures": _failures, "refused": _refused, "successes": _successes}
