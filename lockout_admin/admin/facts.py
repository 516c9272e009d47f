"""What a page of locks says beyond their rows, for one cache call and four queries a page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import cast

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..conf import conf
from ..engine import known
from ..engine.known import Enforcement
from ..engine.tallies import Tally
from ..models import AccountLock, FailedLogin
from ..models.accounts import existing

#: Over which time the locks of a name are counted.
_RECENTLY = timedelta(days=30)
#: Addresses that are shown of the failures which led to a lock.
_SOURCES = 5


#: How a lock is enforced: label and explanation.
ENFORCEMENT = {
    Enforcement.ENFORCED: (_("enforced"), _("The cache refuses attempts.")),
    Enforcement.RESTORED: (
        _("to be restored"),
        _(
            "The cache has lost this lock. The record refuses the next attempt, and puts the lock"
            " back."
        ),
    ),
    Enforcement.UNKNOWN: (
        _("cache down"),
        _("The cache does not answer. The record refuses attempts."),
    ),
    Enforcement.ENDED: (_("ended"), _("It refuses nothing any more.")),
    Enforcement.WATCHED: (_("monitored"), _("The rule only watches. Nobody was refused.")),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one lock."""

    has_account: bool
    #: When the first of the failures that led to it came.
    first: datetime
    #: Distinct addresses of these failures.
    addresses: int
    #: The first of these.
    sources: tuple[str, ...]
    #: Locks of the same name, or network, in 30 days; this one is among them.
    locks: int
    #: Attempts refused so far, the newest moment, some of their addresses.
    refused: Tally
    enforcement: Enforcement


def facts_of(row: AccountLock) -> Facts:
    """Return what `look_up` found out."""
    return cast("Facts", row.facts)  # type: ignore[attr-defined]


def look_up(rows: list[AccountLock]) -> None:
    """Find out about all `rows`, and put it on them."""
    found = known.of_rows(rows)
    accounts = existing({row.label for row in rows if row.subject is not None})
    firsts = _firsts(rows)
    addresses = _addresses(firsts)
    locks = _recent_locks(rows)
    for row in rows:
        row.facts = Facts(  # type: ignore[attr-defined]
            has_account=row.label in accounts,
            first=firsts[row],
            addresses=len(addresses[row.pk]),
            sources=tuple(sorted(addresses[row.pk]))[:_SOURCES],
            locks=locks.get(row.key, 0),
            refused=found[row.pk].refused,
            enforcement=found[row.pk].enforcement,
        )


def _firsts(rows: Iterable[AccountLock]) -> dict[AccountLock, datetime]:
    """Return when the first of the failures that led to each lock came."""
    keys = [row.first_failure for row in rows if row.first_failure]
    failures = FailedLogin.objects.filter(pk__in=keys).order_by()
    known: dict[int | None, datetime] = dict(failures.values_list("pk", "timestamp"))
    # If that record is gone, or never was: as far back as the first rule counts.
    interval = timedelta(seconds=conf.failed_login_interval_secs)
    return {row: known.get(row.first_failure, row.started_at - interval) for row in rows}


def _addresses(firsts: dict[AccountLock, datetime]) -> dict[int, set[str]]:
    # A range of the index for each lock; none holds more than the failures that make a lock.
    led = {row: first for row, first in firsts.items() if row.failures and row.subject is not None}
    addresses: dict[int, set[str]] = defaultdict(set)
    if not led:
        return addresses
    ranges = [
        Q(subject=row.subject, timestamp__range=(first, row.started_at))
        for row, first in led.items()
    ]
    failures = FailedLogin.objects.filter(reduce(or_, ranges), ip_address__isnull=False).order_by()
    by_subject = defaultdict(list)
    for subject, when, address in failures.values_list("subject", "timestamp", "ip_address"):
        by_subject[subject].append((when, address))
    for row, first in led.items():
        addresses[row.pk] = {
            address for when, address in by_subject[row.subject] if first <= when <= row.started_at
        }
    return addresses


def _recent_locks(rows: Iterable[AccountLock]) -> dict[int, int]:
    since = timezone.now() - _RECENTLY
    # No lock ends before it starts: `until` is there for the index.
    recent = AccountLock.objects.fresh().filter(
        key__in={row.key for row in rows}, until__gte=since, started_at__gte=since, enforced=True
    )
    counts = recent.order_by().values("key").annotate(locks=Count("pk"))
    return dict(counts.values_list("key", "locks"))
