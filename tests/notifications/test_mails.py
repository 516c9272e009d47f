"""What a mail says: words of ours, in the owner's language, and nothing that a stranger wrote."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import clear_script_prefix, set_script_prefix
from django.utils import timezone, translation

from lockout_admin.identity.agents import family_of, words_of
from lockout_admin.identity.client import Client as Source
from lockout_admin.models import Outbox
from lockout_admin.notifications import due, entrances, links
from lockout_admin.notifications.mail import MailNotifier
from lockout_admin.notifications.notifiers import Kind, Notice
from lockout_admin.signals import new_device

from ..conftest import request_from
from .conftest import send

Guess = Callable[..., Any]
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/120.0.0.0 Safari/537.36"
PHISHING = "Your account is closed, go to https://mallory.example/ and log in"


def whole(message: Any) -> str:
    (html,) = (content for content, _kind in message.alternatives)
    return f"{message.subject}\n{message.body}\n{html}\n{message.message().items()}"


def locked_with(guess: Guess, agent: str = CHROME, path: str = "/login/") -> Any:
    request = request_from(user_agent=agent)
    request.path = path
    guess(times=4, request=request)
    (message,) = send()
    return message


def test_a_mail_says_when_from_where_and_with_what(clock: Any, alice: Any, guess: Guess) -> None:
    message = locked_with(guess)
    for text in (
        "Hello alice,",
        "4 wrong passwords were entered for your account at shop.example.",
        "When: Jan. 1, 2026, 6 a.m. CST",
        "From the address: 203.0.113.5",
        "With: Chrome on Windows",
        "Where: another page or an interface for programs",
        "https://shop.example/account/link/",
    ):
        assert text in message.body
    assert message.subject == "Somebody is trying to get into your account at shop.example"


def test_nothing_is_quoted_that_a_stranger_wrote(alice: Any, guess: Guess) -> None:
    message = locked_with(guess, agent=f"{PHISHING}\r\nBcc: x", path=f"/{PHISHING}/<b>")
    assert "mallory" not in whole(message)
    assert "<b>" not in whole(message)
    assert "a program, or a browser that is not known" in message.body


@pytest.mark.parametrize("name", [PHISHING, "mallory.example", "two words", "<b>x</b>", "x" * 41])
def test_a_name_that_could_be_a_message_is_not_quoted(name: str, guess: Guess, db: None) -> None:
    """Mallory registers with Alice's address."""
    get_user_model().objects.create_user(name[:150], "alice@example.com", "right")
    guess(name, times=4)
    (message,) = send()
    assert name not in whole(message)
    assert message.body.startswith("Hello,")


def test_a_name_that_is_the_address_is_quoted(guess: Guess, db: None) -> None:
    get_user_model().objects.create_user("alice@example.com", "alice@example.com", "right")
    guess("alice@example.com", times=4)
    (message,) = send()
    assert message.body.startswith("Hello alice@example.com,")


@pytest.mark.parametrize(("own", "twin"), [("alice", "Alice"), ("strauß", "strauss")])
def test_whoever_registers_a_name_that_is_like_it_takes_no_mail_away(
    own: str, twin: str, guess: Guess, db: None
) -> None:
    users = get_user_model().objects
    users.create_user(own, "owner@example.com", "right")
    with suppress(IntegrityError), transaction.atomic():  # MariaDB takes them for one
        users.create_user(twin, "mallory@example.com", "his own")
    guess(own, times=4)
    assert [mail.to for mail in send()] == [["owner@example.com"]]


def test_nobody_answers_a_mail_of_a_program(alice: Any, guess: Guess) -> None:
    message = locked_with(guess)
    assert message.extra_headers["Auto-Submitted"] == "auto-generated"


def test_whom_to_call_is_in_the_mail(alice: Any, guess: Guess, settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "CONTACT": "+49 30 123"}
    assert "If you need help: +49 30 123" in locked_with(guess).body


def test_a_site_without_the_pages_sends_no_link(alice: Any, guess: Guess, settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.urls"
    message = locked_with(guess)
    assert "http" not in message.body
    assert "/account/" not in whole(message)


def test_a_site_below_a_path_has_it_in_its_base_url(
    alice: Any, guess: Guess, settings: Any
) -> None:
    base = "https://shop.example/shop/"
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "BASE_URL": base}
    assert f"{base}account/link/" in locked_with(guess).body
    set_script_prefix("/shop/")
    try:
        row = Outbox.objects.get()
        assert links.address_of(row).startswith(f"{base}account/link/")
    finally:
        clear_script_prefix()


@pytest.mark.parametrize("language", ["en", "de", "es", "fa", "fr"])
@pytest.mark.parametrize("kind", MailNotifier.kinds)
def test_each_mail_is_there_in_each_language(
    kind: str, language: str, alice: Any, guess: Guess, settings: Any
) -> None:
    settings.LANGUAGE_CODE = language
    if kind == Kind.LOCKED:
        guess(times=4)
    elif kind == Kind.ASKED:
        with translation.override(language):
            Client(headers={"accept-language": language}).post("/account/ask/", {"name": "alice"})
    elif kind == Kind.NEW_DEVICE:
        new_device.send(type(alice), user=alice, request=request_from())
    elif kind == Kind.FRESH:
        with translation.override(language):
            due.help_is_asked_for_again(alice, Source())
    elif kind == Kind.ENTERED:
        due.account_was_entered(alice, timezone.now(), "DE")
    (message,) = send() if kind != Kind.AFTER_FAILURES else [after_failures(alice)]
    text = whole(message)
    assert f'lang="{language}"' in text
    assert ('dir="rtl"' in text.partition("<body")[0]) == (language == "fa")
    assert ("Hello" in text) == (language == "en")


def after_failures(user: Any) -> Any:
    notifier = MailNotifier()
    notice = Notice(Outbox(kind=Kind.AFTER_FAILURES, failures=7, agent="Chrome/Windows"), user)
    with translation.override(notifier.language(notice)):
        return notifier.message(notice)


def test_who_asks_is_written_to_in_the_language_of_the_page(alice: Any, settings: Any) -> None:
    settings.MIDDLEWARE = ["django.middleware.locale.LocaleMiddleware", *settings.MIDDLEWARE]
    Client(headers={"accept-language": "de"}).post("/account/ask/", {"name": "alice"})
    (message,) = send()
    assert "shop.example" in message.subject
    assert 'lang="de"' in whole(message)


# -- Words --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (CHROME, "Chrome on Windows"),
        (f"{CHROME} Edg/120.0", "Edge on Windows"),
        (f"{CHROME} OPR/106.0", "Opera on Windows"),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0",
            "Firefox on Linux",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_0) Version/17.0 Safari/605.1.15",
            "Safari on macOS",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) CriOS/120.0 Safari",
            "Chrome on iOS",
        ),
        (
            "Mozilla/5.0 (Linux; Android 14) SamsungBrowser/23 Chrome/115",
            "Samsung Internet on Android",
        ),
        ("Mozilla/5.0 (X11; CrOS x86_64) Chrome/120", "Chrome on ChromeOS"),
        ("curl/8.0 (Windows)", "Windows"),
        ("Firefox/1", "Firefox"),
        ("curl/8.0", "a program, or a browser that is not known"),
        ("", "a program, or a browser that is not known"),
    ],
)
def test_a_user_agent_is_told_in_words(agent: str, words: str) -> None:
    assert words_of(family_of(agent)) == words
    assert len(family_of(agent)) <= 32


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/admin/login/", "the administration"),
        ("/login/", "the login page"),
        ("/api/token", "another page or an interface for programs"),
        ("", "without a page"),
    ],
)
def test_a_path_is_told_in_words(path: str, words: str, settings: Any) -> None:
    settings.LOGIN_URL = "login"
    assert entrances.words_of(entrances.entrance_of(path)) == words


def test_a_site_without_an_admin_and_a_login_page_has_other_pages(settings: Any) -> None:
    settings.ROOT_URLCONF = "lockout_admin.urls"
    settings.LOGIN_URL = "no-such-page"
    assert entrances.entrance_of("/admin/") == "other"
