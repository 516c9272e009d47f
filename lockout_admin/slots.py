"""Slots: the right to have one password evaluated, N of them per subject and interval.

``cache.add`` is atomic on every cache that the system checks let pass, so that of a thousand
parallel attempts N get a slot, over any number of threads, processes and hosts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .policies import Threshold
from .store import Keys, store


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot, held until `expires` (Unix time)."""

    key: str
    expires: float


@dataclass(frozen=True, slots=True)
class NoSlot:
    """All slots are taken; the first is free again in `retry_after` seconds."""

    retry_after: float


def take(subject: str, taken: dict[str, Any], now: datetime) -> Slot | NoSlot | None:
    """Take the first free slot, given the cache entries just read; ``None`` when the cache is down."""
    threshold = Threshold.current()
    keys = Keys(subject).slots(threshold.limit)
    expires = now.timestamp() + threshold.interval.total_seconds()
    for key in keys:
        if key in taken:
            continue
        added = store.add(key, expires, timeout=int(threshold.interval.total_seconds()))
        if added is None:
            return None
        if added:
            return Slot(key, expires)
    holders = store.get_many(keys)
    if not holders:
        # Every `add` failed, yet there is nothing: a client library that hides a dead server.
        return None
    return NoSlot(max(0.0, min(holders.values()) - now.timestamp()))


def give_back(slot: Slot, now: datetime) -> None:
    """Free the slot of an attempt whose password was not evaluated."""
    # Once expired, or freed by a success, it may be somebody else's.
    if now.timestamp() < slot.expires and store.get_many([slot.key]) == {slot.key: slot.expires}:
        store.delete_many([slot.key])


def all_taken(subject: str) -> bool:
    """Tell whether all slots are taken; also when the cache is down and can't tell."""
    keys = Keys(subject).slots(Threshold.current().limit)
    holders = store.get_many(keys)
    return holders is None or len(holders) == len(keys)


def any_taken(subject: str, entries: dict[str, Any] | None) -> bool:
    """Tell whether slots were taken, given the cache entries read before; not, when the cache is down."""
    return any(key in (entries or {}) for key in Keys(subject).slots(Threshold.current().limit))


def free_all(subject: str) -> None:
    """Free all slots of a subject."""
    store.delete_many(Keys(subject).slots(Threshold.current().limit))
