"""What a replay remembers of each thing that is counted, for as long as a rule counts it.

Failures are kept as numbers in a row, forty-eight bytes each, and made anew when something is to be
decided: nearly never. What is attacked is asked for again and again: it has them as they were made.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ..defences.networks import MOST_ACCOUNTS
from ..engine.parts import CLOCKS_APART_SECS, MOST_LOCKS, most_rows, reach
from ..engine.rules import Rule
from ..engine.states import Failure, PastLock, State
from .rows import (
    CLEARED,
    FINE,
    FORGIVEN,
    ID,
    NETWORK,
    SIZE,
    SUBJECT,
    Clock,
    Kept,
    failures_in,
)


class Reach:
    """How far back the engine reads for the rules of one scope."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        rules = tuple(rules)
        self.failures = timedelta(seconds=max(rule.interval for rule in rules) + CLOCKS_APART_SECS)
        self.micros = self.failures // timedelta(microseconds=1)
        self.locks = {rule.name: timedelta(seconds=reach(rule)) for rule in rules}
        kinds = {(rule.counts_repeats, rule.ended_by) for rule in rules}
        # Rules of several kinds read rows of their own each.
        self.most = max(most_rows(_vouched(rule)) for rule in rules) * len(kinds)
        self.repeats = any(rule.counts_repeats for rule in rules)
        #: Whether what a right password of the same browser ends is read no more.
        self.forgives = all(rule.ended_by for rule in rules)
        #: Of each rule: which number from the end, the moment of a failure, must be older than
        #: what, in microseconds, …
        self.margins = [((rule.limit - 1) * SIZE, rule.interval * 10**6) for rule in rules]
        #: … for nothing to be decided; never so where it depends on who attempts.
        self.is_ever_quiet = all(rule.limit > 1 and rule.limit_of is None for rule in rules)
        self.ends = any(rule.ended_by for rule in rules)
        #: For how long anything matters.
        self.longest = max(self.failures, *self.locks.values())


def _vouched(rule: Rule) -> Rule:
    return replace(rule, limit=rule.limit + rule.credit * MOST_ACCOUNTS)


@dataclass(slots=True)
class Known:
    """What is known of one matter: what the engine would read of it, and little more."""

    reach: Reach
    #: The same empty one for all that have none.
    locks: Sequence[PastLock] = ()
    _failures: array[int] = field(default_factory=lambda: array("q"))
    #: All of them as `state` has made them last, while that is asked for; ``None``: make them anew.
    _seen: list[Failure] | None = None

    def add(self, kept: Kept) -> None:
        """Remember a failure, if a rule may count it."""
        if kept.repeated and not self.reach.repeats:
            return
        failures = self._failures
        if failures and failures[0] <= kept.micros - self.reach.micros:
            self._trim(kept.micros)
        if self._seen is not None:
            self._seen.append(kept.failure)
        failures.frombytes(kept.row)

    def is_quiet(self, micros: int) -> bool:
        """Tell whether one more failure leaves each rule below its limit, and nothing is locked.

        Then `decide` lets the attempt in, and `after_failure` begins nothing: nearly always.
        """
        if self.locks or not self.reach.is_ever_quiet:
            return False
        failures = self._failures
        number = len(failures)
        for spare, interval in self.reach.margins:
            if number >= spare and failures[-spare] > micros - interval:
                return False
        self._seen = None
        return True

    def state(self, now: datetime, clock: Clock) -> State:
        """Return what the engine would find now."""
        self.forget(now, clock.micros(now))
        if self._seen is None:
            self._seen = list(failures_in(self._failures, clock))
        return State(tuple(self._seen), tuple(self.locks))

    def may_end(self, network: str) -> bool:
        """Tell whether a right password from a network may end anything, whoever has come in."""
        return self.reach.ends and int(network) in self._failures[NETWORK::SIZE]

    def forget(self, now: datetime, micros: int) -> bool:
        """Forget what the engine would read no more; tell whether anything is left."""
        self._trim(micros)
        if self.locks:
            self.locks = _newest(
                [lock for lock in self.locks if lock.end > now - self.reach.locks[lock.rule]]
            )
        return bool(self._failures or self.locks)

    def end(self, keys: Collection[int], released: Collection[int] | None, now: datetime) -> None:
        """End open locks as somebody did, and forget failures on names, by their keys.

        A release starts each count anew. Of what an owner ends, those are forgotten which were
        `released`, by their ids, and the locks are over as by time.
        """
        self._keep(
            lambda one: (
                one[SUBJECT] not in keys or (released is not None and one[ID] not in released)
            )
        )
        is_release = released is None
        self.locks = [
            replace(lock, end=now, grows=False, released=is_release)
            if lock.is_open(now)
            else replace(lock, grows=lock.grows and not is_release)
            for lock in self.locks
        ]

    def clear(
        self, cleared: Collection[int], forgiven: Collection[int], locks: Collection[int]
    ) -> None:
        """End what a right password has ended, by the ids."""
        if self.reach.forgives and forgiven:
            self._keep(lambda one: one[ID] not in forgiven)
        self._seen = None
        for start in range(0, len(self._failures), SIZE):
            if self._failures[start + ID] in cleared:
                self._failures[start + FINE] |= CLEARED
            elif self._failures[start + ID] in forgiven:
                # A rule that nothing ends counts it on.
                self._failures[start + FINE] |= FORGIVEN
        if locks:
            self.locks = [
                replace(lock, grows=False) if lock.id in locks else lock for lock in self.locks
            ]

    def _trim(self, micros: int) -> None:
        failures, reach = self._failures, self.reach
        since = micros - reach.micros
        old = max(0, len(failures) - reach.most * SIZE)
        while old < len(failures) and failures[old] <= since:
            old += SIZE
        if old:
            del failures[:old]
            if self._seen is not None:
                del self._seen[: old // SIZE]

    def _keep(self, is_kept: Callable[[array[int]], bool]) -> None:
        failures = self._failures
        kept = array("q")
        for start in range(0, len(failures), SIZE):
            if is_kept(one := failures[start : start + SIZE]):
                kept.extend(one)
        self._failures = kept
        self._seen = None


def _newest(locks: Sequence[PastLock]) -> Sequence[PastLock]:
    if len(locks) <= MOST_LOCKS:
        return locks
    rules = Counter[str]()
    newest = []
    for lock in reversed(locks):
        rules[lock.rule] += 1
        if rules[lock.rule] <= MOST_LOCKS:
            newest.append(lock)
    return newest[::-1]
