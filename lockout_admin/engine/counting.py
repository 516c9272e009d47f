"""What a rule counts: pure functions of what is known of one matter, and of the time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from .rules import EndedBy, Rule
from .states import Failure, PastLock, State


def counted(rule: Rule, state: State, now: datetime) -> list[Failure]:
    """Return the failures that count in a rule at this moment, oldest first.

    Hosts' clocks differ: the failure of a slot that is still held counts, whoever timed it.
    """
    since = _since(rule, state, now)
    # It is forgotten when the interval is over, in the moment in which its slot is free again.
    forgotten = now - timedelta(seconds=rule.interval)
    # A rule that only watches holds none: those there are last as long as others count.
    held = {slot.started for slot in state.slots} if rule.enforces else set()

    def is_recent(when: datetime) -> bool:
        return when in held or (when > forgotten and (not since or when >= since))

    rows = [row for row in state.failures if counts(rule, row) and is_recent(row.when)]
    # Of each name the newest, where names are counted.
    return list({row.subject: row for row in rows}.values()) if rule.counts_names else rows


def counts(rule: Rule, failure: Failure) -> bool:
    """Tell whether a failure is of those that a rule counts at all."""
    if failure.repeated and not rule.counts_repeats:
        return False
    # Rows are read for rules of several kinds: what one of them has no more, another may have.
    if rule.ended_by is None:
        return True
    return not (failure.forgiven or (failure.cleared and rule.ended_by is EndedBy.NETWORK))


def _since(rule: Rule, state: State, now: datetime) -> datetime | None:
    """Return from when on failures count: a release starts each rule anew, a lock some."""
    ends = [
        lock.end
        for lock in state.locks
        if not lock.is_open(now) and (lock.released or rule.starts_anew) and heeds(lock, rule)
    ]
    return max(ends, default=None)


def heeds(lock: PastLock, rule: Rule) -> bool:
    """Tell whether a lock is one that this rule heeds: what is only monitored ends nothing else."""
    return lock.enforced if rule.enforces else lock.rule == rule.name or lock.enforced


def one_try_is_left(rule: Rule, state: State, rows: Sequence[Failure], now: datetime) -> bool:
    """Tell whether the limit was reached, a lock followed, and nobody has failed since it ended."""
    if rule.starts_anew or len(rows) < rule.limit:
        return False
    end = last_end(rule, state, now)
    return end is not None and rows[-1].when < end


def last_end(rule: Rule, state: State, now: datetime) -> datetime | None:
    """Return the end of the last lock of this rule, or of one that stood for it.

    Of several locks that are due at once only the longest begins, for all of them.
    """
    ends = [
        lock.end
        for lock in state.locks
        if not lock.is_open(now) and heeds(lock, rule) and _stands_for(lock, rule)
    ]
    return max(ends, default=None)


def _stands_for(lock: PastLock, rule: Rule) -> bool:
    if lock.rule == rule.name:
        return True
    return bool(lock.rule) and lock.end - lock.started >= timedelta(seconds=rule.lock.first)


def growth(rule: Rule, state: State, now: datetime) -> list[PastLock]:
    """Return the locks that make the next one longer."""
    forgotten = now - timedelta(seconds=rule.lock.remembered)
    return [
        lock
        for lock in state.locks
        if lock.grows and lock.rule == rule.name and lock.end > forgotten
    ]


def is_locked(rule: Rule, state: State, now: datetime) -> bool:
    """Tell whether a lock that the rule heeds is open."""
    return any(lock.is_open(now) and heeds(lock, rule) for lock in state.locks)


def led_to(lock: PastLock, rule: Rule, state: State) -> list[Failure]:
    """Return the failures that led to a lock."""
    earliest = lock.started - timedelta(seconds=rule.interval)
    return [row for row in state.failures if earliest <= row.when <= lock.started]
