"""Locks that only the store knows: their rows are lost, or were ended while it did not answer.

They refuse like any other. The console lists them; a row of their own makes them a lock that can
be ended, with a reason and an audit entry.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Q

from ..models import AccountLock
from ..models.transactions import on_commit
from .entries import Lock, enforce, keys_of_lock, read_index
from .rules import ACCOUNT
from .store import store

#: Stays in English, as evidence does.
NOTE = "Found in the store, without an open record."


@dataclass(frozen=True, slots=True)
class Stray:
    """A lock without an open row, and what it is on."""

    scope: str
    key: int
    lock: Lock


def find(keys: Collection[int] = ()) -> list[Stray]:
    """Return the strays that the store's index knows, and those of the names with `keys`."""
    return _among({*read_index(), *((ACCOUNT.name, key) for key in keys)})


def find_one(scope: str, key: int) -> Stray | None:
    """Return the stray with a key, if there is one."""
    return next(iter(_among({(scope, key)})), None)


def record(stray: Stray) -> AccountLock:
    """Give a stray a row, and return it: an open lock like any other from now on."""
    lock = stray.lock
    row = AccountLock(
        scope=stray.scope,
        # With this and its start, what it has refused is its own again.
        key=lock.key,
        label=lock.label,
        subject=lock.key if stray.scope == ACCOUNT.name else None,
        reason=lock.reason,
        rule=lock.rule,
        note=NOTE,
        started_at=lock.since,
        until=lock.until,
    )
    row.save(force_insert=True)
    on_commit(AccountLock, lambda: enforce(row, (stray.key,)))
    return row


def record_all(keys: Collection[int]) -> None:
    """Give the strays of one name their rows."""
    for stray in _among({(ACCOUNT.name, key) for key in keys}):
        record(stray)


def _among(places: Collection[tuple[str, int]]) -> list[Stray]:
    texts = [text for scope, key in places for text in keys_of_lock(scope, (key,))]
    entries = store.get_many(texts) or {}
    found = [
        Stray(scope, key, lock)
        for scope, key in places
        if (lock := Lock.cached(scope, (key,), entries))
    ]
    recorded = (
        AccountLock.objects.fresh()
        .open()
        .filter(
            Q(key__in=[stray.key for stray in found]) | Q(pk__in=[stray.lock.id for stray in found])
        )
    )
    rows = list(recorded.order_by().values_list("key", "pk", "started_at")) if found else []
    keys = {key for key, _, _ in rows}
    # Under another of the site's secrets, a row has another key.
    locks = {(pk, since) for _, pk, since in rows}
    strays = [
        stray
        for stray in found
        if stray.key not in keys and (stray.lock.id, stray.lock.since) not in locks
    ]
    return sorted(strays, key=lambda stray: stray.lock.until, reverse=True)
