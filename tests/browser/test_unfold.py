"""The console under the theme django-unfold, which does not work with a strict policy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import find_spec

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.services.servers import missing

from .site import (
    FAILURES,
    HISTORY,
    INCIDENTS,
    LOCKS,
    NETWORKS,
    SEARCH,
    TAUGHT,
    DemoSite,
    demo_site,
)
from .visitor import Visitor


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoSite]:
    if find_spec("unfold") is None:
        missing("django-unfold", "pip install -e '.[browser]' with Python 3.12 or newer")
    with demo_site(tmp_path_factory.mktemp("unfold"), "unfold", DEMO_UNFOLD="1") as site:
        site.lock("rosa", "trent", "victoria")
        yield site


@pytest.fixture(scope="module")
def sessions() -> dict[str, object]:
    return {}


@pytest.fixture
def visitor(chromium: Browser, site: DemoSite, sessions: dict[str, object]) -> Iterator[Visitor]:
    visitor = Visitor(chromium, site, sessions)
    yield visitor
    visitor.leave()


@pytest.mark.parametrize(
    "path",
    [
        "/admin/",
        "/admin/lockout_admin/",
        INCIDENTS,
        f"{INCIDENTS}1/change/",
        f"{INCIDENTS}thresholds/",
        TAUGHT,
        FAILURES,
        LOCKS,
        HISTORY,
        f"{HISTORY}policy/",
        f"{HISTORY}policy/try/",
        f"{LOCKS}add/",
        f"{FAILURES}export/",
        NETWORKS,
        f"{NETWORKS}add/",
        f"{NETWORKS}import/",
        f"{SEARCH}?q=a&list",
        f"{SEARCH}?q=alice",
        f"{SEARCH}?q=203.0.113.0/24",
    ],
)
def test_a_page_loads_in_the_theme(visitor: Visitor, path: str) -> None:
    page = visitor.visit(path, "admin")
    answer = page.reload()
    assert answer
    assert answer.status == 200
    assert page.locator("link[href*='unfold/css']").count()


@pytest.mark.parametrize("path", [f"{FAILURES}?time=all", LOCKS, f"{HISTORY}?time=all", INCIDENTS])
def test_a_list_shows_its_rows(visitor: Visitor, path: str) -> None:
    page = visitor.visit(path, "admin")
    expect(page.locator("#result_list tbody tr").first).to_be_visible()


def test_the_filters_can_be_seen_and_used(visitor: Visitor) -> None:
    page = visitor.visit(f"{FAILURES}?time=all", "analyst")
    network = open_filters(page).get_by_label("Address or network")
    expect(network).to_be_visible()
    assert network.evaluate("element => parseFloat(getComputedStyle(element).borderTopWidth)") >= 1
    network.fill("203.0.113.0/24")
    page.locator(".lockout-filters").get_by_role("button", name="Apply").click()
    page.wait_for_url("**net=203.0.113.0**")
    shown = page.locator("#result_list .field-source .lockout-network").count()
    assert shown
    assert (
        page.locator(
            "#result_list .field-source", has_text=re.compile(r"^\s*203\.0\.113\.")
        ).count()
        == shown
    )


def test_a_lock_is_ended(visitor: Visitor) -> None:
    page = visitor.visit(f"{LOCKS}?username=rosa", "support")
    page.get_by_role("link", name="Unlock rosa").click()
    reason = page.get_by_label("Reason")
    expect(reason).to_be_visible()
    assert reason.evaluate("element => parseFloat(getComputedStyle(element).borderTopWidth)") >= 1
    reason.fill("called back")
    page.get_by_label("I have read why 1 lock was put on by hand.").check()
    page.locator(".lockout-confirm").get_by_role("button", name="Unlock").click()
    expect(page.get_by_text("“rosa” is unlocked.")).to_be_visible()
    expect(page.get_by_role("link", name="Unlock rosa")).to_have_count(0)


def test_a_name_is_found_and_unlocked_from_the_first_page(visitor: Visitor) -> None:
    page = visitor.visit("/admin/", "support")
    page.keyboard.type("victoria")
    page.keyboard.press("Enter")
    expect(page.locator(".lockout-standing")).to_contain_text("Locked by hand")
    expect(page.locator(".lockout-in-place").get_by_label("Reason")).to_be_focused()
    page.keyboard.type("called back")
    page.get_by_label("I have read why 1 lock was put on by hand.").check()
    page.locator(".lockout-in-place").get_by_role("button", name="Unlock").click()
    expect(page.get_by_text("“victoria” is unlocked.")).to_be_visible()


def test_selected_locks_are_ended(visitor: Visitor) -> None:
    page = visitor.visit(f"{LOCKS}?username=trent", "support")
    page.locator("#result_list .action-select").first.check()
    page.locator("select[name=action]").select_option(label="Unlock the selected locks")
    page.locator("button[name=index]").first.click()
    page.get_by_label("Reason").fill("called back")
    page.get_by_label("I have read why 1 lock was put on by hand.").check()
    page.locator(".lockout-confirm").get_by_role("button", name="Unlock").click()
    expect(page.get_by_text("“trent” is unlocked.")).to_be_visible()


def test_the_form_that_locks_can_be_seen_and_used(visitor: Visitor) -> None:
    page = visitor.visit(f"{LOCKS}add/", "admin")
    for name, text in (("Username", "victor"), ("Seconds", ""), ("Reason", "reported phished")):
        field = page.get_by_label(name)
        assert field.evaluate("element => parseFloat(getComputedStyle(element).borderTopWidth)") > 0
        field.fill(text)
    page.get_by_role("button", name="Lock", exact=True).click()
    expect(page.get_by_text("“victor” is locked until")).to_be_visible()


def test_a_network_is_blocked(visitor: Visitor) -> None:
    page = visitor.visit(f"{NETWORKS}add/?action=block&cidr=198.51.100.0/24", "admin")
    page.get_by_label("Reason").fill("scanner")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("198.51.100.0/24 is blocked until")).to_be_visible()


def open_filters(page: Page) -> Locator:
    """Open the panel of filters, which the theme hides."""
    filters = page.locator(".lockout-filters")
    if not filters.is_visible():
        page.locator(".filter-open-button").first.click()
    return filters
