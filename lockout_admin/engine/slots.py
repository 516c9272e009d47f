"""Slots: the right to have one password evaluated, so many of them per matter and interval.

``add`` is atomic in every store, so that of a thousand parallel attempts as many get a slot as the
rules leave, over any number of threads, processes and hosts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .buckets import capacity, lease
from .moments import microseconds, moment
from .rules import Matter, Rule
from .states import SHORT_WAIT, HeldSlot
from .store import Engine, Keys, Unavailable, store


@dataclass(frozen=True, slots=True)
class Place:
    """Where the slots of one matter are, and for how long one is held."""

    matter: Matter
    seconds: int
    #: Of each slot its keys: one by each secret of the site, taken and given back together.
    slots: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, matter: Matter, rules: Iterable[Rule]) -> Place | None:
        """Return the place of a matter; ``None`` where no rule reserves."""
        reserving = [rule for rule in rules if rule.scope.reserves and rule.enforces]
        if not reserving:
            return None
        count = capacity(reserving)
        named = [Keys(matter.scope, key).slots(count) for key in matter.keys]
        return cls(matter, lease(reserving), tuple(zip(*named, strict=True)))

    @property
    def count(self) -> int:
        """How many slots there are."""
        return len(self.slots)

    @property
    def keys(self) -> list[str]:
        """The keys of all slots."""
        return [key for keys in self.slots for key in keys]

    def held(self, entries: Mapping[str, Any]) -> dict[int, HeldSlot]:
        """Return the slots that are held, by number, given what the store has."""
        found = {}
        for number, keys in enumerate(self.slots):
            for key in keys:
                if key in entries:
                    found[number] = _held(key, entries[key])
                    break
        return found


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot, held until `expires`, in the engine that gave it."""

    keys: tuple[str, ...]
    expires: datetime
    engine: Engine
    #: Whether others took theirs in the same moment.
    is_contended: bool = False


@dataclass(frozen=True, slots=True)
class NoSlot:
    """None is free until a moment."""

    until: datetime


def reserve(
    engine: Engine,
    places: Iterable[Place],
    allowed: Mapping[int, int],
    entries: Mapping[str, Any],
    now: datetime,
) -> tuple[Slot, ...] | NoSlot:
    """Take one slot at each place, in a fixed order, or none at all.

    Raises `Unavailable` where the engine turns out to be dead although it raised nothing.
    """
    taken: list[Slot] = []
    for place in sorted(places, key=_key):
        got = _take(engine, place, allowed[place.matter.key], entries, now)
        if isinstance(got, NoSlot):
            give_back(taken, now)
            return got
        taken.append(got)
    return tuple(taken)


def late(places: Iterable[Place], now: datetime) -> tuple[Slot, ...]:
    """Hold slots for a failure that was verified elsewhere, if they are free."""
    allowed = {place.matter.key: place.count for place in places}
    try:
        got = store.run(lambda engine: reserve(engine, places, allowed, {}, now))
    except Unavailable:
        return ()
    return got if isinstance(got, tuple) else ()


def give_back(slots: Iterable[Slot], now: datetime) -> None:
    """Free slots. One whose lease is over may be somebody else's by now, and is left alone."""
    for slot in slots:
        if now < slot.expires:
            try:
                slot.engine.delete_many(slot.keys)
            except Unavailable:
                continue  # the lease ends by itself


def free(keys_and_values: Mapping[str, HeldSlot], now: datetime) -> None:
    """Free the slots of failures that a success has ended, unless they have changed hands."""
    living = {key: slot for key, slot in keys_and_values.items() if now < slot.expires}
    entries = store.get_many(living) or {}
    unchanged = [key for key, slot in living.items() if _same(entries.get(key), slot)]
    if unchanged:
        store.delete_many(unchanged)


def _take(
    engine: Engine, place: Place, allowed: int, entries: Mapping[str, Any], now: datetime
) -> Slot | NoSlot:
    held = place.held(entries)
    for last in (False, True):
        slot = _first_free(engine, place, allowed, held, now)
        if slot:
            return slot
        held = place.held(engine.get_many(place.keys))
        if held:
            return NoSlot(min(slot.expires for slot in held.values()))
        # All were taken, then nothing is there: they ended in this moment, or nothing is kept.
        if not last and not engine.keeps():
            store.distrust(engine)
            raise Unavailable
    return NoSlot(now + timedelta(seconds=SHORT_WAIT))


def _first_free(
    engine: Engine, place: Place, allowed: int, held: Mapping[int, HeldSlot], now: datetime
) -> Slot | None:
    free_numbers = [number for number in range(place.count) if number not in held]
    expires = now + timedelta(seconds=place.seconds)
    value = [microseconds(expires), microseconds(now)]
    # The same few for all who see the same: whoever comes second finds them taken.
    for tries, number in enumerate(free_numbers[: max(0, allowed - len(held))]):
        slot = Slot(place.slots[number], expires, engine, is_contended=tries > 0)
        if _add_all(slot, value, place.seconds, now):
            return slot
    return None


def _add_all(slot: Slot, value: Any, seconds: int, now: datetime) -> bool:
    added: list[str] = []
    for key in slot.keys:
        if not slot.engine.add(key, value, seconds):
            if added:
                slot.engine.delete_many(added)
            return False
        added.append(key)
    return True


def _held(key: str, value: Any) -> HeldSlot:
    """Return the slot in an entry; one of another shape than ours is held, too."""
    try:
        expires, started = value
        return HeldSlot(key, moment(started) if started else None, moment(expires))
    except (TypeError, ValueError, OverflowError):
        return HeldSlot(key, None, moment(0))


def _same(value: Any, slot: HeldSlot) -> bool:
    return value is not None and _held(slot.key, value) == slot


def _key(place: Place) -> int:
    return place.matter.key
