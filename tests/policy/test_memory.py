"""What a replay remembers: no more than the engine reads, and no longer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lockout_admin.defences.networks import NETWORK
from lockout_admin.engine.decisions import after_failure, decide
from lockout_admin.engine.presets import adapted
from lockout_admin.engine.rules import Bucket, Facts
from lockout_admin.engine.ruleset import account_rules, default_rules
from lockout_admin.engine.states import Admission, Failure, PastLock
from lockout_admin.identity.client import Client
from lockout_admin.identity.network import number_of
from lockout_admin.identity.subject import Subject
from lockout_admin.models import FailedLogin, NetworkRule, SuccessfulLogin
from lockout_admin.policy import reading
from lockout_admin.policy.comparison import compare
from lockout_admin.policy.memory import Known, Reach
from lockout_admin.policy.people import People
from lockout_admin.policy.rows import Clock, numbers_of

from ..engine.conftest import ELSEWHERE
from .attacker import KEY, MATTER, START, at
from .test_trial import STRICT, enter, fail, replay

CLOCK = Clock(START)


def failures(whens: list[float]) -> list[Failure]:
    return [Failure(number, at(when), 1, "7") for number, when in enumerate(sorted(whens))]


def kept(failure: Failure) -> Any:
    """Return a failure of the log; one that was ended later is not in it."""
    network = None if failure.network is None else int(failure.network)
    micros = CLOCK.micros(failure.when)
    row = numbers_of(
        *(micros, failure.id, failure.fine, failure.subject, network, failure.browser),
        repeated=failure.repeated,
    )
    return SimpleNamespace(repeated=failure.repeated, micros=micros, row=row, failure=failure)


def known(failed: list[Failure], locks: Sequence[PastLock] = ()) -> Known:
    found = Known(Reach(account_rules()), locks)
    for failure in failed:
        found.add(kept(failure))
    return found


FAILURES = st.builds(
    Failure,
    id=st.integers(1, 2**63 - 1),
    when=st.floats(0, 10**6).map(at),
    fine=st.integers(0, 2**31 - 1),
    network=st.none() | st.integers(-(2**62), 2**62).map(str),
    repeated=st.booleans(),
    subject=st.integers(0, 2**63 - 1),
    browser=st.none() | st.integers(1, 2**63 - 1),
)


@given(FAILURES)
def test_what_is_remembered_is_what_was(failure: Failure) -> None:
    assert known([failure]).state(failure.when, CLOCK).failures == (failure,)


FACTS = st.builds(
    Facts,
    st.sampled_from(["alice", "ALICE", "bob"]).map(Subject.of),
    st.sampled_from(
        [None, "203.0.113.5", "203.0.113.6", "10.0.0.1", "2001:db8::1", "2001:db8::2"]
    ).map(Client),
    st.sampled_from([None, None, 7, 8]),
)


def row_of(facts: Facts) -> Any:
    """Return what an attempt leaves in the log, as far as it tells what it falls into."""
    row = FailedLogin.objects.build(facts.subject, facts.client)
    numbers = {"network": row.network, "wide_network": row.wide_network}
    return SimpleNamespace(network=row.network, numbers=numbers)


@pytest.mark.django_db
@given(FACTS, FACTS)
def test_what_is_told_apart_in_brief_is_what_the_engine_tells_apart(one: Facts, two: Facts) -> None:
    of_pci = adapted(account_rules(), "pci")
    for scope in {rule.scope for rule in (*default_rules(), *of_pci)}:
        tell = People().teller(scope)
        matters = [scope.of(facts) for facts in (one, two)]
        told = [tell(facts, row_of(facts)) for facts in (one, two)]
        assert [each is None for each in told] == [each is None for each in matters]
        if all(matters):
            keys = {matter.key for matter in matters if matter}
            assert (told[0] == told[1]) == (len(keys) == 1)


@pytest.mark.django_db
def test_where_a_network_is_allowed_each_address_is_looked_at() -> None:
    NetworkRule.objects.create(cidr="203.0.113.0/24", action=NetworkRule.Action.ALLOW)
    tell = People().teller(NETWORK)
    told = []
    for address in ("203.0.113.7", "198.51.100.7"):
        facts = Facts(Subject.of("alice"), Client(address))
        told.append(tell(facts, row_of(facts)))
    assert told == [None, number_of("198.51.100.7/32")]


def test_old_failures_of_what_is_quiet_are_forgotten() -> None:
    found = known(failures([n * 86_400.0 for n in range(200)]))
    assert len(found._failures) // 6 == 31


@given(st.lists(st.floats(0, 200_000), max_size=12))
def test_where_it_is_quiet_there_is_nothing_to_decide(whens: list[float]) -> None:
    found = known(failures(whens))
    now = at(200_001)
    assume(found.is_quiet(CLOCK.micros(now)))
    buckets = [Bucket(rule, MATTER) for rule in account_rules()]
    state = found.state(now, CLOCK)
    assert isinstance(decide(buckets, {KEY: state}, now), Admission)
    failure = Failure(99, now, 1, "7")
    assert after_failure(buckets, {KEY: state.with_failure(failure)}, failure, now) == ()


def test_no_more_locks_of_a_rule_are_remembered_than_the_engine_reads() -> None:
    locks = [PastLock(n, "account", at(n), at(n + 1)) for n in range(40)]
    assert [lock.id for lock in known([], locks).state(at(50), CLOCK).locks] == [*range(8, 40)]


def test_no_more_failures_are_remembered_than_rules_can_count() -> None:
    found = known(failures([float(n) for n in range(1_000)]))
    assert len(found.state(at(1_000), CLOCK).failures) == found.reach.most
    later = START + timedelta(days=40)
    assert found.forget(later, CLOCK.micros(later)) is False


@pytest.mark.django_db
def test_what_counts_no_more_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lockout_admin.policy.places.ROOM", 1)
    monkeypatch.setattr("lockout_admin.policy.replay._OFTEN", 1)
    for seconds in (250_000, 200_000, 60, 50, 40):
        fail(seconds, device=7)
        fail(seconds, ip=ELSEWHERE)
        fail(seconds, "bob")
        enter(seconds - 5)
    found = replay({**STRICT, "RULES": {"network": {"limit": 2}}})
    assert found.in_force.findings.evaluated == 15
    assert found.tried
    assert found.tried.findings.locks == {"account": 2, "network": 2, "device": 1}


@pytest.mark.django_db
def test_other_names_of_an_account_are_asked_for_where_the_site_takes_them(
    settings: Any, alice: Any
) -> None:
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
    for name in ("alice@example.com", "alice@example.com"):
        fail(60, name)
    enter(50, account=str(alice.pk))
    fail(40, "alice@example.com")
    fail(30, "alice@example.com")
    fail(20, "alice@example.com")
    assert replay().in_force.findings.locks.total() == 0


@pytest.mark.django_db
@pytest.mark.parametrize("account", ["", "no number", "people.person:1", "1" * 400])
def test_an_account_that_is_gone_is_none(account: str) -> None:
    fail(60)
    enter(50, account=account[:255])
    (entry,) = [
        event
        for event in reading.events(START - timedelta(days=9), START + timedelta(days=9_000), CLOCK)
        if isinstance(event, reading.Entry)
    ]
    assert SuccessfulLogin.objects.count() == 1
    assert People().own_fines(entry.subject, entry)
    until = entry.when + timedelta(seconds=1)
    assert compare(until - timedelta(days=1), until).successes == 1
