"""The demo's mails are read in the browser, and their links are clicked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.test import Client

from demo import postbox
from lockout_admin import lockout
from lockout_admin.notifications import sender

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site")]


@pytest.fixture(autouse=True)
def _post(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    settings.DEBUG = True
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "BASE_URL": "http://127.0.0.1:8000"}
    backend = "demo.postbox.EmailBackend"
    is_new = hasattr(mail, "mailers")
    mailers = ("MAILERS", {"default": {"BACKEND": backend}})
    setattr(settings, *(mailers if is_new else ("EMAIL_BACKEND", backend)))


def test_the_link_of_a_mail_can_be_clicked(client: Client, alice: Any) -> None:
    for _ in range(4):
        client.post("/login/", {"username": "alice", "password": "wrong"})
    sender.send_due()
    page = client.get("/mail/").content.decode()
    assert "Somebody is trying to get into your account" in page
    found = re.search(r'<a href="http://127\.0\.0\.1:8000(/account/link/[^"]+)"', page)
    assert found
    client.post(found[1], {"do": "end"})
    assert not lockout.is_account_locked("alice")


def test_what_is_in_a_mail_is_text(client: Client) -> None:
    mailed = EmailMessage("<b>", "<script>alert(1)</script>", to=["<a@example.com>"])
    postbox.EmailBackend().send_messages([mailed])
    page = client.get("/mail/").content.decode()
    assert "<script>" not in page
    assert "<b>" not in page


def test_an_empty_postbox_says_so(client: Client) -> None:
    assert b"None yet." in client.get("/mail/").content
    assert b"/mail/" in client.get("/").content


def test_a_mail_of_html_alone_has_no_text(client: Client) -> None:
    message = EmailMessage("Hello", "<p>x</p>", to=["a@example.com"])
    message.content_subtype = "html"
    postbox.EmailBackend().send_messages([message])
    assert [letter.text for letter in postbox.letters()] == [""]


def test_in_production_nobody_reads_mails(client: Client, settings: Any) -> None:
    settings.DEBUG = False
    assert client.get("/mail/").status_code == 404
    assert b"/mail/" not in client.get("/").content
