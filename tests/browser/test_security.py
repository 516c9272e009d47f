"""Security sees each of the demo's attacks: one incident, counted right, its evidence close by."""

from __future__ import annotations

import json
import time
import zipfile
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from demo.ledger import KINDS
from lockout_admin.models import Incident

from .site import INCIDENTS, DemoSite, demo_site
from .visitor import Visitor

MOST_CLICKS = 4
MOST_SECS = 60
#: What fails where nobody comes in is judged after a quarter of a minute, in the next turn.
SETTLED_SECS = 40

#: One after the other on the same site: how many tries, and on whom.
ATTACKS = {
    "stuffing": ("--attempts", "100"),
    "spray": ("--attempts", "200"),
    "distributed": ("--attempts", "200", "--username", "o.svensson"),
    "dictionary": ("--attempts", "200", "--username", "fatima.ali"),
    "brute": ("--attempts", "200", "--username", "director"),
    "malice": ("--attempts", "200"),
}


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoSite]:
    """A demo with its ninety days, for this module alone."""
    directory = tmp_path_factory.mktemp("watched")
    with demo_site(directory, "watched", DJANGO_SETTINGS_MODULE="tests.browser.quick") as site:
        yield site


@pytest.fixture(scope="module")
def seen(
    chromium: Browser, watched: DemoSite, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, dict[str, Any]]]:
    """Let the attacks run, look at each; return what their programs know, and what it took."""
    visitor = Visitor(chromium, watched)
    seen = {}
    for kind, bounds in ATTACKS.items():
        path = tmp_path_factory.mktemp(kind) / "knows.json"
        always = ("--rate", "100", "--url", watched.url, "--knows", str(path))
        watched.manage("attack", kind, *bounds, *always)
        seen[kind] = json.loads(path.read_text())
        seen[kind].update(_look(visitor, seen[kind]))
    yield seen
    assert visitor.leave() == []


@pytest.fixture
def analyst(
    chromium: Browser, watched: DemoSite, seen: dict[str, dict[str, Any]]
) -> Iterator[Visitor]:
    """Somebody who comes when all of it is over."""
    visitor = Visitor(chromium, watched)
    yield visitor
    assert visitor.leave() == []


def test_every_attack_of_the_demo_is_tried() -> None:
    assert set(ATTACKS) == set(KINDS)


@pytest.mark.parametrize("kind", ATTACKS)
def test_an_attack_is_on_the_first_page_within_a_minute_and_its_evidence_four_clicks_away(
    seen: dict[str, dict[str, Any]], kind: str
) -> None:
    one = seen[kind]
    assert one["headline"].startswith("Under attack")
    ((found,),) = (one["files"]["incident.json"],)
    passed = datetime.fromisoformat(found["found_at"]) - datetime.fromisoformat(one["ended"])
    assert passed.total_seconds() <= MOST_SECS
    assert one["files"]["failures-of-names.jsonl"]
    assert one["clicks"] <= MOST_CLICKS


@pytest.mark.parametrize("kind", ATTACKS)
def test_an_incident_says_what_its_attacker_knows(
    analyst: Visitor, seen: dict[str, dict[str, Any]], kind: str
) -> None:
    knows = seen[kind]
    page = analyst.visit(knows["page"], "analyst")
    counted = [len(knows["names"]), len(knows["networks"]), knows["evaluated"], knows["refused"]]
    until = time.monotonic() + SETTLED_SECS
    while _figures(page) != counted and time.monotonic() < until:
        page.wait_for_timeout(1000)
        page.reload()
    assert _figures(page) == counted
    entered = page.locator(".lockout-inside li a").all_inner_texts()
    assert sorted(entered) == sorted(knows["entered"])
    files = _bundle(page)
    assert {row["username"] for row in files["names.jsonl"]} == set(knows["names"])
    assert {row["network"] for row in files["networks.jsonl"]} == set(knows["networks"])
    assert {row["username"] for row in files["logins.jsonl"]} >= set(knows["entered"])


def test_there_is_one_incident_for_each(analyst: Visitor, seen: dict[str, dict[str, Any]]) -> None:
    pages = [one["page"] for one in seen.values()]
    assert len(set(pages)) == len(ATTACKS)
    page = analyst.visit(INCIDENTS, "analyst")
    page.get_by_role("row").filter(has_text="goes on").first.wait_for()
    newest = [link.get_attribute("href") for link in page.locator(".field-what a").all()]
    assert {page.rpartition("/admin/")[2] for page in pages} == {
        (href or "").rpartition("/admin/")[2] for href in newest[: len(ATTACKS)]
    }


def _look(visitor: Visitor, knows: dict[str, Any]) -> dict[str, Any]:
    """Go from the first page to the evidence of the incident that began last."""
    page = visitor.visit("/admin/", "analyst")
    headline = page.locator(".lockout-headline").inner_text()
    page.get_by_role("link", name="Incidents", exact=True).click()
    newest = page.locator("#result_list .field-what").first
    label = str(Incident.Kind(knows["kind"]).label)
    until = time.monotonic() + MOST_SECS
    while label not in newest.inner_text() and time.monotonic() < until:
        page.wait_for_timeout(1000)
        page.reload()
    newest.get_by_role("link").click()
    return {"headline": headline, "page": page.url, "files": _bundle(page), "clicks": 3}


def _figures(page: Page) -> list[int]:
    """Return names, networks, guesses evaluated, guesses refused."""
    return [int(text) for text in page.locator(".lockout-panel .lockout-figure").all_inner_texts()]


def _bundle(page: Page) -> dict[str, Any]:
    """Export the evidence; return the rows of each file."""
    with page.expect_download() as download:
        page.get_by_role("button", name="Export the evidence").click()
    with zipfile.ZipFile(download.value.path()) as bundle:
        texts = {name: bundle.read(name).decode() for name in bundle.namelist()}
    return {name: [json.loads(line) for line in text.splitlines()] for name, text in texts.items()}
