"""A lock: the cache entry that enforces it and the row that records it, kept together.

The row is written first. A crash in between leaves a lock that the next attempt puts into the
cache, never one that nobody can see.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import router, transaction
from django.utils import timezone

from .conf import conf
from .identity import Subject
from .journal import in_transaction, shielded
from .models import AccountLock, FailedLogin
from .policies import Threshold
from .store import Keys, store


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock that is open: whom it is on, why, since when, until when, how many attempts it refused."""

    id: int
    username: str
    #: A value of `AccountLock.Reason`.
    reason: str
    since: datetime
    until: datetime
    refused: int = 0

    @property
    def remaining(self) -> int:
        """Seconds until the lock ends, rounded up."""
        return max(0, math.ceil((self.until - timezone.now()).total_seconds()))

    @classmethod
    def of(cls, row: AccountLock) -> Lock:
        """Return the lock that a row records."""
        return cls(row.pk, row.username, row.reason, row.started_at, row.until, row.refused)

    @classmethod
    def cached(cls, subject: str, entries: dict[str, Any]) -> Lock | None:
        """Return the lock among cache entries read with `keys_of_lock`, if it has not ended."""
        entry = entries.get(Keys(subject).lock)
        if entry is None:
            return None
        pk, username, reason, since, until = entry
        lock = cls(
            pk,
            username,
            reason,
            _moment(since),
            _moment(until),
            entries.get(Keys(subject).refused) or 0,
        )
        return lock if lock.until > timezone.now() else None

    @classmethod
    def read_all(cls, rows: Iterable[AccountLock]) -> list[Lock]:
        """Return the locks that rows record, with what the cache counts for each: one round trip."""
        rows = list(rows)
        refused = store.get_many([Keys(row.subject).refused for row in rows]) or {}
        return [replace(cls.of(row), refused=refused.get(Keys(row.subject).refused) or row.refused) for row in rows]


def keys_of_lock(subject: str) -> list[str]:
    """Return the cache keys to read for `Lock.cached`."""
    return [Keys(subject).lock, Keys(subject).refused]


def find(subject: str) -> Lock | None:
    """Return the open lock of a subject: from the cache, or on a miss from the database."""
    lock = Lock.cached(subject, store.get_many(keys_of_lock(subject)) or {})
    return lock or restore(subject)


def restore(subject: str) -> Lock | None:
    """Put the cache entry of an open lock back after an eviction, a flush or an outage."""
    row = _open_row(subject)
    if row is None:
        return None
    enforce(row)
    if _open_row(subject) is None:  # released in between: the release must not be undone
        store.delete_many(_all_keys(subject))
        return None
    return Lock.of(row)


def put_on(subject: Subject, seconds: int, **fields: Any) -> AccountLock:
    """Lock a subject for `seconds`; `IntegrityError` when a racer has locked it for the same failures."""
    now = timezone.now()
    row = AccountLock(
        subject=subject.key,
        username=subject.username,
        started_at=now,
        until=now + timedelta(seconds=seconds),
        **fields,
    )
    with shielded(AccountLock):
        row.save(force_insert=True)
    enforce(row)
    return row


def enforce(row: AccountLock) -> None:
    """Write the cache entries of a lock: the lock itself, its counter, and all slots taken until it ends.

    The slots end with the lock, so that N fresh attempts follow it however short it is; until then
    they hold should the entry be evicted.
    """
    keys = Keys(row.subject)
    until = row.until.timestamp()
    entry = [row.pk, row.username, row.reason, row.started_at.timestamp(), until]
    entries: dict[str, Any] = {keys.lock: entry, keys.refused: row.refused}
    entries |= dict.fromkeys(keys.slots(Threshold.current().limit), until)
    store.set_many(entries, timeout=max(1, math.ceil(until - timezone.now().timestamp())))


def count_refusal(subject: str, lock: Lock) -> None:
    """Count an attempt that a lock refused."""
    # Redis' INCR on a key that expires meanwhile makes one that never does: leave the last second out.
    if lock.remaining > 1:
        store.increment(Keys(subject).refused)


@dataclass(frozen=True, slots=True)
class Release:
    """What ending locks came to."""

    #: The locks that were open, ended now.
    rows: list[AccountLock]
    #: Subjects that have a younger lock, which goes on.
    held: set[str]
    #: False when the cache was down: what it still holds will refuse attempts until it expires.
    cache_cleared: bool


def release(subjects: Collection[str], by: str, note: str, top: int | None = None) -> Release:
    """End the open locks of subjects and start their counts anew. Nothing is deleted but cache entries.

    A lock that is younger than `top` goes on, and so does the count of its subject.
    """
    rows = _ended_now(subjects, top, ended_at=timezone.now(), ended_by=by, end_note=note)
    going_on = list(AccountLock.objects.fresh().open().filter(subject__in=subjects))
    held = {row.subject for row in going_on}
    _keep_refusals([*rows, *going_on])
    end_count(set(subjects) - held, FailedLogin.Outcome.RELEASED)
    end_growth(set(subjects) - held)

    def clear() -> bool:
        cleared = store.delete_many([key for subject in subjects for key in _all_keys(subject)]) is not None
        for subject in held:
            restore(subject)
        return cleared

    # An attempt that comes before the commit still finds the lock in the database, and puts it back.
    if in_transaction(AccountLock):
        transaction.on_commit(clear, using=router.db_for_write(AccountLock))
    return Release(rows, held, cache_cleared=clear())


def _ended_now(subjects: Collection[str], top: int | None, **end: Any) -> list[AccountLock]:
    rows = AccountLock.objects.fresh().open().filter(subject__in=subjects)
    pks = list((rows if top is None else rows.filter(pk__lte=top)).values_list("pk", flat=True))
    # One UPDATE claims them: of two who release at once, each lock is released by one.
    AccountLock.objects.filter(pk__in=pks, ended_at=None).update(**end, grows=False)
    return list(AccountLock.objects.fresh().filter(pk__in=pks, **end))


def _keep_refusals(rows: Collection[AccountLock]) -> None:
    refused = store.get_many([Keys(row.subject).refused for row in rows]) or {}
    changed = []
    for row in rows:
        count = refused.get(Keys(row.subject).refused) or 0
        if count > row.refused:
            row.refused = count
            changed.append(row)
    AccountLock.objects.bulk_update(changed, ["refused"], batch_size=500)


def end_count(subjects: Collection[str], outcome: FailedLogin.Outcome) -> None:
    """Start the count of subjects anew; say what ended it."""
    since = timezone.now() - timedelta(seconds=conf.failed_login_interval_secs)
    failures = FailedLogin.objects.filter(subject__in=subjects, timestamp__gt=since)
    failures.filter(outcome=FailedLogin.Outcome.COUNTED).update(outcome=outcome)


def end_growth(subjects: Collection[str]) -> None:
    """Let the next lock of subjects be as short as a first one."""
    AccountLock.objects.recent().filter(subject__in=subjects, grows=True).update(grows=False)


def _moment(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC if settings.USE_TZ else None)


def _open_row(subject: str) -> AccountLock | None:
    row: AccountLock | None = AccountLock.objects.fresh().open().filter(subject=subject).order_by("-until").first()
    return row


def _all_keys(subject: str) -> list[str]:
    return [*keys_of_lock(subject), *Keys(subject).slots(Threshold.current().limit)]
