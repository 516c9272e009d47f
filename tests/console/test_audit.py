"""What staff did stays, when their accounts go."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from django.utils.translation import override

from lockout_admin.models import AuditEntry

from .conftest import confirm, insist, list_url, page_url

AUDIT = list_url("auditentry")


@pytest.fixture
def olga(staff: Any) -> Client:
    browser: Client = staff("security")
    return browser


@pytest.fixture
def deeds(olga: Client, fail: Any) -> Client:
    """Have a name locked by Olga."""
    fail()
    insist(
        olga,
        list_url("activelock") + "add/",
        {"username": "eve", "duration": "900", "note": "Reported stolen"},
    )
    return olga


def take_out(browser: Client) -> None:
    """Export the failures."""
    export = list_url("failedlogin") + "export/?time=all"
    form = browser.get(export).context["form"]
    fields = {name: "on" for name in form.fields if name.startswith("failedloginresource_")}
    answer = browser.post(export, {"format": "0", "resource": "", **fields})
    b"".join(answer.streaming_content)  # type: ignore[attr-defined]


def test_the_audit_outlives_the_account_of_who_acted(deeds: Client, staff: Any, lock: Any) -> None:
    url = page_url(lock("bob"), "activelock", "unlock")
    confirm(deeds, url, deeds.get(url))
    take_out(deeds)
    get_user_model().objects.get(username="security").delete()
    assert not LogEntry.objects.exists()
    page = staff("root").get(AUDIT).content.decode()
    for text in (
        "Locked for 0:15:00: Reported stolen",
        "Unlocked: Ticket 4711",
        "Complete: 1 rows",
    ):
        assert text in page
    assert set(AuditEntry.objects.values_list("actor", "action")) == {
        ("security", "lock"),
        ("security", "unlock"),
        ("security", "export"),
    }


def test_it_is_in_english_whoever_acted(deeds: Client) -> None:
    with override("fa"):
        take_out(deeds)
    assert AuditEntry.objects.get(action="export").label == "failed logins"


def test_it_is_searched_by_who_or_on_whom(deeds: Client) -> None:
    for term, found in (("security", 1), ("eve", 1), ("sec", 0)):
        assert len(deeds.get(AUDIT, {"q": term}).context["cl"].result_list) == found


@pytest.mark.parametrize("page", ["add", "change", "delete"])
def test_nobody_changes_it(page: str, deeds: Client, staff: Any) -> None:
    row = AuditEntry.objects.get()
    url = AUDIT + "add/" if page == "add" else page_url(row, page=page)
    assert staff("root").post(url, {"actor": "eve"}).status_code == 403


def test_an_entry_says_who_did_what(deeds: Client) -> None:
    assert str(AuditEntry.objects.get()) == "security: lock eve"


def test_support_does_not_see_it(staff: Any) -> None:
    assert staff("support").get(AUDIT).status_code == 403


def test_retention_deletes_it(deeds: Client) -> None:
    AuditEntry.objects.update(timestamp=timezone.now() - timedelta(days=300))
    call_command("lockout_prune")
    assert not AuditEntry.objects.exists()


def test_all_are_offered_after_a_search_only(staff: Any) -> None:
    auditor = staff("root")
    assert "Show all" not in auditor.get(AUDIT).content.decode()
    assert "Show all" in auditor.get(AUDIT, {"q": "sam"}).content.decode()
