"""Every page in each language: nothing is cut off, no word of a heading is broken."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from .site import FAILURES, HISTORY, INCIDENTS, LOCKS, SEARCH, TAUGHT
from .visitor import Visit

PAGES = {
    "index": "/admin/",
    "overview": "/admin/lockout_admin/",
    "incidents": INCIDENTS,
    "incident": f"{INCIDENTS}{{incident}}/change/",
    "incident-block": f"{INCIDENTS}{{incident}}/block/",
    "thresholds": f"{INCIDENTS}thresholds/",
    "taught": TAUGHT,
    "locks": LOCKS,
    "history": f"{HISTORY}?time=90d",
    "failures": f"{FAILURES}?time=90d&net=203.0.113.0/24",
    "export": f"{FAILURES}export/?time=all",
    "search": f"{SEARCH}?q=ar",
    "name": f"{SEARCH}?q=alice",
    "network": f"{SEARCH}?q=203.0.113.0/24",
}
#: Words of headings that are broken, or reach out of their column.
_BROKEN = """() => {
  const broken = [];
  const walker = document.createTreeWalker(
    document.querySelector("#result_list thead") ?? document.createElement("i"),
    NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    for (const found of node.textContent.matchAll(/\\S+/g)) {
      const range = document.createRange();
      range.setStart(node, found.index);
      range.setEnd(node, found.index + found[0].length);
      const [cell, word] = [node.parentElement.closest("th"), range.getBoundingClientRect()];
      const edges = cell.getBoundingClientRect();
      const isOut = word.left < edges.left - 1 || word.right > edges.right + 1;
      if (word.width && (range.getClientRects().length > 1 || isOut)) {
        broken.push(found[0]);
      }
    }
  }
  return broken;
}"""


@pytest.mark.parametrize("language", ["de", "es", "fa", "fr"])
def test_a_page_fits_in_each_language(visit: Visit, keys: dict[str, str], language: str) -> None:
    page = visit("/admin/", "admin", locale=language)
    html = page.locator("html")
    faults = []
    for name, path in PAGES.items():
        look_at(page, path.format(**keys))
        assert html.get_attribute("lang") == language
        assert html.get_attribute("dir") == ("rtl" if language == "fa" else "ltr")
        page.set_viewport_size({"width": 400, "height": 800})
        wide = page.evaluate("document.documentElement.scrollWidth")
        faults += [f"{name} is {wide} pixels wide"] * (wide > 400)
    assert faults == []


def look_at(page: Page, path: str) -> None:
    """Open a page at a desk, and look at the headings of its list."""
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(path)
    assert page.evaluate(_BROKEN) == [], path
