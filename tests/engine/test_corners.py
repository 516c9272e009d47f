"""What seldom happens between two lines: a store dies, a view is old, a lock ends."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError, connection, transaction
from django.utils import timezone

from lockout_admin import lockout
from lockout_admin.engine import attempts, locks, outcomes, slots
from lockout_admin.engine.caches import CacheEngine
from lockout_admin.engine.journal import Journal, current_journal
from lockout_admin.engine.rules import matter_of
from lockout_admin.engine.ruleset import account_rules
from lockout_admin.engine.slots import NoSlot, Place, Slot
from lockout_admin.engine.standing import Standing
from lockout_admin.engine.store import Unavailable, store
from lockout_admin.exceptions import AccountLocked
from lockout_admin.exports.resources import TimestampWidget
from lockout_admin.identity import names
from lockout_admin.identity.subject import Subject
from lockout_admin.models import AccountLock, FailedLogin, StoreEntry

from ..conftest import request_from

Guesses = Callable[..., list[str]]
pytestmark = pytest.mark.django_db


class Hollow:
    """An engine that says of every entry that it is there, and has none."""

    name = "hollow"

    def get_many(self, keys: Collection[str]) -> dict[str, Any]:
        return {}

    def add(self, key: str, value: Any, seconds: int) -> bool:
        return False

    def keeps(self) -> bool:
        return True

    def delete_many(self, keys: Collection[str]) -> None:
        raise Unavailable


def test_nobody_may_try_while_nothing_can_count(
    guesses: Guesses, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def dead(work: Any) -> Any:
        raise Unavailable

    monkeypatch.setattr(store, "run", dead)
    assert guesses(2) == ["throttled"] * 2
    assert "store_unavailable" in caplog.text


def test_what_was_verified_elsewhere_is_recorded_while_nothing_can_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def dead(work: Any) -> Any:
        raise Unavailable

    monkeypatch.setattr(store, "run", dead)
    assert [lockout.handle_failed_login("alice") for _ in range(4)] == [False] * 3 + [True]
    assert FailedLogin.objects.count() == 4


def test_a_doubt_that_stays_one_is_a_short_wait() -> None:
    place = Place.of(matter_of(Subject.of("alice")), account_rules())
    assert place is not None
    now = timezone.now()
    key = place.matter.key
    got = slots.reserve(Hollow(), [place], {key: 4}, {}, now)  # type: ignore[arg-type]
    assert got == NoSlot(now + timedelta(seconds=1))


def test_a_slot_that_can_not_be_given_back_ends_by_itself() -> None:
    later = timezone.now() + timedelta(minutes=1)
    slots.give_back([Slot(("key",), later, Hollow())], timezone.now())  # type: ignore[arg-type]


def test_a_slot_is_taken_by_all_secrets_or_by_none() -> None:
    engine = CacheEngine("default")
    slot = Slot(("lockout_admin:{a}:1", "lockout_admin:{b}:1"), timezone.now(), engine)
    engine.delete_many(slot.keys)
    engine.add(slot.keys[1], "somebody's", 60)
    assert not slots._add_all(slot, "mine", 60, timezone.now())
    assert engine.get_many(slot.keys) == {slot.keys[1]: "somebody's"}


def earlier(hours: Collection[int]) -> None:
    for hour in hours:
        FailedLogin.objects.create("alice", timestamp=timezone.now() - timedelta(hours=hour))


def test_whoever_finds_too_many_under_way_gives_his_slot_back(
    attempt: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier(range(1, 9))
    monkeypatch.setattr(attempts, "fits", lambda *state: False)
    assert attempt() == "throttled"
    monkeypatch.undo()
    assert attempt() == "wrong"


def test_who_finds_no_slot_waits(
    attempt: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    none = NoSlot(timezone.now() + timedelta(seconds=5))
    monkeypatch.setattr(slots, "reserve", lambda *where: none)
    assert attempt() == "throttled"


def test_a_lock_that_ended_while_it_was_read_is_a_short_wait(
    attempt: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = lockout.lock_account("alice")
    store.delete_many(locks.keys_of_lock("account", Subject.of("alice").keys))
    monkeypatch.setattr(locks, "restore", lambda *where, **how: None)
    assert lock.remaining > 0
    assert attempt() == "throttled"


def test_a_lock_that_is_read_in_a_transaction_is_put_back_after_it() -> None:
    lockout.lock_account("alice")
    store.delete_many(locks.keys_of_lock("account", Subject.of("alice").keys))
    with transaction.atomic():
        assert lockout.is_account_locked("alice")


@pytest.fixture
def _in_a_request() -> Iterator[None]:
    journal = Journal()
    token = current_journal.set(journal)
    yield
    current_journal.reset(token)
    journal.write()


def begin() -> attempts.Attempt:
    return attempts.begin("alice", request_from(), "wrong")


@pytest.mark.usefixtures("_in_a_request")
def test_failures_that_are_put_off_count_within_their_request() -> None:
    with transaction.atomic():
        answers = [attempts.fail(begin()) for _ in range(4)]
        with pytest.raises(AccountLocked):
            begin()
    assert answers == [False, False, False, True]


@pytest.mark.usefixtures("_in_a_request")
def test_a_success_in_a_transaction_is_written_after_it(alice: Any, guesses: Guesses) -> None:
    guesses(2)
    with transaction.atomic():
        attempts.succeed(begin(), alice)
    assert not FailedLogin.objects.filter(outcome="cleared").exists()


def test_nobody_knows_whose_a_name_is_that_the_database_does_not_tell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(names, "lookup_fields", lambda: {"username", "email"})
    subject = Subject.of("alice@example.com")
    assert not names.is_ambiguous(subject, None)

    def refuse(*statement: Any) -> Any:
        raise OperationalError

    with connection.execute_wrapper(refuse):
        assert names.is_ambiguous(subject, None)


def test_small_things_have_a_text() -> None:
    assert str(StoreEntry(key="k")) == "k"
    assert TimestampWidget().render(None) is None
    assert isinstance(timezone.now(), datetime)


@pytest.mark.django_db(transaction=True)
def test_a_lock_that_is_overdue_outlives_the_transaction_of_the_refused(
    guesses: Guesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lockout_admin.engine.outcomes.after_failure", lambda *args: ())
    guesses(4)  # all at once: none has seen the others
    assert not lockout.is_account_locked("alice")
    monkeypatch.undo()
    journal = Journal()
    token = current_journal.set(journal)
    with transaction.atomic():
        assert guesses(2)[0] in ("locked", "throttled")
        transaction.set_rollback(True)
    current_journal.reset(token)
    journal.close()
    assert lockout.is_account_locked("alice")
    assert AccountLock.objects.count() == 1


@pytest.mark.django_db
def test_what_can_not_be_read_again_is_decided_by_what_was_known(
    attempt: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Standing.of
    answers = iter([read])
    monkeypatch.setattr(outcomes, "_others_may_have_reached_it", lambda *seen: True)

    def once(*what: Any) -> Standing:
        if ask := next(answers, None):
            return ask(*what)
        raise DatabaseError

    monkeypatch.setattr(Standing, "of", once)
    assert attempt() == "wrong"
