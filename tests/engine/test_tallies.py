"""What locks refused: counted without SQL, and kept when they end, however they end."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.management import call_command
from django.db import Error, connection, transaction
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils import timezone
from freezegun.api import FrozenDateTimeFactory

from lockout_admin import lockout
from lockout_admin.defences import lists
from lockout_admin.engine import tallies
from lockout_admin.engine.entries import Lock
from lockout_admin.engine.store import store
from lockout_admin.engine.tallies import Tally, TallyKeys
from lockout_admin.models import AccountLock

from ..conftest import HOME, request_from
from ..measuring import unmeasured

STARTS = datetime(2026, 1, 1, 12, tzinfo=UTC)


def refuse(times: int, username: str = "alice", ip: str = HOME) -> None:
    """Have so many attempts refused by the lock that is there."""
    for _ in range(times):
        refused = unmeasured(authenticate)(request_from(ip), username=username, password="right")
        assert refused is None


@pytest.fixture
def brute_force(alice: Any, guess: Any, clock: FrozenDateTimeFactory) -> datetime:
    """Refuse 1,500 within the minute of a lock, from three networks; return the last moment."""
    guess(times=4)
    for number in range(1500):
        clock.tick(timedelta(milliseconds=39))
        refuse(1, ip=f"203.0.113.{number % 3}")
    return timezone.now()


@pytest.mark.parametrize("keeper", ["next lock", "prune", "export", "nobody"])
def test_a_brute_force_is_known_the_next_day(
    keeper: str, brute_force: datetime, guess: Any, clock: FrozenDateTimeFactory
) -> None:
    clock.tick(timedelta(days=1))
    match keeper:
        case "next lock":
            guess("bob", times=4)
        case "prune":
            call_command("lockout_prune")
        case "export":
            tallies.keep_all()
    row = AccountLock.objects.get(label="alice")
    assert tallies.counts([row]) == {row.pk: 1500}
    assert row.settled == (keeper != "nobody")
    tally = Tally.of(row) if row.settled else tallies.read([row])[row.pk]
    assert tally.count == 1500
    assert tally.last is not None
    assert timedelta() <= brute_force - tally.last < timedelta(seconds=1)
    assert set(tally.addresses) == {f"203.0.113.{number}" for number in range(3)}


def test_sixteen_addresses_in_turn_are_not_seen_as_one(alice: Any, guess: Any) -> None:
    guess(times=4)
    for number in range(160):
        refuse(1, ip=f"203.0.113.{number % 16}")
    row = AccountLock.objects.get()
    assert len(tallies.read([row])[row.pk].addresses) > 5


def test_slow_refusals_leave_their_moment_each(
    alice: Any, guess: Any, clock: FrozenDateTimeFactory
) -> None:
    lockout.lock_account("alice", 3600)
    for _ in range(5):
        clock.tick(timedelta(minutes=5))
        refuse(1)
    row = AccountLock.objects.get()
    assert tallies.read([row])[row.pk] == Tally(5, timezone.now(), (HOME,))


def test_a_refusal_costs_no_sql(alice: Any) -> None:
    lockout.lock_account("alice", 60)
    lists.is_allowed(HOME)  # a process reads them once
    with CaptureQueriesContext(connection) as queries:
        refuse(40)
    assert [query for query in queries if "store" not in query["sql"]] == []


def test_a_lock_of_the_same_name_has_a_count_of_its_own(
    alice: Any, guess: Any, clock: FrozenDateTimeFactory
) -> None:
    for refused in (3, 2):
        guess(times=4)
        refuse(refused)
        clock.tick(timedelta(seconds=600))
    rows = AccountLock.objects.order_by("pk")
    assert [tallies.read(rows)[row.pk].count for row in rows] == [3, 2]


def test_a_count_goes_on_when_the_store_has_lost_it(alice: Any) -> None:
    lock = lockout.lock_account("alice", 60)
    store.delete_many([lock.tally.counter])
    refuse(2)
    assert (lockout.get_lock("alice") or lock).refused == 2


def test_two_who_find_the_counter_gone_are_both_counted(alice: Any, monkeypatch: Any) -> None:
    lock = lockout.lock_account("alice", 60)
    answers = iter([0])
    increment = store.increment
    monkeypatch.setattr(store, "increment", lambda key: next(answers, None) or increment(key))
    refuse(1)
    assert (lockout.get_lock("alice") or lock).refused == 1


@pytest.mark.parametrize(("answers", "counted"), [((None,), False), ((0, 2), True)])
def test_a_counter_that_others_make_meanwhile_counts_on(
    answers: tuple[int | None, ...], counted: bool, db: None, monkeypatch: Any
) -> None:
    told = iter(answers)
    monkeypatch.setattr(store, "increment", lambda key: next(told))
    monkeypatch.setattr(store, "add", lambda *entry: False)
    assert bool(tallies.count_one(TallyKeys(1, STARTS), None, 60)) == counted


def test_an_export_goes_out_though_counts_can_not_be_kept(
    alice: Any, monkeypatch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def keep_all() -> None:
        raise Error

    lockout.lock_account("alice", 60)
    monkeypatch.setattr(tallies, "keep_all", keep_all)
    call_command("lockout_export", "locks", "--format", "csv", stdout=io.StringIO())
    assert "refusals_not_recorded" in caplog.text


def test_a_lock_that_is_lost_and_put_back_goes_on_counting(alice: Any) -> None:
    lock = lockout.lock_account("alice", 60)
    refuse(3)
    store.delete_many(lock_keys())
    refuse(2)
    assert (lockout.get_lock("alice") or lock).refused == 5


def test_what_was_counted_in_an_outage_is_added(alice: Any, monkeypatch: Any) -> None:
    lockout.lock_account("alice", 60)
    row = AccountLock.objects.get()
    counter = TallyKeys(row.key, row.started_at).counter
    monkeypatch.setattr(store, "gather", lambda keys: [{counter: 3}, {counter: 4}])
    assert tallies.read([row])[row.pk].count == 7
    assert tallies.counts([row]) == {row.pk: 7}


def test_while_a_part_of_the_store_is_down_counts_wait(
    brute_force: datetime, clock: FrozenDateTimeFactory, monkeypatch: Any
) -> None:
    clock.tick(timedelta(hours=1))
    with monkeypatch.context() as outage:
        outage.setattr(store, "gather", lambda keys: None)
        tallies.keep_all()
    assert not AccountLock.objects.get().settled
    tallies.keep_all()
    assert AccountLock.objects.get().refused == 1500


def test_a_lock_that_has_just_ended_may_refuse_elsewhere_and_waits(
    brute_force: datetime, clock: FrozenDateTimeFactory
) -> None:
    clock.tick(timedelta(seconds=10))
    tallies.keep_all()
    row = AccountLock.objects.get()
    assert (row.refused, row.settled) == (1500, False)


def test_counts_are_deleted_when_a_row_has_them(
    brute_force: datetime, clock: FrozenDateTimeFactory
) -> None:
    clock.tick(timedelta(hours=1))
    tallies.keep_all()
    row = AccountLock.objects.get()
    assert store.get_many(TallyKeys(row.key, row.started_at).all) == {}


@pytest.mark.django_db(transaction=True)
def test_counts_outlive_a_rollback(alice: Any, guess: Any) -> None:
    guess(times=6)
    AccountLock.objects.update(until=timezone.now() - timedelta(hours=1))
    with transaction.atomic():
        assert tallies.settle(10) == 1
        transaction.set_rollback(True)
    tallies.keep_all()
    assert AccountLock.objects.get().refused == 2


def test_nothing_is_settled_twice(brute_force: datetime, clock: FrozenDateTimeFactory) -> None:
    clock.tick(timedelta(hours=1))
    assert [tallies.settle(10), tallies.settle(10)] == [1, 0]


def test_a_lock_is_put_on_though_others_can_not_be_settled(
    alice: Any, guess: Any, monkeypatch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def settle(most: int) -> int:
        raise Error

    monkeypatch.setattr(tallies, "settle", settle)
    guess(times=4)
    assert lockout.is_account_locked("alice")
    assert "refusals_not_recorded" in caplog.text


@override_settings(LOCKOUT_ADMIN={"RULES": {"account": {"mode": "monitor"}}})
def test_what_only_watches_has_nothing_to_settle(alice: Any, guess: Any) -> None:
    guess(times=4)
    assert AccountLock.objects.get().settled


@pytest.mark.parametrize("value", [None, 5, ["198.51.100.7"], ["198.51.100.7", "soon"]])
def test_what_is_not_of_our_making_is_no_sample(value: Any, alice: Any) -> None:
    lock = lockout.lock_account("alice", 60)
    store.set_many({lock.tally.sample(0): value, lock.tally.counter: "many"}, 60)
    row = AccountLock.objects.get()
    assert tallies.read([row])[row.pk] == Tally()


def lock_keys() -> list[str]:
    row = AccountLock.objects.get()
    lock = Lock.of(row)
    assert lock.key == row.key
    return [f"lockout_admin:{{account:{row.key:x}}}:{name}" for name in ("lock", "refused")]
