"""How often an owner is told: once a siege, then once a week; and how often anybody may ask."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.test import Client
from freezegun.api import FrozenDateTimeFactory

from lockout_admin import lockout
from lockout_admin.models import Outbox
from lockout_admin.notifications import claims
from lockout_admin.signals import new_device

from ..conftest import request_from
from .conftest import fresh_in, send

Guess = Callable[..., Any]
DAY = 24 * 3600
WEEK = 7 * DAY


def besiege(clock: FrozenDateTimeFactory, guess: Guess, days: float) -> list[Any]:
    """Fail the name whenever it can be failed, once an hour at least; return the mails."""
    found: list[Any] = []
    for _ in range(int(days * 24)):
        guess(times=4)
        found += send()
        clock.tick(3600)
    return found


def test_a_siege_of_four_days_is_one_mail(
    clock: FrozenDateTimeFactory, alice: Any, guess: Guess
) -> None:
    assert len(besiege(clock, guess, days=4)) == 1


def test_a_siege_goes_on_with_one_mail_a_week(
    clock: FrozenDateTimeFactory, alice: Any, guess: Guess
) -> None:
    assert len(besiege(clock, guess, days=15)) == 3


def test_a_lock_of_a_day_ends_no_siege(
    clock: FrozenDateTimeFactory, alice: Any, guess: Guess
) -> None:
    guess(times=4)
    assert len(send()) == 1
    for _ in range(5):
        clock.tick(DAY - 60)
        guess(times=4)
    assert send() == []


@pytest.mark.parametrize(("quiet", "mails"), [(DAY - 3600, 0), (DAY + 3600, 1)])
def test_a_siege_ends_with_a_day_without_failures(
    quiet: int, mails: int, clock: FrozenDateTimeFactory, alice: Any, guess: Guess
) -> None:
    guess(times=4)
    assert len(send()) == 1
    clock.tick(quiet)
    guess(times=4)
    assert len(send()) == mails


def test_a_quiet_day_in_the_middle_is_found(
    clock: FrozenDateTimeFactory, alice: Any, guess: Guess
) -> None:
    guess(times=4)
    send()
    for wait in (20 * 3600, 20 * 3600, DAY + 3600, 20 * 3600):
        clock.tick(wait)
        guess()
    clock.tick(100)
    guess(times=4)
    assert len(send()) == 1


def test_both_names_of_an_account_are_one_siege(
    clock: FrozenDateTimeFactory, alice: Any, guess: Guess, settings: Any
) -> None:
    settings.AUTHENTICATION_BACKENDS = ["tests.notifications.backends.ByNameOrAddress"]
    guess(times=4)
    assert len(send()) == 1
    guess("alice@example.com", times=4)
    assert lockout.is_account_locked("alice@example.com")
    assert send() == []


def test_each_account_has_sieges_of_its_own(
    clock: FrozenDateTimeFactory, alice: Any, guess: Guess
) -> None:
    get_user_model().objects.create_user("bob", "bob@example.com", "right")
    guess(times=4)
    guess("bob", times=4)
    assert sorted(message.to[0] for message in send()) == ["alice@example.com", "bob@example.com"]


def test_staff_tell_themselves_of_the_locks_that_they_put_on(db: None, alice: Any) -> None:
    lockout.lock_account("alice", 60)
    assert Outbox.objects.count() == 0


# -- Who is told --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"email": ""}, Outbox.Why.NO_ADDRESS),
        ({"is_active": False}, Outbox.Why.NO_ACCOUNT),
        ({"username": "somebody else"}, Outbox.Why.NO_ACCOUNT),
    ],
)
def test_nobody_is_told_where_there_is_nobody(
    fields: dict[str, Any], why: str, clock: Any, alice: Any, guess: Guess
) -> None:
    get_user_model().objects.filter(pk=alice.pk).update(**fields)
    guess(times=4)
    assert send() == []
    row = Outbox.objects.get()
    assert (row.state, row.why) == (Outbox.State.DROPPED, why)


@pytest.mark.parametrize("typed", ["alice", "ALICE", " Alice ", "àlice", "ａｌｉｃｅ"])
def test_the_owner_is_found_under_every_spelling_that_locks_the_name(
    typed: str, clock: FrozenDateTimeFactory, alice: Any, guess: Guess
) -> None:
    lockout.handle_successful_login("nobody")
    with lockout.attempt("alice") as attempt:
        attempt.succeeded(alice)
    guess(typed, times=4)
    assert [message.to for message in send()] == [["alice@example.com"]]


def test_a_name_that_could_enter_two_accounts_is_nobodys(
    clock: FrozenDateTimeFactory, alice: Any, guess: Guess, settings: Any
) -> None:
    settings.AUTHENTICATION_BACKENDS = ["tests.notifications.backends.ByNameOrAddress"]
    get_user_model().objects.create_user("bob", "alice", "right")
    guess(times=4)
    assert send() == []


def test_a_masked_name_is_nobodys(
    clock: FrozenDateTimeFactory, guess: Guess, settings: Any
) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "MASK_UNKNOWN_USERNAMES": True}
    guess("hunter2", times=4)
    assert "hunter2" not in Outbox.objects.get().username
    assert send() == []


@pytest.mark.parametrize(("typed", "mails"), [(" 7 ", 1), ("8", 0), ("seven", 0), (str(2**80), 0)])
def test_a_name_that_is_a_number_is_found(
    typed: str, mails: int, clock: Any, db: None, guess: Guess, settings: Any
) -> None:
    settings.AUTH_USER_MODEL = "people.Numbered"
    model: Any = get_user_model()
    model.objects.create_user(7, "right", email="alice@example.com")
    guess(typed, times=4)
    assert len(send()) == mails


@pytest.mark.parametrize(("name", "typed"), [("josé", "josé"), ("weiß", "weiß"), ("Zoë", "Zoë")])
def test_a_name_beyond_ascii_is_found(
    name: str, typed: str, clock: Any, db: None, guess: Guess
) -> None:
    get_user_model().objects.create_user(name, "jose@example.com", "right")
    guess(typed, times=4)
    assert len(send()) == 1


def test_an_account_that_is_gone_is_told_nothing(clock: Any, alice: Any) -> None:
    for account in ("7", "no key"):
        new_device.send(type(alice), user=SimpleNamespace(pk=account, get_username=lambda: "x"))
    assert send() == []


def test_who_has_the_name_no_more_is_told_nothing(clock: Any, alice: Any, guess: Guess) -> None:
    with lockout.attempt("alice") as attempt:
        attempt.succeeded(alice)
    get_user_model().objects.update(username="another")
    guess("alice", times=4)
    assert send() == []


def test_who_asks_from_nowhere_is_a_stranger(clock: Any, alice: Any) -> None:
    assert ask("") == 1


# -- Asked for ----------------------------------------------------------------------------------


def ask(address: str) -> int:
    Client(REMOTE_ADDR=address).post("/account/ask/", {"name": "alice"})
    return len(send())


def test_an_account_gets_so_many_mails_a_day_that_strangers_ask_for(
    clock: FrozenDateTimeFactory, alice: Any
) -> None:
    assert sum(ask(f"198.51.100.{number}") for number in range(10)) == 6
    clock.tick(DAY + 1)
    assert ask("198.51.100.1") == 1


def test_strangers_do_not_use_up_what_an_owner_may_ask_for(
    clock: FrozenDateTimeFactory, alice: Any
) -> None:
    authenticate(request_from("203.0.113.5"), username="alice", password="right")
    for number in range(10):
        ask(f"198.51.100.{number}")
    assert [ask("203.0.113.5") for _ in range(8)] == [1] * 6 + [0] * 2


def test_what_was_asked_for_two_hours_ago_nobody_waits_for(
    clock: FrozenDateTimeFactory, alice: Any
) -> None:
    Client().post("/account/ask/", {"name": "alice"})
    clock.tick(2 * 3600 + 1)
    assert send() == []
    assert Outbox.objects.get().why == Outbox.Why.LATE


# -- The whole site -----------------------------------------------------------------------------


def test_a_site_sends_no_more_than_its_cap_an_hour(
    clock: FrozenDateTimeFactory, db: None, guess: Guess, settings: Any
) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "MAILS_PER_HOUR": 4}
    people = [f"person{number}" for number in range(6)]
    for name in people:
        get_user_model().objects.create_user(name, f"{name}@example.com", "right")
        guess(name, times=4, request=request_from(f"198.51.100.{name[-1]}"))
    messages = send()
    assert len(messages) == 2
    Client().post("/account/ask/", {"name": "person0"})
    assert len(send()) == 1  # a quarter is kept for those who ask
    Client().post("/account/ask/", {"name": "person1"})
    assert send() == []
    Client().post(fresh_in(messages[0]))
    assert len(send()) == 1  # and of that, some for those who ask from a mail
    Client().post(fresh_in(messages[0]))
    assert send() == []
    clock.tick(3610)
    assert [message.subject for message in send()] == ["Your way in to shop.example"] * 2
    clock.tick(3610)
    assert len(send()) == 2


def test_late_mails_are_sent_when_a_sender_is_back_each_once(
    clock: FrozenDateTimeFactory, alice: Any, guess: Guess
) -> None:
    get_user_model().objects.create_user("bob", "bob@example.com", "right")
    guess(times=4)
    guess("bob", times=4)
    Client().post("/account/ask/", {"name": "alice"})
    clock.tick(3600)
    assert len(send()) == 3
    assert send() == []


def test_what_is_a_day_old_is_not_told_any_more(
    clock: FrozenDateTimeFactory, alice: Any, guess: Guess
) -> None:
    guess(times=4)
    clock.tick(DAY + 1)
    assert send() == []


# -- Logins -------------------------------------------------------------------------------------


def log_in(name: str = "alice") -> None:
    Client().post("/login/", {"username": name, "password": "right"})


@pytest.mark.parametrize(("failures", "mails"), [(4, 0), (5, 1), (7, 1)])
def test_a_login_after_five_failures_is_told(
    failures: int, mails: int, clock: FrozenDateTimeFactory, alice: Any, guess: Guess
) -> None:
    for _ in range(failures):
        guess(request=request_from("198.51.100.7"))
        clock.tick(3700)
    send()
    log_in()
    assert [message.subject for message in send()] == [
        "A login after many wrong passwords at shop.example"
    ] * mails


def test_a_login_after_failures_is_told_once(
    clock: FrozenDateTimeFactory, alice: Any, guess: Guess, settings: Any
) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "DEVICE_COOKIE_NAME": ""}
    for _ in range(6):
        guess(request=request_from("198.51.100.7"))
        clock.tick(3600)
    send()
    log_in()
    assert len(send()) == 1
    clock.tick(60)
    log_in()
    assert send() == []


def test_a_login_from_a_new_device_is_told(clock: FrozenDateTimeFactory, alice: Any) -> None:
    for _ in range(7):
        new_device.send(type(alice), user=alice, request=request_from())
    messages = send()
    assert len(messages) == 5
    assert messages[0].subject == "A login from a new device at shop.example"
    assert Outbox.objects.filter(why=Outbox.Why.NOT_NEW).count() == 2


def test_mails_of_one_owner_wait_for_each_other(
    clock: FrozenDateTimeFactory, alice: Any, guess: Guess
) -> None:
    """Another sender is at one: its fate decides."""
    guess(times=4)
    clock.tick(61)
    guess(times=4)
    first, second = Outbox.objects.order_by("pk")
    Outbox.objects.filter(pk=first.pk).update(
        state=Outbox.State.SENDING, account=alice.pk, due=first.due + timedelta(hours=1)
    )
    assert send() == []
    second.refresh_from_db()
    assert (second.state, second.attempts) == (Outbox.State.WAITING, 0)
    assert claims.next_in() is not None
