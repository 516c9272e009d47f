"""The export page of the console: permitted, audited, and never more than the list shows."""

from __future__ import annotations

import csv
import io
import json
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.admin.models import LogEntry
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth.models import Permission, User
from django.test import AsyncClient, Client
from django.urls import reverse
from django.utils import timezone

from lockout_admin.admin import exporting
from lockout_admin.admin.filtering import FilterSetListFilter
from lockout_admin.models import AccountLock, FailedLogin

Failures = Callable[..., list[FailedLogin]]

PAGE = "/admin/lockout_admin/failedlogin/export/"
LIST = "/admin/lockout_admin/failedlogin/"
FORM = {"format": "0", "resource": "0", "failedloginresource_username": "on"}


def staff(client: Client, name: str, *codenames: str) -> Client:
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(user)
    return client


@pytest.fixture
def carol(client: Client, db: None) -> Client:
    """Carol of security may see and export."""
    codenames = ("view_failedlogin", "export_failedlogin", "view_accountlock", "export_accountlock")
    return staff(client, "carol", *codenames)


def body(response: Any) -> str:
    return b"".join(response.streaming_content).decode()


def names(response: Any) -> list[str]:
    return [row[0] for row in csv.reader(io.StringIO(body(response), newline=""))][1:]


def test_the_page_offers_formats_and_columns(carol: Client) -> None:
    page = carol.get(PAGE).content.decode()
    assert all(
        f">{title}<" in page for title in ("CSV", "CSV for Excel", "JSON Lines", "TSV", "XLSX")
    )
    assert 'name="failedloginresource_user_agent"' in page


def test_the_page_has_no_inline_script_or_style(carol: Client) -> None:
    content = carol.get(PAGE).content.decode().partition('id="lockout-export-form"')[2]
    assert not any(word in content for word in ("<script", "style=", "onchange", "onclick"))


def test_the_list_leads_to_the_page_with_its_filter(carol: Client) -> None:
    assert 'href="/admin/lockout_admin/failedlogin/export/?username=alice"' in (
        carol.get(f"{LIST}?username=alice").content.decode()
    )


def test_what_the_list_shows_is_exported(carol: Client, failures: Failures) -> None:
    failures("alice", "bob")
    assert names(carol.post(f"{PAGE}?username=b&match=prefix", FORM)) == ["bob"]


def test_without_a_time_it_is_the_last_day_here_too(carol: Client, failures: Failures) -> None:
    failures("old", at=timezone.now() - timedelta(days=2))
    failures("new")
    assert names(carol.post(PAGE, FORM)) == ["new"]


def test_the_search_counts_too(carol: Client, failures: Failures) -> None:
    failures("alice", "bob")
    assert names(carol.post(f"{PAGE}?q=bo", FORM)) == ["bob"]


@pytest.mark.parametrize(
    "query", ["net=garbage", "net=10.0.0.0/33", "username=%00", "time=never", "outcome=x"]
)
def test_a_filter_that_is_not_valid_exports_nothing(
    query: str, carol: Client, failures: Failures
) -> None:
    failures("alice")
    response = carol.post(f"{PAGE}?{query}", FORM)
    assert not response.streaming
    assert 'type="submit" class="default"' not in response.content.decode()
    assert "This filter is not valid" in response.content.decode()


@pytest.mark.parametrize("query", ["username__regex=(", "nonsense=1", "subject__startswith=a"])
def test_an_unknown_parameter_is_refused(query: str, carol: Client, failures: Failures) -> None:
    failures("alice")
    assert carol.post(f"{PAGE}?{query}", FORM).status_code == 400


def test_an_error_of_a_list_filter_leads_back_to_the_list(
    carol: Client, failures: Failures, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any) -> None:
        raise IncorrectLookupParameters

    monkeypatch.setattr(FilterSetListFilter, "queryset", refuse)
    assert carol.post(f"{PAGE}?username=a", FORM).headers["Location"] == LIST


def test_more_are_not_picked_by_hand(
    carol: Client, failures: Failures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "MOST_PICKED", 1)
    rows = failures("alice", "bob")
    action = {"action": "export_selected", "_selected_action": [row.pk for row in rows]}
    assert "Pick at most 1 rows" in carol.post(LIST, action, follow=True).content.decode()


def test_without_a_form_everything_goes_out_as_csv(
    carol: Client, failures: Failures, settings: Any
) -> None:
    settings.IMPORT_EXPORT_SKIP_ADMIN_EXPORT_UI = True
    failures("=1")
    assert body(carol.get(PAGE)).startswith("id,timestamp,username,")


@pytest.mark.django_db(transaction=True)
async def test_an_event_loop_is_not_blocked(failures: Failures, async_client: AsyncClient) -> None:
    await sync_to_async(failures)("alice")
    user = await User.objects.acreate_superuser("root")
    await async_client.aforce_login(user)
    response: Any = await async_client.post(PAGE, FORM)
    assert response.is_async
    assert [chunk async for chunk in response.streaming_content] == [b"username\r\n", b"alice\r\n"]


def test_rows_can_be_picked(carol: Client, failures: Failures) -> None:
    rows = failures("alice", "bob", "eve")
    action = {"action": "export_selected", "_selected_action": [rows[0].pk, rows[2].pk]}
    page = carol.post(f"{LIST}?time=1h", action)
    assert "2 rows, picked by hand." in page.content.decode()
    picked = page.context["form"].initial["picked"]
    assert names(carol.post(f"{PAGE}?time=1h", {**FORM, "picked": picked})) == ["alice", "eve"]


def test_all_across_the_pages_are_those_of_the_filter(carol: Client, failures: Failures) -> None:
    rows = failures("alice", "bob")
    action = {"action": "export_selected", "_selected_action": [rows[0].pk], "select_across": "1"}
    assert (
        carol.post(f"{LIST}?username=alice", action).headers["Location"] == f"{PAGE}?username=alice"
    )


@pytest.mark.parametrize("picked", ["x", "1,", "-1", "9" * 20, ",".join(["1"] * 501)])
def test_a_forged_pick_is_refused(picked: str, carol: Client, failures: Failures) -> None:
    failures("alice")
    response = carol.post(PAGE, {**FORM, "picked": picked})
    assert response.streaming is (picked == "1,")


def test_columns_can_be_chosen(carol: Client, failures: Failures) -> None:
    failures("alice")
    form = {**FORM, "failedloginresource_outcome": "on"}
    assert body(carol.post(PAGE, form)) == "username,outcome\r\nalice,counted\r\n"


def test_no_column_is_too_few(carol: Client, failures: Failures) -> None:
    page = carol.post(PAGE, {"format": "0", "resource": "0"}).content.decode()
    assert "Choose at least one column." in page
    assert "FailedLoginResource" not in page


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("", ["Time: Last 24 hours"]),
        (
            "match=exact&outcome=counted,locked",
            ["Outcome: counted, led to a lock", "Time: Last 24 hours"],
        ),
        (
            "username=al&match=prefix&time=7d",
            ["Username: al", "Username match: begins with", "Time: Last 7 days"],
        ),
        (
            "net=10.0.0.1&outcome=nonsense",
            ["Address or network: 10.0.0.1", "Outcome: nonsense", "Time: Last 24 hours"],
        ),
    ],
)
def test_the_page_tells_the_filter_in_the_forms_words(
    carol: Client, query: str, told: list[str]
) -> None:
    rows = carol.get(f"{PAGE}?{query}").context["filters"]
    assert [f"{label}: {value}" for label, value in rows] == told


def test_text_can_be_had_as_typed(carol: Client, failures: Failures) -> None:
    failures("=1")
    assert names(carol.post(PAGE, FORM)) == ["'=1"]
    assert names(carol.post(PAGE, {**FORM, "raw": "on"})) == ["=1"]


def test_locks_can_be_exported(carol: Client, guess: Any) -> None:
    guess("bob", times=4)
    form = {
        "format": "1",
        "resource": "0",
        "accountlockresource_label": "on",
        "accountlockresource_failures": "on",
    }
    response = carol.post("/admin/lockout_admin/accountlock/export/", form)
    assert json.loads(body(response)) == {"label": "bob", "failures": 4}


@pytest.mark.parametrize(
    "held", [(), ("view_failedlogin",), ("export_failedlogin",), ("export_accountlock",)]
)
def test_viewing_and_exporting_are_both_needed(
    held: tuple[str, ...], client: Client, failures: Failures
) -> None:
    failures("alice")
    viewer = staff(client, "victor", *held)
    assert viewer.get(PAGE).status_code == 403
    assert viewer.post(PAGE, FORM).status_code == 403


def test_who_may_not_export_is_not_offered_it(client: Client, failures: Failures) -> None:
    (row,) = failures("alice")
    viewer = staff(client, "victor", "view_failedlogin")
    page = viewer.get(LIST).content.decode()
    assert "export" not in page
    viewer.post(LIST, {"action": "export_selected", "_selected_action": [row.pk]})
    assert not LogEntry.objects.exists()


def test_strangers_are_sent_to_log_in(client: Client, failures: Failures) -> None:
    assert client.post(PAGE, FORM).headers["Location"].startswith(reverse("admin:login"))


def test_the_entry_is_there_before_the_first_byte(carol: Client, failures: Failures) -> None:
    failures("alice")
    response = carol.post(f"{PAGE}?username=alice", FORM)
    assert LogEntry.objects.get().change_message == (
        "Export as CSV, formulas defused. Selected by: username=alice&time=24h."
        " Columns: username. Under way."
    )
    body(response)
    entry = LogEntry.objects.get()
    assert entry.change_message.endswith("Complete: 1 rows.")
    assert (str(entry.user), str(entry.content_type)) == ("carol", "Lockout | failed login")


def test_an_export_that_nobody_waits_for_says_so(carol: Client, failures: Failures) -> None:
    failures("alice")
    response: Any = carol.post(PAGE, FORM)
    for close in (
        response._resource_closers
    ):  # as close() does, which would close the test's database connection too
        close()
    assert LogEntry.objects.get().change_message.endswith("Broken off: 0 rows.")


def test_an_export_that_breaks_off_says_so(carol: Client, failures: Failures) -> None:
    failures("alice")
    response: Any = carol.post(PAGE, FORM)
    assert next(response._iterator) == b"username\r\n"
    response._iterator.close()
    assert LogEntry.objects.get().change_message.endswith("Broken off: 0 rows.")


@pytest.mark.django_db(transaction=True)
async def test_an_export_that_nobody_waits_for_in_an_event_loop_says_so(
    failures: Failures, async_client: AsyncClient
) -> None:
    await sync_to_async(failures)("alice")
    await async_client.aforce_login(await User.objects.acreate_superuser("root"))
    response: Any = await async_client.post(PAGE, FORM)
    for close in response._resource_closers:
        await sync_to_async(close)()
    entry = await LogEntry.objects.aget()
    assert entry.change_message.endswith("Broken off: 0 rows.")


def test_the_log_knows_too(
    carol: Client, failures: Failures, caplog: pytest.LogCaptureFixture
) -> None:
    failures("alice")
    caplog.set_level(logging.WARNING, "lockout_admin")
    body(carol.post(f"{PAGE}?username=alice", {**FORM, "raw": "on"}, REMOTE_ADDR="192.0.2.7"))
    begun, ended = (record.ecs for record in caplog.records)  # type: ignore[attr-defined]
    assert begun["event.outcome"] == "unknown"
    assert begun["source.ip"] == "192.0.2.7"
    assert (ended["event.action"], ended["user.name"], ended["export.rows"]) == (
        "export",
        "carol",
        1,
    )
    assert (ended["event.outcome"], ended["export.raw"]) == ("success", True)


def test_an_export_is_never_stored_on_the_way(carol: Client, failures: Failures) -> None:
    response = carol.post(PAGE, FORM)
    assert "no-store" in response.headers["Cache-Control"]
    assert response.headers["Content-Disposition"].startswith('attachment; filename="FailedLogin-')


def test_every_lock_is_exported_when_asked_for(carol: Client) -> None:
    AccountLock.objects.create(label="bob", key=1, until=timezone.now())
    form = {"format": "0", "resource": "0", "accountlockresource_label": "on"}
    assert names(carol.post("/admin/lockout_admin/accountlock/export/?time=all", form)) == ["bob"]
