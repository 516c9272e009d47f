"""An owner who is locked out gets in by mail: with its link, or with its code."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from .site import LOGIN, DemoSite
from .test_pages import SCHEMES
from .visitor import Visit, log_in, log_in_until_refused

PASSWORD = "demo-account"
OFFER = "Get in by e-mail"
LANGUAGES = ["en", "de", "es", "fa", "fr"]


def newest_mail(page: Page, to: str, subject: str) -> Any:
    """Return the newest mail to somebody; it comes some seconds after what it tells of."""
    letter = page.locator("article", has_text=f"{to}@").filter(has_text=subject).first
    for _ in range(30):
        page.goto("/mail/")
        if letter.is_visible():
            return letter
        page.wait_for_timeout(500)
    raise AssertionError(page.content())


def ask(page: Page, name: str) -> None:
    page.get_by_role("link", name=OFFER).click()
    page.get_by_label("Your name").fill(name)
    page.get_by_role("button", name="Send the mail").click()
    page.get_by_role("heading", name="Look into your mail").wait_for()


def test_a_locked_owner_gets_in_with_the_link_of_a_mail(visit: Visit) -> None:
    page = visit(LOGIN)
    assert log_in_until_refused(page, "grace")
    assert page.get_by_role("link", name=OFFER).is_visible()
    mails = visit("/mail/")
    letter = newest_mail(mails, "grace", "Somebody is trying to get into your account")
    letter.get_by_role("link").first.click()
    mails.get_by_role("button", name="End the lock").wait_for()
    assert Axe().run(mails).response["violations"] == []
    mails.get_by_role("button", name="End the lock").click()
    mails.get_by_role("heading", name="The lock has ended").wait_for()
    mails.get_by_role("link", name="Back to the login page").click()
    assert log_in(mails, "grace", PASSWORD) == 302
    assert mails.get_by_text("Hello, grace.").is_visible()


def test_a_browser_is_let_in_while_strangers_stay_locked(visit: Visit) -> None:
    page = visit(LOGIN)
    assert log_in_until_refused(page, "ivan")
    letter = newest_mail(page, "ivan", "Somebody is trying to get into your account")
    letter.get_by_role("link").first.click()
    page.get_by_role("button", name="Log in here").click()
    page.get_by_label("Username").wait_for()
    assert log_in(page, "ivan", PASSWORD) == 302
    assert page.get_by_text("Hello, ivan.").is_visible()
    assert log_in(visit(LOGIN), "ivan", PASSWORD) == 429


def test_the_code_of_a_mail_is_taken_in_the_first_window(visit: Visit) -> None:
    page = visit(LOGIN)
    assert log_in_until_refused(page, "heidi")
    ask(page, "heidi")
    letter = newest_mail(visit("/mail/"), "heidi", "Your way in")
    found = re.search(r"^\s*(\d{6})\s*$", letter.inner_text(), re.MULTILINE)
    assert found
    page.get_by_label("The six digits").fill("12345")
    page.get_by_role("button", name="End the lock").click()
    page.get_by_role("alert").wait_for()
    assert Axe().run(page).response["violations"] == []
    page.get_by_label("The six digits").fill(found[1])
    page.get_by_role("button", name="End the lock").click()
    page.get_by_role("heading", name="The lock has ended").wait_for()
    page.get_by_role("link", name="Back to the login page").click()
    assert log_in(page, "heidi", PASSWORD) == 302


def test_a_mail_has_another_one_sent(visit: Visit) -> None:
    page = visit(LOGIN)
    assert log_in_until_refused(page, "judy")
    letter = newest_mail(page, "judy", "Somebody is trying to get into your account")
    letter.get_by_role("link").nth(1).click()
    page.get_by_role("heading", name="A fresh mail").wait_for()
    assert Axe().run(page).response["violations"] == []
    page.get_by_role("button", name="Send the mail").click()
    page.get_by_role("heading", name="Look into your mail").wait_for()
    assert newest_mail(visit("/mail/"), "judy", "Your way in").is_visible()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_of_owners_are_for_everybody(
    visit: Visit, site: DemoSite, language: str, scheme: str
) -> None:
    profile = {
        "locale": language,
        "color_scheme": scheme,
        "viewport": {"width": 400, "height": 700},
    }
    page = visit("/account/ask/", **profile)
    for path in ("/account/ask/", "/account/code/", "/account/link/none/", "/account/fresh/none/"):
        page.goto(path)
        assert page.locator("html").get_attribute("lang") == language
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 400
        assert Axe().run(page).response["violations"] == []
