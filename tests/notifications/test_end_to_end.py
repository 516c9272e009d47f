"""From a lock to the owner who ends it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth import authenticate
from django.core import mail
from django.core.management import call_command
from django.test import Client
from freezegun.api import FrozenDateTimeFactory

from lockout_admin import lockout
from lockout_admin.models import AccountLock, AuditEntry, Outbox

from ..conftest import request_from
from .conftest import code_in, link_in, send


def test_an_owner_ends_a_lock_by_mail(
    clock: FrozenDateTimeFactory, alice: Any, guess: Callable[..., Any], browser: Client
) -> None:
    guess(times=4)
    assert lockout.is_account_locked("alice")
    call_command("lockout_notify")
    (message,) = mail.outbox
    assert message.to == ["alice@example.com"]
    link = link_in(message)
    assert b"End the lock" in browser.get(link).content
    answer = browser.post(link, {"do": "end"})
    assert b"The lock has ended" in answer.content
    assert not lockout.is_account_locked("alice")
    assert authenticate(request_from(), username="alice", password="right") == alice
    assert AccountLock.objects.get().ended_by == "the owner, by mail"
    assert AuditEntry.objects.get().actor == "the owner, by mail"


def test_the_page_that_asked_takes_the_code(
    clock: FrozenDateTimeFactory, alice: Any, guess: Callable[..., Any], browser: Client
) -> None:
    guess(times=4)
    send()
    answer = browser.post("/account/ask/", {"name": "alice"})
    assert answer["Location"] == "/account/code/"
    (message,) = send()
    answer = browser.post("/account/code/", {"code": code_in(message), "do": "end"})
    assert b"The lock has ended" in answer.content
    assert not lockout.is_account_locked("alice")


def test_a_name_without_an_account_has_a_row_and_no_mail(
    clock: FrozenDateTimeFactory, guess: Callable[..., Any]
) -> None:
    guess("nobody", times=4)
    assert send() == []
    assert Outbox.objects.get().why == Outbox.Why.NO_ACCOUNT
