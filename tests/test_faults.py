"""A database that refuses a record breaks no login, and the attempt counts all the same."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.db.models import QuerySet
from django.db.models.signals import (
    m2m_changed,
    post_delete,
    post_save,
    pre_delete,
    pre_save,
)
from django.utils import timezone, translation

from lockout_admin import lockout
from lockout_admin.engine import attempts
from lockout_admin.engine.rules import LockTerms
from lockout_admin.exceptions import AccountLocked
from lockout_admin.models import AccountLock, FailedLogin, accounts, transactions
from lockout_admin.signals import (
    account_locked,
    account_unlocked,
    failures_cleared,
    login_failed,
    would_lock,
)
from lockout_admin.testing import isolated_lockouts

from .conftest import request_from

pytestmark = pytest.mark.django_db

FAILURES, SUCCESSES, LOCKS, USER_AGENTS = (
    f"lockout_admin_{name}"
    for name in ("failedlogin", "successfullogin", "accountlock", "useragent")
)


@contextmanager
def refusing(verb: str, table: str) -> Iterator[None]:
    """Have the database refuse statements of a kind."""

    def refuse(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.lstrip("(").startswith(verb) and table in sql:
            raise OperationalError("disk full")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        yield


def log_in(password: str = "right") -> Any:
    request = request_from(**{"User-Agent": "Firefox"})
    return authenticate(request, username="alice", password=password)


@pytest.mark.parametrize(
    ("verb", "table"),
    [
        ("INSERT", FAILURES),
        ("INSERT", SUCCESSES),
        ("INSERT", LOCKS),
        ("INSERT", USER_AGENTS),
        ("SELECT", FAILURES),
        ("UPDATE", FAILURES),
    ],
)
def test_a_login_answers_and_counts(
    verb: str, table: str, alice: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with refusing(verb, table):
        log_in("wrong")
        assert log_in() == alice
        for _ in range(4):
            assert log_in("wrong") is None
        assert log_in() is None
    assert [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize("error", [DatabaseError, InterfaceError])
def test_a_failure_is_recorded_without_a_user_agent_that_the_database_refuses(
    error: type[Exception], rf: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise error

    monkeypatch.setattr(QuerySet, "bulk_create", refuse)
    for _ in range(4):
        authenticate(
            rf.post("/", headers={"User-Agent": "curl"}), username="alice", password="wrong"
        )
    assert FailedLogin.objects.count() == 4
    assert lockout.is_account_locked("alice")


@pytest.mark.parametrize("error", [DatabaseError, ValueError])
def test_a_name_is_masked_when_nobody_can_tell_whose_it_is(
    error: type[Exception], guess: Any, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    def refuse(*args: Any) -> Any:
        raise error

    monkeypatch.setattr(accounts, "existing", refuse)
    settings.LOCKOUT_ADMIN = {"MASK_UNKNOWN_USERNAMES": True}
    guess("hunter2")
    assert "hunter2" not in FailedLogin.objects.get().username


def test_a_racer_who_locked_first_wins(guess: Any) -> None:
    attempt = attempts.begin("alice")
    guess(times=3)
    first = FailedLogin.objects.earliest("pk")
    until = timezone.now() + timedelta(minutes=1)
    AccountLock.objects.create(
        key=attempt.subject.key,
        rule="account",
        label="alice",
        until=until,
        first_failure=first.pk,
    )
    assert attempts.fail(attempt)
    assert AccountLock.objects.count() == 1


def test_the_last_of_parallel_failures_locks() -> None:
    parallel = [attempts.begin("alice") for _ in range(4)]
    assert [attempts.fail(attempt) for attempt in parallel] == [False, False, False, True]
    assert FailedLogin.objects.latest("pk").outcome == FailedLogin.Outcome.LOCKED
    assert AccountLock.objects.get().failures == 4


def test_no_more_than_n_are_let_in_at_once() -> None:
    for _ in range(4):
        attempts.begin("alice")
    with pytest.raises(AccountLocked) as caught:
        attempts.begin("alice")
    assert caught.value.reason == AccountLocked.THROTTLED


def test_parallel_successes_lock_nobody() -> None:
    *right, wrong = [attempts.begin("alice") for _ in range(4)]
    for attempt in right:
        attempts.succeed(attempt)
    assert not attempts.fail(wrong)


def test_an_attempt_that_was_verified_elsewhere_has_nothing_to_give_back() -> None:
    attempts.abandon(attempts.begin_verified("alice"))
    assert not FailedLogin.objects.exists()


def test_locks_need_not_grow(guess: Any, settings: Any, clock: Any) -> None:
    settings.LOCKOUT_ADMIN = {"LOCK_GROWTH_FACTOR": 1}
    for _ in range(2):
        guess(times=4)
        lock = lockout.get_lock("alice")
        assert lock is not None
        assert lock.remaining == 60
        clock.tick(60)


@pytest.mark.parametrize(("previous", "seconds"), [(0, 60), (1, 120), (6, 3600), (10**9, 3600)])
def test_growth_is_bounded_however_often(previous: int, seconds: int) -> None:
    assert LockTerms(first=60, growth=2, longest=3600).seconds(previous) == seconds


def test_a_first_lock_longer_than_the_longest_stays_as_long() -> None:
    assert LockTerms(first=7200, growth=2, longest=3600).seconds(5) == 7200


@pytest.mark.parametrize(
    ("retry_after", "wait"),
    [
        (0.2, "in 1 second."),
        (59.1, "in 60 seconds."),
        (90, "in 90 seconds."),
        (91, "in 2 minutes."),
        (3600, "60 min"),
        (90 * 60, "in 90 minutes."),
        (90 * 60 + 1, "in 2 hours."),
        (36 * 3600, "in 36 hours."),
        (36 * 3600 + 1, "in 2 days."),
        (30 * 86400, "in 30 days."),
    ],
)
def test_a_refusal_says_how_long_to_wait(retry_after: float, wait: str) -> None:
    assert wait in str(AccountLocked(retry_after).message)


def test_a_refusal_is_translated_when_it_is_read() -> None:
    with translation.override("en"):
        refusal = AccountLocked(5)
    with translation.override("de"):
        german = str(refusal.message)
    assert german != str(refusal.message)


def test_a_refusal_can_be_pickled() -> None:
    copy = pickle.loads(pickle.dumps(AccountLocked(5, AccountLocked.THROTTLED)))
    assert (copy.retry_after, copy.reason, str(copy)) == (5, "throttled", str(AccountLocked(5)))


def test_the_fixture_for_other_projects_isolates(lockout_isolation: None, settings: Any) -> None:
    lockout.lock_account("alice")
    settings.LOCKOUT_ADMIN = {}
    assert lockout.is_account_locked("alice")
    with isolated_lockouts():
        assert not lockout.is_account_locked("alice")


# -- Receivers of other apps --------------------------------------------------------------------


@contextmanager
def listening(*signals: Any) -> Iterator[list[str]]:
    """Have a receiver of another app raise."""

    def receiver(**kwargs: Any) -> None:
        asked.append(kwargs["sender"].__name__)
        raise ZeroDivisionError

    asked: list[str] = []
    for signal in signals:
        signal.connect(receiver)
    try:
        yield asked
    finally:
        for signal in signals:
            signal.disconnect(receiver)


@pytest.mark.parametrize("signals", [(pre_save, post_save), (pre_delete, post_delete, m2m_changed)])
def test_receivers_of_other_apps_break_no_login(signals: Any, alice: Any) -> None:
    with listening(*signals) as asked:
        assert [log_in("wrong") for _ in range(4)] == [None] * 4
        assert log_in() is None
        lockout.unlock_account("alice")
        assert log_in() == alice
        lockout.lock_account("alice", 60)
        assert log_in() is None
    assert not {"FailedLogin", "AccountLock", "UserAgent"} & {*asked}
    assert AccountLock.objects.count() == 2


@pytest.mark.parametrize(
    "signal", [login_failed, account_locked, account_unlocked, failures_cleared, would_lock]
)
def test_receivers_of_our_signals_break_no_login(
    signal: Any, alice: Any, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.LOCKOUT_ADMIN = {
        **settings.LOCKOUT_ADMIN,
        "RULES": {"account-daily": {"limit": 1, "mode": "monitor"}},
    }
    with listening(signal) as asked:
        log_in("wrong")
        assert log_in() == alice
        assert [log_in(f"wrong {number}") for number in range(4)] == [None] * 4
        assert log_in() is None
        assert lockout.unlock_account("alice")
    assert asked
    errors = [record for record in caplog.records if record.exc_info]
    assert len(errors) == len(asked)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("signal", [login_failed, account_locked], ids=["failed", "locked"])
def test_a_receiver_whose_statement_fails_breaks_no_transaction(
    signal: Any, guess: Any, alice: Any
) -> None:
    def receiver(**kwargs: Any) -> None:
        list(FailedLogin.objects.raw("SELECT nonsense"))

    signal.connect(receiver)
    try:
        with transaction.atomic():
            alice.delete()
            guess(times=4)
    finally:
        signal.disconnect(receiver)
    assert (FailedLogin.objects.count(), AccountLock.objects.count()) == (4, 1)
    assert not type(alice).objects.exists()


def test_what_a_receiver_breaks_of_a_transaction_is_undone(
    guess: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        """A savepoint on PostgreSQL after a statement that failed."""

        def __enter__(self) -> None: ...

        def __exit__(self, *args: object) -> None:
            raise DatabaseError

    monkeypatch.setattr(transactions, "shielded", lambda model: Broken())
    guess(times=4)
    assert lockout.is_account_locked("alice")
    assert "receiver_failed" in caplog.text
