"""What a replay found: counts, and nothing that grows with the log but the networks it locked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from ..engine.rules import Matter, Rule
from .reading import Entry, Guess

#: For so long after its end, a lock may prove to have been on its owner.
RIGHT_AFTER: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Begun:
    """A lock that rules would have put on."""

    rule: Rule
    matter: Matter
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class _Watch:
    """Where the last failure before a lock came from, until when its owner may come in."""

    until: datetime
    network: str | None
    browser: int | None

    def is_near(self, entry: Entry) -> bool:
        """Tell whether somebody came in from there. Where no place is known, all are one."""
        is_same_browser = None is not self.browser == entry.browser
        return is_same_browser or self.network == entry.network


@dataclass(slots=True)
class Findings:
    """What happened from a moment on; what came before it only led there."""

    since: datetime
    #: Told of each lock, for whoever wants more than counts.
    on_lock: Callable[[Begun], object] | None = None
    #: Wrong passwords of the log that would have been compared, and that would have been refused.
    evaluated: int = 0
    refused: int = 0
    #: Logins of the log that would have been refused, and whose they were.
    kept_out: int = 0
    owners: set[str] = field(default_factory=set)
    #: Locks by the names of rules: those that refuse, and what a rule that only watches saw.
    locks: Counter[str] = field(default_factory=Counter)
    watched: Counter[str] = field(default_factory=Counter)
    #: Locks on names alone; and those whose owner came in right after, from where it was failed.
    on_names: int = 0
    likely_false: int = 0
    #: Networks that were locked, by their keys; and who came in from there and was refused.
    networks: set[int] = field(default_factory=set)
    people: set[str] = field(default_factory=set)
    #: Locks that refuse, by the day since the beginning.
    days: Counter[int] = field(default_factory=Counter)
    _watches: dict[int, list[_Watch]] = field(default_factory=dict)

    def guessed(self, guess: Guess, *, is_refused: bool) -> None:
        """Count a wrong password."""
        if guess.when >= self.since:
            self.refused += is_refused
            self.evaluated += not is_refused

    def locked(self, lock: Begun, guess: Guess | Entry) -> None:
        """Count a lock, which began with a failure or is overdue."""
        is_on_name = lock.matter.subject is not None
        if lock.start < self.since:
            return
        if self.on_lock:
            self.on_lock(lock)
        if not lock.rule.enforces:
            self.watched[lock.rule.name] += 1
            return
        self.locks[lock.rule.name] += 1
        self.days[(lock.start - self.since).days] += 1
        if not is_on_name:
            self.networks.add(lock.matter.key)
            return
        self.on_names += 1
        watch = _Watch(lock.end + RIGHT_AFTER, guess.network, guess.browser)
        self._watches.setdefault(lock.matter.subject or 0, []).append(watch)

    def came(self, entry: Entry, refused_by: Matter | None, *, is_refused: bool) -> None:
        """Count a right password, and the locks that it tells were its owner's own."""
        self._look_back(entry)
        if not is_refused or entry.when < self.since:
            return
        self.kept_out += 1
        person = entry.account or f"name {entry.subject.key}"
        self.owners.add(person)
        if refused_by and refused_by.subject is None:
            self.people.add(person)

    def forget(self, now: datetime) -> None:
        """Forget the locks that are long over."""
        going_on = {
            key: [watch for watch in watches if watch.until > now]
            for key, watches in self._watches.items()
        }
        self._watches = {key: watches for key, watches in going_on.items() if watches}

    def _look_back(self, entry: Entry) -> None:
        watches = self._watches.pop(entry.subject.key, [])
        going_on = [watch for watch in watches if watch.until > entry.when]
        others = [watch for watch in going_on if not watch.is_near(entry)]
        self.likely_false += len(going_on) - len(others)
        if others:
            self._watches[entry.subject.key] = others
