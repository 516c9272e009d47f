"""Support answers a caller: from the admin's first page to "unlocked, with a reason"."""

from __future__ import annotations

import time
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from .site import FAILURES, SEARCH, DemoSite
from .test_pages import SCHEMES, serious_faults
from .visitor import Visit, log_in

#: Milliseconds between two keys: five in a second.
PACE_MS = 200
MOST_SECS = 10
REASON = "Ticket 4711, called back"

_COUNT_CLICKS = """
sessionStorage.clicks ??= 0;
addEventListener("click", (event) => {
  // Enter in a form clicks its button: that was no click of a mouse.
  if (event.detail) sessionStorage.clicks = Number(sessionStorage.clicks) + 1;
}, true);
"""


class Support:
    """Somebody at the keyboard, whose clicks and time are counted."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.context.add_init_script(_COUNT_CLICKS)
        page.goto("/admin/")
        page.evaluate("sessionStorage.clicks = 0")
        self.began = time.monotonic()

    def type(self, text: str) -> None:
        self.page.keyboard.type(text, delay=PACE_MS)

    def enter(self) -> None:
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    @property
    def clicks(self) -> int:
        return int(self.page.evaluate("sessionStorage.clicks"))

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began


@pytest.fixture
def locked(visit: Visit) -> Any:
    """Lock a name out, as a stranger does: it is in no list that support looks at."""

    def locked(username: str) -> None:
        page = visit("/login/")
        assert [log_in(page, username, "a wrong guess") for _ in range(5)][-1] == 429

    return locked


@pytest.mark.parametrize(("username", "typed"), [("peggy", "peggy"), ("erin", "erin@example.com")])
def test_support_unlocks_a_caller_in_ten_seconds(
    visit: Visit, locked: Any, username: str, typed: str
) -> None:
    locked(username)
    support = Support(visit("/admin/", "support"))
    support.type(typed)
    support.enter()
    expect(support.page.locator(".lockout-standing")).to_contain_text("Locked by the rule account")
    # No key and no click leads to the field of the reason.
    support.type(REASON)
    support.enter()
    expect(support.page.locator(".messagelist .success")).to_contain_text("is unlocked.")
    assert support.seconds <= MOST_SECS
    assert support.clicks == 0
    expect(support.page.locator(".lockout-standing")).to_contain_text("Nothing keeps")
    expect(support.page.get_by_text(REASON)).to_be_visible()


@pytest.mark.parametrize(("username", "typed"), [("frank", "ran"), ("quentin", "quent")])
def test_a_part_of_a_name_leads_there_by_one_click(
    visit: Visit, locked: Any, username: str, typed: str
) -> None:
    locked(username)
    support = Support(visit("/admin/", "support"))
    support.type(typed)
    support.enter()
    first = support.page.locator(".lockout-found a").first
    expect(first).to_have_text(username)
    first.click()
    expect(support.page.locator(".lockout-standing")).to_contain_text("Locked by the rule")
    support.type("Ticket 4711")
    support.enter()
    expect(support.page.locator(".messagelist .success")).to_contain_text("is unlocked.")
    assert support.clicks == 1
    assert support.seconds <= MOST_SECS


def test_a_name_that_is_not_locked_gets_an_answer(visit: Visit) -> None:
    support = Support(visit("/admin/", "support"))
    support.type("heidi")
    support.enter()
    says = support.page.locator(".lockout-says")
    expect(says).to_contain_text("with the right password you can log in")
    expect(says).to_contain_text("The last login was")
    assert support.seconds <= MOST_SECS


def test_an_address_in_a_list_leads_to_its_page(visit: Visit) -> None:
    page = visit(f"{FAILURES}?time=all", "admin")
    page.locator("#result_list .field-source a").first.click()
    expect(page.locator(".lockout-standing")).to_be_visible()
    page.locator(".lockout-leads").get_by_role("link", name="Block").click()
    expect(page.locator("#id_cidr")).not_to_have_value("")


PAGES = {
    "search": f"{SEARCH}?q=ar",
    "search-nothing": f"{SEARCH}?q=zzzzzz",
    "name": f"{SEARCH}?q=alice",
    "name-locked": f"{SEARCH}?q=ursula",
    "name-of-nobody": f"{SEARCH}?q=root",
    "network": f"{SEARCH}?q=203.0.113.0/24",
    "address": f"{SEARCH}?q=192.0.2.10",
}


@pytest.fixture(scope="session")
def ursula(site: DemoSite) -> None:
    site.lock("ursula", seconds=86_400)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_keeps_the_policy_can_be_used_by_everybody_and_fits_a_telephone(
    visit: Visit, ursula: None, name: str, scheme: str
) -> None:
    page = visit(PAGES[name], "admin", color_scheme=scheme)
    assert page.locator("#content-main").is_visible()
    page.set_viewport_size({"width": 400, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    page.set_viewport_size({"width": 1280, "height": 800})
    for numbers in page.locator("summary").all():
        numbers.click()
    assert serious_faults(page) == []
