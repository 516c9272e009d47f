"""The threshold, the verbs, and time."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.exceptions import PermissionDenied
from django.test import override_settings

from lockout_admin import lockout
from lockout_admin.exceptions import AccountLocked
from lockout_admin.models import AccountLock, FailedLogin

from .conftest import request_from

pytestmark = pytest.mark.django_db

#: Without the slower rules, which would lock first.
FIRST_RULE_ALONE = dict.fromkeys(("account-daily", "account-total", "network", "spraying"))


def log_in(username: str = "alice", password: str = "right") -> Any:
    return authenticate(request_from(), username=username, password=password)


def test_n_failures_lock(alice: Any, guess: Any) -> None:
    guess(times=3)
    assert not lockout.is_account_locked("alice")
    guess()
    assert lockout.is_account_locked("alice")


def test_a_locked_account_refuses_the_right_password(alice: Any, guess: Any) -> None:
    guess(times=4)
    assert log_in() is None


def test_a_name_without_an_account_locks_alike(guess: Any) -> None:
    guess("nobody", times=4)
    assert lockout.is_account_locked("nobody")


@pytest.mark.parametrize(
    "spelling", ["ALICE", " alice ", "ａｌｉｃｅ", "al\u200bice", "álice", "alice\0", "\u202ealice"]
)
def test_all_spellings_share_one_budget(spelling: str, guess: Any) -> None:
    guess("alice", times=3)
    guess(spelling)
    assert lockout.is_account_locked("alice")


def test_a_success_starts_the_count_anew(alice: Any, guess: Any) -> None:
    guess(times=3)
    assert log_in() == alice
    guess(times=3)
    assert log_in() == alice


def test_the_interval_slides(alice: Any, guess: Any, clock: Any) -> None:
    guess(times=3)
    clock.tick(60)
    guess(times=3)
    assert not lockout.is_account_locked("alice")


def test_a_failure_counts_for_the_whole_interval(alice: Any, guess: Any, clock: Any) -> None:
    guess(times=3)
    clock.tick(59)
    guess()
    assert lockout.is_account_locked("alice")


def test_a_lock_ends_to_the_second(alice: Any, guess: Any, clock: Any) -> None:
    guess(times=4)
    clock.tick(59)
    assert log_in() is None
    clock.tick(1)
    assert log_in() == alice


@pytest.mark.parametrize("lock_secs", [10, 60, 600])
def test_after_a_lock_there_are_n_fresh_attempts(
    lock_secs: int, alice: Any, guess: Any, clock: Any
) -> None:
    with override_settings(ACCOUNT_LOCKED_TIMEOUT_SECS=lock_secs):
        guess(times=4)
        clock.tick(lock_secs)
        guess(times=3)
        assert log_in() == alice


def test_a_try_during_a_lock_does_not_prolong_it(alice: Any, guess: Any, clock: Any) -> None:
    guess(times=4)
    clock.tick(50)
    guess(times=20)
    clock.tick(10)
    assert log_in() == alice


def lock_lengths(guess: Any, clock: Any, count: int) -> list[int]:
    lengths = []
    for _ in range(count):
        guess(times=4)
        lock = lockout.get_lock("alice")
        assert lock is not None
        lengths.append(lock.remaining)
        clock.tick(lock.remaining)
    return lengths


def test_a_repeated_lock_grows_up_to_an_hour(guess: Any, clock: Any, settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {"RULES": FIRST_RULE_ALONE}
    assert lock_lengths(guess, clock, 8) == [60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_the_end_of_a_lock_ends_the_count_however_short_growth_is(
    guess: Any, clock: Any, settings: Any
) -> None:
    settings.FAILED_LOGIN_INTERVAL_SECS = 3600
    settings.LOCKOUT_ADMIN = {"LOCK_GROWTH_WINDOW_SECS": 0, "RULES": FIRST_RULE_ALONE}
    assert lock_lengths(guess, clock, 3) == [60, 60, 60]


def test_growth_ends_after_a_day(guess: Any, clock: Any) -> None:
    lock_lengths(guess, clock, 2)
    clock.tick(24 * 60 * 60)
    assert lock_lengths(guess, clock, 1) == [60]


def test_a_success_ends_growth(alice: Any, guess: Any, clock: Any) -> None:
    lock_lengths(guess, clock, 1)
    assert log_in() == alice
    assert lock_lengths(guess, clock, 1) == [60]


def test_a_release_ends_growth(guess: Any, clock: Any) -> None:
    lock_lengths(guess, clock, 2)
    lockout.unlock_account("alice")
    assert lock_lengths(guess, clock, 1) == [60]


def test_unlocking_lets_the_owner_in(alice: Any, guess: Any) -> None:
    guess(times=4)
    assert lockout.unlock_account("ALICE", by="sam", note="called us")
    assert log_in() == alice


def test_unlocking_starts_the_count_anew(guess: Any) -> None:
    guess(times=3)
    assert not lockout.unlock_account("alice")
    guess(times=3)
    assert not lockout.is_account_locked("alice")


def test_unlocking_deletes_no_record(guess: Any) -> None:
    guess(times=4)
    lockout.unlock_account("alice", by="sam", note="called us")
    assert FailedLogin.objects.count() == 4
    row = AccountLock.objects.get()
    assert (row.ended_by, row.end_note, row.failures) == ("sam", "called us", 4)


def test_unlocking_keeps_the_number_of_refused_attempts(guess: Any) -> None:
    guess(times=4 + 3)
    lockout.unlock_account("alice")
    assert AccountLock.objects.get().refused == 3


def test_locking_by_hand_refuses_the_owner(alice: Any) -> None:
    lock = lockout.lock_account("alice", 300, by="sam", note="phished")
    assert (lock.reason, lock.remaining) == ("manual", 300)
    assert log_in() is None


def test_a_lock_by_hand_does_not_lengthen_the_next(guess: Any, clock: Any) -> None:
    lockout.lock_account("alice")
    clock.tick(60)
    assert lock_lengths(guess, clock, 1) == [60]


def test_a_lock_by_hand_lasts_at_least_a_second() -> None:
    with pytest.raises(ValueError, match="unlock_account"):
        lockout.lock_account("alice", 0)


def test_of_two_locks_the_one_that_ends_last_holds(alice: Any) -> None:
    lockout.lock_account("alice", 3600)
    lockout.lock_account("alice", 10)
    assert lockout.get_lock("alice").remaining > 3000  # type: ignore[union-attr]


def test_get_lock_tells_the_story(guess: Any) -> None:
    guess(" Alice", times=4 + 2)
    lock = lockout.get_lock("alice")
    assert lock is not None
    assert (lock.username, lock.reason, lock.refused) == ("Alice", "limit", 2)
    assert (lock.until - lock.since).total_seconds() == 60


def test_raise_if_locked_raises_a_permission_denied(guess: Any, clock: Any) -> None:
    lockout.raise_if_locked("alice")
    guess(times=4)
    with pytest.raises(PermissionDenied) as caught:
        lockout.raise_if_locked("alice")
    assert isinstance(caught.value, lockout.AccountLocked)
    assert (caught.value.retry_after, caught.value.reason) == (60, AccountLocked.LOCKED)


def test_raise_if_locked_raises_what_the_caller_likes(guess: Any) -> None:
    guess(times=4)
    with pytest.raises(RuntimeError, match="Too many failed login attempts"):
        lockout.raise_if_locked("alice", RuntimeError)


def test_raise_if_locked_raises_what_a_function_of_the_lock_makes(guess: Any, clock: Any) -> None:
    class HTTPError(Exception):
        """As FastAPI has it: a status, no message."""

        def __init__(self, status: int, headers: dict[str, str]) -> None:
            super().__init__(status, headers)

    guess(times=4)
    with pytest.raises(HTTPError) as caught:
        lockout.raise_if_locked(
            "alice", lambda lock: HTTPError(429, {"Retry-After": str(lock.remaining)})
        )
    assert caught.value.args == (429, {"Retry-After": "60"})


class NoMessageError(Exception):
    """As Ninja has it: a status, and then the message."""

    def __init__(self, status: int, message: str) -> None: ...


class NoTextError(Exception):
    """As DRF and Starlette have it: a number first."""

    def __init__(self, wait: Any) -> None:
        super().__init__(int(wait))


class StatusError(Exception):
    """As FastAPI has it: whatever comes first is the status."""

    def __init__(self, status_code: Any) -> None:
        super().__init__()
        self.status_code = status_code


@pytest.mark.parametrize("exception", [NoMessageError, NoTextError, StatusError])
def test_a_class_that_takes_no_message_makes_no_error_page(
    exception: Any, guess: Any, caplog: pytest.LogCaptureFixture
) -> None:
    guess(times=4)
    with pytest.raises(AccountLocked):
        lockout.raise_if_locked("alice", exception=exception)
    assert "exception_takes_no_message: raise_if_locked() raises AccountLocked" in caplog.text


def test_a_lock_has_a_message_for_people(clock: Any) -> None:
    assert "in 45 seconds" in str(lockout.lock_account("alice", 45).message)


def test_a_subclass_of_the_refusal_is_raised_as_such(guess: Any, clock: Any) -> None:
    class Own(lockout.AccountLocked):
        pass

    guess(times=4)
    with pytest.raises(Own) as caught:
        lockout.raise_if_locked("alice", exception=Own)
    assert caught.value.retry_after == 60


def test_handle_failed_login_says_when_it_locks() -> None:
    assert [lockout.handle_failed_login("alice") for _ in range(5)] == [
        False,
        False,
        False,
        True,
        True,
    ]


def test_handle_successful_login_starts_the_count_anew() -> None:
    for _ in range(3):
        lockout.handle_failed_login("alice", request_from())
    lockout.handle_successful_login("alice", request_from())
    assert not lockout.handle_failed_login("alice", request_from())


def test_verbs_and_backend_count_together(guess: Any) -> None:
    guess(times=2)
    lockout.handle_failed_login("alice")
    guess()
    assert lockout.is_account_locked("alice")


@pytest.mark.django_db(transaction=True)
async def test_each_verb_has_an_async_twin() -> None:
    assert [await lockout.ahandle_failed_login("alice") for _ in range(4)] == [
        False,
        False,
        False,
        True,
    ]
    assert await lockout.ais_account_locked("alice")
    with pytest.raises(AccountLocked):
        await lockout.araise_if_locked("alice")
    assert await lockout.aunlock_account("alice")
    await lockout.ahandle_successful_login("alice")
    assert (await lockout.alock_account("alice", 30)).remaining == 30
    assert await lockout.aget_lock("alice") is not None


def test_a_threshold_of_one_locks_at_once(guess: Any) -> None:
    with override_settings(MAX_FAILED_LOGIN_ATTEMPTS=1):
        guess()
        assert lockout.is_account_locked("alice")


def test_outcomes_tell_what_became_of_failures(alice: Any, guess: Any) -> None:
    guess(times=2)
    log_in()
    guess(times=4)
    outcomes = FailedLogin.objects.order_by("pk").values_list("outcome", flat=True)
    assert list(outcomes) == ["cleared"] * 2 + ["counted"] * 3 + ["locked"]
