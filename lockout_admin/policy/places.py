"""All that a replay knows, by scope and thing: what an attempt falls into, and what is known there.

Things are told apart without a digest (`Scope.brief`); what the engine would make of one is made
when something is to be decided there, as nearly never.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ..engine.rules import ACCOUNT, Facts, Matter, Rule, Scope
from ..engine.states import PastLock, State
from .memory import Known, Reach
from .people import People, Teller
from .reading import Entry, Guess
from .rows import Clock

#: Of so many things in a scope, those that no rule counts any more are forgotten.
ROOM: Final = 10_000
_NOTHING: Final = State()


@dataclass(slots=True)
class Place:
    """Who attempts, and what that falls into within each scope, by its name."""

    facts: Facts
    #: See `Scope.brief`.
    things: dict[str, Hashable]
    #: The same, with what was known of each.
    found: list[tuple[_Within, Hashable, Known | None]]


class _Within:
    """What is known within one scope."""

    def __init__(self, scope: Scope, rules: Iterable[Rule], tell: Teller) -> None:
        self.name = scope.name
        self.of = scope.of
        self.tell = tell
        self.reach = Reach(rules)
        self.is_ever_quiet = self.reach.is_ever_quiet
        #: Whether what it counts may be a name's, and have another key.
        self.is_of_names = scope.brief is None
        self.known: dict[Hashable, Known] = {}
        self.room = ROOM

    def thing(self, brief: Hashable) -> Known:
        """Return what is known of a thing, which may be new."""
        known = self.known.get(brief)
        if known is None:
            known = self.known[brief] = Known(self.reach)
        return known


class Places:
    """What is known of everything."""

    def __init__(self, rules: Sequence[Rule], people: People) -> None:
        scopes = {rule.scope.name: rule.scope for rule in reversed(rules)}
        self._within = {
            name: _Within(
                scope, (rule for rule in rules if rule.scope.name == name), people.teller(scope)
            )
            for name, scope in scopes.items()
        }
        #: By the keys of names, and of what was locked: what else is counted there.
        self._beside: dict[int, set[tuple[str, Hashable]]] = {}

    @property
    def reach(self) -> timedelta:
        """For how long it may matter what happened."""
        lengths = (within.reach.longest for within in self._within.values())
        return max(lengths, default=timedelta(0))

    # -- What an attempt falls into -------------------------------------------------------------

    def place(self, facts: Facts, visit: Guess | Entry) -> Place:
        """Return what an attempt falls into, which is a row of the log."""
        things: dict[str, Hashable] = {}
        found: list[tuple[_Within, Hashable, Known | None]] = []
        for name, within in self._within.items():
            brief = within.tell(facts, visit)
            if brief is not None:
                things[name] = brief
                found.append((within, brief, within.known.get(brief)))
        return Place(facts, things, found)

    def is_quiet(self, place: Place, micros: int) -> bool:
        """Tell whether there is nothing to decide, as nearly always."""
        for within, _brief, known in place.found:
            if not (known.is_quiet(micros) if known else within.is_ever_quiet):
                return False
        return True

    def matters(self, place: Place) -> dict[str, Matter | None]:
        """Return what the engine makes of it, by the names of scopes."""
        return {
            name: within.of(place.facts) if name in place.things else None
            for name, within in self._within.items()
        }

    def state(self, place: Place, scope: str, now: datetime, clock: Clock) -> State:
        """Return what the engine would know of it within a scope."""
        known = self._within[scope].known.get(place.things[scope])
        return known.state(now, clock) if known else _NOTHING

    # -- What is known --------------------------------------------------------------------------

    def add(self, guess: Guess, place: Place) -> None:
        """Remember a failure wherever it falls into."""
        for within, brief, known in place.found:
            (known or within.thing(brief)).add(guess)
            matter = within.of(place.facts) if within.is_of_names else None
            if matter and matter.subject not in (None, matter.key):
                self._tie(guess.subject.key, within.name, brief)

    def lock(self, lock: PastLock, matter: Matter, place: Place) -> None:
        """Remember a lock."""
        brief = place.things[matter.scope]
        known = self._within[matter.scope].thing(brief)
        known.locks = [*known.locks, lock]
        self._tie(matter.key, matter.scope, brief)

    def there(self, place: Place) -> Iterator[Known]:
        """Yield what is known of all that an attempt falls into."""
        return self._known(place.things.items())

    def of_keys(self, keys: Iterable[int]) -> Iterator[Known]:
        """Yield what is known of names and of what was locked, by their keys."""
        found = {(ACCOUNT.name, key) for key in keys}
        return self._known(found.union(*(self._beside.get(key, ()) for key in keys)))

    def forget(self, now: datetime, clock: Clock) -> bool:
        """Forget what counts no more, where there is much; tell whether anything was."""
        full = [within for within in self._within.values() if len(within.known) > within.room]
        micros = clock.micros(now)
        for within in full:
            left = {brief: one for brief, one in within.known.items() if one.forget(now, micros)}
            within.known, within.room = left, max(ROOM, 2 * len(left))
        if full:
            tied = {key: self._still(places) for key, places in self._beside.items()}
            self._beside = {key: places for key, places in tied.items() if places}
        return bool(full)

    def _tie(self, key: int, scope: str, brief: Hashable) -> None:
        if (scope, brief) != (ACCOUNT.name, key):
            self._beside.setdefault(key, set()).add((scope, brief))

    def _still(self, places: set[tuple[str, Hashable]]) -> set[tuple[str, Hashable]]:
        return {(name, brief) for name, brief in places if brief in self._within[name].known}

    def _known(self, places: Iterable[tuple[str, Hashable]]) -> Iterator[Known]:
        for name, brief in places:
            within = self._within.get(name)
            known = within.known.get(brief) if within else None
            if known:
                yield known
