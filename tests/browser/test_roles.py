"""Everybody sees what their role may do, and nothing else."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from .site import FAILURES, HISTORY, LOCKS, LOGIN, DemoSite
from .visitor import Visit, log_in

#: Somebody who may look at all there is, and do nothing.
AUDITOR = """
from django.contrib.auth.models import Permission, User
user, _ = User.objects.get_or_create(username="auditor", is_staff=True)
user.set_password("demo-auditor")
user.save()
own = Permission.objects.filter(content_type__app_label="lockout_admin")
user.user_permissions.set(own.filter(codename__startswith="view_"))
"""


@pytest.fixture
def auditor(site: DemoSite, visit: Visit) -> Page:
    site.shell(AUDITOR)
    page = visit(LOGIN)
    log_in(page, "auditor", "demo-auditor")
    return page


@pytest.mark.parametrize("path", [LOCKS, HISTORY, FAILURES, "/admin/", "/admin/lockout_admin/"])
def test_who_may_only_look_is_not_offered_what_ends_or_makes_locks(
    site: DemoSite, auditor: Page, path: str
) -> None:
    site.lock("bertha")
    auditor.goto(path)
    expect(auditor.get_by_role("button", name="Log out")).to_be_visible()
    assert offers(auditor) == []


def test_who_may_only_look_sees_a_lock_without_a_way_to_end_it(
    site: DemoSite, auditor: Page
) -> None:
    site.lock("karl")
    page = auditor
    page.goto(f"{LOCKS}?username=karl")
    page.get_by_role("link", name="karl", exact=True).click()
    expect(page.locator(".field-why")).to_contain_text("reported phished")
    assert offers(page) == []


def test_support_may_unlock_but_neither_lock_nor_export(site: DemoSite, visit: Visit) -> None:
    site.lock("laura")
    page = visit(LOCKS, "support")
    expect(page.get_by_role("link", name="Unlock laura")).to_be_visible()
    assert {"Unlock", "Unlock the selected locks"} == set(offers(page))
    page.goto(FAILURES)
    expect(page.get_by_role("link", name="Export")).to_have_count(0)


def test_security_locks_and_exports(visit: Visit) -> None:
    page = visit(LOCKS, "analyst")
    assert "Lock a username" in offers(page)
    page.goto(FAILURES)
    expect(page.get_by_role("link", name="Export")).to_be_visible()


def test_the_administrator_locks_by_hand(visit: Visit) -> None:
    page = visit(LOCKS, "admin")
    assert "Lock a username" in offers(page)
    page.get_by_role("link", name="Lock a username").click()
    page.get_by_label("Username").fill("mike")
    page.get_by_label("For how long").select_option(label="1 hour")
    page.get_by_label("Reason").fill("phished")
    page.get_by_role("button", name="Lock", exact=True).click()
    page.get_by_label("Do it all the same").check()  # a longer lock stands
    page.get_by_role("button", name="Lock", exact=True).click()
    expect(page.locator(".messagelist .success")).to_contain_text("“mike” is locked until")


def test_the_administrator_sees_on_the_page_of_a_user_that_they_are_locked(
    site: DemoSite, visit: Visit
) -> None:
    site.lock("oscar")
    page = visit("/admin/auth/user/?locked=yes", "admin")
    page.get_by_role("link", name="oscar", exact=True).click()
    expect(page.locator(".field-locked_until_with_unlock .lockout-remaining")).to_be_visible()
    assert "Unlock" in offers(page)


def offers(page: Page) -> list[str]:
    """Return the texts of all links, buttons and actions that end or make locks."""
    offered = page.locator("a, button, option, input[type=submit]").filter(
        has_text=re.compile(r"\b(Unl|L)ock (a|the)\b|Unlock$")
    )
    return [text.strip() for text in offered.all_text_contents()]
