"""Staff see with which browsers an owner logged in, and end the trust in one."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from .site import DEVICES, LOGIN, DemoSite
from .test_pages import serious_faults
from .visitor import Visit, log_in, log_in_until_refused

PASSWORD = "demo-account"
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
REASON = "the laptop was stolen"


def page_of(site: DemoSite, name: str) -> str:
    """Return the path of a user's page."""
    user = "from django.contrib.auth.models import User\nuser = User.objects"
    pk = site.shell(f"{user}.get(username={name!r})\nprint(user.pk)")
    return f"/admin/auth/user/{pk}/change/"


def log_in_as_owner(site: DemoSite, visit: Visit, name: str) -> Page:
    # The demo comes with attacks, which have locked one or the other.
    site.shell(f"from lockout_admin.lockout import unlock_account\nunlock_account({name!r})")
    page = visit(LOGIN, user_agent=AGENT)
    assert log_in(page, name, PASSWORD) == 302
    page.get_by_role("button", name="Log out").click()
    page.goto(LOGIN)
    return page


def test_staff_end_the_trust_in_the_browser_of_an_owner(site: DemoSite, visit: Visit) -> None:
    owner = log_in_as_owner(site, visit, "peggy")
    # Strangers keep themselves out, and nobody with the browser of the owner.
    assert log_in_until_refused(visit(LOGIN), "peggy")
    assert log_in(owner, "peggy", PASSWORD) == 302
    owner.get_by_role("button", name="Log out").click()
    owner.goto(LOGIN)

    page = visit(page_of(site, "peggy"), "admin")
    device = page.locator(".field-trusted_devices li", has_text="Firefox on Linux")
    expect(device).to_have_count(1)
    for text in ("127.0.0.1/32", "first seen", "last login"):
        expect(device).to_contain_text(text)
    expect(device.locator("time")).to_have_count(2)

    page.get_by_role("link", name="All devices of this account").click()
    row = page.locator("#result_list tbody tr", has_text="Firefox on Linux")
    expect(row).to_contain_text("peggy")
    page.locator("#changelist-filter").get_by_role("link", name="No", exact=True).click()
    expect(row).to_have_count(0)
    page.locator("#changelist-filter").get_by_role("link", name="Yes", exact=True).click()
    expect(row).to_have_count(1)

    row.get_by_role("checkbox").check()
    page.locator("select[name=action]").select_option(label="Trust the selected devices no more")
    page.locator(".actions button").click()
    expect(page.get_by_role("region", name="What ends")).to_contain_text("Firefox on Linux")
    page.get_by_label("Reason").fill(REASON)
    page.get_by_role("button", name="Trust no more").click()
    expect(page.locator(".messagelist .success")).to_have_text("1 device is trusted no more.")
    expect(row).to_have_count(0)

    # Locked for strangers, and this browser is one of them now.
    assert log_in(owner, "peggy", PASSWORD) == 429
    told = site.shell(
        "entry = AuditEntry.objects.get(action='revoke', label='peggy');"
        " print(entry.actor, entry.details)"
    )
    assert told.startswith("admin ")
    assert REASON in told


@pytest.mark.parametrize("language", ["en", "fa"])
def test_what_staff_see_of_devices_is_for_everybody(
    site: DemoSite, visit: Visit, language: str
) -> None:
    log_in_as_owner(site, visit, "victor")
    narrow = {"width": 400, "height": 800}
    page = visit(page_of(site, "victor"), "admin", viewport=narrow, locale=language)
    expect(page.locator(".field-trusted_devices li")).not_to_have_count(0)
    look_at(page, language)
    page.goto(f"{DEVICES}?trusted=yes")
    look_at(page, language)
    page.locator("#result_list tbody").get_by_role("checkbox").first.check()
    page.locator("select[name=action]").select_option("revoke")
    page.locator(".actions button").click()
    page.locator(".lockout-confirm").wait_for()
    look_at(page, language)


def look_at(page: Page, language: str) -> None:
    """Look at its direction and its width, and with axe."""
    html = page.locator("html")
    assert html.get_attribute("lang") == language
    assert html.get_attribute("dir") == ("rtl" if language == "fa" else "ltr")
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    assert serious_faults(page) == []
    ours = Axe().run(page, context=".lockout-confirm, .field-trusted_devices, #result_list")
    assert ours.response["violations"] == []
