"""The cache may go, hide that it is gone, or forget; the limit holds."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.cache import cache
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django.db import transaction
from django.test import override_settings
from django.utils import timezone

from lockout_admin import lockout
from lockout_admin.engine import attempts, locks, slots
from lockout_admin.engine.caches import CacheEngine
from lockout_admin.engine.store import Keys, store
from lockout_admin.evidence.retention import prune
from lockout_admin.exceptions import AccountLocked
from lockout_admin.identity.subject import Subject
from lockout_admin.models import AccountLock, FailedLogin
from lockout_admin.testing import isolated_lockouts

pytestmark = pytest.mark.django_db


class Down(DummyCache):
    """A server that is gone."""

    def get_many(self, keys: Any, version: Any = None) -> Any:
        raise ConnectionRefusedError

    add = set_many = delete_many = incr = get_many  # type: ignore[assignment]


class Silent(DummyCache):
    """A client library told to ignore errors."""

    def add(self, *args: Any, **kwargs: Any) -> bool:
        return False


class HalfDown(LocMemCache):
    """A server that dies between reading and reserving."""

    def add(self, *args: Any, **kwargs: Any) -> bool:
        raise ConnectionResetError


def on(backend: type) -> Any:
    return override_settings(CACHES={"default": {"BACKEND": f"{__name__}.{backend.__qualname__}"}})


@pytest.mark.parametrize("backend", [Down, Silent, HalfDown])
def test_the_database_holds_the_limit(backend: type, alice: Any, guess: Any) -> None:
    with on(backend):
        guess(times=3)
        assert authenticate(username="alice", password="right") == alice
        guess(times=4)
        assert lockout.is_account_locked("alice")
        assert authenticate(username="alice", password="right") is None
        assert lockout.unlock_account("alice")
        assert authenticate(username="alice", password="right") == alice


def test_an_outage_and_its_end_are_logged_once_each(
    guess: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with on(Down):
        guess(times=3)
    monkeypatch.setattr("lockout_admin.engine.breaker.LOOK_SECS", 0)
    store.start_over()
    with on(Down):
        guess()
    wait_for_a_look(guess)
    told = ["cache_unavailable", "cache_unavailable", "cache_available"]
    assert outages(caplog) == told


def wait_for_a_look(guess: Any) -> None:
    """Ask until the look in the background has ended."""
    guess("somebody")
    for thread in threading.enumerate():
        if thread.name == "lockout_admin look":
            thread.join()  # pragma: no cover - it may have ended


def test_an_outage_of_writes_is_logged_once(guess: Any, caplog: pytest.LogCaptureFixture) -> None:
    with on(HalfDown):
        guess(times=3)
    assert outages(caplog) == ["cache_unavailable"]


def test_parallel_failures_lock_though_the_cache_takes_nothing_down() -> None:
    for kind in (HalfDown, Silent, Down):
        with on(kind), isolated_lockouts():
            under_way = [attempts.begin("alice") for _ in range(4)]
            with pytest.raises(AccountLocked):  # the table has taken over
                attempts.begin("alice")
            assert [attempts.fail(attempt) for attempt in under_way][3]
            assert lockout.is_account_locked("alice")


def outages(caplog: pytest.LogCaptureFixture) -> list[str]:
    messages = [record.getMessage() for record in caplog.records]
    return [message.partition(":")[0] for message in messages if message.startswith("cache_")]


def test_an_outage_that_one_test_left_behind_is_news_to_the_next(
    guess: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with on(Down):
        with isolated_lockouts():
            guess()
        with isolated_lockouts():
            guess()
    assert outages(caplog) == ["cache_unavailable", "cache_unavailable"]


def test_a_lock_outlives_the_loss_of_its_keys(alice: Any, guess: Any) -> None:
    guess(times=4)
    cache.delete_many(keys_of("alice"))
    assert authenticate(username="alice", password="right") is None
    assert set(keys_of("alice")[:2]) <= set(cache.get_many(keys_of("alice")))


def keys_of(username: str) -> list[str]:
    keys = Keys("account", Subject.of(username).key)
    return [keys.lock, keys.refused, *keys.slots(4)]


def test_a_release_is_not_undone_by_a_lock_being_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    lockout.lock_account("alice")
    put_back = locks.enforce

    def released_meanwhile(row: AccountLock, keys: Any) -> None:
        put_back(row, keys)
        AccountLock.objects.update(ended_at=row.started_at)

    monkeypatch.setattr(locks, "enforce", released_meanwhile)
    cache.delete_many(keys_of("alice"))
    assert lockout.get_lock("alice") is None
    assert not cache.get_many(keys_of("alice")[:2])


def test_a_lock_that_ends_while_it_is_put_back_leaves_the_slots_to_those_who_came_after(
    clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lockout.lock_account("alice", 60)
    cache.delete_many(keys_of("alice"))
    put_back = locks.enforce

    def over_meanwhile(row: AccountLock, keys: Any) -> None:
        put_back(row, keys)
        clock.tick(60)
        attempts.begin("alice")

    monkeypatch.setattr(locks, "enforce", over_meanwhile)
    assert lockout.get_lock("alice") is None
    assert set(cache.get_many(keys_of("alice"))) == {keys_of("alice")[2]}


def test_a_release_inside_a_transaction_clears_the_cache_after_it_too(
    django_capture_on_commit_callbacks: Any,
) -> None:
    lockout.lock_account("alice")
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        lockout.unlock_account("alice")
        locks.enforce(AccountLock.objects.get(), Subject.of("alice").keys)
    assert not cache.get_many(keys_of("alice"))


def test_slots_that_were_lost_are_made_up_for_by_the_rows(guess: Any) -> None:
    guess(times=3)
    cache.delete_many(keys_of("alice"))
    guess()
    assert lockout.is_account_locked("alice")


def test_rows_alone_refuse_as_well(alice: Any) -> None:
    for _ in range(4):
        FailedLogin.objects.create("alice")
    with pytest.raises(AccountLocked) as caught:
        attempts.begin("alice")
    assert (caught.value.reason, caught.value.retry_after) == (AccountLocked.LOCKED, 60)
    assert AccountLock.objects.get().failures == 4  # a lock that should have been there


def test_a_slot_that_expired_is_not_given_back() -> None:
    ended = datetime.fromtimestamp(100, UTC)
    slot = slots.Slot(("lockout_admin:test",), ended, CacheEngine("default"))
    cache.set(slot.keys[0], "somebody else's")
    slots.give_back([slot], datetime.fromtimestamp(101, UTC))
    assert cache.get(slot.keys[0]) == "somebody else's"


def test_a_counter_that_is_gone_is_not_counted() -> None:
    assert store.increment("lockout_admin:none") == 0


def test_the_last_second_of_a_lock_is_counted_like_any_other(alice: Any) -> None:
    lockout.lock_account("alice", 1)
    assert authenticate(username="alice", password="right") is None
    lock = lockout.get_lock("alice")
    assert lock is not None
    assert lock.refused == 1


def test_strangers_cannot_push_a_lock_out_of_a_small_cache(alice: Any, guess: Any) -> None:
    small = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "small"}
    with override_settings(CACHES={"default": {**small, "OPTIONS": {"MAX_ENTRIES": 30}}}):
        guess(times=4)
        for number in range(60):
            guess(f"made-up-{number}")
        assert authenticate(username="alice", password="right") is None


class NoReplica:
    """Sends reads of the app's records to a replica that is not there at all."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        return "replica" if model._meta.app_label == "lockout_admin" else None


def test_nothing_is_read_from_a_replica_or_written_to_it(alice: Any, guess: Any) -> None:
    with override_settings(DATABASE_ROUTERS=[NoReplica()]):
        FailedLogin.objects.create("bob")
        assert [step.counts.failures for step in prune(timezone.now(), batch=9)] == [1]
        guess(times=4)
        assert lockout.is_account_locked("alice")
        assert lockout.unlock_account("alice")
        assert authenticate(username="alice", password="right") == alice
