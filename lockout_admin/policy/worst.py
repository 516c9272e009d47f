"""How much gets through at the worst pace: a bound that no order of attempts exceeds.

Each rule bounds what is evaluated, whatever the other rules do; the smallest bound holds. They
follow from `decisions`: after a failure that reaches a limit, nothing is evaluated for at least the
shortest lock. The tests hold them against `decide` and `after_failure`, and against real logins.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import repeat
from typing import Final

from ..engine.rules import DAY, LockTerms, Rule

#: Steps that are reckoned one by one; of more, a day is taken so many times.
_MOST_STEPS: Final = 100_000


@lru_cache(maxsize=64)
def most(rules: tuple[Rule, ...], seconds: int, beside: tuple[Rule, ...] = ()) -> int | None:
    """Return how many failures of strangers `rules` of one scope let through in any `seconds`.

    Those that are no repetitions, or names where names are counted. ``None``: there is no limit.
    `beside` are the other rules of the scope: what they lock starts some counts anew as well.
    """
    enforced = [rule for rule in rules if rule.enforces]
    locking = [rule for rule in enforced if _locks(rule)]
    of_scope = [*locking, *(rule for rule in beside if rule.enforces and _locks(rule))]
    bounds = [_most(rule, of_scope, seconds) for rule in locking]
    bounds += [_delayed(rule, seconds) for rule in enforced if rule.delays]
    # A device that has failed so often is a stranger's.
    bounds += [rule.limit for rule in enforced if rule.ends_trust]
    return min(bounds, default=None)


def _locks(rule: Rule) -> bool:
    return not (rule.ends_trust or rule.delays)


def _most(rule: Rule, rules: Sequence[Rule], seconds: int) -> int:
    locks = [one.lock.first for one in rules] if rule.starts_anew else [rule.lock.first]
    step = min(rule.interval, *locks)
    if seconds > DAY and seconds / step > _MOST_STEPS:
        return -(-seconds // DAY) * _most(rule, rules, DAY)
    return _anew(rule, rules, seconds) if rule.starts_anew else _standing(rule, rules, seconds)


def _delayed(rule: Rule, seconds: int) -> int:
    """Bound a rule that delays: a burst with its growing waits, then the longest between tries.

    A try that waits less has the failures before it an interval apart. So there are bursts, an
    interval apart, and in the time that they leave single tries.
    """
    burst, longest = rule.limit + rule.lock.steps, rule.lock.seconds(rule.lock.steps)
    alone = rule.limit + rule.lock.fitting(seconds - 1)
    # With each burst more the number grows, or with each it falls: the first and the last will do.
    bursts = {2, -(-seconds // rule.interval)} - {0, 1}
    apart = [count * burst + (seconds - (count - 1) * rule.interval) // longest for count in bursts]
    return max(alone, *apart) if seconds > rule.interval else alone


def _anew(rule: Rule, rules: Sequence[Rule], seconds: int) -> int:
    """Bound a rule that counts anew after each lock, of whichever rule.

    After m locks there are m + 1 runs of failures. In each, an interval holds one less than the
    limit, and the last failure may be the one that locks. Where that may be a repetition, which
    makes no lock longer, a run of one less takes no more than a first lock.
    """
    less, step = rule.limit - 1, rule.interval
    if rule.counts_repeats and rule.lock.growth > 1:
        step = min(step, rule.lock.first)
    return max(
        (locks + 1) * rule.limit + less * (-(-(seconds - spent) // step) - 1)
        for locks, spent in enumerate(_spent(rules, 1, seconds))
    )


def _standing(rule: Rule, rules: Sequence[Rule], seconds: int) -> int:
    """Bound a rule whose count stands after a lock, with one try left.

    A failure that reaches no limit ends an interval with one less than the limit. So there are
    bursts an interval apart, and single tries, a lock apart, in the time that they leave.
    """
    if rule.lock.first > rule.interval:
        return max(_alone(rule, rules, seconds), _apart(rule, seconds))
    bursts = -(-seconds // rule.interval)
    return max(
        count * rule.limit + _tries(rule, rules, seconds - (count - 1) * rule.interval)
        for count in range(1, bursts + 1)
    )


def _alone(rule: Rule, rules: Sequence[Rule], seconds: int) -> int:
    return rule.limit + _tries(rule, rules, seconds)


def _apart(rule: Rule, seconds: int) -> int:
    """Bound bursts where a lock outlasts the interval: those that lock cost more, and give one."""
    lock, less = rule.lock.first, rule.limit - 1
    return max(
        (locked + -(-(seconds - locked * lock) // rule.interval)) * less + locked + 1
        for locked in range(-(-seconds // lock))
    )


def _tries(rule: Rule, rules: Sequence[Rule], seconds: int) -> int:
    """Return how many tries there are in `seconds`, with a lock before each."""
    return sum(1 for _ in _spent(rules, rule.lock.first, seconds + 1)) - 1


def _spent(rules: Sequence[Rule], least: int, seconds: int) -> Iterator[int]:
    """Yield what 0, 1, 2 … locks take at least, as long as that is less than `seconds`.

    Each is of some rule, and of those of one rule each is longer than the one before, unless that
    is forgotten by then.
    """
    remembered = min(rule.lock.remembered for rule in rules)
    spans = -(-seconds // remembered) if remembered else None
    total = 0
    lengths = heapq.merge(*(_lengths(rule.lock, spans is not None) for rule in rules))
    for length in lengths:  # pragma: no branch - there is always one more
        for _ in repeat(None) if spans is None else repeat(None, spans):
            yield total
            total += max(least, length)
            if total >= seconds:
                return


def _lengths(lock: LockTerms, grows: bool) -> Iterator[int]:
    """Yield how long the locks of a rule are, one after the other."""
    longest = lock.seconds(10**6) if grows else lock.first
    number = 0
    while (length := lock.seconds(number)) < longest:
        yield length
        number += 1
    yield from repeat(longest)


def of_scope(rules: Iterable[Rule], scope: str, *, names: bool = False) -> tuple[Rule, ...]:
    """Return the rules of a scope that count failures, or names."""
    return tuple(rule for rule in rules if rule.scope.name == scope and rule.counts_names == names)
