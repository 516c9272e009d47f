"""How different the guesses of an incident are: one password on all names, or one for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from ..engine.rules import DAY
from ..engine.store import store
from ..models import Incident
from .guesses import Note, name_of, recent
from .tries import Try

Pair = tuple[int, int | None]

#: Guesses that are told apart.
_MOST: Final = 200
#: Fewer say nothing.
_LEAST: Final = 4


class Notes:
    """The guesses that were noted for a turn, by name and network; each is taken once."""

    def __init__(self, notes: Iterable[Note]) -> None:
        self._by_pair = _by_pair(notes)

    def take(self, found: Iterable[Try]) -> list[int]:
        """Return the guesses of tries."""
        return [guess for pair in _pairs(found) for guess in self._by_pair.pop(pair, ())]

    def take_with_earlier(self, found: list[Try]) -> list[int]:
        """Return the guesses of tries, those of earlier turns too."""
        self.take(found)
        return Notes(recent()).take(found)

    def take_back(self, found: list[Try]) -> list[int]:
        """Return the guesses of tries, for whoever took them; they can be taken once more."""
        earlier = Notes(recent())
        again = {pair: earlier._by_pair.get(pair, []) for pair in _pairs(found)}
        self._by_pair |= again
        return [guess for own in again.values() for guess in own]


def _pairs(found: Iterable[Try]) -> set[Pair]:
    return {(one.subject, one.network) for one in found if not one.is_refused}


def _by_pair(notes: Iterable[Note]) -> dict[Pair, list[int]]:
    pairs: dict[Pair, list[int]] = {}
    for note in notes:
        pairs.setdefault((note.subject, note.network), []).append(note.guess)
    return pairs


def add(incident: Incident, guesses: Iterable[int]) -> None:
    """Add the guesses of tries to those of an incident."""
    known, more = _known(incident), Counter(guesses)
    if more and known.total() < _MOST:
        _keep(incident, known + more)


def take_out(incident: Incident, guesses: Iterable[int]) -> None:
    """Take guesses out of those of an incident."""
    _keep(incident, _known(incident) - Counter(guesses))


def merge(into: Incident, other: Incident) -> None:
    """Add the guesses of an incident to those of the one that it is a part of."""
    add(into, _known(other).elements())


def of(incident: Incident) -> float | None:
    """Return different guesses by all, from 0 to 1; ``None``: too few are known."""
    known = _known(incident)
    return len(known) / known.total() if known.total() >= _LEAST else None


def _known(incident: Incident) -> Counter[int]:
    entry = (store.get_many([_key(incident)]) or {}).get(_key(incident))
    return Counter(dict(entry or ()))


def _keep(incident: Incident, known: Counter[int]) -> None:
    store.set_many({_key(incident): [list(pair) for pair in known.items()]}, DAY)


def _key(incident: Incident) -> str:
    return name_of(f"different:{incident.pk}")
