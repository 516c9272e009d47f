"""Growing delays, decided: what is known, a moment, from when on the next try may come."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockout_admin.engine.buckets import Matters
from lockout_admin.engine.decisions import after_failure, decide, fits, is_close
from lockout_admin.engine.pacing import behind
from lockout_admin.engine.rules import ACCOUNT, HOUR, LockTerms, Mode, Rule
from lockout_admin.engine.ruleset import delay_rule
from lockout_admin.engine.states import Admission, HeldSlot, PastLock, Refusal, State

from ..policy.attacker import Attacker, most_within
from .test_decisions import KEY, at, buckets, failures, slot

DELAY = delay_rule()


def answer(state: State, seconds: float, *rules: Rule) -> Admission | Refusal:
    return decide(buckets(*(rules or (DELAY,))), {KEY: state}, at(seconds))


def until(state: State, seconds: float) -> datetime:
    decision = answer(state, seconds)
    assert isinstance(decision, Refusal)
    assert not decision.locked
    assert decision.rule == "delay"
    return decision.until


def test_it_comes_with_the_third_failure() -> None:
    assert isinstance(answer(State(failures(0, 1)), 1), Admission)
    assert until(State(failures(0, 1, 2)), 2) == at(3)


def test_it_is_over_to_the_moment() -> None:
    assert until(State(failures(0, 1, 2)), 2.999999) == at(3)
    assert isinstance(answer(State(failures(0, 1, 2)), 3), Admission)


def test_it_doubles_to_a_minute() -> None:
    whens = [0.0, 0.0, 0.0]
    waits = []
    for _ in range(9):
        waits.append((until(State(failures(*whens)), whens[-1]) - at(whens[-1])).total_seconds())
        whens.append(whens[-1] + waits[-1])
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_it_is_forgotten_with_its_interval() -> None:
    nine = failures(*range(9))
    assert until(State(nine), 9) == at(8 + 60)
    assert isinstance(answer(State(nine), HOUR + 9), Admission)


def test_a_repetition_does_not_count() -> None:
    assert isinstance(answer(State(failures(0, 1, 2, repeated=True)), 2), Admission)


def test_what_a_success_in_the_network_has_ended_does_not_count() -> None:
    assert isinstance(answer(State(failures(0, 1, 2, cleared=True)), 2), Admission)


def test_no_lock_begins_and_none_is_overdue() -> None:
    many = failures(*range(50))
    assert after_failure(buckets(DELAY), {KEY: State(many)}, many[-1], at(50)) == ()
    assert isinstance(answer(State(many), 49 + 60), Admission)


def test_a_lock_is_told_before_a_delay() -> None:
    state = State(failures(0, 1, 2), (PastLock(1, "account", at(2), at(62)),))
    decision = answer(state, 2, DELAY)
    assert isinstance(decision, Refusal)
    assert decision.locked


def test_where_it_only_watches_nobody_waits() -> None:
    watching = replace(DELAY, mode=Mode.MONITOR)
    assert answer(State(failures(0, 1, 2)), 2, watching) == Admission({})
    assert fits(buckets(watching), {KEY: State(failures(0, 1, 2))}, at(2))


# -- Attempts at once ---------------------------------------------------------------------------


def allowed(state: State, seconds: float) -> int:
    decision = answer(state, seconds)
    assert isinstance(decision, Admission)
    return decision.allowed[KEY] - len(state.slots)


def test_as_many_at_once_as_may_fail_without_a_wait() -> None:
    assert allowed(State(), 0) == 3
    assert allowed(State(failures(0)), 1) == 2
    assert allowed(State(failures(0), slots=(slot(1, 0, 60), slot(2, 1, 61))), 1) == 1


def test_one_at_a_time_when_the_wait_is_over() -> None:
    assert allowed(State(failures(0, 1, 2), slots=(slot(1, 2, 62),)), 3) == 1


def test_what_is_under_way_is_waited_for_as_if_it_had_failed() -> None:
    state = State(failures(0, 1, 2), slots=(slot(1, 3, 63),))
    assert until(state, 3.5) == at(5)
    assert isinstance(answer(state, 5), Admission)


def test_a_slot_that_a_lock_holds_is_no_attempt() -> None:
    assert allowed(State(slots=(slot(1, None, 60),)), 0) == 3


def test_who_loses_the_race_waits_as_long_as_after_one_more_failure() -> None:
    states = {KEY: State(failures(0, 1, 2))}
    assert behind(buckets(DELAY), states, at(10)) == at(12)
    assert behind(buckets(DELAY), {KEY: State()}, at(10)) == at(11)
    assert behind(buckets(), states, at(10)) is None


def test_whoever_has_reserved_looks_again_once_something_counts() -> None:
    matters: Matters = {KEY: (buckets(DELAY)[0].matter, (DELAY,))}
    for state, is_paced in ((State(), False), (State(failures(0)), True)):
        admission = answer(state, 10)
        assert isinstance(admission, Admission)
        assert is_close(matters, admission) is is_paced


@pytest.mark.parametrize(
    ("others", "is_right"),
    [((), True), ((slot(2, 9.5, 70),), False), ((slot(2, 10, 70),), False)],
)
def test_two_at_once_do_not_fit(others: tuple[HeldSlot, ...], is_right: bool) -> None:
    own = slot(1, 10, 70)
    state = State(failures(0, 1, 2), slots=(own, *others))
    assert fits(buckets(DELAY), {KEY: state}, at(10)) is is_right


# -- Against any attacker -----------------------------------------------------------------------

_DELAYS = st.builds(
    Rule,
    st.just("delay"),
    st.just(ACCOUNT),
    st.integers(1, 5),
    st.sampled_from([5, 20, 60, 200]),
    st.builds(
        LockTerms,
        st.sampled_from([1, 2, 5]),
        st.sampled_from([1, 1.5, 2, 3]),
        st.sampled_from([0, 10, 60]),
    ),
    delays=st.just(True),
)


@settings(max_examples=100, deadline=None)
@given(_DELAYS, st.sampled_from([0.001, 0.5, 2, 30]))
def test_each_failure_from_the_limit_on_has_waited(rule: Rule, pace: float) -> None:
    whens = Attacker([rule], lambda: pace).run(600, 200)
    for number, (before, when) in enumerate(pairwise(whens), start=1):
        count = sum(when - rule.interval < past for past in whens[:number])
        if count >= rule.limit:
            assert when - before >= rule.lock.seconds(count - rule.limit) - 1e-6
    assert most_within(whens, rule.interval) <= rule.limit + rule.lock.fitting(rule.interval)


@given(_DELAYS, st.integers(0, 300))
def test_as_many_waits_fit_as_one_after_the_other(rule: Rule, seconds: int) -> None:
    spent = number = 0
    while (spent := spent + rule.lock.seconds(number)) <= seconds:
        number += 1
    assert rule.lock.fitting(seconds) == number


@pytest.mark.parametrize(
    ("rule", "slots"),
    [
        (DELAY, 3 + 14),
        (replace(DELAY, lock=LockTerms(60)), 3 + 10),
        (replace(DELAY, lock=LockTerms(1)), 100),
        (replace(DELAY, limit=500, lock=LockTerms(1)), 500),
    ],
)
def test_there_is_a_slot_for_each_try_of_a_lease(rule: Rule, slots: int) -> None:
    assert rule.slots == slots
