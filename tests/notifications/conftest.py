"""A site that sends mails: its owners read them, and open what is in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core import mail
from django.test import Client, override_settings

from lockout_admin.notifications import sender

SITE = "https://shop.example"
LINK = re.compile(rf"{SITE}(/account/link/\S+)")
FRESH = re.compile(rf"{SITE}(/account/fresh/\S+)")
CODE = re.compile(r"^(\d{6})$", re.MULTILINE)


@pytest.fixture(autouse=True)
def _site_with_mail() -> Iterator[None]:
    own = {"CACHE": "default", "BASE_URL": SITE, "TRUSTED_PROXIES": 0}
    with override_settings(LOCKOUT_ADMIN=own, ROOT_URLCONF="tests.notifications.urls"):
        yield


@pytest.fixture
def browser() -> Client:
    """The browser of somebody new, who checks forms as browsers do."""
    return Client(HTTP_USER_AGENT="Mozilla/5.0 (Windows NT 10.0) Chrome/120.0 Safari/537.36")


def send() -> list[Any]:
    """Send what is due; return the mails."""
    before = len(mail.outbox)
    sender.send_due()
    return mail.outbox[before:]


def link_in(message: Any) -> str:
    """Return the path of the link in a mail."""
    found = LINK.search(message.body)
    assert found
    return found[1]


def fresh_in(message: Any) -> str:
    """Return the path of the link that has another mail sent."""
    found = FRESH.search(message.body)
    assert found
    return found[1]


def code_in(message: Any) -> str:
    """Return the code in a mail."""
    found = CODE.search(message.body)
    assert found
    return found[1]


@pytest.fixture
def mailed_link(alice: Any, guess: Callable[..., Any]) -> str:
    """The path of the link in the mail that Alice gets when strangers have locked her name."""
    guess(times=4)
    (message,) = send()
    return link_in(message)
