"""An attacker against the pure decisions: no database, no store, no clock."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta

from lockout_admin.engine.counting import counted
from lockout_admin.engine.decisions import after_failure, decide
from lockout_admin.engine.rules import Bucket, Matter, Rule
from lockout_admin.engine.states import Admission, Failure, LockDue, PastLock, State

KEY = 7
MATTER = Matter("account", (KEY,), "alice", ())
START = datetime(2026, 1, 1, 12, tzinfo=UTC)
#: Tells how many seconds to wait after the attempt at a moment at which nothing is locked.
Pace = Callable[[], float]


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


class Attacker:
    """Guesses from ever new addresses, and waits while something is locked.

    `avoided` are the rules of which he knows that one more failure would lock: he waits until it
    would not.
    """

    def __init__(self, rules: Sequence[Rule], pace: Pace, avoided: Collection[Rule] = ()) -> None:
        self.buckets = [Bucket(rule, MATTER) for rule in rules]
        self.pace = pace
        self.avoided = avoided
        self.reach = 2 * max(max(rule.interval, rule.lock.remembered) for rule in rules)
        self.now = 0.0
        self.evaluated: list[float] = []
        self.state = State()

    def run(self, seconds: float, most: int = 10**9) -> list[float]:
        """Attack for so long; return when passwords were evaluated."""
        while self.now < seconds and len(self.evaluated) < most:
            if not self.waits():
                self.guess()
                self.now += self.pace()
        return self.evaluated

    def waits(self) -> bool:
        decision = decide(self.buckets, {KEY: self.state}, at(self.now))
        if not isinstance(decision, Admission):
            self.now = (decision.until - START).total_seconds()
            return True
        wait = max((self.wait_for(rule) for rule in self.avoided), default=0.0)
        self.now += wait
        return wait > 0

    def wait_for(self, rule: Rule) -> float:
        """Return for how long one more failure would lock by a rule."""
        rows = counted(rule, self.state, at(self.now))
        if len(rows) + 1 < rule.limit or rule.limit < 2:
            return 0.0
        oldest = rows[len(rows) + 1 - rule.limit].when
        return (oldest - START).total_seconds() + rule.interval - self.now

    def guess(self) -> None:
        number = len(self.evaluated) + 1
        failure = Failure(number, at(self.now), 1, f"network {number}")
        self.evaluated.append(self.now)
        recent = at(self.now - self.reach)
        self.state = State(
            tuple(row for row in self.state.failures if row.when > recent),
            tuple(lock for lock in self.state.locks if lock.end > recent),
        ).with_failure(failure)
        for due in after_failure(self.buckets, {KEY: self.state}, failure, at(self.now)):
            self.lock(due)

    def lock(self, due: LockDue) -> None:
        end = at(self.now + due.seconds)
        rule = due.bucket.rule
        lock = PastLock(len(self.evaluated), rule.name, at(self.now), end, due.grows, rule.enforces)
        self.state = State(self.state.failures, (*self.state.locks, lock))


def most_within(whens: Sequence[float], seconds: float) -> int:
    """Return the most of these moments in any window of so many seconds."""
    first = most = 0
    for number, when in enumerate(whens):
        while whens[first] <= when - seconds:
            first += 1
        most = max(most, number - first + 1)
    return most
