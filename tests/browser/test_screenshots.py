"""The README's pictures. With UPDATE_SCREENSHOTS=1 in the environment they are made anew."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from .site import FAILURES, LOCKS, LOGIN, ROOT, SEARCH, DemoSite, demo_site
from .visitor import Visitor, log_in_until_refused

FOLDER = ROOT / "demo" / "screenshots"
MOST_BYTES = 200_000


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoSite]:
    """A site that no other test has touched, in the middle of an attack."""
    with demo_site(tmp_path_factory.mktemp("gallery"), "gallery") as site:
        site.manage("attack", "distributed", "--url", site.url)
        yield site


@pytest.fixture
def visitor(chromium: Browser, site: DemoSite) -> Iterator[Visitor]:
    visitor = Visitor(chromium, site)
    yield visitor
    assert visitor.leave() == []


def test_failures_of_a_network(visitor: Visitor, tmp_path: Path) -> None:
    page = visitor.visit(FAILURES, "analyst")
    page.get_by_label("Address or network").fill("203.0.113.0/24")
    page.get_by_label("Time").select_option(label="Any time")
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url("**net=203.0.113.0**")
    take(page, "failures", tmp_path)


def test_active_locks(visitor: Visitor, tmp_path: Path) -> None:
    page = visitor.visit(LOCKS, "support")
    expect(page.locator(".lockout-unlock").first).to_be_visible()
    take(page, "locks", tmp_path)


def test_the_confirmation_of_an_unlock(visitor: Visitor, tmp_path: Path) -> None:
    page = visitor.visit(LOCKS, "support")
    page.get_by_label("Select all objects on this page for an action").check()
    page.locator("select[name=action]").select_option(label="Unlock the selected locks")
    page.locator(".actions button").click()
    page.get_by_label("Reason").fill("Ticket 4711: called back on the number we know")
    take(page, "unlock", tmp_path)


def test_the_first_look(visitor: Visitor, tmp_path: Path) -> None:
    page = visitor.visit("/admin/lockout_admin/", "admin")
    expect(page.locator(".lockout-panel")).to_be_visible()
    take(page, "overview", tmp_path)


def test_an_incident(visitor: Visitor, tmp_path: Path) -> None:
    page = visitor.visit("/admin/lockout_admin/", "admin")
    page.get_by_role("link", name="Open incident", exact=True).click()
    expect(page.locator(".lockout-chart")).to_be_visible()
    take(page, "incident", tmp_path)


def test_the_page_of_a_name(visitor: Visitor, tmp_path: Path) -> None:
    page = visitor.visit(f"{SEARCH}?q=alice", "support")
    expect(page.locator(".lockout-standing")).to_be_visible()
    take(page, "name", tmp_path)


def test_a_refused_login(visitor: Visitor, tmp_path: Path) -> None:
    page = visitor.visit(LOGIN)
    assert log_in_until_refused(page, "wendy")
    take(page, "refused", tmp_path)


def take(page: Any, name: str, scratch: Path) -> None:
    """Take a picture of what is in the window, of a size for a README."""
    page.mouse.move(0, 0)
    folder = FOLDER if os.environ.get("UPDATE_SCREENSHOTS") == "1" else scratch
    folder.mkdir(exist_ok=True)
    picture = folder / f"{name}.png"
    page.screenshot(path=picture, animations="disabled", caret="hide")
    assert picture.stat().st_size < MOST_BYTES
