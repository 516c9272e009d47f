"""Security staff block the networks that attack."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from .site import FAILURES, NETWORKS, DemoSite
from .visitor import Visit


def test_a_network_is_blocked_from_a_row(site: DemoSite, visit: Visit) -> None:
    site.shell("FailedLogin.objects.create('peggy', ip_address='192.0.2.77')")
    page = visit(f"{FAILURES}?username=peggy", "analyst")
    page.get_by_role("link", name="Block 192.0.2.77/32").click()
    expect(page.get_by_label("Network:")).to_have_value("192.0.2.77/32")
    page.get_by_label("For how long").select_option(label="30 days")
    page.get_by_label("Reason").fill("guesses on peggy")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist .success")).to_contain_text("192.0.2.77/32")
    row = page.locator("#result_list tbody tr").first
    expect(row).to_contain_text("blocked")
    expect(row).to_contain_text("guesses on peggy")
    assert site.shell("print(NetworkRule.objects.get(cidr='192.0.2.77/32').created_by)")


def test_who_would_be_kept_out_is_said_first(visit: Visit) -> None:
    page = visit(f"{NETWORKS}add/", "analyst")
    page.get_by_label("Network:").fill("127.0.0.1/8")
    page.get_by_label("Reason").fill("all of us")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".errorlist")).to_contain_text("Do you mean the network 127.0.0.0/8")
    page.get_by_label("Network:").fill("127.0.0.0/8")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".errorlist")).to_contain_text("You are in 127.0.0.0/8 yourself")
    expect(page.get_by_label("Do it all the same")).to_be_visible()


def test_a_file_is_imported_once_it_was_looked_at(visit: Visit, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("cidr,reason\n198.18.0.0/16,test range\n198.18.0.7/16,oops\n")
    page = visit(NETWORKS, "analyst")
    page.get_by_role("link", name="Import").click()
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Read it").click()
    expect(page.get_by_role("region", name="Wrong rows")).to_contain_text("198.18.0.0/16")
    file.write_text("cidr,reason\n198.18.0.0/16,test range\n")
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Read it").click()
    expect(page.locator(".lockout-number")).to_have_text("1 rule in this file.")
    page.get_by_role("button", name="Import").click()
    expect(page.locator(".messagelist .success")).to_have_text("1 network rule was imported.")
