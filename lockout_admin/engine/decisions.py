"""The decisions: pure functions of rules, of what is known, and of the time.

`decide` lets an attempt in or refuses it. `after_failure` tells which locks begin. `after_success`
tells what a right password ends. The engine carries out what they say; nothing else decides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from operator import attrgetter

from .buckets import Matters
from .counting import (
    counted,
    counts,
    growth,
    is_locked,
    last_end,
    led_to,
    one_try_is_left,
)
from .pacing import delaying, failing, next_try
from .rules import Bucket, EndedBy, Rule
from .states import (
    SHORT_WAIT,
    Admission,
    Ended,
    Failure,
    LockDue,
    PastLock,
    Refusal,
    State,
    States,
)


def decide(buckets: Sequence[Bucket], states: States, now: datetime) -> Admission | Refusal:
    """Let an attempt in, with so many slots, or refuse it until a moment."""
    enforced = [bucket for bucket in buckets if bucket.rule.enforces]
    if open_locks := binding(buckets, states, now):
        last = max(open_locks, key=attrgetter("end"))
        return Refusal(last.end, locked=True, rule=last.rule)
    overdue = [due for bucket in enforced if (due := _overdue(bucket, states, now))]
    if overdue:
        longest = max(overdue, key=attrgetter("seconds"))
        end = now + timedelta(seconds=longest.seconds)
        return Refusal(end, overdue=(longest,), rule=longest.bucket.rule.name)
    paced = delaying(buckets)
    early = [(next_try(rule, states[key], now), rule.name) for key, rule in paced]
    last_try, name = max(early, default=(now, ""))
    if last_try > now:
        return Refusal(last_try, rule=name)
    allowed = _allowed(enforced, states, now)
    waits = [
        (until, key)
        for key, most in allowed.items()
        if (until := _slot_wait(states[key], most, now))
    ]
    if not waits:
        is_paced = any(failing(rule, states[key], now) for key, rule in paced)
        return Admission(allowed, is_paced)
    until, key = max(waits)
    tightest = min(
        (bucket.rule for bucket in enforced if bucket.matter.key == key),
        key=lambda rule: _left(rule, states[key], now),
    )
    return Refusal(until, rule=tightest.name)


def after_failure(
    buckets: Sequence[Bucket], states: States, failure: Failure, now: datetime
) -> tuple[LockDue, ...]:
    """Return the locks that begin with `failure`, which is the newest of each state.

    Of those on one matter that refuse only the longest begins; the others would refuse nothing
    more.
    """
    due = [
        lock
        for bucket in buckets
        if counts(bucket.rule, failure)
        and not bucket.rule.delays
        and (lock := _due(bucket, states[bucket.matter.key], now, grows=not failure.repeated))
    ]
    longest: dict[int, LockDue] = {}
    for lock in filter(_refuses, due):
        key = lock.bucket.matter.key
        longest[key] = max(longest.get(key, lock), lock, key=attrgetter("seconds"))
    others = [lock for lock in due if not _refuses(lock)]
    return (*longest.values(), *others)


def fits(buckets: Sequence[Bucket], states: States, now: datetime) -> bool:
    """Tell whether the attempts under way are no more than the rules leave, with nothing locked."""
    if any(next_try(rule, states[key], now, own=now) > now for key, rule in delaying(buckets)):
        return False
    if binding(buckets, states, now):
        return False
    enforced = [bucket for bucket in buckets if bucket.rule.enforces]
    allowed = _allowed(enforced, states, now)
    return all(len(states[key].slots) <= most for key, most in allowed.items())


def is_close(matters: Matters, admission: Admission) -> bool:
    """Tell whether the rows leave fewer tries than the rules, or the next one waits."""
    return admission.is_paced or any(
        admission.allowed[key] < min(rule.limit for rule in rules if rule.enforces)
        for key, (_, rules) in matters.items()
        if key in admission.allowed
    )


def after_success(
    buckets: Sequence[Bucket],
    states: States,
    fines: Collection[int],
    network: str | None,
    browser: int | None,
    now: datetime,
) -> Ended:
    """Return what a right password ends: what was typed as one of its own names, from its place.

    Not what others failed elsewhere: an owner whose client logs in every second would hand out
    as many fresh guesses. The place is the network, in slower rules the browser in it: neighbours
    share a network, and a copy of a browser's cookie may be elsewhere.
    """

    def is_near(failure: Failure) -> bool:
        return None is not failure.network == network

    def is_forgiven(failure: Failure) -> bool:
        return None is not failure.browser == browser and is_own(failure)

    def is_own(failure: Failure) -> bool:
        return failure.fine in fines and is_near(failure)

    failures: dict[int, Failure] = {}
    forgiven: dict[int, Failure] = {}
    locks: dict[int, PastLock] = {}
    for bucket in buckets:
        rule, state = bucket.rule, states[bucket.matter.key]
        if rule.ended_by is None:
            continue
        ends = is_own if rule.ended_by is EndedBy.NETWORK else is_forgiven
        rows = {row.id: row for row in counted(rule, state, now) if ends(row)}
        forgiven |= {pk: row for pk, row in rows.items() if is_forgiven(row)}
        failures |= {pk: row for pk, row in rows.items() if pk not in forgiven}
        locks |= {
            lock.id: lock
            for lock in growth(rule, state, now)
            if (run := led_to(lock, rule, state)) and all(map(ends, run))
        }
    return Ended(tuple(failures.values()), tuple(forgiven.values()), tuple(locks.values()))


def _refuses(due: LockDue) -> bool:
    return due.bucket.rule.enforces and not due.bucket.rule.ends_trust


def binding(buckets: Sequence[Bucket], states: States, now: datetime) -> list[PastLock]:
    """Return the open locks that refuse: one by hand always, others where a rule enforces."""
    enforced = {bucket.matter.key for bucket in buckets if bucket.rule.enforces}
    return [
        lock
        for key, state in states.items()
        for lock in state.locks
        if lock.enforced and lock.is_open(now) and (key in enforced or not lock.rule)
    ]


# -- How many may try ---------------------------------------------------------------------------


def _allowed(buckets: Sequence[Bucket], states: States, now: datetime) -> dict[int, int]:
    allowed: dict[int, int] = {}
    for bucket in buckets:
        if bucket.rule.scope.reserves:
            key = bucket.matter.key
            most = _left(bucket.rule, states[key], now)
            allowed[key] = min(most, allowed.get(key, most))
    return allowed


def _left(rule: Rule, state: State, now: datetime) -> int:
    """Return how many attempts may be under way: the limit, less rows that no slot stands for.

    A slot that stands for a failure which this rule does not count is in nobody's way: whoever
    repeats one wrong password would keep the owner from the last try.
    """
    if rule.delays:
        # One at a time, once they wait.
        return len(state.slots) + max(1, rule.limit - len(failing(rule, state, now)))
    if not state.failures:
        return rule.limit
    rows = counted(rule, state, now)
    starts = Counter(slot.started for slot in state.slots)
    standing = sum((starts & Counter(row.when for row in rows)).values())
    known = sum((starts & Counter(row.when for row in state.failures)).values())
    in_nobodys_way = known - standing
    if one_try_is_left(rule, state, rows, now):
        return 1 + in_nobodys_way
    return rule.limit - (len(rows) - standing) + in_nobodys_way


def _slot_wait(state: State, allowed: int, now: datetime) -> datetime | None:
    """Return until when all slots are held; ``None``: one is free."""
    if len(state.slots) < allowed:
        return None
    soon = now + timedelta(seconds=SHORT_WAIT)
    return max(soon, min((slot.expires for slot in state.slots), default=soon))


# -- Which locks begin --------------------------------------------------------------------------


def _overdue(bucket: Bucket, states: States, now: datetime) -> LockDue | None:
    state = states[bucket.matter.key]
    if bucket.rule.delays or len(state.failures) < bucket.rule.limit:
        return None
    rows = counted(bucket.rule, state, now)
    if one_try_is_left(bucket.rule, state, rows, now):
        return None
    return _due(bucket, state, now, grows=not (rows and rows[-1].repeated))


def _due(bucket: Bucket, state: State, now: datetime, *, grows: bool) -> LockDue | None:
    rule = bucket.rule
    rows = counted(rule, state, now)
    if len(rows) < rule.limit or is_locked(rule, state, now):
        return None
    end = last_end(rule, state, now)
    run = [row for row in rows if end is None or row.when >= end] or rows[-1:]
    return LockDue(
        bucket,
        rule.lock.seconds(len(growth(rule, state, now))),
        failures=len(rows),
        first_failure=run[0].id,
        grows=grows and rule.lock.growth > 1,
    )
