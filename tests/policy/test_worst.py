"""The printed figures beside the pure decisions: never exceeded, and reached within a tenth."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import combinations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockout_admin.engine.decisions import after_failure
from lockout_admin.engine.rules import ACCOUNT, DAY, HOUR, LockTerms, Mode, Rule
from lockout_admin.engine.ruleset import account_rules, default_rules, delay_rule
from lockout_admin.engine.states import Failure
from lockout_admin.policy.worst import most, of_scope

from ..measuring import unmeasured
from .attacker import KEY, Attacker, at, most_within

MONTH, YEAR = 30 * DAY, 365 * DAY
PACES = [0.001, 20, 900]
FIRST, DAILY, TOTAL = account_rules()


def rule(limit: int, interval: int, lock: LockTerms, *, anew: bool = False) -> Rule:
    return Rule("one", ACCOUNT, limit, interval, lock, starts_anew=anew)


@pytest.mark.parametrize(
    ("scope", "names", "figures"),
    [
        ("account", False, [11, 34, 130, 1305]),
        ("device", False, [10, 10, 10, 10]),
        # What locks for the names starts the count of failures anew, and the other way round.
        ("network", False, [60, 540, 15_900, 193_460]),
        ("network", True, [30, 270, 7_950, 96_730]),
        ("account", True, [None] * 4),
    ],
)
def test_figures_of_the_default_rules(scope: str, names: bool, figures: list[int | None]) -> None:
    rules = of_scope(default_rules(), scope, names=names)
    beside = of_scope(default_rules(), scope, names=not names)
    assert [most(rules, period, beside) for period in (HOUR, DAY, MONTH, YEAR)] == figures


def test_a_delay_bounds_what_the_patient_have() -> None:
    delay = delay_rule()
    assert [most((delay,), period) for period in (1, 2, 60, HOUR, DAY)] == [3, 4, 8, 67, 1447]
    # Where the interval is short, it is forgotten before it is long.
    assert most((replace(delay, interval=60),), HOUR) == 60 * 9 + 1
    assert most((*account_rules(), delay), DAY) == 34


def test_what_only_watches_bounds_nothing() -> None:
    watching = tuple(replace(each, mode=Mode.MONITOR) for each in account_rules())
    assert most(watching, DAY) is None
    assert most((*watching[:2], TOTAL), DAY) == 101


def test_a_rule_alone_lets_the_patient_through() -> None:
    assert most((FIRST,), DAY) == 4_322
    # A day is taken so many times where steps are short: a little more than it can be.
    assert most((FIRST,), 2 * YEAR) == 730 * 4_322


MIXED = (
    rule(3, 600, LockTerms(1800), anew=True),
    replace(rule(6, 6 * HOUR, LockTerms(2 * HOUR)), name="two"),
    replace(rule(40, 7 * DAY, LockTerms(12 * HOUR)), name="three"),
)


@pytest.mark.parametrize(
    ("rules", "period"),
    [
        (account_rules(), DAY),
        (account_rules(), MONTH),
        ((FIRST, replace(DAILY, lock=LockTerms(2 * HOUR)), TOTAL), MONTH),
        ((rule(5, 4 * HOUR, LockTerms(2 * HOUR, 2, 16 * HOUR, 3 * DAY), anew=True),), 9 * DAY),
        ((rule(6, 6 * HOUR, LockTerms(2 * HOUR, remembered=0), anew=True),), 3 * DAY),
        ((rule(5, HOUR, LockTerms(6 * HOUR)),), DAY),
        ((rule(1, HOUR, LockTerms(6 * HOUR)),), MONTH),
        ((rule(20, 12 * HOUR, LockTerms(3 * HOUR)),), 6 * DAY),
        (MIXED, DAY),
        (MIXED, MONTH),
        ((delay_rule(),), HOUR),
        ((delay_rule(),), 4 * HOUR),
        ((replace(delay_rule(), interval=DAY, lock=LockTerms(60, 2, 900)),), 2 * DAY),
    ],
)
def test_a_bound_is_reached_within_a_tenth_and_never_exceeded(
    rules: tuple[Rule, ...], period: int
) -> None:
    ways = [subset for count in range(len(rules) + 1) for subset in combinations(rules, count)]
    reached = max(
        most_within(
            unmeasured(Attacker(rules, partial(float, pace), avoided).run)(period, 300), period
        )
        for avoided in ways
        for pace in PACES
    )
    bound = most(rules, period)
    assert bound is not None
    assert 0.9 * bound <= reached <= bound


_TERMS = st.builds(
    LockTerms,
    st.sampled_from([1, 3, 7, 20, 60, 150]),
    st.sampled_from([1, 2, 3]),
    st.sampled_from([0, 30, 200]),
    st.sampled_from([0, 10, 50, 200]),
)
_SIZES = st.integers(1, 6), st.sampled_from([5, 10, 20, 50, 100]), _TERMS
_LOCKING = st.builds(rule, *_SIZES, anew=st.booleans())
_DELAYING = st.builds(lambda *size: replace(rule(*size), delays=True), *_SIZES)
_RULES = st.lists(st.one_of(_LOCKING, _DELAYING), min_size=1, max_size=3)


class Moody(Attacker):
    """One who triggers a lock now, and avoids it then."""

    mood: float
    random: Random

    def waits(self) -> bool:
        every = (bucket.rule for bucket in self.buckets)
        self.avoided = [each for each in every if self.random.random() < self.mood]
        return super().waits()


@settings(max_examples=150, deadline=None)
@given(
    _RULES,
    st.sampled_from([7, 20, 50, 100, 200, 333]),
    st.sampled_from([0.001, 1, 3, 7]),
    st.sampled_from([0, 0.1, 0.5, 0.9, 1]),
    st.integers(0, 10**6),
)
def test_no_order_of_attempts_exceeds_a_bound(
    rules: list[Rule], period: int, pace: float, mood: float, seed: int
) -> None:
    named = tuple(replace(each, name=f"rule {number}") for number, each in enumerate(rules))
    random = Random(seed)
    attacker = Moody(named, lambda: random.choice([pace, pace, pace, 5.0]))
    attacker.mood, attacker.random = mood, random
    bound = most(named, period)
    assert bound is not None
    assert most_within(attacker.run(3 * period, 400), period) <= bound


class Busy(Moody):
    """One at a network's rules: he tries several names, and repeats what he knows is wrong."""

    names: list[int]
    tried: list[tuple[float, int]]

    def guess(self) -> None:
        repeated, name = self.random.random() < 0.3, self.random.choice([1, 2, 3, len(self.names)])
        number = len(self.names) + 10
        failure = Failure(number, at(self.now), 1, f"network {number}", repeated, name)
        self.names.append(0 if repeated else name)
        if not repeated:
            self.evaluated.append(self.now)
            self.tried.append((self.now, name))
        self.state = self.state.with_failure(failure)
        for due in after_failure(self.buckets, {KEY: self.state}, failure, at(self.now)):
            self.lock(due)

    def most_names(self, seconds: float) -> int:
        """Return on how many names he had a password evaluated in so many seconds, at most."""
        return max(
            len({name for when, name in self.tried if start <= when < start + seconds})
            for start, _name in [*self.tried, (0.0, 0)]
        )


_OF_NETWORKS = st.builds(
    lambda one, names, repeats: replace(one, counts_names=names, counts_repeats=repeats),
    _LOCKING,
    st.booleans(),
    st.booleans(),
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(_OF_NETWORKS, min_size=1, max_size=3),
    st.sampled_from([7, 20, 50, 100, 200, 333]),
    st.sampled_from([0.001, 1, 3, 7]),
    st.sampled_from([0, 0.1, 0.5]),
    st.integers(0, 10**6),
)
def test_locks_of_other_rules_and_repetitions_are_in_the_bound(
    rules: list[Rule], period: int, pace: float, mood: float, seed: int
) -> None:
    named = tuple(replace(each, name=f"rule {number}") for number, each in enumerate(rules))
    random = Random(seed)
    attacker = Busy(named, lambda: random.choice([pace, pace, pace, 5.0]))
    attacker.mood, attacker.random, attacker.names, attacker.tried = mood, random, [], []
    evaluated = attacker.run(3 * period, 200)
    failures, of_names = (of_scope(named, ACCOUNT.name, names=names) for names in (False, True))
    bound = most(failures, period, of_names)
    assert bound is None or most_within(evaluated, period) <= bound
    tried = most(of_names, period, failures)
    assert tried is None or attacker.most_names(period) <= tried
