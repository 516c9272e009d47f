"""Rules that delay: from when on the next try may come. Pure functions, as those of counting.

Growing waits between tries (NIST SP 800-63B-4, 3.2.2). They follow from the failures: nothing
begins, nothing is written down, and nobody sleeps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from .counting import counted
from .rules import Bucket, Rule
from .states import State, States


def delaying(buckets: Sequence[Bucket]) -> list[tuple[int, Rule]]:
    """Return the rules that delay an attempt, each with the key of what it counts."""
    return [
        (bucket.matter.key, bucket.rule)
        for bucket in buckets
        if bucket.rule.delays and bucket.rule.enforces
    ]


def next_try(rule: Rule, state: State, now: datetime, own: datetime | None = None) -> datetime:
    """Return from when on a rule that delays lets a try in; `now`, where nothing is to wait for.

    What is under way may fail, and counts; but for the attempt itself, which came in at `own`.
    """
    whens = failing(rule, state, now, own)
    if len(whens) < rule.limit:
        return now
    return max(whens) + timedelta(seconds=rule.lock.seconds(len(whens) - rule.limit))


def failing(rule: Rule, state: State, now: datetime, own: datetime | None = None) -> list[datetime]:
    """Return when the attempts came in that have failed, or are under way."""
    under_way = Counter(slot.started for slot in state.slots if slot.started)
    under_way -= Counter(row.when for row in state.failures)
    under_way -= Counter([own] if own else [])
    return [*(row.when for row in counted(rule, state, now)), *under_way.elements()]


def behind(buckets: Sequence[Bucket], states: States, now: datetime) -> datetime | None:
    """Return until when a try waits that another one came before; ``None``: no rule says."""
    waits = [
        rule.lock.seconds(max(0, len(failing(rule, states[key], now)) + 1 - rule.limit))
        for key, rule in delaying(buckets)
    ]
    return now + timedelta(seconds=max(waits)) if waits else None
