"""The story of one login attempt, from top to bottom.

`begin` refuses it or reserves a slot; the password is verified elsewhere; `fail`, `succeed` or
`abandon` ends it. `decorators.apply_account_lock` puts these steps around a backend.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

from django.db import Error, IntegrityError
from django.db.models import Count, Min
from django.utils import timezone

from . import accounts, locks, slots
from .client import Client
from .exceptions import AccountLocked
from .identity import Subject
from .journal import current_journal, in_transaction, refused, shielded
from .locks import Lock
from .models import AccountLock, FailedLogin, UserAgent
from .policies import LockGrowth, Threshold
from .querysets import UserAgentManager
from .signals import account_locked, failures_cleared, login_failed
from .slots import NoSlot, Slot
from .standing import Standing
from .store import Keys, store

logger = logging.getLogger("lockout_admin")


@dataclass(slots=True)
class Attempt:
    """One attempt under way."""

    subject: Subject
    client: Client
    request: Any
    started: datetime
    #: The cache entries of the subject when the attempt came in; ``None``: the cache is down.
    entries: dict[str, Any] | None
    #: What the database said then.
    standing: Standing
    #: ``None`` when the cache is down or can't be written to: then the rows alone count.
    slot: Slot | None = None


# -- The steps ----------------------------------------------------------------------------------


def begin(username: object, request: Any = None) -> Attempt:
    """Let an attempt in, with a slot for one password; raise `AccountLocked` otherwise."""
    subject, now = Subject.of(username), timezone.now()
    entries = _cache_entries(subject)
    if lock := Lock.cached(subject.key, entries or {}):
        _refuse_locked(subject, lock)
    attempt = _attempt(subject, request, now, entries)
    if attempt.standing.locked and (lock := locks.restore(subject.key)):
        _refuse_locked(subject, lock)
    _refuse_past_the_limit(attempt)
    if no_slot := _take_slot(attempt):
        _refuse(no_slot.retry_after, AccountLocked.THROTTLED)
    return attempt


def begin_verified(username: object, request: Any = None) -> Attempt:
    """Take in an attempt whose password has been verified already: too late to refuse it."""
    subject = Subject.of(username)
    return _attempt(subject, request, timezone.now(), _cache_entries(subject))


def fail(attempt: Attempt) -> bool:
    """End an attempt whose password was wrong: record it, and lock at the limit. True: now locked.

    In a transaction the record is put off until the middleware can write it outside; the answer
    is then what is foreseen.
    """
    if attempt.slot is None:
        _take_slot(attempt)
    return _shielded_from_rollback(lambda: _record_failure(attempt), foreseen=_is_last(attempt))


def succeed(attempt: Attempt) -> None:
    """End an attempt whose password was right: count and growth of its subject start anew."""
    refused(None)
    slots.free_all(attempt.subject.key)
    if _ends_a_count(attempt) or attempt.standing.previous_locks:
        _shielded_from_rollback(lambda: _record_success(attempt), foreseen=False)


def abandon(attempt: Attempt) -> None:
    """End an attempt whose password was not evaluated."""
    if attempt.slot:
        slots.give_back(attempt.slot, timezone.now())


# -- Refusing and reserving ---------------------------------------------------------------------


def _refuse_locked(subject: Subject, lock: Lock) -> NoReturn:
    locks.count_refusal(subject.key, lock)
    _refuse(lock.remaining, AccountLocked.LOCKED)


def _refuse_past_the_limit(attempt: Attempt) -> None:
    # Without slots (the cache is down, or has lost them) the rows hold the line.
    threshold = Threshold.current()
    if len(attempt.standing.failures) >= threshold.limit:
        oldest, _ = attempt.standing.failures[0]
        _refuse((oldest + threshold.interval - attempt.started).total_seconds(), AccountLocked.THROTTLED)


def _refuse(retry_after: float, reason: str) -> NoReturn:
    refusal = AccountLocked(retry_after, reason)
    refused(refusal)
    raise refusal


def _cache_entries(subject: Subject) -> dict[str, Any] | None:
    slot_keys = Keys(subject.key).slots(Threshold.current().limit)
    return store.get_many([*locks.keys_of_lock(subject.key), *slot_keys])


def _attempt(subject: Subject, request: Any, now: datetime, entries: dict[str, Any] | None) -> Attempt:
    client = Client.of(request)
    try:
        with shielded(FailedLogin):
            standing = Standing.of(subject.key, UserAgentManager.key_of(client.user_agent), now)
    except Error:
        # The slots still hold the limit.
        logger.exception("lockout_records_unreadable: if the tables are missing, run 'manage.py migrate'.")
        standing = Standing.unknown(now)
    return Attempt(subject, client, request, now, entries, standing)


def _take_slot(attempt: Attempt) -> NoSlot | None:
    taken = slots.take(attempt.subject.key, attempt.entries, attempt.started) if attempt.entries is not None else None
    if isinstance(taken, NoSlot):
        return taken
    attempt.slot = taken
    return None


# -- Recording ----------------------------------------------------------------------------------


def _shielded_from_rollback(record: Callable[[], bool], *, foreseen: bool) -> bool:
    journal = current_journal.get()
    if journal is None or not in_transaction(FailedLogin):
        return record()
    journal.after_view.append(record)
    return foreseen


def _is_last(attempt: Attempt) -> bool:
    """Tell whether this failure is the one that makes the limit, as far as was known when it came in."""
    return len(attempt.standing.failures) + 1 >= Threshold.current().limit and not attempt.standing.locked


def _record_failure(attempt: Attempt) -> bool:
    outcome = FailedLogin.Outcome.LOCKED if _is_last(attempt) else FailedLogin.Outcome.COUNTED
    failure = FailedLogin.objects.build(
        attempt.subject,
        attempt.client,
        timestamp=attempt.started,
        username=accounts.name_to_store(attempt.subject),
        outcome=outcome,
    )
    run = None
    try:
        with shielded(FailedLogin):
            if attempt.client.user_agent and not attempt.standing.knows_user_agent:
                UserAgent.objects.remember(attempt.client.user_agent)
            failure.save(force_insert=True)
            run = _full_run(attempt, failure)
    except Error:
        # The slot stays taken: the failure counts in the cache.
        logger.exception("failed_login_not_recorded: the database refused a record; the attempt counts all the same.")
    login_failed.send_robust(FailedLogin, failure=failure, request=attempt.request)
    return run is not None and _lock(attempt, failure, run)


@dataclass(frozen=True, slots=True)
class _Run:
    """Failures in a row that reach the limit."""

    failures: int
    first: int


def _full_run(attempt: Attempt, failure: FailedLogin) -> _Run | None:
    standing = attempt.standing
    if _is_last(attempt):
        return _Run(len(standing.failures) + 1, standing.failures[0][1] if standing.failures else failure.pk)
    # Others may have failed meanwhile. Each keeps a slot, so a free one says that the limit is not reached.
    if standing.locked or (attempt.slot and not slots.all_taken(attempt.subject.key)):
        return None
    counted = FailedLogin.objects.fresh().counted(attempt.subject.key, standing.since)
    run = _Run(**counted.aggregate(failures=Count("pk"), first=Min("pk")))
    return run if run.failures >= Threshold.current().limit else None


def _lock(attempt: Attempt, failure: FailedLogin, run: _Run) -> bool:
    seconds = LockGrowth.current().seconds(attempt.standing.previous_locks)
    subject = Subject(failure.username, failure.subject)
    try:
        row = locks.put_on(subject, seconds, failures=run.failures, first_failure=run.first, grows=True)
        if failure.outcome != FailedLogin.Outcome.LOCKED:
            FailedLogin.objects.filter(pk=failure.pk).update(outcome=FailedLogin.Outcome.LOCKED)
    except IntegrityError:
        return True  # another attempt of the same run was first
    except Error:
        logger.exception("lock_not_recorded: the database refused a lock; the slots refuse attempts meanwhile.")
        return False
    account_locked.send_robust(AccountLock, lock=row, request=attempt.request)
    return True


def _ends_a_count(attempt: Attempt) -> bool:
    return bool(attempt.standing.failures) or slots.any_taken(attempt.subject.key, attempt.entries)


def _record_success(attempt: Attempt) -> bool:
    subject, failures = attempt.subject, len(attempt.standing.failures)
    try:
        with shielded(FailedLogin):
            if _ends_a_count(attempt):
                locks.end_count([subject.key], FailedLogin.Outcome.CLEARED)
            if attempt.standing.previous_locks:
                locks.end_growth([subject.key])
    except Error:
        logger.exception("success_not_recorded: the database refused to end a count of failures.")
    if failures:
        failures_cleared.send_robust(
            FailedLogin, username=subject.username, failures=failures, client=attempt.client, request=attempt.request
        )
    return False
