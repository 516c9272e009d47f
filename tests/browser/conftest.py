"""A real browser on the real site. A missing part skips the tests; in CI it fails them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.services.servers import missing

from .site import DemoSite, demo_site
from .visitor import Visit, Visitor

_SWITCHES = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoSite]:
    with demo_site(tmp_path_factory.mktemp("site"), "browser") as site:
        yield site


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        missing("chromium", "apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_SWITCHES)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def sessions() -> dict[str, Any]:
    """Who is signed in where: a login hashes a password, which takes its time."""
    return {}


@pytest.fixture
def visitor(chromium: Browser, site: DemoSite, sessions: dict[str, Any]) -> Iterator[Visitor]:
    """A visitor; no page may break the site's security policy or have a script that fails."""
    visitor = Visitor(chromium, site, sessions)
    yield visitor
    assert visitor.leave() == []


@pytest.fixture
def visit(visitor: Visitor) -> Visit:
    return visitor.visit
