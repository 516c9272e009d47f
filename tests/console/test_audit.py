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

from lockout_admin.models import AccountLock, AuditEntry

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
        "Locked for 15 min: Reported stolen",
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


# -- Who did what, at any time -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["new", "old", "other"]),
        ("by=sam", ["new", "old"]),
        ("by=sam&time=7d", ["new"]),
        ("by=sa", []),
        ("on=old", ["old"]),
        ("action=unlock", ["new", "old"]),
        ("action=unlock,lock&by=olga", ["other"]),
        ("action=nonsense", []),
        ("q=sam", ["new", "old"]),
        ("q=%00", []),
        ("by=sam&after=2020-01-01", ["new", "old"]),
    ],
)
def test_what_somebody_did_is_found_in_any_range(staff: Any, query: str, found: list[str]) -> None:
    now = timezone.now()
    for ago, actor, action, label in (
        (0, "sam", "unlock", "new"),
        (120, "sam", "unlock", "old"),
        (150, "olga", "lock", "other"),
    ):
        AuditEntry.objects.create(
            timestamp=now - timedelta(days=ago), actor=actor, action=action, label=label
        )
    rows = staff("root").get(f"{AUDIT}?{query}").context["cl"].result_list
    assert [row.label for row in rows] == found


def test_its_filters_have_chips(staff: Any) -> None:
    (chip,) = staff("root").get(f"{AUDIT}?by=sam").context["chips"]
    assert (chip.label, chip.value) == ("Who", "sam")


def test_what_somebody_locked_and_unlocked_is_found_in_any_range(staff: Any, lock: Any) -> None:
    old = lock("eve", reason="manual", locked_by="sam")
    lock("zoe", reason="manual", locked_by="olga")
    year = timedelta(days=300)
    AccountLock.objects.filter(pk=old.pk).update(
        started_at=old.started_at - year, until=old.until - year
    )
    rows = staff("root").get(list_url("accountlock", "?by=sam&time=all"))
    assert [row.label for row in rows.context["cl"].result_list] == ["eve"]


def test_a_range_that_is_too_wide_says_which_filter_to_add(staff: Any) -> None:
    page = staff("root").get(list_url("failedlogin", "?path=/login/&time=all"))
    assert (
        "Or add one of these filters: Username, Address or network, User agent contains."
        in page.content.decode()
    )
    page = staff("analyst").get(list_url("failedlogin", "?pattern=names&time=all"))
    assert "Or add one" not in page.content.decode()


# -- Exports -----------------------------------------------------------------


def test_active_locks_are_exported(olga: Client, lock: Any) -> None:
    lock("alice")
    over = lock("over")
    AccountLock.objects.filter(pk=over.pk).update(until=over.started_at)
    export = list_url("activelock") + "export/"
    page = olga.get(export)
    assert page.context["rows"] == "1"
    fields = {
        name: "on" for name in page.context["form"].fields if name.startswith("accountlockres")
    }
    answer = olga.post(export, {"format": "0", "resource": "", **fields})
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert "alice" in text
    assert "over" not in text
    assert AuditEntry.objects.get().details.endswith("Complete: 1 rows.")


@pytest.mark.parametrize(
    ("query", "rows"), [("time=all", "3"), ("username=bob", "1"), ("net=nonsense", "")]
)
def test_the_export_page_says_how_many_rows_there_are(
    olga: Client, fail: Any, query: str, rows: str
) -> None:
    for name in ("alice", "bob", "carol"):
        fail(name)
    page = olga.get(list_url("failedlogin") + f"export/?{query}")
    assert page.context["rows"] == rows
    assert (f"Rows: <strong>{rows}</strong>" in page.content.decode()) is bool(rows)


def test_rows_are_counted_as_far_as_a_list_is(olga: Client, fail: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("lockout_admin.admin.paging.CAP", 2)
    monkeypatch.setattr("lockout_admin.admin.exporting.CAP", 2)
    for _ in range(3):
        fail()
    page = olga.get(list_url("failedlogin") + "export/?time=all")
    assert page.context["rows"] == "2+"
