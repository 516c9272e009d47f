"""Each mail has a link that sends another one, which no stranger has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.core import signing
from django.test import Client
from django.utils import timezone
from freezegun.api import FrozenDateTimeFactory

from lockout_admin import lockout
from lockout_admin.identity.client import Client as Source
from lockout_admin.models import Outbox
from lockout_admin.notifications import due, links
from lockout_admin.notifications.mail import MailNotifier
from lockout_admin.notifications.notifiers import Kind
from lockout_admin.signals import new_device

from ..conftest import request_from
from .conftest import code_in, fresh_in, link_in, send
from .test_mails import whole

Guess = Callable[..., Any]
DAY = 24 * 3600
END = {"do": "end"}
pytestmark = pytest.mark.usefixtures("clock")


def ask(address: str = "198.51.100.7") -> list[Any]:
    Client(REMOTE_ADDR=address).post("/account/ask/", {"name": "alice"})
    return send()


@pytest.fixture
def fresh(alice: Any) -> str:
    """The path of the link in a mail that a stranger asked for."""
    (message,) = ask()
    return fresh_in(message)


@pytest.mark.parametrize("kind", MailNotifier.kinds)
def test_each_mail_has_the_link_in_its_text_and_in_its_html(
    kind: str, alice: Any, guess: Guess, clock: FrozenDateTimeFactory
) -> None:
    if kind == Kind.LOCKED:
        guess(times=4)
    elif kind == Kind.NEW_DEVICE:
        new_device.send(type(alice), user=alice, request=request_from())
    elif kind == Kind.FRESH:
        due.help_is_asked_for_again(alice, Source())
    elif kind == Kind.ENTERED:
        due.account_was_entered(alice, timezone.now(), "DE")
    elif kind == Kind.AFTER_FAILURES:
        for _ in range(5):
            guess(request=request_from("198.51.100.7"))
            clock.tick(3700)
        Client().post("/login/", {"username": "alice", "password": "right"})
    (message,) = ask() if kind == Kind.ASKED else send()
    assert whole(message).count(fresh_in(message)) == 2


def test_no_stranger_keeps_an_owner_from_a_mail(
    clock: FrozenDateTimeFactory, alice: Any, guess: Guess, browser: Client
) -> None:
    """Six askings a day are all that strangers need to use up what may be asked for."""
    path = fresh_in(ask()[0])
    for day in range(1, 29):
        clock.tick(DAY)
        guess(times=4)
        for number in range(8):
            ask(f"198.51.{day}.{number}")
        assert ask("203.0.113.77") == []
        answer = browser.post(path)
        assert (answer.status_code, answer["Location"]) == (303, "/account/code/")
        (message,) = send()
        path = fresh_in(message)
    assert browser.post(link_in(message), {"do": "login"}).status_code == 303
    right = {"username": "alice", "password": "right", "next": "/"}
    assert browser.post("/login/", right).status_code == 302


def test_the_code_of_a_fresh_mail_is_for_the_window_that_asked(
    fresh: str, browser: Client, guess: Guess
) -> None:
    guess(times=4)
    browser.post(fresh)
    message = next(one for one in send() if "way in" in one.subject)
    code = {"code": code_in(message), **END}
    assert b"wrong, or over" in Client().post("/account/code/", code).content
    assert b"The lock has ended" in browser.post("/account/code/", code).content
    assert not lockout.is_account_locked("alice")


def test_programs_that_open_links_ask_for_nothing(fresh: str, browser: Client) -> None:
    for _ in range(3):
        assert b"Send the mail" in browser.get(fresh).content
        assert browser.head(fresh).status_code == 200
    assert browser.options(fresh).status_code == 405
    assert Client(enforce_csrf_checks=True).post(fresh).status_code == 403
    assert send() == []


def test_the_page_is_in_no_cache_and_in_no_other_sites_log(fresh: str, browser: Client) -> None:
    answer = browser.get(fresh)
    assert answer["Referrer-Policy"] == "same-origin"
    assert "no-store" in answer["Cache-Control"]
    assert b"<script" not in answer.content
    assert b"style=" not in answer.content


def test_the_link_lasts_a_month(fresh: str, browser: Client, clock: FrozenDateTimeFactory) -> None:
    clock.tick(links.FRESH_LASTS)
    assert browser.get(fresh).status_code == 200
    clock.tick(1)
    assert browser.get(fresh).status_code == 410
    assert browser.post(fresh).status_code == 410
    assert send() == []


def test_the_link_outlives_the_row_of_its_mail(fresh: str, browser: Client) -> None:
    Outbox.objects.all().delete()
    browser.post(fresh)
    assert len(send()) == 1


def test_the_link_is_void_after_a_change_of_the_password(
    fresh: str, browser: Client, alice: Any
) -> None:
    alice.set_password("new")
    alice.save()
    assert b"older than a month" in browser.get(fresh).content
    assert browser.post(fresh).status_code == 410
    assert send() == []


@pytest.mark.parametrize("change", [{"email": "mallory@example.com"}, {"is_active": False}])
def test_the_link_is_void_for_an_account_that_has_changed(
    change: dict[str, Any], fresh: str, browser: Client, alice: Any
) -> None:
    get_user_model().objects.filter(pk=alice.pk).update(**change)
    assert browser.post(fresh).status_code == 410


def test_the_link_is_void_when_the_account_is_gone(fresh: str, browser: Client, alice: Any) -> None:
    alice.delete()
    assert browser.post(fresh).status_code == 410


def test_the_link_outlives_a_rotation_of_the_secret(
    fresh: str, browser: Client, settings: Any
) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [settings.SECRET_KEY]
    assert browser.post(fresh).status_code == 303
    settings.SECRET_KEY_FALLBACKS = []
    assert browser.post(fresh).status_code == 410


def test_a_link_for_something_else_sends_nothing(
    fresh: str, browser: Client, alice: Any, guess: Guess
) -> None:
    bob = get_user_model().objects.create_user("bob", "bob@example.com", "right")
    content = [str(bob.pk), links._states_of(alice)[0]]
    for token in (
        "x",
        "a" * 3000,
        "%00",
        signing.dumps(content),
        signing.dumps(content, salt="lockout_admin.link"),
        signing.dumps(content, salt="lockout_admin.fresh"),
        signing.dumps("text", salt="lockout_admin.fresh"),
        signing.dumps(Outbox.objects.get().nonce, salt="lockout_admin.link"),
        fresh.split("/")[-2][:-1],
    ):
        assert browser.post(f"/account/fresh/{token}/").status_code in {404, 410}
    assert browser.post(f"/account/link/{fresh.split('/')[-2]}/", END).status_code == 410
    assert send() == []


def test_an_account_gets_six_a_day(
    fresh: str, browser: Client, clock: FrozenDateTimeFactory, settings: Any
) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "CONTACT": "+49 30 123"}
    assert [browser.post(fresh).status_code for _ in range(6)] == [303] * 6
    answer = browser.post(fresh)
    assert answer.status_code == 200
    assert b"You have asked for several mails today" in answer.content
    assert b"+49 30 123" in answer.content
    assert len(send()) == 6
    clock.tick(DAY + 1)
    browser.post(fresh)
    assert len(send()) == 1


def test_of_many_asked_for_at_once_six_go_out_wherever_they_come_from(
    fresh: str, alice: Any
) -> None:
    authenticate(request_from("203.0.113.5"), username="alice", password="right")
    for address in ("203.0.113.5", "198.51.100.7"):
        for _ in range(4):
            due.help_is_asked_for_again(alice, Source(ip_address=address))
    assert len(send()) == 6
    assert Outbox.objects.filter(kind=Kind.FRESH, why=Outbox.Why.LIMIT).count() == 2


def test_what_was_not_sent_is_not_counted(fresh: str, browser: Client, alice: Any) -> None:
    for _ in range(8):
        due.help_is_asked_for_again(alice, Source())
    Outbox.objects.update(state=Outbox.State.DROPPED)
    assert browser.post(fresh).status_code == 303


def test_it_comes_before_what_strangers_asked_for(
    fresh: str, browser: Client, alice: Any, guess: Guess
) -> None:
    guess(times=4)
    Client().post("/account/ask/", {"name": "alice"})
    browser.post(fresh)
    nonces = {kind: Outbox.objects.filter(kind=kind).latest("pk").nonce for kind in Kind.values[:2]}
    first, second, third = send()
    assert code_in(first) == links.code_of(nonces[Kind.FRESH])
    assert code_in(second) == links.code_of(nonces[Kind.ASKED])
    assert "trying to get into" in third.subject


def test_who_opens_an_old_link_is_led_to_another_mail(
    alice: Any, browser: Client, clock: FrozenDateTimeFactory
) -> None:
    path = link_in(ask()[0])
    clock.tick(links.LASTS + 1)
    for number in range(8):
        ask(f"198.51.100.{number}")
    answer = browser.get(path)
    assert answer.status_code == 410
    again = answer.content.decode().split('href="/account/fresh/')[1].split('"')[0]
    browser.post(f"/account/fresh/{again}")
    assert len(send()) == 1


def test_who_has_used_a_link_is_led_to_another_mail(
    alice: Any, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = link_in(ask()[0])
    monkeypatch.setattr(links.Opening, "spend", lambda opening: False)
    for button in (END, {"do": "login"}):
        assert b'href="/account/fresh/' in browser.post(path, button).content


def test_an_old_link_of_an_account_that_has_changed_leads_to_the_page_for_everybody(
    alice: Any, browser: Client
) -> None:
    path = link_in(ask()[0])
    alice.set_password("new")
    alice.save()
    content = browser.get(path).content
    assert b'href="/account/ask/"' in content
    assert b"/account/fresh/" not in content
