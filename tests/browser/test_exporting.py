"""An analyst takes the evidence of an attack out."""

from __future__ import annotations

import csv
import re
from ipaddress import ip_address, ip_network

from playwright.sync_api import Page, expect

from .site import FAILURES
from .visitor import Visit

NETWORK = ip_network("203.0.113.0/24")


def test_what_is_filtered_by_network_is_what_is_exported(visit: Visit) -> None:
    page = visit(FAILURES, "analyst")
    page.get_by_label("Address or network").fill(str(NETWORK))
    page.get_by_label("Time").select_option(label="Any time")
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url("**net=203.0.113.0**")

    source = "#result_list .field-source a[data-copy]"
    shown = page.locator(source).all_inner_texts()
    assert shown
    assert all(ip_address(address) in NETWORK for address in shown)
    rows = export(page)
    assert all(ip_address(row["ip_address"]) in NETWORK for row in rows)
    assert len(rows) == number_told(page) > len(shown)


def test_rows_picked_by_hand_are_exported_alone(visit: Visit) -> None:
    page = visit(f"{FAILURES}?time=all", "analyst")
    for row in range(3):
        page.locator("#result_list .action-select").nth(row).check()
    page.locator("select[name=action]").select_option(label="Export selected failed logins")
    page.locator(".actions button").click()
    expect(page.locator("#lockout-export-rows + .help")).to_have_text("3 rows, picked by hand.")
    assert len(download(page)) == 3


def number_told(page: Page) -> int:
    """Return how many rows the list says there are."""
    found = re.search(r"([\d,]+) failed logins", page.locator(".paginator").inner_text())
    assert found
    return int(found[1].replace(",", ""))


def export(page: Page) -> list[dict[str, str]]:
    """Export what the list selects; come back to the list."""
    page.get_by_role("link", name="Export").click()
    rows = download(page)
    page.go_back()
    return rows


def download(page: Page) -> list[dict[str, str]]:
    """Submit the form of the export page; return the rows of the file."""
    page.get_by_label("Format").select_option(label="CSV")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    with download.value.path().open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))
