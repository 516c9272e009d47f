"""A lock: the row that records it and the store's entry that enforces it, kept together.

The row is written first. A crash in between leaves a lock that the next attempt puts into the
store, never one that nobody can see. Each transition sends its signal here, once.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import router, transaction
from django.db.models import Q
from django.utils import timezone

from ..conf import conf
from ..identity.client import Client
from ..identity.subject import Subject
from ..models import AccountLock, FailedLogin
from ..models.transactions import in_transaction, on_commit, shielded, tell
from ..signals import account_locked, account_unlocked, would_lock
from . import tallies
from .buckets import refuse
from .entries import Lock, all_keys_of, enforce, keys_of_lock
from .rules import ACCOUNT, Matter
from .ruleset import rules_in_force
from .store import store

__all__ = [
    "Lock",
    "begin",
    "by_hand",
    "enforce",
    "find",
    "keys_of_lock",
    "open_row",
    "release",
    "restore",
]


def find(subject: Subject) -> Lock | None:
    """Return the lock that refuses a name: from the store, or on a miss from the database."""
    scope = ACCOUNT.name
    if not refuse(rule for rule in rules_in_force() if rule.scope.name == scope):
        return by_hand(subject)
    entries = store.get_many(keys_of_lock(scope, subject.keys)) or {}
    return Lock.cached(scope, subject.keys, entries) or restore(scope, subject.keys)


def by_hand(subject: Subject) -> Lock | None:
    """Return the open lock that staff put on a name."""
    row = open_row(subject.keys, by_hand=True)
    return Lock.of(row) if row else None


def restore(scope: str, keys: Collection[int], *, by_hand: bool = False) -> Lock | None:
    """Put the entry of an open lock back after an eviction, a flush or an outage.

    With `by_hand` only one that staff put on.
    """
    row = open_row(keys, by_hand=by_hand)
    if row is None:
        return None

    if in_transaction(AccountLock):
        # What is read in here may be rolled back; until the commit the row decides.
        on_commit(AccountLock, lambda: _put_back(row, scope, keys))
        return Lock.of(row)
    return Lock.of(row) if _put_back(row, scope, keys) else None


def open_row(keys: Collection[int], *, by_hand: bool = False) -> AccountLock | None:
    """Return the open lock of a name that lasts longest, as the database has it."""
    rows = AccountLock.objects.fresh().open().filter(key__in=keys)
    if by_hand:
        rows = rows.filter(reason=AccountLock.Reason.MANUAL)
    row: AccountLock | None = rows.order_by("-until").first()
    return row


def _put_back(row: AccountLock, scope: str, keys: Collection[int]) -> bool:
    enforce(row, keys)
    if open_row(keys) is not None:
        return True
    # Released or over in between: that must not be undone. The slots may be held by attempts that
    # came after it.
    store.delete_many(keys_of_lock(scope, keys))
    return False


def begin(
    matter: Matter,
    seconds: int,
    *,
    request: Any = None,
    client: Client | None = None,
    **fields: Any,
) -> AccountLock:
    """Lock something for `seconds`: row, entry, signal.

    Raises `IntegrityError` when a racer has locked it for the same failures. What is not to be
    enforced (a rule in mode "monitor") gets its row and nothing else.
    """
    now = timezone.now()
    row = AccountLock(
        scope=matter.scope,
        key=matter.key,
        label=matter.label,
        subject=matter.subject,
        started_at=now,
        until=now + timedelta(seconds=seconds),
        **fields,
    )
    # What a rule in mode "monitor" does not refuse, nobody counts.
    row.settled = not row.enforced
    with shielded(AccountLock):
        _insert(row)
    told = {"lock": row, "request": request, "client": client or Client.of(request)}
    if not row.enforced:
        tell(would_lock, AccountLock, **told)
        return row
    on_commit(AccountLock, lambda: _enforce_longest(row, matter))
    tell(account_locked, AccountLock, **told)
    return row


def _insert(row: Any) -> None:
    """Write a new row. Receivers of ``pre_save`` and ``post_save`` are not asked.

    Other apps' code must break no login; for theirs there is the signal `account_locked`.
    """
    database = router.db_for_write(AccountLock, instance=row)
    row._save_table(cls=AccountLock, force_insert=True, using=database)
    row._state.adding = False
    row._state.db = database


@dataclass(frozen=True, slots=True)
class Release:
    """Which locks were ended, and what stands in the way."""

    #: The locks that were open, ended now.
    rows: list[AccountLock]
    #: Keys that have a younger lock, which goes on.
    held: set[int]
    #: False when the store did not answer: what it still holds refuses until it expires.
    cache_cleared: bool


def release(
    keys: Collection[int], by: str, note: str, top: int | None = None, *, confirmed: str = ""
) -> Release:
    """End the open locks on `keys` and start their counts anew: rows, entries, signals.

    Nothing is deleted but entries of the store. A lock that is younger than `top` goes on, and so
    does the count it is for. How the identity was `confirmed` is one of `AccountLock.Confirmed`;
    raises `ValueError` for what is none.
    """
    confirmed = AccountLock.Confirmed(confirmed).value if confirmed else ""
    named = _by_each_secret(set(keys))
    end = {"ended_at": timezone.now(), "ended_by": by, "end_note": note, "confirmed": confirmed}
    rows = _ended_now(named, top, **end)
    # Whatever keeps a name out ends with its lock, of whichever scope.
    keys = named | {row.key for row in rows}
    going_on = list(AccountLock.objects.fresh().open().filter(key__in=keys))
    held = {row.key for row in going_on}
    tallies.keep([*rows, *going_on])
    _end_counts(set(keys) - held)
    scopes = {row.key: row.scope for row in rows}

    def clear() -> bool:
        named = [(scopes.get(key, ACCOUNT.name), (key,)) for key in keys]
        texts = [text for scope, key in named for text in all_keys_of(scope, key)]
        proof = [text for scope, key in named for text in keys_of_lock(scope, key)]
        cleared = store.clear(texts, proof)
        for row in going_on:
            restore(row.scope, (row.key,))
        return cleared

    # An attempt that comes before the commit still finds the lock in the database.
    if in_transaction(AccountLock):
        transaction.on_commit(clear, using=router.db_for_write(AccountLock))
    cache_cleared = clear()
    for row in rows:
        tell(account_unlocked, AccountLock, lock=row)
    return Release(rows, held, cache_cleared)


def _by_each_secret(keys: set[int]) -> set[int]:
    """Add the keys that the same names have by the other secrets of the site.

    A row has one of them, the store's entries have all: each of these refuses.
    """
    if len(conf.secrets) == 1:
        return keys
    rows = AccountLock.objects.fresh().open().filter(subject__in=keys)
    names = [set(Subject.of(label).keys) for label in rows.values_list("label", flat=True)]
    # A masked name is another subject.
    return keys.union(*(name for name in names if name & keys))


def _ended_now(keys: Collection[int], top: int | None, **end: Any) -> list[AccountLock]:
    rows = AccountLock.objects.fresh().open().filter(Q(key__in=keys) | Q(subject__in=keys))
    pks = list((rows if top is None else rows.filter(pk__lte=top)).values_list("pk", flat=True))
    # One UPDATE claims them: of two who release at once, each lock is released by one.
    AccountLock.objects.filter(pk__in=pks, ended_at=None).update(**end, grows=False)
    return list(AccountLock.objects.fresh().filter(pk__in=pks, **end))


def _end_counts(keys: Collection[int]) -> None:
    """Start the counts of names anew, and let their next lock be as short as a first one."""
    now = timezone.now()
    longest = max((rule.interval for rule in rules_in_force()), default=0)
    failures = FailedLogin.objects.filter(
        subject__in=keys, timestamp__gt=now - timedelta(seconds=longest)
    )
    failures.exclude(outcome=FailedLogin.Outcome.RELEASED).update(
        outcome=FailedLogin.Outcome.RELEASED
    )
    AccountLock.objects.recent().filter(key__in=keys, grows=True).update(grows=False)


def _enforce_longest(row: AccountLock, matter: Matter) -> None:
    """Write the entry of a lock, unless an open one that lasts longer has it."""
    if row.rule:
        # A rule locks only what no lock is open on.
        enforce(row, matter.keys, with_slots=True)
    else:
        longest = open_row(matter.keys)
        enforce(longest or row, matter.keys)
