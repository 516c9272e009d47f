"""What a replay remembers of each thing that is counted, for as long as a rule counts it.

Failures are kept as numbers in a row, forty-eight bytes each, and made anew when something is to be
decided: nearly never. What is attacked is asked for again and again: it has them as they were made.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from struct import Struct
from typing import Final, Protocol

from ..defences.networks import MOST_ACCOUNTS
from ..engine.parts import CLOCKS_APART_SECS, MOST_LOCKS, most_rows, reach
from ..engine.rules import Rule
from ..engine.states import Failure, PastLock, State

#: Numbers to a failure: when, id, fine and marks, name, network, browser.
_SIZE: Final = 6
_ID, _FINE, _SUBJECT, _NETWORK, _BROWSER = range(1, _SIZE)
#: The marks of a failure, beside its fine.
_MARKS: Final = 3
_FORGIVEN, _REPEATED, _CLEARED = 4, 2, 1
#: In place of ``None``.
_NONE: Final = -(2**63)
_PACKED: Final = Struct(f"{_SIZE}q")
_MICROSECOND: Final = timedelta(microseconds=1)


def numbers_of(
    micros: int,
    pk: int,
    fine: int,
    subject: int,
    network: int | None,
    browser: int | None,
    *,
    repeated: bool,
) -> bytes:
    """Return a failure as numbers in a row, which nothing has ended; `micros` is when it was."""
    return _PACKED.pack(
        micros,
        pk,
        fine << _MARKS | repeated * _REPEATED,
        subject,
        _NONE if network is None else network,
        _NONE if browser is None else browser,
    )


class Kept(Protocol):
    """A failure, as numbers and as what the engine knows; the one where it is asked for."""

    @property
    def repeated(self) -> bool:
        """Whether it was the same wrong password as before."""
        ...

    @property
    def micros(self) -> int:
        """When it was."""
        ...

    @property
    def row(self) -> bytes:
        """See `numbers_of`."""
        ...

    @property
    def failure(self) -> Failure:
        """What the engine knows of it."""
        ...


class Reach:
    """How far back the engine reads for the rules of one scope."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        rules = tuple(rules)
        self.failures = timedelta(seconds=max(rule.interval for rule in rules) + CLOCKS_APART_SECS)
        self.micros = self.failures // _MICROSECOND
        self.locks = {rule.name: timedelta(seconds=reach(rule)) for rule in rules}
        kinds = {(rule.counts_repeats, rule.ended_by) for rule in rules}
        # Rules of several kinds read rows of their own each.
        self.most = max(most_rows(_vouched(rule)) for rule in rules) * len(kinds)
        self.repeats = any(rule.counts_repeats for rule in rules)
        #: Whether what a right password of the same browser ends is read no more.
        self.forgives = all(rule.ended_by for rule in rules)
        #: Of each rule: which number from the end, the moment of a failure, must be older than
        #: what, in microseconds, …
        self.margins = [((rule.limit - 1) * _SIZE, rule.interval * 10**6) for rule in rules]
        #: … for nothing to be decided; never so where it depends on who attempts.
        self.is_ever_quiet = all(rule.limit > 1 and rule.limit_of is None for rule in rules)
        self.ends = any(rule.ended_by for rule in rules)
        #: For how long anything matters.
        self.longest = max(self.failures, *self.locks.values())


def _vouched(rule: Rule) -> Rule:
    return replace(rule, limit=rule.limit + rule.credit * MOST_ACCOUNTS)


@dataclass(frozen=True, slots=True)
class Clock:
    """Moments as whole microseconds since the first one, and back."""

    first: datetime

    def micros(self, when: datetime) -> int:
        """Return a moment as a number."""
        return (when - self.first) // _MICROSECOND

    def moment(self, micros: int) -> datetime:
        """Return the moment of a number."""
        return self.first + timedelta(microseconds=micros)


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
            self._seen = list(self._made(clock))
        return State(tuple(self._seen), tuple(self.locks))

    def may_end(self, network: str) -> bool:
        """Tell whether a right password from a network may end anything, whoever has come in."""
        return self.reach.ends and int(network) in self._failures[_NETWORK::_SIZE]

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
                one[_SUBJECT] not in keys or (released is not None and one[_ID] not in released)
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
            self._keep(lambda one: one[_ID] not in forgiven)
        self._seen = None
        for start in range(0, len(self._failures), _SIZE):
            if self._failures[start + _ID] in cleared:
                self._failures[start + _FINE] |= _CLEARED
            elif self._failures[start + _ID] in forgiven:
                # A rule that nothing ends counts it on.
                self._failures[start + _FINE] |= _FORGIVEN
        if locks:
            self.locks = [
                replace(lock, grows=False) if lock.id in locks else lock for lock in self.locks
            ]

    def _trim(self, micros: int) -> None:
        failures, reach = self._failures, self.reach
        since = micros - reach.micros
        old = max(0, len(failures) - reach.most * _SIZE)
        while old < len(failures) and failures[old] <= since:
            old += _SIZE
        if old:
            del failures[:old]
            if self._seen is not None:
                del self._seen[: old // _SIZE]

    def _keep(self, is_kept: Callable[[array[int]], bool]) -> None:
        failures = self._failures
        kept = array("q")
        for start in range(0, len(failures), _SIZE):
            if is_kept(one := failures[start : start + _SIZE]):
                kept.extend(one)
        self._failures = kept
        self._seen = None

    def _made(self, clock: Clock) -> Iterator[Failure]:
        numbers = iter(self._failures)
        for micros, pk, fine, subject, network, browser in zip(*[numbers] * _SIZE, strict=True):
            yield Failure(
                pk,
                clock.moment(micros),
                fine >> _MARKS,
                None if network == _NONE else str(network),
                bool(fine & _REPEATED),
                subject,
                None if browser == _NONE else browser,
                bool(fine & _CLEARED),
                bool(fine & _FORGIVEN),
            )


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
