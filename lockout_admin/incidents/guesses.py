"""The same guess on many names: one password, once a day, on each account, from anywhere.

A process remembers wrong passwords as digests that never leave it. Of these a turn keeps 16 bits
of another digest, keyed with SECRET_KEY and a random key that the store throws away daily: of a
million common passwords fifteen look like any one, and without SECRET_KEY none can be told apart.
Where the random key is lost, a new day begins, and what goes on is found again. All of it is in the
store, for a day at most; only whoever has the turn reads and writes what is counted.
"""

from __future__ import annotations

import secrets
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from math import sqrt
from typing import Any, Final, NamedTuple

from ..conf import conf
from ..engine import sightings
from ..engine.moments import microseconds, moment
from ..engine.rules import DAY
from ..engine.sightings import EntrySeen, GuessSeen
from ..engine.store import store
from ..identity.network import number_of
from ..identity.subject import Subject, digest
from ..models import Incident

_BITS: Final = 16
_MASK: Final = (1 << _BITS) - 1
#: Seconds that a guess may be asked for, for an incident that begins later.
_RECENT_SECS: Final = 60 * 60
#: Guesses of one entry of the store; entries that are read at once.
_ENTRY: Final = 1_000
_MOST_ENTRIES: Final = 400
#: Of a fingerprint so many names are told apart; …
_MOST_NAMES: Final = 600
#: … they are kept in so many parts.
_PARTS: Final = 256
#: Popular mistakes: one guess may be on so many of a thousand names that fail.
_POPULAR: Final = 0.005
#: Deviations of Poisson's distribution: once in a billion fingerprints.
_DEVIATIONS: Final = 6


class Note(NamedTuple):
    """What is kept of a guess."""

    guess: int
    subject: int
    network: int | None
    #: Seconds since 1970, as `engine.moments` has them.
    when: float
    #: Whether it is the guess of an attack, and was right.
    is_right: bool = False


@dataclass(slots=True)
class Day:
    """The fingerprints of a day that go on being counted."""

    key: str
    #: By fingerprint and name: from where it was tried first, and when; of parts that were read.
    tried: dict[int, dict[int, Note]] = field(default_factory=dict)
    #: Names and fingerprints that were counted, each pair once.
    total: int = 0
    #: Fingerprints of attacks, and the incidents they belong to.
    hot: dict[int, int] = field(default_factory=dict)


def hand_over(seen: Sequence[GuessSeen], entries: Sequence[EntrySeen]) -> None:
    """Write what this process has compared, for whoever has the turn."""
    if not seen and not entries:
        return
    key = key_of_today()
    notes = [_noted(cut(one.digest, key), one) for one in seen]
    notes += [_noted(one.guess, one, is_right=True) for one in entries]
    for start in range(0, len(notes), _ENTRY):
        place = _next_place()
        if place is not None:
            chunk = [list(note) for note in notes[start : start + _ENTRY]]
            store.set_many({name_of(f"batch:{place}"): chunk}, _RECENT_SECS)


def _noted(guess: int, seen: GuessSeen | EntrySeen, *, is_right: bool = False) -> Note:
    when = microseconds(seen.when) / 1_000_000
    return Note(guess, seen.subject, number_of(seen.network), when, is_right)


def cut(guess: int, key: str) -> int:
    """Return the 16 bits that may be stored of a guess."""
    return digest("lockout_admin.same", f"{key}\0{guess:x}") & _MASK


def taken() -> tuple[list[Note], list[Note]]:
    """Return what all processes have written since the last turn: wrong ones, and right ones."""
    found = store.get_many([name_of("written"), name_of("read")]) or {}
    written, read = int(found.get(name_of("written"), 0)), int(found.get(name_of("read"), 0))
    if written < read:
        read = 0  # the store has lost it
    places = range(max(read, written - _MOST_ENTRIES) + 1, written + 1)
    if not places:
        return [], []
    store.set_many({name_of("read"): written}, 2 * DAY)
    notes = _read(places)
    return [note for note in notes if not note.is_right], [one for one in notes if one.is_right]


def recent() -> list[Note]:
    """Return the notes of wrong guesses of the last hour."""
    written = int((store.get_many([name_of("written")]) or {}).get(name_of("written"), 0))
    notes = _read(range(max(0, written - _MOST_ENTRIES) + 1, written + 1))
    return [note for note in notes if not note.is_right]


def _read(places: Iterable[int]) -> list[Note]:
    names = [name_of(f"batch:{place}") for place in places]
    entries = store.get_many(names) or {}
    return [Note(*note) for name in names for note in entries.get(name, ())]


def _next_place() -> int | None:
    name = name_of("written")
    place = store.increment(name)
    if place == 0:
        place = 1 if store.add(name, 1, 2 * DAY) else store.increment(name)
    return place or None


# -- Counting -------------------------------------------------------------------------------------


def count(notes: Sequence[Note]) -> dict[int, list[Note]]:
    """Count names by guess; return what is new of guesses that are on far too many.

    Of those that were not known yet, all that is kept of the day.
    """
    day = today()
    parts = {note.guess % _PARTS for note in notes}
    _load(day, parts)
    for note in notes:
        names = day.tried.setdefault(note.guess, {})
        if note.subject not in names and len(names) < _MOST_NAMES:
            names[note.subject] = note
            day.total += 1
    limit = limit_of(day)
    _save(day, parts)
    found: dict[int, list[Note]] = defaultdict(list)
    for note in notes:
        if note.guess in day.hot:
            found[note.guess].append(note)
    for guess, names in day.tried.items():
        if len(names) >= limit and guess not in day.hot:
            found[guess] = list(names.values())
    return found


def limit_of(day: Day) -> float:
    """Return on how many names one guess may be: by chance, or because it is popular."""
    from_chance = day.total / (_MASK + 1) + _POPULAR * day.total
    return max(40.0, from_chance + _DEVIATIONS * sqrt(from_chance))


def heat(guess: int, incident: Incident) -> None:
    """Have right passwords compared with the guess of an incident from now on."""
    key = key_of_today()
    hot = _hot(key)
    hot[guess] = incident.pk
    store.set_many({name_of(f"hot:{_id(key)}"): [[one, pk] for one, pk in hot.items()]}, DAY)
    listen()


def today() -> Day:
    """Return what is counted today, without the names."""
    key = key_of_today()
    name = name_of(f"total:{_id(key)}")
    total = (store.get_many([name]) or {}).get(name, 0)
    return Day(key, total=int(total), hot=_hot(key))


def listen() -> None:
    """Tell this process which guesses are those of attacks."""
    key = key_of_today()
    hot = _hot(key)
    sightings.listen_for(partial(_is_hot, key, frozenset(hot)) if hot else None)


def _is_hot(key: str, hot: frozenset[int], guess: int) -> int | None:
    bits = cut(guess, key)
    return bits if bits in hot else None


def _hot(key: str) -> dict[int, int]:
    name = name_of(f"hot:{_id(key)}")
    return dict((store.get_many([name]) or {}).get(name, ()))


def _load(day: Day, parts: Iterable[int]) -> None:
    entries = store.get_many([_part(day, part) for part in parts]) or {}
    for entry in entries.values():
        for guess, subject, network, when in entry:
            names = day.tried.setdefault(guess, {})
            names[subject] = Note(guess, subject, network, when)


def _save(day: Day, parts: Iterable[int]) -> None:
    entries: dict[str, Any] = {name_of(f"total:{_id(day.key)}"): day.total}
    rows: dict[int, list[Any]] = {part: [] for part in parts}
    for guess, names in day.tried.items():
        rows[guess % _PARTS] += [note[:4] for note in names.values()]
    entries |= {_part(day, part): kept for part, kept in rows.items()}
    store.set_many(entries, DAY)


def _part(day: Day, part: int) -> str:
    return name_of(f"tried:{_id(day.key)}:{part}")


def key_of_today() -> str:
    """Return the random key of the day; a new one where it is lost."""
    name = name_of("key")
    found = (store.get_many([name]) or {}).get(name)
    if found is None:
        store.add(name, f"{secrets.token_hex(16)}:{int(time.time())}", DAY)
        found = (store.get_many([name]) or {}).get(name)
    return str(found or "")


def began(key: str) -> datetime:
    """Return when a key was made: of what was before, it knows nothing."""
    _random, _colon, secs = key.partition(":")
    return moment(int(secs or 0) * 1_000_000)


def _id(key: str) -> str:
    return f"{digest('lockout_admin.same.day', key):x}"


def name_of(name: str) -> str:
    """Return a key of the store, for this site alone."""
    # The subject of nobody keeps the namespaces apart.
    return f"lockout_admin:{{same:{conf.isolation}{Subject.of('').key:x}}}:{name}"
