"""What an owner ends who has proved to be one: failures and locks of the account's own names.

By a link of a mail, or with a new password. What was typed under somebody else's name stays: who
may register ``alisa`` would have no limit on ``alissa`` otherwise. A lock by hand stays, too.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import Error, router, transaction
from django.db.models import Q
from django.utils import timezone

from ..identity import names
from ..identity.subject import Subject, account_of
from ..identity.text import ascii_lower
from ..models import AccountLock, AuditEntry, FailedLogin
from ..models.transactions import in_transaction, on_commit, shielded, tell
from ..signals import account_unlocked
from . import strays, tallies
from .entries import all_keys_of, keys_of_lock
from .rules import ACCOUNT, EndedBy, Rule
from .ruleset import rules_in_force
from .store import store

logger = logging.getLogger("lockout_admin")

#: Who ended it, in the records. In English, as evidence is.
BY_MAIL: Final = "the owner, by mail"
BY_PASSWORD: Final = "a new password"  # noqa: S105 - by whomever: staff may have set it

_Outcome = FailedLogin.Outcome


@dataclass(frozen=True, slots=True)
class Ended:
    """What was ended, and what goes on."""

    locks: list[AccountLock] = field(default_factory=list)
    #: Others have failed as much under names of their own that are spelled alike.
    going_on: list[AccountLock] = field(default_factory=list)


def locked_for_staff(user: Any) -> AccountLock | None:
    """Return the lock on a name of an account that only staff end; one by hand, where there is."""
    locks: list[AccountLock] = list(_open_locks(_keys_of(user)).order_by("-until"))
    of_staff = [lock for lock in locks if lock.is_by_hand or _is_for_staff(lock)]
    return max(of_staff, key=lambda lock: lock.is_by_hand, default=None)


def end(user: Any, by: str, address: str = "") -> Ended:
    """End what the account's own names failed, and the locks that this leads to.

    `address` is one at which the owner has proved to read mail.
    """
    now = timezone.now()
    ended = Ended()
    strays.record_all(_keys_of(user))
    for name in names.all_of(user):
        subject = Subject.of(name)
        is_proved = bool(address) and subject.key == Subject.of(address).key
        is_nobodys = names.is_shared if is_proved else names.is_ambiguous
        own = set() if is_nobodys(subject, user) else set(subject.fines)
        _end_name(subject, own, user, by, now, ended)
    _clear(ended.locks)
    _audit(user, by, ended.locks)
    for lock in ended.locks:
        tell(account_unlocked, AccountLock, lock=lock)
    return ended


def password_changed(user: Any) -> None:
    """End what the old password's owner failed; a fault here breaks no change of a password."""
    on_commit(type(user), lambda: _end_after_change(user))


def _end_after_change(user: Any) -> None:
    try:
        with shielded(FailedLogin):
            end(user, BY_PASSWORD)
    except Error:
        logger.exception("counts_not_ended: a changed password could not end what was failed.")


def _end_name(
    subject: Subject, own: set[int], user: Any, by: str, now: datetime, ended: Ended
) -> None:
    rows = _counting(subject.keys, now)
    own = _own(rows, own, user) if own else own
    # A count that only staff end goes on.
    lasts = any(rule.staff_only for rule in rules_in_force())
    FailedLogin.objects.filter(pk__in=[row.pk for row in rows if row.fine in own]).update(
        outcome=_Outcome.CLEARED if lasts else _Outcome.RELEASED
    )
    rest = [row for row in rows if row.fine not in own]
    for lock in _open_locks(subject.keys).exclude(reason=AccountLock.Reason.MANUAL):
        if _is_for_staff(lock) or _is_still_due(lock, rest):
            ended.going_on.append(lock)
        elif _end_lock(lock, by, now):
            ended.locks.append(lock)
    if not rest:
        # Their next lock is as short as a first one.
        AccountLock.objects.recent().filter(key__in=subject.keys).update(grows=False)


def _end_lock(lock: AccountLock, by: str, now: datetime) -> bool:
    """End a lock as time would have; False: somebody else has ended it.

    With `until` in this moment it is no release, which would start the counts of others anew.
    """
    lock.end_note = f"It would have ended at {lock.until:%Y-%m-%d %H:%M:%S%z}."
    lock.until = lock.ended_at = now
    lock.ended_by = by
    lock.grows = False
    names_changed = ("end_note", "until", "ended_at", "ended_by", "grows")
    values = {name: getattr(lock, name) for name in names_changed}
    return bool(AccountLock.objects.filter(pk=lock.pk, ended_at=None).update(**values))


# -- Whose they are -----------------------------------------------------------------------------


def _counting(keys: Collection[int], now: datetime) -> list[FailedLogin]:
    longest = max((rule.interval for rule in rules_in_force()), default=0)
    rows = FailedLogin.objects.fresh().filter(
        subject__in=keys, timestamp__gt=now - timedelta(seconds=longest)
    )
    counting = rows.exclude(outcome__in=(_Outcome.RELEASED, _Outcome.FORGIVEN)).order_by()
    columns = ("pk", "timestamp", "username", "fine", "repeated", "outcome", "device")
    return list(counting.only(*columns))


def _own(rows: Collection[FailedLogin], own: set[int], user: Any) -> set[int]:
    """Return the digests of the spellings that are the account's, letter case of ASCII apart."""
    own = set(own)
    # Strangers make up as many spellings as there are letters: each name is asked about once.
    answers: dict[str, bool] = {}
    for row in rows:
        name = ascii_lower(row.username)
        if row.fine not in own and name not in answers:
            answers[name] = names.is_own(Subject.of(row.username), user)
        if answers.get(name):
            own.add(row.fine)
    return own


def _rule_of(lock: AccountLock) -> Rule | None:
    return next((rule for rule in rules_in_force() if rule.name == lock.rule), None)


def _is_for_staff(lock: AccountLock) -> bool:
    rule = _rule_of(lock)
    return rule is not None and rule.staff_only


def _is_still_due(lock: AccountLock, rest: Collection[FailedLogin]) -> bool:
    rule = _rule_of(lock)
    if rule is None:
        return bool(rest)
    since = lock.started_at - timedelta(seconds=rule.interval)
    counted = [
        row
        for row in rest
        if row.timestamp > since
        and (rule.counts_repeats or not row.repeated)
        and not (rule.ended_by is EndedBy.NETWORK and row.outcome == _Outcome.CLEARED)
        and (row.device is None or rule.scope.binds_devices)
    ]
    return len(counted) >= rule.limit


def _keys_of(user: Any) -> set[int]:
    return {key for name in names.all_of(user) for key in Subject.of(name).keys}


def _open_locks(keys: Collection[int]) -> Any:
    return AccountLock.objects.fresh().open().filter(Q(key__in=keys) | Q(subject__in=keys))


# -- What else knows of a lock ------------------------------------------------------------------


def _clear(locks: list[AccountLock]) -> None:
    """Take the entries of ended locks out of the store, by each secret of the site."""
    if not locks:
        return
    tallies.keep(locks)
    places = {(lock.scope, key) for lock in locks for key in _each_key(lock)}
    texts = [text for scope, key in places for text in all_keys_of(scope, (key,))]
    proof = [text for scope, key in places for text in keys_of_lock(scope, (key,))]

    def clear() -> None:
        store.clear(texts, proof)

    if in_transaction(AccountLock):
        transaction.on_commit(clear, using=router.db_for_write(AccountLock))
    clear()


def _each_key(lock: AccountLock) -> set[int]:
    keys = {lock.key}
    if lock.scope == ACCOUNT.name:
        keys.update(Subject.of(lock.label).keys)
    return keys


def _audit(user: Any, by: str, locks: list[AccountLock]) -> None:
    AuditEntry.objects.bulk_create(
        AuditEntry(
            actor=by,
            action=AuditEntry.Action.UNLOCK,
            label=lock.label,
            details=f"Account {account_of(user)}. {lock.end_note}",
        )
        for lock in locks
    )
