"""Retention: the only thing that deletes a record."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.db.models import Exists, OuterRef, Q, QuerySet

from ..engine import tallies, watching
from ..engine.contract import Unavailable
from ..engine.table import TableEngine
from ..models import (
    AccountLock,
    AuditEntry,
    Exemption,
    FailedLogin,
    Incident,
    IncidentEvent,
    IncidentName,
    IncidentNetwork,
    NetworkRule,
    Outbox,
    SuccessfulLogin,
    TrustedDevice,
    UserAgent,
)
from ..models.walks import walk

_VISITS: Final[dict[str, Any]] = {"failures": FailedLogin, "successes": SuccessfulLogin}


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows deleted, or to be deleted."""

    failures: int = 0
    successes: int = 0
    locks: int = 0
    devices: int = 0
    user_agents: int = 0
    #: Audit entries.
    deeds: int = 0
    #: Network rules that have ended.
    rules: int = 0
    #: Incidents, with all that is in them.
    incidents: int = 0
    #: What owners and others were told.
    messages: int = 0
    #: Expired entries of the store: nobody's, so not counted in a dry run.
    entries: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """Progress: counts so far, and the fraction of the time span that is done."""

    counts: Counts
    fraction: float


def prune(cutoff: datetime, *, batch: int, dry_run: bool = False) -> Iterator[Step]:
    """Delete what is older than `cutoff`, at most `batch` rows a statement; yield after each.

    Walks the index on time from its oldest end, so that no table is counted, scanned or locked for
    long. A lock goes by its end, whether it was released or expired.
    """
    counts = Counts()
    for name, rows, moment in _old(cutoff):
        for deleted, fraction in _batches(rows, moment, cutoff, batch, dry_run):
            counts = replace(counts, **{name: getattr(counts, name) + deleted})
            yield Step(counts, fraction)
    for deleted, fraction in _incidents(cutoff, batch, dry_run):
        counts = replace(counts, incidents=counts.incidents + deleted)
        yield Step(counts, fraction)
    if not dry_run:
        while tallies.settle(batch):
            yield Step(counts, 1.0)
        for deleted in _expired_entries(batch):
            counts = replace(counts, entries=counts.entries + deleted)
            yield Step(counts, 1.0)


def _old(cutoff: datetime) -> Iterator[tuple[str, QuerySet[Any], str]]:
    """Yield what is too old: its name in `Counts`, the rows, and the moment that they go by."""
    for name, model in _VISITS.items():
        yield name, model.objects.fresh().filter(timestamp__lt=cutoff), "timestamp"
    ended = Q(until__lt=cutoff) | Q(ended_at__lt=cutoff)
    locks = AccountLock.objects.fresh().filter(ended, started_at__lt=cutoff)
    yield "locks", locks, "started_at"
    devices = TrustedDevice.objects.using(locks.db).filter(
        Q(until__lt=cutoff) | Q(ended_at__lt=cutoff), first_seen__lt=cutoff
    )
    yield "devices", devices, "first_seen"
    deeds = AuditEntry.objects.using(locks.db).filter(timestamp__lt=cutoff)
    # What only watches is reminded of, however short the records are kept.
    deeds = deeds.exclude(actor=watching.ACTOR)
    yield "deeds", deeds, "timestamp"
    rules = NetworkRule.objects.using(locks.db).filter(until__lt=cutoff)
    yield "rules", rules, "until"
    messages = Outbox.objects.using(locks.db).filter(timestamp__lt=cutoff)
    yield "messages", messages, "timestamp"
    orphans = UserAgent.objects.using(locks.db).filter(first_seen__lt=cutoff)
    for model in _VISITS.values():
        kept = model.objects.filter(user_agent=OuterRef("pk"), timestamp__gte=cutoff)
        orphans = orphans.filter(~Exists(kept))
    orphans = orphans.filter(~Exists(TrustedDevice.objects.filter(user_agent=OuterRef("pk"))))
    yield "user_agents", orphans, "first_seen"


def _incidents(cutoff: datetime, batch: int, dry_run: bool) -> Iterator[tuple[int, float]]:
    """Delete incidents of which nothing has come since `cutoff`; what they taught stays."""
    old = Incident.objects.fresh().filter(last_seen_at__lt=cutoff)
    for found in walk(old, ["last_seen_at", "pk"], batch, by="last_seen_at"):
        pks = [row[1] for row in found]
        if not dry_run:
            for model in (IncidentName, IncidentNetwork, IncidentEvent):
                parts: Any = model.objects.using(old.db).filter(incident__in=pks)
                parts._raw_delete(old.db)
            Exemption.objects.using(old.db).filter(incident__in=pks).update(incident=None)
            Incident.objects.using(old.db).filter(merged_into__in=pks).update(merged_into=None)
            Incident.objects.using(old.db).filter(pk__in=pks)._raw_delete(old.db)
        yield len(pks), 1.0


def _expired_entries(batch: int) -> Iterator[int]:
    table = TableEngine()
    with suppress(Unavailable):  # the engine has logged it
        while deleted := table.purge(time.time(), batch):
            yield deleted


def _batches(
    rows: QuerySet[Any], moment: str, cutoff: datetime, batch: int, dry_run: bool
) -> Iterator[tuple[int, float]]:
    first = None
    for found in walk(rows, [moment, "pk"], batch, by=moment):
        first = first or found[0][0]
        if not dry_run:
            rows.model._default_manager.filter(pk__in=[row[1] for row in found])._raw_delete(
                rows.db
            )
        yield len(found), (found[-1][0] - first) / (cutoff - first)
