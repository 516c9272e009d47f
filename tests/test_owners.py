"""What an owner ends: what was failed under names of his own, and nothing of others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.hashers import make_password
from django.db import DatabaseError, transaction
from django.test import Client
from freezegun.api import FrozenDateTimeFactory

from lockout_admin import lockout
from lockout_admin.engine import owners
from lockout_admin.models import AccountLock, AuditEntry, FailedLogin
from lockout_admin.signals import account_unlocked

from .conftest import request_from

Guess = Callable[..., Any]
COUNTING = ("counted", "locked")


@pytest.fixture
def alissa(db: None) -> Any:
    """An account whose name shares its limit with that of another one."""
    return get_user_model().objects.create_user("alissa", "alissa@example.com", "right")


@pytest.fixture
def alisa(db: None) -> Any:
    """The other one, which is Mallory's."""
    return get_user_model().objects.create_user("alisa", "mallory@example.com", "right")


def counting() -> int:
    return FailedLogin.objects.filter(outcome__in=COUNTING).count()


def evaluated(guess: Guess, times: int, name: str = "alice") -> int:
    """Guess until it is refused; return how many were evaluated."""
    before = FailedLogin.objects.count()
    guess(name, times=times)
    return FailedLogin.objects.count() - before


def test_an_owner_ends_the_lock_and_all_counts(
    clock: FrozenDateTimeFactory, alice: Any, guess: Guess
) -> None:
    told: list[Any] = []
    account_unlocked.connect(
        lambda lock, **signal: told.append(lock), weak=False, dispatch_uid=told
    )
    evaluated(guess, 4)
    (lock,) = owners.end(alice, owners.BY_MAIL).locks
    account_unlocked.disconnect(dispatch_uid=told)
    assert told == [lock]
    assert not lockout.is_account_locked("alice")
    assert counting() == 0
    assert evaluated(guess, 10) == 4
    lock.refresh_from_db()
    assert lock.state == AccountLock.State.RELEASED
    assert lock.ended_by == owners.BY_MAIL
    assert lock.end_note == "It would have ended at 2026-01-01 12:01:00+0000."


def test_who_ended_it_is_in_the_audit(clock: Any, alice: Any, guess: Guess) -> None:
    guess(times=4)
    owners.end(alice, owners.BY_MAIL)
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.label) == (owners.BY_MAIL, "unlock", "alice")
    assert entry.details.startswith(f"Account {alice.pk}.")


def test_the_slower_rules_start_anew_as_well(
    clock: FrozenDateTimeFactory, alice: Any, guess: Guess
) -> None:
    for _ in range(3):
        evaluated(guess, 4)
        clock.tick(600)
    assert AccountLock.objects.open().get().rule == "account-daily"
    owners.end(alice, owners.BY_MAIL)
    assert evaluated(guess, 10) == 4


def test_letter_case_is_the_owners_own(clock: Any, alice: Any, guess: Guess) -> None:
    guess("ALICE", times=4)
    owners.end(alice, owners.BY_MAIL)
    assert not lockout.is_account_locked("alice")


def test_nothing_is_ended_of_what_failed_under_a_twins_name(
    clock: Any, alissa: Any, alisa: Any, guess: Guess
) -> None:
    guess("alissa", times=4)
    ended = owners.end(alisa, owners.BY_MAIL)
    assert (ended.locks, len(ended.going_on)) == ([], 1)
    assert lockout.is_account_locked("alissa")
    assert counting() == 4
    assert AuditEntry.objects.count() == 0


def test_a_twin_buys_no_guesses_beyond_the_slower_rules(
    clock: FrozenDateTimeFactory, alissa: Any, alisa: Any, guess: Guess
) -> None:
    """One failure of one's own, a link, and the lock ends; what was guessed still counts."""
    guesses = 0
    for _ in range(20):
        guesses += evaluated(guess, 3, "alissa")
        evaluated(guess, 1, "alisa")
        owners.end(alisa, owners.BY_MAIL)
    assert guesses <= 10


def test_a_lock_goes_on_for_what_others_failed(
    clock: FrozenDateTimeFactory, alissa: Any, alisa: Any, guess: Guess
) -> None:
    evaluated(guess, 2, "alisa")
    evaluated(guess, 2, "alissa")
    assert owners.end(alissa, owners.BY_MAIL).locks != []
    assert counting() == 2


def test_a_lock_by_hand_is_not_the_owners_to_end(clock: Any, alice: Any, guess: Guess) -> None:
    guess(times=4)
    lock = lockout.lock_account("alice", 3600)
    owners.end(alice, owners.BY_MAIL)
    found = owners.locked_for_staff(alice)
    assert found is not None
    assert found.pk == lock.id
    assert lockout.is_account_locked("alice")


def test_a_lock_that_only_the_store_knows_ends(clock: Any, alice: Any, guess: Guess) -> None:
    guess(times=4)
    AccountLock.objects.all().delete()
    assert lockout.is_account_locked("alice")
    owners.end(alice, owners.BY_MAIL)
    assert not lockout.is_account_locked("alice")


def test_a_lock_of_a_rule_that_is_gone_ends_unless_others_failed(
    clock: Any, alissa: Any, alisa: Any, guess: Guess, settings: Any
) -> None:
    guess("alissa", times=4)
    settings.LOCKOUT_ADMIN = {"CACHE": "default", "RULES": {"account": None}}
    assert owners.end(alisa, owners.BY_MAIL).locks == []
    assert len(owners.end(alissa, owners.BY_MAIL).locks) == 1


def test_a_lock_that_somebody_else_ends_meanwhile_is_theirs(
    clock: Any, alice: Any, guess: Guess, monkeypatch: pytest.MonkeyPatch
) -> None:
    guess(times=4)
    is_due = owners._is_still_due

    def and_staff_come_first(lock: AccountLock, rest: Any) -> bool:
        lockout.unlock_account("alice", by="sam")
        return is_due(lock, rest)

    monkeypatch.setattr(owners, "_is_still_due", and_staff_come_first)
    assert owners.end(alice, owners.BY_MAIL).locks == []
    assert AccountLock.objects.get().ended_by == "sam"


def test_in_a_transaction_the_store_is_cleared_again_on_commit(
    clock: Any, alice: Any, guess: Guess, django_capture_on_commit_callbacks: Any
) -> None:
    guess(times=4)
    with django_capture_on_commit_callbacks(execute=True) as callbacks, transaction.atomic():
        owners.end(alice, owners.BY_MAIL)
    assert len(callbacks) >= 1
    assert not lockout.is_account_locked("alice")


def test_a_lock_on_a_name_and_more_ends_as_well(clock: Any, alice: Any, guess: Guess) -> None:
    guess(times=4)
    row = AccountLock.objects.get()
    AccountLock.objects.create(
        scope="name-and-network", key=7, label="alice, home", subject=row.subject, until=row.until
    )
    assert len(owners.end(alice, owners.BY_MAIL).locks) == 2


def test_a_name_that_could_enter_two_accounts_is_nobodys_to_free(
    clock: Any, db: None, guess: Guess, settings: Any
) -> None:
    settings.AUTHENTICATION_BACKENDS = ["tests.notifications.backends.ByNameOrAddress"]
    name = "alice@example.com"
    get_user_model().objects.create_user("bob", name, "right")
    mallory = get_user_model().objects.create_user(name, "mallory@example.com", "right")
    guess(name, times=4)
    assert owners.end(mallory, owners.BY_MAIL).locks == []
    assert lockout.is_account_locked(name)


# -- A new password -----------------------------------------------------------------------------


def saves_a_new_password(user: Any) -> None:
    user.set_password("new")
    user.save()


def sets_it_through_the_form(user: Any) -> None:
    browser = Client()
    browser.force_login(user)
    data = {"old_password": "right", "new_password1": "Xy7!kkwqz", "new_password2": "Xy7!kkwqz"}
    assert browser.post("/admin/password_change/", data).status_code == 302


def saves_the_password_alone(user: Any) -> None:
    user.set_password("new")
    user.save(update_fields=["password"])


@pytest.mark.parametrize(
    "change", [saves_a_new_password, sets_it_through_the_form, saves_the_password_alone]
)
@pytest.mark.usefixtures("clock")
def test_a_new_password_ends_what_was_failed(
    change: Callable[[Any], None], alice: Any, guess: Guess
) -> None:
    alice.is_staff = True
    alice.save()
    guess(times=4)
    change(alice)
    assert not lockout.is_account_locked("alice")
    assert AccountLock.objects.get().ended_by == owners.BY_PASSWORD
    assert counting() == 0


def test_a_re_hash_at_login_is_no_new_password(
    clock: Any, alice: Any, guess: Guess, settings: Any
) -> None:
    evaluated(guess, 3)
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2SHA1PasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]
    before = alice.password
    assert authenticate(request_from("198.51.100.7"), username="alice", password="right")
    alice.refresh_from_db()
    assert alice.password != before
    assert counting() == 3


@pytest.mark.parametrize("fields", [{"first_name": "Alice"}, {"last_name": "A"}])
def test_another_change_of_the_account_ends_nothing(
    fields: dict[str, str], clock: Any, alice: Any, guess: Guess
) -> None:
    guess(times=4)
    for name, value in fields.items():
        setattr(alice, name, value)
    get_user_model().objects.get(pk=alice.pk).save()
    get_user_model().objects.filter(pk=alice.pk).update(**fields, password=make_password("new"))
    assert lockout.is_account_locked("alice")


def test_a_new_account_ends_nothing(clock: Any, guess: Guess) -> None:
    guess("bob", times=4)
    get_user_model().objects.create_user("bob", "bob@example.com", "right")
    assert lockout.is_account_locked("bob")


def test_a_lock_by_hand_outlives_a_new_password(clock: Any, alice: Any) -> None:
    lockout.lock_account("alice", 3600)
    saves_a_new_password(alice)
    assert lockout.is_account_locked("alice")


def test_a_change_that_is_rolled_back_ends_nothing(clock: Any, alice: Any, guess: Guess) -> None:
    guess(times=4)
    with transaction.atomic():
        saves_a_new_password(alice)
        transaction.set_rollback(True)
    assert lockout.is_account_locked("alice")


def test_a_database_that_refuses_breaks_no_change_of_a_password(
    clock: Any, alice: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuses(*arguments: Any) -> None:
        raise DatabaseError

    monkeypatch.setattr(owners, "end", refuses)
    saves_a_new_password(alice)
    assert "counts_not_ended" in caplog.text


def test_a_password_that_is_kept_elsewhere_is_told_of(clock: Any, alice: Any, guess: Guess) -> None:
    guess(times=4)
    lockout.handle_password_change(alice)
    assert not lockout.is_account_locked("alice")


@pytest.mark.django_db(transaction=True)
async def test_async_code_tells_of_it_too(guess: Guess, alice: Any) -> None:
    await sync_to_async(guess)(times=4)
    await lockout.ahandle_password_change(alice)
    assert not await lockout.ais_account_locked("alice")
