"""A log, met by other rules: through the engine's own decisions, with memory in place of tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Final

from ..engine.buckets import buckets_in
from ..engine.credit import with_credit
from ..engine.decisions import after_failure, after_success, decide
from ..engine.rules import Bucket, Matter, Rule
from ..engine.states import Failure, LockDue, PastLock, Refusal, States
from ..identity.subject import Subject
from .findings import Begun, Findings
from .people import People
from .places import Place, Places
from .reading import Entry, Event, Guess, Release
from .rows import Clock

#: After so many events it is looked for what counts no more.
_OFTEN: Final = 256


@dataclass(slots=True)
class _Met:
    """An attempt of the log, what it falls into, and what is known of that."""

    visit: Guess | Entry
    place: Place
    buckets: tuple[Bucket, ...]
    states: States


class Replay:
    """What some rules would have done, as far as the log has been told."""

    def __init__(
        self, rules: Sequence[Rule], findings: Findings, people: People, clock: Clock
    ) -> None:
        self.rules = tuple(rules)
        self.findings = findings
        self.people = people
        self.clock = clock
        self.places = Places(rules, people)
        self._knows_devices = any(rule.scope.is_of_devices for rule in rules)
        #: Devices that the rules would trust no more, …
        self._ended: set[int | None] = set()
        #: … and failures that somebody ended later.
        self._released: set[int] = set()
        self._numbers = count(1)
        self._met = 0

    @property
    def reach(self) -> timedelta:
        """For how long it may matter what happened."""
        return self.places.reach

    def meet(self, event: Event) -> None:
        """Take in what happened next."""
        self._met += 1
        if self._met % _OFTEN == 0 and self.places.forget(event.when, self.clock):
            self.findings.forget(event.when)
        if isinstance(event, Guess):
            self._guess(event)
        elif isinstance(event, Entry):
            self._enter(event)
        else:
            self._release(event)

    # -- Wrong passwords ------------------------------------------------------------------------

    def _guess(self, guess: Guess) -> None:
        place = self._place(guess, guess.subject)
        if self.places.is_quiet(place, guess.micros):
            self.findings.guessed(guess, is_refused=False)
            self._remember(guess, place)
            return
        met = self._meet_at(place, guess)
        is_refused = self._refusal(met) is not None
        self.findings.guessed(guess, is_refused=is_refused)
        if not is_refused:
            self._remember(guess, place)
            self._fail(met, guess.failure)

    def _remember(self, guess: Guess, place: Place) -> None:
        if guess.released:
            self._released.add(guess.id)
        self.places.add(guess, place)

    def _fail(self, met: _Met, failure: Failure) -> None:
        now = failure.when
        states = {key: state.with_failure(failure) for key, state in met.states.items()}
        due = after_failure(met.buckets, states, failure, now)
        if due and (raised := with_credit(met.buckets, [one.bucket for one in due], now)):
            due = after_failure(raised, states, failure, now)
        for one in due:
            self._begin(one, met)

    def _begin(self, due: LockDue, met: _Met) -> None:
        rule, matter, start = due.bucket.rule, due.bucket.matter, met.visit.when
        if rule.ends_trust:
            self._ended.add(met.place.facts.device)
            return
        end = start + timedelta(seconds=due.seconds)
        lock = PastLock(next(self._numbers), rule.name, start, end, due.grows, rule.enforces)
        self.places.lock(lock, matter, met.place)
        self.findings.locked(Begun(rule, matter, start, end), met.visit)

    # -- Right passwords, and what somebody ended -----------------------------------------------

    def _enter(self, entry: Entry) -> None:
        place = self._place(entry, entry.subject)
        is_quiet = self.places.is_quiet(place, entry.micros)
        met = None if is_quiet else self._meet_at(place, entry)
        refusal = self._refusal(met) if met else None
        matter = _refused_by(refusal, met.buckets) if met and refusal else None
        self.findings.came(entry, matter, is_refused=refusal is not None)
        if refusal is None:
            self._succeed(entry, entry.subject, place)
            for subject in self.people.other_names(entry):
                self._succeed(entry, subject, self._place(entry, subject))

    def _succeed(self, entry: Entry, subject: Subject, place: Place) -> None:
        network = entry.network
        if network is None or not any(one.may_end(network) for one in self.places.there(place)):
            return
        met = self._meet_at(place, entry)
        ended = after_success(
            met.buckets,
            met.states,
            self.people.own_fines(subject, entry),
            network,
            entry.browser,
            entry.when,
        )
        if ended and not self.people.is_ambiguous(subject, entry):
            cleared = {failure.id for failure in ended.failures}
            forgiven = {failure.id for failure in ended.forgiven}
            locks = {lock.id for lock in ended.locks}
            for one in [*self.places.there(place), *self.places.of_keys([subject.key])]:
                one.clear(cleared, forgiven, locks)

    def _release(self, release: Release) -> None:
        released = self._released if release.by_owner else None
        for known in self.places.of_keys(release.keys):
            known.end(release.keys, released, release.when)

    # -- What is decided ------------------------------------------------------------------------

    def _place(self, visit: Guess | Entry, subject: Subject) -> Place:
        is_trusted = self._knows_devices and visit.device not in self._ended
        device = visit.device if is_trusted else None
        return self.places.place(self.people.facts(subject, visit.client, device), visit)

    def _meet_at(self, place: Place, visit: Guess | Entry) -> _Met:
        matters = self.places.matters(place)
        states = {
            matter.key: self.places.state(place, name, visit.when, self.clock)
            for name, matter in matters.items()
            if matter
        }
        return _Met(visit, place, buckets_in(place.facts, self.rules, matters), states)

    def _refusal(self, met: _Met) -> Refusal | None:
        """Return why an attempt would have been refused; begin the locks that are overdue."""
        now = met.visit.when
        decision = decide(met.buckets, met.states, now)
        if not isinstance(decision, Refusal):
            return None
        reached = [due.bucket for due in decision.overdue]
        if raised := with_credit(met.buckets, reached, now):
            met.buckets = raised
            return self._refusal(met)
        for due in decision.overdue:
            self._begin(due, met)
        return decision


def _refused_by(refusal: Refusal, buckets: Sequence[Bucket]) -> Matter | None:
    found = (bucket.matter for bucket in buckets if bucket.rule.name == refusal.rule)
    return next(found, None)
