"""The store's entries of a lock: the lock itself, what it refused, and the slots that it holds."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.utils import timezone

from ..exceptions import AccountLocked
from ..identity.subject import digest
from ..models import AccountLock
from . import tallies
from .moments import microseconds, moment
from .rules import Matter
from .ruleset import rules_in_force
from .slots import Place
from .store import Keys, store

#: A cache can't list its keys: so many places tell which locks it enforces.
_PLACES = 1024
#: Sites that share a store have indexes of their own.
_SALT = "lockout_admin.index"


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock that is open: on what, why, since when, until when, how many attempts it refused."""

    id: int
    #: The name as it was typed, or what else is locked.
    label: str
    #: A value of `AccountLock.Reason`.
    reason: str
    #: The name of the rule; empty for a lock by hand.
    rule: str
    since: datetime
    until: datetime
    refused: int = 0
    #: The digest of what is locked, see `AccountLock.key`.
    key: int = field(default=0, repr=False, compare=False)
    #: When the store last noted where a refused attempt came from.
    noted: datetime | None = field(default=None, repr=False, compare=False)

    @property
    def is_by_hand(self) -> bool:
        """Whether staff put it on."""
        return not self.rule

    @property
    def username(self) -> str:
        """The name that is locked."""
        return self.label

    @property
    def remaining(self) -> int:
        """Seconds until the lock ends, rounded up."""
        return max(0, math.ceil((self.until - timezone.now()).total_seconds()))

    @property
    def message(self) -> Any:
        """What to tell the person, in the language active when it is rendered."""
        return AccountLocked(self.remaining).message

    @classmethod
    def of(cls, row: AccountLock) -> Lock:
        """Return the lock that a row records."""
        return cls(
            row.pk,
            row.label,
            row.reason,
            row.rule,
            row.started_at,
            row.until,
            row.refused,
            row.key,
        )

    @classmethod
    def cached(cls, scope: str, keys: Iterable[int], entries: Mapping[str, Any]) -> Lock | None:
        """Return the open lock among entries read with `keys_of_lock`; of several the longest."""
        now = timezone.now()
        locks = [lock for key in keys if (lock := _entered(Keys(scope, key), entries))]
        return max((lock for lock in locks if lock.until > now), key=_until, default=None)

    @property
    def tally(self) -> tallies.TallyKeys:
        """Where the store counts what it refuses."""
        return tallies.TallyKeys(self.key, self.since)


def keys_of_lock(scope: str, keys: Iterable[int]) -> list[str]:
    """Return the store's keys to read for `Lock.cached`."""
    named = [Keys(scope, key) for key in keys]
    return [text for keys_of_one in named for text in (keys_of_one.lock, keys_of_one.refused)]


def enforce(row: AccountLock, keys: Collection[int], *, with_slots: bool = False) -> None:
    """Write the entries of a lock: the lock itself, its place in the index, its counter.

    A rule's lock that begins takes all slots as well: they end with it, so that a fresh interval
    follows it however short it is. One that is put back leaves them alone, for by now they may be
    held by attempts that came after its end.
    """
    lock = Lock.of(row)
    entries: dict[str, Any] = {}
    for key in keys:
        named = Keys(row.scope, key)
        entries |= {named.lock: _entry(lock), **_in_index(row.scope, key, lock)}
        if with_slots:
            until = microseconds(row.until)
            entries |= {slot: [until, None] for slot in named.slots(slots_of(row.scope))}
    store.set_many(entries, max(1, lock.remaining))
    tallies.start(lock.tally, lock.remaining + tallies.KEPT_SECS)


def slots_of(scope: str) -> int:
    """Return how many slots the rules of a scope have."""
    rules = [rule for rule in rules_in_force() if rule.scope.name == scope]
    place = Place.of(Matter(scope, (0,), "", ()), rules)
    return place.count if place else 0


def count_refusal(scope: str, key: int, lock: Lock, address: str | None) -> None:
    """Count an attempt that a lock refused; of some, note the moment and the address as well."""
    seconds = lock.remaining + tallies.KEPT_SECS
    if place := tallies.count_one(lock.tally, lock.noted, seconds):
        now = microseconds(timezone.now())
        # A lock that refuses has its place in the index, whichever took it before.
        index = _in_index(scope, key, lock)
        noted = {place: [address, now], Keys(scope, key).refused: now}
        store.set_many({**noted, **index}, seconds)


def read_index() -> dict[tuple[str, int], Lock]:
    """Return locks that the store enforces, or did a while ago, by scope and key.

    Of two in one place the one is found that refused last.
    """
    # By the site's present secret: after a change of it, locks come in here as they refuse.
    own = digest(_SALT, "")
    keys = [_place(own, number) for number in range(_PLACES)]
    found: dict[tuple[str, int], Lock] = {}
    for value in (store.get_many(keys) or {}).values():
        with suppress(TypeError, ValueError, OverflowError, KeyError):  # not of our making
            scope, key, *lock = value
            found[scope, key] = _lock(lock)
    return found


def all_keys_of(scope: str, keys: Collection[int]) -> list[str]:
    """Return the store's keys of all that a lock holds: what a release deletes."""
    count = slots_of(scope)
    slots = [text for key in keys for text in Keys(scope, key).slots(count)]
    return [*keys_of_lock(scope, keys), *slots]


def _entry(lock: Lock) -> list[Any]:
    since, until = microseconds(lock.since), microseconds(lock.until)
    return [lock.id, lock.label, lock.reason, lock.rule, since, until, lock.key]


def _lock(entry: Any) -> Lock:
    pk, label, reason, rule, since, until, key = entry
    return Lock(pk, label, reason, rule, moment(since), moment(until), key=key)


def _entered(keys: Keys, entries: Mapping[str, Any]) -> Lock | None:
    """Return the lock in an entry; ``None`` for an entry that is of another shape than ours."""
    try:
        lock = _lock(entries[keys.lock])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    try:
        return replace(lock, noted=moment(entries[keys.refused]))
    except (KeyError, TypeError, OverflowError):
        return lock


def _in_index(scope: str, key: int, lock: Lock) -> dict[str, Any]:
    return {_place(digest(_SALT, ""), key % _PLACES): [scope, key, *_entry(lock)]}


def _place(own: int, number: int) -> str:
    return f"lockout_admin:{{locks:{own:x}}}:{number}"


def _until(lock: Lock) -> datetime:
    return lock.until
