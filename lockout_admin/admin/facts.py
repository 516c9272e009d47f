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
from ..engine.rules import ACCOUNT
from ..engine.ruleset import written_rules
from ..engine.tallies import Tally
from ..models import AccountLock, FailedLogin
from ..models.accounts import existing

#: Over which time the locks of a name are counted.
_RECENTLY = timedelta(days=30)
_OF_FAILURE = ("timestamp", "ip_address")
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
    since = _since(rows)
    led = _led(since)
    locks = _recent_locks(rows)
    for row in rows:
        failures = led.get(row.pk, [])
        addresses = sorted({address for _when, address in failures if address})
        row.facts = Facts(  # type: ignore[attr-defined]
            has_account=row.label in accounts,
            first=failures[0][0] if failures else since[row],
            addresses=len(addresses),
            sources=tuple(addresses[:_SOURCES]),
            locks=locks.get(row.key, 0),
            refused=found[row.pk].refused,
            enforcement=found[row.pk].enforcement,
        )


def _since(rows: Iterable[AccountLock]) -> dict[AccountLock, datetime]:
    """Return how far back the failures that led to each lock may be.

    What a record calls its first failure is the first after the lock before; the rule may have
    counted some from before that one.
    """
    keys = [row.first_failure for row in rows if row.first_failure]
    failures = FailedLogin.objects.filter(pk__in=keys).order_by()
    known: dict[int | None, datetime] = dict(failures.values_list("pk", "timestamp"))
    # If the rule is gone by now: as far back as the first one counts.
    usual = conf.failed_login_interval_secs
    intervals = {rule.name: rule.interval for rule in written_rules()}
    starts = {
        row: row.started_at - timedelta(seconds=intervals.get(row.rule, usual)) for row in rows
    }
    return {row: min(start, known.get(row.first_failure, start)) for row, start in starts.items()}


def _led(since: dict[AccountLock, datetime]) -> dict[int, list[tuple[datetime, str | None]]]:
    """Return the failures that led to each lock on a name: when, and from which address."""
    # A range of the index for each lock; none holds much more than the failures that make a lock.
    rows = {row: start for row, start in since.items() if row.failures and row.subject is not None}
    if not rows:
        return {}
    ranges = [
        Q(subject=row.subject, timestamp__range=(start, row.started_at))
        for row, start in rows.items()
    ]
    failures = FailedLogin.objects.filter(reduce(or_, ranges)).order_by("timestamp")
    by_subject = defaultdict(list)
    for subject, device, *failure in failures.values_list("subject", "device", *_OF_FAILURE):
        by_subject[subject, device is not None].append(failure)
    led = {}
    for row, start in rows.items():
        found = by_subject[row.subject, row.scope != ACCOUNT.name]
        in_time = [(when, address) for when, address in found if start <= when <= row.started_at]
        led[row.pk] = in_time[-row.failures :]
    return led


def _recent_locks(rows: Iterable[AccountLock]) -> dict[int, int]:
    since = timezone.now() - _RECENTLY
    # No lock ends before it starts: `until` is there for the index.
    recent = AccountLock.objects.fresh().filter(
        key__in={row.key for row in rows}, until__gte=since, started_at__gte=since, enforced=True
    )
    counts = recent.order_by().values("key").annotate(locks=Count("pk"))
    return dict(counts.values_list("key", "locks"))
