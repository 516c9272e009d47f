"""The public verbs, for code that verifies passwords itself, for scripts and for consoles.

`request` may be of Django, Django REST framework or Starlette, an ASGI scope, or ``None``. A site
whose backends are guarded by `decorators.apply_account_lock` needs none of them to be protected.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from asgiref.sync import sync_to_async
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from .conf import conf
from .engine import attempts, inquiries, known, locks, refusals, strays
from .engine.blocks import AttemptBlock
from .engine.inquiries import NameStanding, Verdict
from .engine.journal import told
from .engine.locks import Lock
from .engine.rules import matter_of
from .exceptions import AccountLocked
from .identity.client import Client, parse_address
from .identity.subject import Subject
from .identity.text import cleaned
from .models import AccountLock
from .signals import password_changed

__all__ = [
    "AccountLocked",
    "AttemptBlock",
    "Lock",
    "NameStanding",
    "Verdict",
    "aget_lock",
    "aget_standing",
    "ahandle_failed_login",
    "ahandle_password_change",
    "ahandle_successful_login",
    "ais_account_locked",
    "alock_account",
    "araise_if_locked",
    "attempt",
    "aunlock_account",
    "get_lock",
    "get_standing",
    "handle_failed_login",
    "handle_password_change",
    "handle_successful_login",
    "is_account_locked",
    "lock_account",
    "raise_if_locked",
    "unlock_account",
]


@sensitive_variables("password")
def attempt(
    username: Any,
    request: Any = None,
    *,
    password: Any = "",
    ip_address: str | None = None,
    user_agent: str = "",
    path: str = "",
) -> AttemptBlock:
    """Return one attempt, as a block of code around the check of a password.

        async with lockout.attempt(username, request) as attempt:  # and: with lockout.attempt(…)
            user = await check(username, password)
            attempt.succeeded(user) if user else attempt.failed()

    It reserves a slot and raises `AccountLocked` where there is none, so that the limit is exact
    for parallel attempts. What leaves the block without a word has failed: a return, an exception,
    a task that is cancelled. ``attempt.abandon()`` gives the slot back. The records are written
    when the block has been left; ``attempt.locked`` says then whether the name is locked now.

    Where there is no request, `ip_address`, `user_agent` and `path` say where it came from; beside
    a request they replace what it says. With `password` a wrong one that is repeated is told from
    a fresh one, as guarded backends do; 16 bits of a keyed digest of it are kept for a day.

    Raises `RuntimeError` for two words that differ, and for a word outside of the block.
    """
    client = Client.of(request)
    told = {"user_agent": user_agent, "path": path}
    if ip_address is not None:
        address = parse_address(ip_address)
        client = client._replace(ip_address=str(address) if address else None)
    given = Client.told(client.ip_address, **told)
    client = given._replace(
        user_agent=given.user_agent or client.user_agent,
        path=given.path or client.path,
    )
    return AttemptBlock(username, request, client, password)


def get_standing(username: str) -> NameStanding:
    """Return how `username` stands: locked, throttled or free, until when, by which rule.

    To look is not to reserve: by the time of an attempt it may be otherwise. Use `attempt`.
    """
    return inquiries.of_name(username)


def is_account_locked(username: str) -> bool:
    """Tell whether a lock refuses attempts on `username`, real account or not.

    False is no promise: until the password has been checked, others may have failed, and all
    tries of the interval may be taken without a lock. `attempt` reserves one.
    """
    return locks.find(Subject.of(username)) is not None


def get_lock(username: str) -> Lock | None:
    """Return the open lock of `username`: why, since, until, seconds left, attempts refused."""
    lock = locks.find(Subject.of(username))
    return lock and known.with_refused(lock)


def raise_if_locked(
    username: str, exception: type[Exception] | Callable[[Lock], Exception] = AccountLocked
) -> None:
    """Raise `AccountLocked` if `username` is locked, or what else the site likes.

    `exception` is a class that takes the message alone, or a function from the `Lock` to an
    exception: ``lambda lock: HTTPException(429, str(lock.message))``, ``lambda lock:
    Throttled(lock.remaining)``. Like `is_account_locked` it reserves nothing.
    """
    if (lock := locks.find(Subject.of(username))) is None:
        return
    refusal = AccountLocked(lock.remaining)
    told(refusal)
    raise refusals.made_of(exception, lock, refusal) from refusal


def handle_failed_login(username: str, request: Any = None) -> bool:
    """Record a wrong password that was verified elsewhere. True: the username is locked now.

    It can't hold the limit for parallel attempts: they were all verified before the first was
    recorded. `attempt` and guarded backends do.
    """
    return attempts.fail(attempts.begin_verified(username, request))


def handle_successful_login(username: str, request: Any = None) -> None:
    """Take note of a right password that was verified elsewhere.

    It is recorded, as one with the session that begins in the same request, and ends what was
    failed under this name from the same network.
    """
    attempts.succeed(attempts.begin_verified(username, request))


def lock_account(
    username: str,
    seconds: int | None = None,
    *,
    by: str = "",
    note: str = "",
    shorten: bool = False,
) -> Lock:
    """Lock `username` by hand, for `seconds` (default: ``ACCOUNT_LOCKED_TIMEOUT_SECS``).

    `by` and `note` say who did it and why. One by hand that lasts longer stays and is returned;
    with `shorten` it is ended for the new one. Raises `ValueError` for a time that is not positive.
    """
    seconds = conf.account_locked_timeout_secs if seconds is None else seconds
    if seconds <= 0:
        raise ValueError("A lock lasts at least one second. To end one, call unlock_account().")
    subject = Subject.of(username)
    by, note = cleaned(str(by), 255), cleaned(str(note), 255)
    # One of a rule lets the owner's devices in: this one is put on beside it.
    standing = locks.open_row(subject.keys, by_hand=True)
    if standing and standing.until > timezone.now() + timedelta(seconds=seconds):
        if not shorten:
            return Lock.of(standing)
        locks.release(subject.keys, by, note)
    reason = AccountLock.Reason.MANUAL
    row = locks.begin(matter_of(subject), seconds, reason=reason, locked_by=by, note=note)
    return Lock.of(row)


def unlock_account(username: str, *, by: str = "", note: str = "", confirmed: str = "") -> bool:
    """End every lock of `username` and start its count anew. True: it was locked."""
    keys = Subject.of(username).keys
    strays.record_all(keys)
    return bool(locks.release(keys, str(by)[:255], note[:255], confirmed=confirmed).rows)


def handle_password_change(user: Any) -> None:
    """End what was failed, and the trust in devices: for passwords that no ``save()`` keeps."""
    password_changed.send_robust(type(user), user=user)


async def ais_account_locked(username: str) -> bool:
    """Async twin of `is_account_locked`."""
    return await sync_to_async(is_account_locked)(username)


async def aget_lock(username: str) -> Lock | None:
    """Async twin of `get_lock`."""
    return await sync_to_async(get_lock)(username)


async def aget_standing(username: str) -> NameStanding:
    """Async twin of `get_standing`."""
    return await sync_to_async(get_standing)(username)


async def araise_if_locked(
    username: str, exception: type[Exception] | Callable[[Lock], Exception] = AccountLocked
) -> None:
    """Async twin of `raise_if_locked`."""
    await sync_to_async(raise_if_locked)(username, exception)


async def ahandle_failed_login(username: str, request: Any = None) -> bool:
    """Async twin of `handle_failed_login`."""
    return await sync_to_async(handle_failed_login)(username, request)


async def ahandle_successful_login(username: str, request: Any = None) -> None:
    """Async twin of `handle_successful_login`."""
    await sync_to_async(handle_successful_login)(username, request)


async def ahandle_password_change(user: Any) -> None:
    """Async twin of `handle_password_change`."""
    await sync_to_async(handle_password_change)(user)


async def alock_account(
    username: str,
    seconds: int | None = None,
    *,
    by: str = "",
    note: str = "",
    shorten: bool = False,
) -> Lock:
    """Async twin of `lock_account`."""
    return await sync_to_async(lock_account)(username, seconds, by=by, note=note, shorten=shorten)


async def aunlock_account(username: str, **said: str) -> bool:
    """Async twin of `unlock_account`."""
    return await sync_to_async(unlock_account)(username, **said)
