"""Lists in a real browser: rows are lines, and what helps to read them works."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from .site import FAILURES, HISTORY, INCIDENTS, LOCKS, SUCCESSES, DemoSite
from .visitor import Visit

#: In pixels, at 1440 pixels of width.
ONE_LINE = 36
TWO_LINES = 60
_HEIGHTS = (
    "[...document.querySelectorAll('#result_list tbody tr')]"
    ".map((row) => row.getBoundingClientRect().height)"
)
#: Cells that end beyond the edge of the list.
_CUT_OFF = """() => {
  const list = document.querySelector("#result_list");
  const edge = list.parentElement.getBoundingClientRect().right + 1;
  return [...list.querySelectorAll("tbody tr:first-child > *")]
    .filter((cell) => cell.getBoundingClientRect().right > edge)
    .map((cell) => cell.className);
}"""


@pytest.fixture(scope="module", autouse=True)
def locked(site: DemoSite) -> None:
    """Put locks on names of all kinds."""
    site.lock("line-" + "x" * 150, "line two", "نازنین", seconds=30 * 86_400)


def wide(visit: Visit, path: str) -> Page:
    return visit(path, "admin", viewport={"width": 1440, "height": 900})


@pytest.mark.parametrize(
    ("path", "most"),
    [
        (LOCKS, ONE_LINE),
        (f"{HISTORY}?time=90d", ONE_LINE),
        (INCIDENTS, ONE_LINE),
        # An address of IPv6 is shown whole.
        (f"{FAILURES}?time=90d", TWO_LINES),
        (f"{SUCCESSES}?time=90d", TWO_LINES),
    ],
)
def test_a_row_is_a_line(visit: Visit, path: str, most: int) -> None:
    page = wide(visit, path)
    heights = page.evaluate(_HEIGHTS)
    assert len(heights) >= 3
    assert max(heights) <= most
    assert page.evaluate(_CUT_OFF) == []


def test_what_goes_on_at_the_side_fades_out(visit: Visit) -> None:
    page = visit(LOCKS, "admin", viewport={"width": 400, "height": 800})
    rows = page.locator("#changelist .results")
    faded = re.compile("lockout-goes-on")
    expect(rows).to_have_class(faded)
    rows.evaluate("rows => rows.scrollTo(rows.scrollWidth, 0)")
    expect(rows).not_to_have_class(faded)


def test_eight_locks_do_not_fill_a_screen(visit: Visit, site: DemoSite) -> None:
    site.lock(*(f"eighth-{number}" for number in range(8)))
    page = wide(visit, f"{LOCKS}?username=eighth&match=prefix")
    last = page.locator("#result_list tbody tr").nth(7).bounding_box()
    assert last
    assert last["y"] + last["height"] < 900


def test_a_range_is_dragged(visit: Visit) -> None:
    page = wide(visit, f"{FAILURES}?time=90d")
    bars = page.locator(".lockout-loudness svg a")
    first, last = bars.nth(10).bounding_box(), bars.nth(40).bounding_box()
    start, end = bars.nth(10).get_attribute("data-start"), bars.nth(40).get_attribute("data-end")
    assert first
    assert last
    page.mouse.move(first["x"] + first["width"] / 2, first["y"] + 5)
    page.mouse.down()
    page.mouse.move(last["x"] + last["width"] / 2, last["y"] + 5, steps=5)
    assert page.locator(".lockout-chosen").count() == 31
    page.mouse.up()
    page.wait_for_url("**after=**")
    asked = parse_qs(urlsplit(page.url).query)
    assert (asked["after"], asked["before"]) == ([start], [end])
    assert page.locator(".lockout-chip").count() == 2


def test_a_bar_is_a_link_without_scripts_too(visit: Visit) -> None:
    page = visit(f"{FAILURES}?time=90d", "admin", java_script_enabled=False)
    bar = page.locator(".lockout-loudness svg a:has(rect:not(.lockout-hit))").last
    bar.click()
    assert "after=" in page.url
    assert page.locator("#result_list tbody tr").count()


def test_a_preset_is_one_click(visit: Visit, site: DemoSite) -> None:
    site.lock("preset")
    page = visit(f"{LOCKS}?username=preset", "support")
    page.get_by_role("link", name="Unlock preset").click()
    page.get_by_role("button", name="The attack is over").click()
    assert page.get_by_label("Reason").input_value() == "The attack is over"
    page.get_by_label("Identity confirmed").select_option("unasked")
    page.get_by_label("I have read why 1 lock was put on by hand.").check()
    page.locator(".lockout-confirm").get_by_role("button", name="Unlock").click()
    expect(page.get_by_text("“preset” is unlocked.")).to_be_visible()


def test_on_a_telephone_the_list_comes_first_and_filters_behind_a_button(visit: Visit) -> None:
    page = visit(f"{FAILURES}?time=90d", "admin", viewport={"width": 400, "height": 800})
    filters = page.locator("#changelist-filter")
    expect(filters).to_be_hidden()
    row = page.locator("#result_list tbody tr").first.bounding_box()
    assert row
    assert row["y"] < 800
    button = page.get_by_role("button", name="Filters (1)")
    button.click()
    expect(filters).to_be_visible()
    assert button.get_attribute("aria-expanded") == "true"
    page.get_by_label("Username", exact=True).fill("alice")
    filters.get_by_role("button", name="Apply").click()
    page.wait_for_url("**username=alice**")
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_a_list_renews_itself_and_keeps_what_was_selected(visit: Visit, site: DemoSite) -> None:
    site.lock("live-1", "live-2")
    page = visit(f"{LOCKS}?username=live&match=prefix", "support")
    page.clock.install()
    page.reload()
    rows = page.locator("#result_list tbody tr")
    expect(rows).to_have_count(2)
    page.locator("#result_list .action-select").last.check()
    kept = page.locator("#result_list .action-select:checked").get_attribute("value")
    site.lock("live-3")
    page.clock.run_for(30_000)
    expect(rows).to_have_count(2)  # nobody asked for it
    page.get_by_role("checkbox", name="Live", exact=True).check()
    with page.expect_response("**/activelock/**"):
        page.clock.run_for(10_000)
    expect(rows).to_have_count(3)
    checked = page.locator("#result_list .action-select:checked")
    expect(checked).to_have_count(1)
    assert checked.get_attribute("value") == kept


def test_an_address_is_copied_whole(visit: Visit) -> None:
    page = visit(f"{FAILURES}?time=90d", "admin", permissions=["clipboard-read", "clipboard-write"])
    cell = page.locator("#result_list .field-source").first
    address = cell.locator("[data-copy]").first.get_attribute("data-copy")
    cell.hover()
    cell.get_by_role("button", name=f"Copy {address}", exact=True).click()
    assert page.evaluate("navigator.clipboard.readText()") == address


def test_times_go_on_without_a_reload(visit: Visit, site: DemoSite) -> None:
    site.lock("ticking", seconds=90)
    page = visit(f"{LOCKS}?username=ticking", "support")
    expect(page.locator(".field-left .lockout-span")).to_contain_text(
        re.compile(r"\d+ s left"), timeout=40_000
    )


#: Pairs of the tools of a list and of what is above or beside it that lie over each other.
_OVERLAPS = """() => {
  const boxes = (selector) => [...document.querySelectorAll(selector)]
    .map((one) => [one.className.baseVal ?? one.className, one.getBoundingClientRect()])
    .filter(([_, box]) => box.width);
  const others = boxes(".lockout-loudness svg, .lockout-loudness figcaption > *, .lockout-search,"
    + " .lockout-chip, .lockout-strip, .lockout-live, #changelist-filter, #toolbar");
  return boxes(".object-tools a").flatMap(([tool, a]) => others
    .filter(([_, b]) => a.left < b.right - 1 && b.left < a.right - 1
      && a.top < b.bottom - 1 && b.top < a.bottom - 1)
    .map(([other]) => `${tool} over ${other}`));
}"""


@pytest.mark.parametrize("language", ["en-GB", "fa-IR"])
@pytest.mark.parametrize("path", [FAILURES, SUCCESSES, LOCKS, f"{LOCKS}?username=line", INCIDENTS])
def test_the_tools_of_a_list_lie_over_nothing(visit: Visit, path: str, language: str) -> None:
    page = visit(path, "admin", locale=language)
    for width in (320, 400, 768, 1024, 1280, 1440, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(_OVERLAPS) == [], width


#: What of the words of a list's cells is not in sight.
_UNREAD = """(name) => [...document.querySelectorAll(`#result_list .field-${name} .lockout-cut`)]
  .filter((one) => one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 2)
  .map((one) => one.textContent)"""


@pytest.mark.parametrize("width", [1280, 1440])
def test_agents_and_outcomes_are_read(visit: Visit, width: int) -> None:
    page = visit(f"{FAILURES}?time=90d", "admin", viewport={"width": width, "height": 900})
    for name in ("agent", "became"):
        shown = page.locator(f"#result_list .field-{name} .lockout-cut").count()
        unread = page.evaluate(_UNREAD, name)
        assert len(unread) < shown / 10, unread


def test_who_comes_by_keyboard_reads_all_of_a_row(visit: Visit) -> None:
    page = wide(visit, f"{LOCKS}?username=line-x&match=prefix")
    name = page.locator("#result_list .field-name .lockout-cut").first
    assert name.get_attribute("title") == "line-" + "x" * 150
    assert page.evaluate(_UNREAD, "name") != []
    page.locator("#result_list .action-select").first.focus()
    page.keyboard.press("Tab")
    assert page.evaluate(_UNREAD, "name") == []
