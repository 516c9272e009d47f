"""The public verbs, for code that verifies passwords itself, for scripts and for consoles.

`request` may be ``None`` everywhere. A site whose backends are guarded by
`decorators.apply_account_lock` needs none of them to be protected.
"""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async

from . import attempts, locks
from .conf import conf
from .exceptions import AccountLocked
from .identity import Subject
from .journal import refused
from .locks import Lock
from .models import AccountLock
from .signals import account_locked, account_unlocked

__all__ = [
    "AccountLocked",
    "Lock",
    "aget_lock",
    "ahandle_failed_login",
    "ahandle_successful_login",
    "ais_account_locked",
    "alock_account",
    "araise_if_locked",
    "aunlock_account",
    "get_lock",
    "handle_failed_login",
    "handle_successful_login",
    "is_account_locked",
    "lock_account",
    "raise_if_locked",
    "unlock_account",
]


def is_account_locked(username: str) -> bool:
    """Tell whether attempts on `username` are refused, real account or not."""
    return get_lock(username) is not None


def get_lock(username: str) -> Lock | None:
    """Return the open lock of `username`: why, since, until, seconds remaining, attempts refused."""
    return locks.find(Subject.of(username).key)


def raise_if_locked(username: str, exception: type[Exception] = AccountLocked) -> None:
    """Raise `AccountLocked` if `username` is locked, or an exception of another class with its message."""
    lock = get_lock(username)
    if lock is None:
        return
    refusal = AccountLocked(lock.remaining)
    refused(refusal)
    if issubclass(exception, AccountLocked):
        raise exception(lock.remaining)
    raise exception(refusal.message) from refusal


def handle_failed_login(username: str, request: Any = None) -> bool:
    """Record a wrong password that was verified elsewhere. True: the username is locked now."""
    attempt = attempts.begin_verified(username, request)
    return attempts.fail(attempt) or attempt.standing.locked


def handle_successful_login(username: str, request: Any = None) -> None:
    """End the count of failures of `username` after a right password that was verified elsewhere."""
    attempts.succeed(attempts.begin_verified(username, request))


def lock_account(username: str, seconds: int | None = None, *, by: str = "", note: str = "") -> Lock:
    """Lock `username` by hand, for `seconds` (default: ``ACCOUNT_LOCKED_TIMEOUT_SECS``).

    `by` and `note` say who did it and why. Raises `ValueError` for a time that is not positive.
    """
    seconds = conf.account_locked_timeout_secs if seconds is None else seconds
    if seconds <= 0:
        raise ValueError("A lock lasts at least one second. To end one, call unlock_account().")
    subject = Subject.of(username)
    row = locks.put_on(subject, seconds, reason=AccountLock.Reason.MANUAL, locked_by=by[:255], note=note[:255])
    locks.restore(subject.key)  # of several locks, the cache holds the one that ends last
    account_locked.send_robust(AccountLock, lock=row, request=None)
    return Lock.of(row)


def unlock_account(username: str, *, by: str = "", note: str = "") -> bool:
    """End every lock of `username` and start its count anew. True: it was locked."""
    released = locks.release([Subject.of(username).key], by[:255], note[:255])
    for row in released.rows:
        account_unlocked.send_robust(AccountLock, lock=row)
    return bool(released.rows)


async def ais_account_locked(username: str) -> bool:
    """Async twin of `is_account_locked`."""
    return await sync_to_async(is_account_locked)(username)


async def aget_lock(username: str) -> Lock | None:
    """Async twin of `get_lock`."""
    return await sync_to_async(get_lock)(username)


async def araise_if_locked(username: str, exception: type[Exception] = AccountLocked) -> None:
    """Async twin of `raise_if_locked`."""
    await sync_to_async(raise_if_locked)(username, exception)


async def ahandle_failed_login(username: str, request: Any = None) -> bool:
    """Async twin of `handle_failed_login`."""
    return await sync_to_async(handle_failed_login)(username, request)


async def ahandle_successful_login(username: str, request: Any = None) -> None:
    """Async twin of `handle_successful_login`."""
    await sync_to_async(handle_successful_login)(username, request)


async def alock_account(username: str, seconds: int | None = None, *, by: str = "", note: str = "") -> Lock:
    """Async twin of `lock_account`."""
    return await sync_to_async(lock_account)(username, seconds, by=by, note=note)


async def aunlock_account(username: str, *, by: str = "", note: str = "") -> bool:
    """Async twin of `unlock_account`."""
    return await sync_to_async(unlock_account)(username, by=by, note=note)
