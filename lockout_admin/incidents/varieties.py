"""How different the guesses of an incident are: one password on all names, or one for each."""

from __future__ import annotations

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
        pairs = {(one.subject, one.network) for one in found if not one.is_refused}
        return [guess for pair in pairs for guess in self._by_pair.pop(pair, ())]

    def take_with_earlier(self, found: list[Try]) -> list[int]:
        """Return the guesses of tries, those of earlier turns too."""
        self.take(found)
        return Notes(recent()).take(found)


def _by_pair(notes: Iterable[Note]) -> dict[Pair, list[int]]:
    pairs: dict[Pair, list[int]] = {}
    for note in notes:
        pairs.setdefault((note.subject, note.network), []).append(note.guess)
    return pairs


def add(incident: Incident, guesses: list[int]) -> None:
    """Add the guesses of tries to those of an incident."""
    times, different = _known(incident)
    if guesses and times < _MOST:
        different |= set(guesses)
        entry = [times + len(guesses), sorted(different)]
        store.set_many({_key(incident): entry}, DAY)


def of(incident: Incident) -> float | None:
    """Return different guesses by all, from 0 to 1; ``None``: too few are known."""
    times, different = _known(incident)
    return len(different) / times if times >= _LEAST else None


def _known(incident: Incident) -> tuple[int, set[int]]:
    times, different = (store.get_many([_key(incident)]) or {}).get(_key(incident)) or (0, ())
    return times, set(different)


def _key(incident: Incident) -> str:
    return name_of(f"different:{incident.pk}")
