"""What a page of locks says beyond their rows: one cache call and three queries for all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from functools import reduce
from operator import or_
from typing import Any, cast

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..accounts import existing
from ..conf import conf
from ..locks import Lock, keys_of_lock
from ..models import AccountLock, FailedLogin
from ..store import store

#: Over which time the locks of a name are counted.
_RECENTLY = timedelta(days=30)


class Enforcement(Enum):
    """How a lock is enforced: label, and what that means."""

    ENFORCED = _("enforced"), _("The cache refuses attempts.")
    RESTORED = (
        _("to be restored"),
        _("The cache has lost this lock. The next attempt is refused by the record, and puts the lock back."),
    )
    UNKNOWN = _("cache down"), _("The cache does not answer. Attempts are refused by the record.")
    ENDED = _("ended"), _("It refuses nothing any more.")

    @property
    def label(self) -> str:
        """What it is called."""
        return str(self.value[0])

    @property
    def title(self) -> str:
        """What it means."""
        return str(self.value[1])


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one lock."""

    has_account: bool
    #: Distinct addresses of the failures that led to it.
    addresses: int
    #: Locks of the name in 30 days, this one among them.
    locks: int
    #: Attempts refused so far.
    refused: int
    enforcement: Enforcement


def facts_of(row: AccountLock) -> Facts:
    """Return what `look_up` found out."""
    return cast("Facts", row.facts)  # type: ignore[attr-defined]


def look_up(rows: list[AccountLock]) -> None:
    """Find out about all `rows`, and put it on them."""
    entries = store.get_many([key for row in rows for key in keys_of_lock(row.subject)]) if rows else {}
    accounts = existing({row.username for row in rows})
    addresses, locks = _addresses(rows), _recent_locks(rows)
    for row in rows:
        cached = Lock.cached(row.subject, entries or {})
        row.facts = Facts(  # type: ignore[attr-defined]
            has_account=row.username in accounts,
            addresses=len(addresses[row.pk]),
            locks=locks.get(row.subject, 0),
            refused=max(row.refused, cached.refused if cached and is_open(row) else 0),
            enforcement=_enforcement(row, entries, cached),
        )


def is_open(row: AccountLock) -> bool:
    """Tell whether a lock refuses attempts."""
    return row.ended_at is None and row.until > timezone.now()


def _enforcement(row: AccountLock, entries: dict[str, Any] | None, cached: Lock | None) -> Enforcement:
    if not is_open(row):
        return Enforcement.ENDED
    if entries is None:
        return Enforcement.UNKNOWN
    return Enforcement.ENFORCED if cached else Enforcement.RESTORED


def _addresses(rows: Iterable[AccountLock]) -> dict[int, set[str]]:
    # A range of the index for each lock; none holds more than the failures that make a lock.
    interval = timedelta(seconds=conf.failed_login_interval_secs)
    led = {row: (row.started_at - interval, row.started_at) for row in rows if row.failures}
    addresses: dict[int, set[str]] = defaultdict(set)
    if not led:
        return addresses
    ranges = [Q(subject=row.subject, timestamp__range=span) for row, span in led.items()]
    failures = FailedLogin.objects.filter(reduce(or_, ranges), address__isnull=False).order_by()
    by_subject = defaultdict(list)
    for subject, when, address in failures.values_list("subject", "timestamp", "address"):
        by_subject[subject].append((when, address))
    for row, (start, end) in led.items():
        addresses[row.pk] = {address for when, address in by_subject[row.subject] if start <= when <= end}
    return addresses


def _recent_locks(rows: Iterable[AccountLock]) -> dict[str, int]:
    since = timezone.now() - _RECENTLY
    # No lock ends before it starts: `until` is there for the index.
    recent = AccountLock.objects.filter(
        subject__in={row.subject for row in rows}, until__gte=since, started_at__gte=since
    )
    return dict(recent.order_by().values("subject").annotate(locks=Count("pk")).values_list("subject", "locks"))
