"""Retention: the only thing that deletes a record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from .models import AccountLock, FailedLogin, UserAgent


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows deleted, or to be deleted."""

    failures: int = 0
    locks: int = 0
    user_agents: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """How far it is: counts so far, and the fraction of the time span that is behind."""

    counts: Counts
    fraction: float


def prune(cutoff: datetime, *, batch: int, dry_run: bool = False) -> Iterator[Step]:
    """Delete what is older than `cutoff`, at most `batch` rows a statement; yield after each.

    Walks the index on time from its oldest end, so that no table is counted, scanned or locked for
    long. A lock goes by its end, whether it was released or expired.
    """
    counts = Counts()
    failures = FailedLogin.objects.fresh().filter(timestamp__lt=cutoff)
    for deleted, fraction in _batches(failures, "timestamp", cutoff, batch, dry_run):
        counts = replace(counts, failures=counts.failures + deleted)
        yield Step(counts, fraction)
    ended = Q(until__lt=cutoff) | Q(ended_at__lt=cutoff)
    locks = AccountLock.objects.fresh().filter(ended, started_at__lt=cutoff)
    for deleted, fraction in _batches(locks, "started_at", cutoff, batch, dry_run):
        counts = replace(counts, locks=counts.locks + deleted)
        yield Step(counts, fraction)
    kept = FailedLogin.objects.filter(user_agent=OuterRef("pk"), timestamp__gte=cutoff)
    orphans = UserAgent.objects.using(failures.db).filter(~Exists(kept), first_seen__lt=cutoff)
    for deleted, fraction in _batches(orphans, "first_seen", cutoff, batch, dry_run):
        counts = replace(counts, user_agents=counts.user_agents + deleted)
        yield Step(counts, fraction)


def _batches(
    rows: QuerySet[Any], moment: str, cutoff: datetime, batch: int, dry_run: bool
) -> Iterator[tuple[int, float]]:
    first, after = None, Q()
    while found := list(rows.filter(after).order_by(moment, "pk").values_list(moment, "pk")[:batch]):
        last, pk = found[-1]
        first = first or found[0][0]
        if not dry_run:
            rows.model._default_manager.filter(pk__in=[row for _, row in found])._raw_delete(rows.db)
        # Keyset: the plain range serves the index, the second condition breaks ties.
        after = Q(**{f"{moment}__gte": last}) & (Q(**{f"{moment}__gt": last}) | Q(pk__gt=pk))
        yield len(found), (last - first) / (cutoff - first)
