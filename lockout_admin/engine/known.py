"""A lock as people are shown it: its row, and what the store knows beyond it.

Console, commands and verbs read it here, for two calls to the store however many are asked for.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TypeVar

from ..identity.subject import Subject
from ..models import AccountLock
from . import tallies
from .entries import Lock, keys_of_lock
from .rules import ACCOUNT
from .store import store
from .tallies import Tally

Person = TypeVar("Person", bound=Hashable)
State = AccountLock.State


class Enforcement(Enum):
    """What refuses attempts on behalf of a row."""

    #: The store.
    ENFORCED = auto()
    #: The row, which puts the lock back into the store with the next attempt.
    RESTORED = auto()
    #: The row, for the store does not answer.
    UNKNOWN = auto()
    #: Nothing any more.
    ENDED = auto()
    #: Nothing: the rule only watches.
    WATCHED = auto()


@dataclass(frozen=True, slots=True)
class Known:
    """A lock with a row."""

    row: AccountLock
    refused: Tally
    enforcement: Enforcement

    @property
    def lock(self) -> Lock:
        """The lock, with how many attempts it has refused."""
        return replace(Lock.of(self.row), refused=self.refused.count)


def of_rows(rows: Iterable[AccountLock]) -> dict[int, Known]:
    """Return what is known of the locks that rows record, by their primary keys."""
    rows = list(rows)
    refused = tallies.read(rows)
    texts = [text for row in rows for text in keys_of_lock(row.scope, (row.key,))]
    entries = store.get_many(texts) if texts else {}

    def enforcement(row: AccountLock) -> Enforcement:
        if row.state != State.OPEN:
            return Enforcement.WATCHED if row.state == State.MONITORED else Enforcement.ENDED
        if entries is None:
            return Enforcement.UNKNOWN
        is_entered = Lock.cached(row.scope, (row.key,), entries)
        return Enforcement.ENFORCED if is_entered else Enforcement.RESTORED

    return {row.pk: Known(row, refused[row.pk], enforcement(row)) for row in rows}


def of_names(names: Mapping[Person, Subject]) -> dict[Person, Lock]:
    """Return the locks of the names that are locked: of the row and the entry the longer one."""
    every = {key for subject in names.values() for key in subject.keys}
    entries = store.get_many(keys_of_lock(ACCOUNT.name, every)) or {}
    rows = AccountLock.objects.fresh().open().filter(scope=ACCOUNT.name, key__in=every)
    recorded = {row.key: Lock.of(row) for row in rows.order_by("until")}
    found = {}
    for person, subject in names.items():
        cached = Lock.cached(ACCOUNT.name, subject.keys, entries)
        locks = [lock for lock in (cached, *map(recorded.get, subject.keys)) if lock]
        if locks:
            found[person] = max(locks, key=lambda lock: lock.until)
    return found


def with_refused(lock: Lock) -> Lock:
    """Return a lock with how many attempts it has refused."""
    row = AccountLock.objects.fresh().filter(pk=lock.id, started_at=lock.since).first()
    # Without a row it counts in the store all the same.
    counted = row or AccountLock(pk=lock.id, key=lock.key, started_at=lock.since)
    return replace(lock, refused=tallies.read([counted])[lock.id].count)
