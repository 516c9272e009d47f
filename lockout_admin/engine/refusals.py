"""Refuses an attempt: by an open lock, or until a try is free again. Both look the same."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

from ..conf import conf
from ..exceptions import AccountLocked
from ..identity import columns, names
from ..identity.subject import Subject, account_of
from . import dues, locks, sightings
from .buckets import refuse
from .entries import Lock, count_refusal
from .journal import refused
from .rules import ACCOUNT
from .states import Refusal

if TYPE_CHECKING:
    from .attempts import Attempt

logger = logging.getLogger("lockout_admin")


def by_lock(attempt: Attempt, scope: str, key: int, lock: Lock) -> NoReturn:
    """Refuse by an open lock, which counts how often it does."""
    count_refusal(scope, key, lock, attempt.client.ip_address)
    sightings.refused(attempt)
    _raise(AccountLocked(lock.remaining, AccountLocked.LOCKED))


def lock_of_own_name(attempt: Attempt, user: Any) -> Lock | None:
    """Return the lock of the name of the account that is about to come in by another one.

    For code that doesn't tell by which names it finds an account: a spelling that only it knows
    must not lead around a lock.
    """
    own = Subject.of(user.get_username())
    return None if own.key == attempt.subject.key else _lock_of(own, attempt)


def _lock_of(own: Subject, attempt: Attempt) -> Lock | None:
    on_names = (b.rule for b in attempt.buckets if b.matter.scope == ACCOUNT.name)
    return locks.find(own) if refuse(on_names) else locks.by_hand(own)


def is_of_another(attempt: Attempt, user: Any) -> bool:
    """Tell whether an attempt came from the trusted device of another account than the right one.

    Whoever had a name before has its devices in his browser: they are no way to whom has it now.
    """
    is_asked = attempt.device and not conf.only_watches
    owner = attempt.standing.account_of_device if is_asked else None
    return bool(owner) and account_of(user) not in ("", owner)


def is_kept_out(attempt: Attempt, user: Any) -> bool:
    """Tell whether an account is kept out that was found: by its own name's lock, or by its device.

    Then its password is as wrong as any: to be refused with it would say that it is right.
    """
    if is_of_another(attempt, user):
        why = "in the browser of another account, which had the name before"
    elif hasattr(user, "get_username") and lock_of_own_name(attempt, user):
        why = "by another name than the one that is locked"
    else:
        return False
    logger.warning(
        "right_password_refused: account %s was entered %s; the answer was that the password is"
        " wrong.",
        ascii(account_of(user)),
        why,
    )
    return True


def by_account(attempt: Attempt, user: Any) -> None:
    """Refuse an account that is about to come in by a locked name, or another's device."""
    if lock := lock_of_own_name(attempt, user):
        by_lock(attempt, ACCOUNT.name, lock.key, lock)
    if is_of_another(attempt, user):
        by_device(attempt)  # as long as it takes for a wrong password
        until(attempt, attempt.started)


def by_own_name(attempt: Attempt) -> None:
    """Refuse a name of an account whose own name is locked, whatever the password.

    Only the right one would be refused by `by_account`. By names that a column holds: who else may
    be found, only the code knows that looks. A lock is looked for even if nobody has the name, or
    whoever has it was asked by his own: the time must not tell.
    """
    if len(columns.lookup_fields()) == 1:
        return
    own = [Subject.of(user.get_username()) for user in names.having(attempt.subject)]
    for subject in own or [attempt.subject]:
        lock = _lock_of(subject, attempt)
        if lock and subject.key != attempt.subject.key:
            by_lock(attempt, ACCOUNT.name, lock.key, lock)


def by_device(attempt: Attempt) -> None:
    """Refuse what came from an account's device under a name that is not that account's alone.

    Whatever the password: only the right one would be refused by `by_account`.
    """
    if not attempt.device:
        return
    owner = names.look_up_account(attempt.standing.account_of_device or "")
    if owner is None or not names.is_held_by(attempt.subject, owner):
        until(attempt, attempt.started)


def until(attempt: Attempt, moment: datetime) -> NoReturn:
    """Refuse until a moment, in which a try is free again."""
    wait = (moment - attempt.started).total_seconds()
    sightings.refused(attempt)
    _raise(AccountLocked(wait, AccountLocked.THROTTLED))


def by_gate(seconds: float) -> NoReturn:
    """Refuse before anything is counted; it looks like a lock that lasts for `seconds`."""
    _raise(AccountLocked(seconds, AccountLocked.LOCKED))


def as_told(refusal: AccountLocked) -> NoReturn:
    """Refuse as a gate says."""
    _raise(refusal)


def carry_out(attempt: Attempt, refusal: Refusal) -> NoReturn:
    """Refuse as it was decided, and begin the locks that are overdue."""
    if refusal.locked:
        _by_open_row(attempt)
    for due in refusal.overdue:
        matter = due.bucket.matter
        if row := dues.begin_overdue(attempt, due):
            by_lock(attempt, matter.scope, matter.key, Lock.of(row))
    until(attempt, refusal.until)


def _by_open_row(attempt: Attempt) -> None:
    """Refuse by the open lock of a row, which goes back into the store."""
    for matter, rules in attempt.matters.values():
        if lock := locks.restore(matter.scope, matter.keys, by_hand=not refuse(rules)):
            by_lock(attempt, matter.scope, matter.key, lock)


def _raise(refusal: AccountLocked) -> NoReturn:
    refused(refusal)
    raise refusal


def made_of(
    exception: type[Exception] | Callable[[Lock], Exception], lock: Lock, refusal: AccountLocked
) -> Exception:
    """Return the exception that a site likes for a lock."""
    if not isinstance(exception, type):
        return exception(lock)
    if issubclass(exception, AccountLocked):
        return exception(lock.remaining)
    takes_a_message: Any = exception
    try:
        made: Exception = takes_a_message(refusal.message)
    except (TypeError, ValueError):
        made = refusal
    # Starlette's takes it for its status.
    if made is refusal or not isinstance(getattr(made, "status_code", 0), int):
        # A refusal must not turn into an error page.
        logger.error(
            "exception_takes_no_message: raise_if_locked() raises AccountLocked in place of %s;"
            " give a function, as in exception=lambda lock: %s(…).",
            exception.__qualname__,
            exception.__name__,
        )
        return refusal
    return made
