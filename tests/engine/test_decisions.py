"""The decisions alone, without database, store or clock: rules, what is known, a moment."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockout_admin.engine.counting import counted
from lockout_admin.engine.decisions import (
    after_failure,
    after_success,
    decide,
    fits,
)
from lockout_admin.engine.rules import (
    ACCOUNT,
    DAY,
    HOUR,
    Bucket,
    LockTerms,
    Matter,
    Mode,
    Rule,
)
from lockout_admin.engine.ruleset import account_rules
from lockout_admin.engine.states import Admission, Failure, HeldSlot, PastLock, Refusal, State

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
KEY = 7
MATTER = Matter("account", (KEY,), "alice", ())
HOME, ELSEWHERE = "203.0.113.5/32", "198.51.100.7/32"
ALICE, ALISA = 1, 2


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def buckets(*rules: Rule) -> tuple[Bucket, ...]:
    return tuple(Bucket(rule, MATTER) for rule in rules or account_rules())


def failures(*seconds: float, **fields: object) -> tuple[Failure, ...]:
    base = Failure(0, START, ALICE, HOME)
    return tuple(
        replace(base, id=number, when=at(second), **fields)  # type: ignore[arg-type]
        for number, second in enumerate(seconds, start=1)
    )


def slot(number: int, started: float | None, expires: float) -> HeldSlot:
    return HeldSlot(f"slot:{number}", None if started is None else at(started), at(expires))


def answer(state: State, seconds: float) -> Admission | Refusal:
    return decide(buckets(), {KEY: state}, at(seconds))


def allowed(state: State, seconds: float) -> int:
    decision = answer(state, seconds)
    assert isinstance(decision, Admission)
    return decision.allowed[KEY]


# -- How many may try ---------------------------------------------------------------------------


def test_who_has_failed_nothing_has_all_slots() -> None:
    assert allowed(State(), 0) == 4


def test_a_row_without_a_slot_costs_one() -> None:
    assert allowed(State(failures(0, 1)), 2) == 2


def test_a_row_that_a_slot_stands_for_costs_no_other() -> None:
    assert allowed(State(failures(0, 1), slots=(slot(1, 0, 60), slot(2, 1, 61))), 2) == 4


def test_the_tightest_rule_says_how_many() -> None:
    spread = failures(*range(0, 800, 100))  # eight a day, none of them of this minute
    assert allowed(State(spread), 1000) == 2


def test_a_failure_is_forgotten_when_its_interval_is_over() -> None:
    assert allowed(State(failures(0)), 59.9) == 3
    assert allowed(State(failures(0)), 60) == 4


def test_all_slots_held_is_a_wait_until_the_first_ends() -> None:
    held = tuple(slot(number, number, 60 + number) for number in range(4))
    decision = answer(State(slots=held), 10)
    assert decision == Refusal(at(60))


def test_an_open_lock_refuses_until_its_end() -> None:
    state = State(locks=(PastLock(1, "account", START, at(60)),))
    assert answer(state, 59) == Refusal(at(60), locked=True)
    assert isinstance(answer(state, 60), Admission)


def test_a_monitored_lock_refuses_nobody() -> None:
    state = State(locks=(PastLock(1, "account", START, at(60), enforced=False),))
    assert isinstance(answer(state, 30), Admission)


def test_after_a_lock_the_count_of_the_first_rule_starts_anew() -> None:
    state = State(failures(0, 1, 2, 3), (PastLock(1, "account", at(3), at(13)),))
    assert allowed(state, 14) == 4


def test_a_release_starts_every_count_anew() -> None:
    lock = PastLock(1, "", at(900), at(950), released=True)
    assert allowed(State(failures(*range(0, 900, 100)), (lock,)), 1000) == 4


def test_while_a_slow_count_stands_one_try_is_left_after_each_lock() -> None:
    day = failures(*range(0, 1000, 100))
    lock = PastLock(1, "account-daily", at(900), at(900 + HOUR))
    assert allowed(State(day, (lock,)), 900 + HOUR) == 1
    tried = State((*day, replace(day[-1], id=11, when=at(901 + HOUR))), (lock,))
    decision = answer(tried, 902 + HOUR)
    assert isinstance(decision, Refusal)
    assert decision.overdue[0].bucket.rule.name == "account-daily"


def test_who_repeats_a_wrong_password_does_not_hold_the_last_try() -> None:
    day = failures(*range(0, 1000, 100))
    lock = PastLock(1, "account-daily", at(900), at(900 + HOUR))
    later = 910 + HOUR
    repeats = failures(later, later + 1, later + 2, repeated=True)
    rows = (*day, *(replace(row, id=row.id + 10) for row in repeats))
    held = tuple(slot(number, later + number, later + 60) for number in range(3))
    assert allowed(State(rows, (lock,), held), later + 10) == 4
    under_way = slot(4, later + 9, later + 69)
    assert isinstance(answer(State(rows, (lock,), (*held, under_way)), later + 10), Refusal)


def test_a_repetition_takes_no_try_of_a_slower_rule() -> None:
    eight = failures(*range(0, 800, 100))
    repeat = replace(eight[-1], id=9, when=at(1000), repeated=True)
    state = State((*eight, repeat), slots=(slot(1, 1000, 1060),))
    assert allowed(state, 1010) == 3  # one is held by the repetition, two are left of the ten


def test_of_locks_due_at_once_the_longest_stands_for_the_others() -> None:
    account, daily, total = account_rules()
    shorter = replace(daily, lock=LockTerms(50))
    rules = buckets(account, shorter, replace(total, limit=10, lock=LockTerms(60)))
    begun_as_one = PastLock(1, "account-total", at(900), at(960))
    state = State(failures(*range(0, 1000, 100)), (begun_as_one,))
    assert decide(rules, {KEY: state}, at(970)) == Admission({KEY: 1})
    briefer = State(state.failures, (replace(begun_as_one, end=at(930)),))
    decision = decide(buckets(account, shorter), {KEY: briefer}, at(970))
    assert isinstance(decision, Refusal)
    assert [due.bucket.rule.name for due in decision.overdue] == ["account-daily"]


def test_a_limit_that_was_reached_without_a_lock_locks_now() -> None:
    decision = answer(State(failures(0, 1, 2, 3)), 10)
    assert isinstance(decision, Refusal)
    assert [(due.seconds, due.first_failure) for due in decision.overdue] == [(60, 1)]


def test_what_is_under_way_fits_or_not() -> None:
    eight = failures(*range(0, 800, 100))
    two = (slot(1, 1000, 1060), slot(4, 1000, 1060))
    assert fits(buckets(), {KEY: State(eight, slots=two)}, at(1001))
    three = (*two, slot(2, 1000, 1060))
    assert not fits(buckets(), {KEY: State(eight, slots=three)}, at(1001))


def test_nothing_fits_beside_an_open_lock() -> None:
    state = State(locks=(PastLock(1, "", START, at(60)),))
    assert not fits(buckets(), {KEY: state}, at(1))


# -- Which locks begin --------------------------------------------------------------------------


def begun(state: State, failure: Failure, *rules: Rule) -> list[tuple[str, int, bool]]:
    states = {KEY: state.with_failure(failure)}
    due = after_failure(buckets(*rules), states, failure, failure.when)
    return [(lock.bucket.rule.name, lock.seconds, lock.grows) for lock in due]


NEW = Failure(99, at(3), ALICE, HOME)


def test_the_failure_that_makes_the_limit_begins_the_lock() -> None:
    assert begun(State(failures(0, 1)), NEW) == []
    assert begun(State(failures(0, 1, 2)), NEW) == [("account", 60, True)]


def test_of_several_locks_the_longest_begins() -> None:
    day = failures(-700, -600, -500, -400, -300, -200, 0, 1, 2)
    assert begun(State(day), NEW) == [("account-daily", HOUR, False)]


def test_a_lock_grows_with_those_before_it() -> None:
    before = PastLock(1, "account", at(-200), at(-140), grows=True)
    assert begun(State(failures(0, 1, 2), (before,)), NEW) == [("account", 120, True)]


def test_an_old_lock_lengthens_nothing() -> None:
    before = PastLock(1, "account", at(-2 * DAY), at(-DAY - 1), grows=True)
    assert begun(State(failures(0, 1, 2), (before,)), NEW) == [("account", 60, True)]


def test_a_repetition_locks_and_does_not_grow() -> None:
    repeated = replace(NEW, repeated=True)
    assert begun(State(failures(0, 1, 2)), repeated) == [("account", 60, False)]


def test_repetitions_count_in_no_slower_rule() -> None:
    day = failures(*range(-900, 0, 90), repeated=True)
    assert begun(State(day), NEW) == []


def test_while_a_lock_is_open_no_other_begins() -> None:
    by_hand = PastLock(1, "", START, at(600))
    assert begun(State(failures(0, 1, 2), (by_hand,)), NEW) == []


def test_a_monitored_rule_begins_a_lock_beside_the_enforced_one() -> None:
    account, daily, _ = account_rules()
    rules = (account, replace(daily, limit=4, mode=Mode.MONITOR))
    names = [name for name, _, _ in begun(State(failures(0, 1, 2)), NEW, *rules)]
    assert names == ["account", "account-daily"]


# -- What a success ends ------------------------------------------------------------------------


def ended(state: State, fines: set[int], network: str | None = HOME) -> list[int]:
    done = after_success(buckets(), {KEY: state}, fines, network, None, at(10))
    return [failure.id for failure in done.failures]


def test_a_success_ends_what_its_own_name_failed_from_its_network() -> None:
    assert ended(State(failures(0, 1)), {ALICE}) == [1, 2]


@pytest.mark.parametrize(
    ("fines", "network"),
    [({ALISA}, HOME), ({ALICE}, ELSEWHERE), ({ALICE}, None), (set(), HOME)],
    ids=["another's name", "another network", "an unknown network", "a name that is nobody's"],
)
def test_a_success_ends_nothing_else(fines: set[int], network: str | None) -> None:
    assert ended(State(failures(0, 1)), fines, network) == []


def test_what_a_success_ended_counts_in_the_slower_rules_still() -> None:
    account, daily, _ = account_rules()
    state = State(failures(0, 1, cleared=True))
    assert (counted(account, state, at(2)), len(counted(daily, state, at(2)))) == ([], 2)


@pytest.mark.parametrize(("network", "ends"), [(HOME, [5]), (ELSEWHERE, [])])
def test_growth_ends_with_a_success_from_where_the_lock_came(network: str, ends: list[int]) -> None:
    lock = PastLock(5, "account", at(3), at(63), grows=True)
    state = State(failures(0, 1, 2, 3), (lock,))
    done = after_success(buckets(), {KEY: state}, {ALICE}, network, None, at(100))
    assert [lock.id for lock in done.locks] == ends


# -- The promise --------------------------------------------------------------------------------


@dataclass
class World:
    """A name under attack, one attempt after the other."""

    rules: tuple[Rule, ...] = field(default_factory=account_rules)
    now: float = 0
    state: State = field(default_factory=State)
    evaluated: list[float] = field(default_factory=list)

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def guess(self, network: str = ELSEWHERE, *, owner: bool = False) -> None:
        """Try once more; the owner mistypes where `owner` says so."""
        own = buckets(*self.rules)
        decision = decide(own, {KEY: self.state}, at(self.now))
        if isinstance(decision, Refusal):
            return
        if not owner:
            self.evaluated.append(self.now)
        failure = Failure(len(self.evaluated), at(self.now), ALICE, network, repeated=owner)
        self.state = replace(self.state.with_failure(failure), failures=self.recent(failure))
        for due in after_failure(own, {KEY: self.state}, failure, at(self.now)):
            self.lock(due.bucket.rule.name, due.seconds, due.grows)

    def succeed(self, network: str) -> None:
        """Let the owner in, if nothing is locked."""
        own = buckets(*self.rules)
        if isinstance(decide(own, {KEY: self.state}, at(self.now)), Refusal):
            return
        done = after_success(own, {KEY: self.state}, {ALICE}, network, None, at(self.now))
        ids = {failure.id for failure in done.failures}
        self.state = replace(
            self.state,
            failures=tuple(
                replace(failure, cleared=failure.cleared or failure.id in ids)
                for failure in self.state.failures
            ),
        )

    def recent(self, failure: Failure) -> tuple[Failure, ...]:
        return (*self.state.failures[-200:], failure)

    def lock(self, rule: str, seconds: int, grows: bool) -> None:
        lock = PastLock(0, rule, at(self.now), at(self.now + seconds), grows)
        self.state = replace(self.state, locks=(*self.state.locks[-64:], lock))

    def most_within(self, seconds: float) -> int:
        """Return the most guesses evaluated in any window of so many seconds."""
        return max(
            (
                sum(start <= moment < start + seconds for moment in self.evaluated)
                for start in self.evaluated
            ),
            default=0,
        )


PACES = [0.5, 1, 5, 20.5, 60, 300, 900, 3600, 7200, 26300, 86400]


@settings(deadline=None)
@given(st.lists(st.sampled_from(PACES), min_size=1, max_size=300), st.data())
def test_nobody_gets_more_at_any_pace(gaps: list[float], data: st.DataObject) -> None:
    world = World()
    rest = data.draw(st.sampled_from(PACES))
    for gap in gaps + [rest] * 200:
        world.wait(gap)
        world.guess()
    assert world.most_within(60) <= 4
    assert world.most_within(DAY) <= 34
    assert world.most_within(30 * DAY) <= 130


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(PACES), st.integers(0, 4)), min_size=1, max_size=200),
    st.sampled_from([HOME, ELSEWHERE]),
)
def test_an_owner_who_comes_in_between_hands_out_no_more(
    steps: list[tuple[float, int]], owners_network: str
) -> None:
    world = World()
    for gap, guesses in steps:
        world.wait(gap)
        for _ in range(guesses):
            world.guess(ELSEWHERE)
        world.succeed(owners_network)
    assert world.most_within(DAY) <= 34
    assert world.most_within(30 * DAY) <= 130


def test_one_wrong_password_a_minute_for_a_day_locks_nothing() -> None:
    world = World()
    for _ in range(1440):
        world.guess(HOME, owner=True)
        world.wait(60)
    assert world.state.locks == ()


def test_the_waits_of_strangers_are_those_of_a_name_that_nobody_has() -> None:
    used = World()
    unused = World()
    for world in (used, unused):
        for _ in range(400):
            world.guess(ELSEWHERE)
            if world is used:
                world.succeed(HOME)
            world.wait(5)
    assert used.evaluated == unused.evaluated


def test_the_worst_day_is_reached() -> None:
    world = World()
    for _ in range(30 * 1440):
        world.guess()
        world.wait(60)
    assert world.most_within(DAY) >= 33
    assert all(later >= earlier for earlier, later in pairwise(world.evaluated))


def test_a_site_with_the_first_rule_alone_has_what_that_promises() -> None:
    world = World(rules=(Rule("account", ACCOUNT, 4, 60, LockTerms(60), starts_anew=True),))
    for _ in range(1000):
        world.guess()
        world.wait(1)
    assert world.most_within(60) <= 4
