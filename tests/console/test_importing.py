"""Network rules in and out as a file."""

from __future__ import annotations

import csv
import io
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core import signing
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import Error
from django.test import Client, override_settings
from django.utils import timezone
from freezegun import freeze_time

from lockout_admin.admin import importing
from lockout_admin.defences import arrivals
from lockout_admin.models import AuditEntry, NetworkRule, SuccessfulLogin

from .conftest import list_url, said

LIST = list_url("networkrule")
IMPORT, CONFIRM, EXPORT = LIST + "import/", LIST + "process_import/", LIST + "export/"
HEADERS = "cidr,action,reason,until,source\n"


@pytest.fixture
def olga(staff: Any) -> Client:
    browser: Client = staff("security")
    return browser


@pytest.fixture(autouse=True)
def kept_in(tmp_path: Path, monkeypatch: Any) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def send(browser: Client, text: str | bytes, headers: str = HEADERS) -> Any:
    """Return the answer to a file."""
    data = text if isinstance(text, bytes) else (headers + text).encode()
    return browser.post(IMPORT, {"file": SimpleUploadedFile("list.csv", data)})


def confirm(browser: Client, answer: Any, **fields: str) -> Any:
    return browser.post(CONFIRM, {"token": answer.context["token"], **fields}, follow=True)


def wrong(answer: Any) -> dict[int, str]:
    return dict(answer.context["wrong"])


def rules() -> list[tuple[str, str, str, str]]:
    rows = NetworkRule.objects.order_by("first", "id")
    return list(rows.values_list("cidr", "action", "reason", "source"))


# -- In -----------------------------------------------------------------------------------------


def test_a_file_is_shown_first_and_imported_when_it_is_confirmed(
    olga: Client, kept_in: Path
) -> None:
    answer = send(
        olga,
        "198.51.100.0/24,block,Scanner,2030-01-01,\n"
        "2001:db8::/32,,,,drop\n"
        "192.0.2.1,allow,Our own,2030-01-01T12:00:00Z,\n",
    )
    assert (answer.context["total"], answer.context["new"], answer.context["known"]) == (3, 3, 0)
    assert not NetworkRule.objects.exists()
    answer = confirm(olga, answer)
    assert said(answer) == "3 network rules were imported."
    assert rules() == [
        ("192.0.2.1/32", "allow", "Our own", ""),
        ("198.51.100.0/24", "block", "Scanner", ""),
        ("2001:db8::/32", "block", "", "drop"),
    ]
    row = NetworkRule.objects.get(action="allow")
    assert row.until == datetime(2030, 1, 1, 12, tzinfo=UTC)
    assert row.created_by == "security"
    assert not list(kept_in.iterdir())


def test_an_import_is_audited(olga: Client) -> None:
    confirm(olga, send(olga, "198.51.100.0/24\n"))
    row = AuditEntry.objects.get()
    assert (row.actor, row.action, row.label) == ("security", "import", "list.csv")
    assert row.details.startswith("1 network rules of list.csv, SHA-256 ")
    assert LogEntry.objects.get().change_message == f"Imported {row.details}"


def test_a_row_that_is_there_is_replaced(olga: Client) -> None:
    made = {"created_by": "sam", "cidr": "198.51.100.0/24"}
    NetworkRule.objects.create(**made, reason="Old", until=timezone.now())
    NetworkRule.objects.create(**made, reason="List", source="drop")
    answer = send(olga, "198.51.100.0/24,block,New,,\n")
    assert (answer.context["new"], answer.context["known"]) == (0, 1)
    confirm(olga, answer)
    assert [row[2] for row in rules()] == ["New", "List"]
    row = NetworkRule.objects.get(reason="New")
    assert (row.until, row.created_by) == (None, "sam")


def test_columns_come_in_any_order_and_what_has_no_header_is_empty(olga: Client) -> None:
    confirm(olga, send(olga, "x,,Scanner,198.51.100.0/24,,\n\n", "Created_by,, Reason ,CIDR\n"))
    assert rules() == [("198.51.100.0/24", "block", "Scanner", "")]
    assert NetworkRule.objects.get().created_by == "security"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_separators_of_spreadsheets_are_known(olga: Client, separator: str, mark: bytes) -> None:
    text = separator.join(["cidr", "reason"]) + "\r\n" + separator.join(["198.51.100.0/24", "ü"])
    confirm(olga, send(olga, mark + text.encode()))
    assert rules() == [("198.51.100.0/24", "block", "ü", "")]


def test_each_row_that_is_wrong_is_said_and_none_is_imported(olga: Client) -> None:
    long = "x" * 256
    answer = send(
        olga,
        "198.51.100.0/24\n"
        "198.51.100.7/24\n"
        "everybody\n"
        "192.0.2.1,bless\n"
        f"192.0.2.2,block,{long}\n"
        "192.0.2.3,block,x,soon\n"
        "192.0.2.4,block,x,9999-01-01\n"
        "192.0.2.5,block,x,2026-13-01\n"
        "192.0.2.6,block,x,,My List\n"
        f"192.0.2.7,block,x,,{long}\n"
        "198.51.100.0/24,block,again\n"
        ",block\n",
    )
    expected = {
        2: "Do you mean the network 198.51.100.0/24, or 198.51.100.7?",
        3: "is no address and no network",
        4: "The action is “block” or “allow”.",
        5: "more than 255 characters",
        6: "“soon” is no date",
        7: "This date is out of range",
        8: "“2026-13-01” is no date",
        9: "A name of small letters",
        10: "more than 64 characters",
        11: "This is row 1 again.",
        12: "is no address and no network",
    }
    found = wrong(answer)
    assert list(found) == list(expected)
    assert [number for number, text in expected.items() if text not in found[number]] == []
    assert "token" not in answer.context
    assert not NetworkRule.objects.exists()


def test_of_many_wrong_rows_the_first_are_shown(olga: Client) -> None:
    answer = send(olga, "x\n" * 150)
    assert len(wrong(answer)) == 100
    assert "and 50 more" in answer.content.decode()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "The submitted file is empty."),
        (b"\xff\xfe", "no text in UTF-8"),
        (b"198.51.100.0/24\n", "one of them is “cidr”"),
        (b"cidr\n", "There is no row"),
        (b"cidr\n\nx,y\n", "Line 3 has more cells"),
        (b"cidr,,reason\n192.0.2.1,2030-01-01,x\n", "Line 2 has more cells"),
        (b"cidr,unitl\n192.0.2.1,2030-01-01\n", "There is no column “unitl”, but cidr, action"),
        (b"cidr,action,Action\n192.0.2.1,allow,block\n", "“action” is there twice. Delete one"),
        (b"cidr,reason,cidr\n192.0.2.1,x,0.0.0.0/0\n", "“cidr” is there twice. Delete one"),
    ],
)
def test_a_file_that_is_no_table_is_refused(olga: Client, data: bytes, expected: str) -> None:
    assert expected in send(olga, data).content.decode()


def test_a_cell_that_is_too_big_is_refused(olga: Client) -> None:
    usual = csv.field_size_limit(100)
    try:
        assert "Line 2 can&#x27;t be read" in send(olga, "x" * 200).content.decode()
    finally:
        csv.field_size_limit(usual)
    assert len(wrong(send(olga, "x" * 2000))[1]) == 300


def test_a_file_that_is_too_big_is_refused(olga: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(importing, "MOST_BYTES", 10)
    assert "too big" in send(olga, "198.51.100.0/24\n").content.decode()


def test_whom_it_may_keep_out_is_said_and_takes_a_consent(olga: Client, enter: Any) -> None:
    enter("alice")
    enter("bob", ago=60)
    row = enter("eve")
    SuccessfulLogin.objects.filter(pk=row.pk).update(ip_address="192.0.2.1")
    olga.defaults["REMOTE_ADDR"] = "198.51.100.9"
    text = "0.0.0.0/1\n198.51.100.0/24\n10.0.0.0/8\n203.0.113.0/24\n192.168.0.1,allow\n"
    answer = send(olga, text)
    warnings = "\n".join(answer.context["dangers"])
    for expected in (
        "0.0.0.0/1 is a good part",
        "You are in 198.51.100.0/24",
        "10.0.0.0/8 is private",
        "2 accounts logged in from 203.0.113.0/24",
    ):
        assert expected in warnings
    assert "192.168.0.1" not in warnings
    assert "not ticked off" in said(confirm(olga, answer))
    assert not NetworkRule.objects.exists()
    confirm(olga, answer, anyway="yes")
    assert NetworkRule.objects.count() == 5


def test_allowing_everybody_takes_a_consent(olga: Client) -> None:
    answer = send(olga, "0.0.0.0/0,allow\n::/0,allow\n")
    assert [text.partition(" ")[0] for text in answer.context["dangers"]] == ["0.0.0.0/0", "::/0"]
    assert "not ticked off" in said(confirm(olga, answer))
    assert not NetworkRule.objects.exists()


def test_what_has_ended_is_no_danger(olga: Client) -> None:
    answer = send(
        olga, "0.0.0.0/0,block,,2001-01-01\n192.0.2.0/24,allow,,2001-01-01\n192.0.2.0/24\n"
    )
    assert answer.context["dangers"] == []


def test_a_rule_that_does_nothing_is_said_and_takes_no_consent(olga: Client) -> None:
    NetworkRule.objects.create(cidr="192.0.2.0/24", action="allow")
    NetworkRule.objects.create(cidr="198.51.100.0/24", action="block")
    NetworkRule.objects.create(cidr="203.0.113.0/24", action="allow", source="partners")
    answer = send(
        olga,
        "192.0.2.0/24,block\n"
        "192.0.2.7,block\n"
        "192.0.2.8,block,,,drop\n"
        "192.0.2.9,allow,,,partners\n"
        "198.51.100.7,allow,,,partners\n"
        "198.51.100.8,allow\n"
        "203.0.113.0/24,block\n"
        "2001:db8::/32,block\n"
        "2001:db8::/32,allow\n",
    )
    assert answer.context["dangers"] == [
        "192.0.2.0/24 stays allowed: the rule by hand for 192.0.2.0/24 is stronger.",
        "192.0.2.8/32 stays allowed: the rule by hand for 192.0.2.0/24 is stronger.",
        "198.51.100.7/32 stays blocked: the rule by hand for 198.51.100.0/24 is stronger.",
        "2001:db8::/32 stays allowed: the rule by hand for 2001:db8::/32 is stronger.",
    ]
    assert "anyway" not in answer.content.decode()
    confirm(olga, answer)
    assert NetworkRule.objects.count() == 12


def test_of_many_networks_those_that_people_came_in_from_are_said(
    olga: Client, enter: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(arrivals, "FEW", 1)
    enter("alice")
    enter("bob", ago=60)
    SuccessfulLogin.objects.filter(pk=enter("eve").pk).update(ip_address="192.0.2.1")
    answer = send(olga, "203.0.113.0/24\n198.51.100.0/24\n")
    (warning,) = answer.context["dangers"]
    assert warning.startswith("2 accounts logged in from 203.0.113.0/24 in the last 7 days")


def test_of_whom_more_came_in_than_are_counted_that_is_said(
    olga: Client, enter: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(arrivals, "_MOST_OF_ALL", 4)
    for name in ("alice", "bob", "carol"):
        enter(name)
    (warning,) = send(olga, "203.0.113.0/24\n198.51.100.0/24\n").context["dangers"]
    assert warning.startswith("At least 2 accounts logged in from 203.0.113.0/24 in the last")
    (warning,) = send(olga, "203.0.113.0/24\n").context["dangers"]
    assert warning.startswith("3 accounts logged in from 203.0.113.0/24 in the last 7 days")


def test_rules_by_hand_that_hold_are_found_however_many_statements_it_takes(
    olga: Client, monkeypatch: Any
) -> None:
    monkeypatch.setattr("lockout_admin.models.networks._AT_ONCE", 7)
    NetworkRule.objects.create(cidr="198.51.100.0/25", action="allow")
    NetworkRule.objects.create(cidr="2001:db8::/32", action="allow")
    NetworkRule.objects.create(cidr="::/0", action="block")
    answer = send(
        olga,
        "2a00::/19,allow,,,drop\n198.51.100.7,block,,,drop\n198.51.100.200\n2001:db8:1::/48,block,,,drop\n",
    )
    assert answer.context["dangers"] == [
        "2a00::/19 stays blocked: the rule by hand for ::/0 is stronger.",
        "198.51.100.7/32 stays allowed: the rule by hand for 198.51.100.0/25 is stronger.",
        "2001:db8:1::/48 stays allowed: the rule by hand for 2001:db8::/32 is stronger.",
    ]


def test_what_was_shown_is_what_is_imported(olga: Client, kept_in: Path) -> None:
    answer = send(olga, "198.51.100.0/24\n")
    next(kept_in.iterdir()).write_text("cidr\n192.0.2.0/24\n")
    assert "choose the file again" in said(confirm(olga, answer))
    assert not NetworkRule.objects.exists()


def test_a_file_is_confirmed_once(olga: Client) -> None:
    answer = send(olga, "198.51.100.0/24\n")
    confirm(olga, answer)
    assert "choose the file again" in said(confirm(olga, answer))


def test_a_file_is_confirmed_soon(olga: Client) -> None:
    answer = send(olga, "198.51.100.0/24\n")
    with freeze_time(timezone.now() + timedelta(minutes=16)):
        token = {"token": answer.context["token"]}
        assert "choose the file again" in said(olga.post(CONFIRM, token, follow=True))


def test_a_file_is_confirmed_by_who_sent_it(olga: Client, staff: Any) -> None:
    token = {"token": send(olga, "198.51.100.0/24\n").context["token"]}
    assert staff("root").post(CONFIRM, token).status_code == 403


@pytest.mark.parametrize("token", ["", "x", signing.dumps(["x"], salt="another")])
def test_a_forged_confirmation_is_refused(olga: Client, token: str) -> None:
    assert olga.post(CONFIRM, {"token": token}).status_code == 403


def test_what_the_database_refuses_is_said(olga: Client, monkeypatch: Any) -> None:
    answer = send(olga, "198.51.100.0/24\n")

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise Error("full")

    monkeypatch.setattr("lockout_admin.exports.networks.NetworkRuleResource.bulk_create", refuse)
    assert "The database refused the rows" in said(confirm(olga, answer))
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("role", ["stranger", "analyst", "support"])
def test_who_may_not_add_may_not_import(staff: Any, role: str) -> None:
    browser = staff(role)
    assert browser.get(IMPORT).status_code == 403
    assert browser.post(CONFIRM, {}).status_code == 403


def test_the_list_leads_to_the_import(olga: Client, staff: Any) -> None:
    assert IMPORT in olga.get(LIST).content.decode()
    assert IMPORT not in staff("support").get(LIST).content.decode()
    assert "cidr" in olga.get(IMPORT).content.decode()
    assert "This field is required." in olga.post(IMPORT, {}).content.decode()


# -- Out ----------------------------------------------------------------------------------------


def export(browser: Client, query: str = "", **fields: str) -> str:
    columns = ("cidr", "action", "reason", "until", "source", "created_by", "created_at")
    chosen = {f"networkruleresource_{column}": "on" for column in columns}
    answer: Any = browser.post(EXPORT + query, {"format": "0", "resource": "0", **chosen, **fields})
    return b"".join(answer.streaming_content).decode()


def test_what_was_exported_can_be_imported(olga: Client) -> None:
    NetworkRule.objects.create(cidr="198.51.100.0/24", reason='=cmd|"x"', created_by="sam")
    end = datetime(2030, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
    NetworkRule.objects.create(cidr="192.0.2.1", action="allow", until=end, source="drop")
    before = list(NetworkRule.objects.order_by("cidr").values("cidr", "action", "reason", "until"))
    text = export(olga)
    NetworkRule.objects.all().delete()
    confirm(olga, send(olga, text, ""))
    after = list(NetworkRule.objects.order_by("cidr").values("cidr", "action", "reason", "until"))
    assert after == before


def test_what_a_site_with_zones_exported_one_without_can_import(olga: Client) -> None:
    end = datetime(2030, 1, 1, 12, tzinfo=UTC)
    NetworkRule.objects.create(cidr="192.0.2.1", until=end)
    text = export(olga)
    assert "2030-01-01T12:00:00" in text
    NetworkRule.objects.all().delete()
    with override_settings(USE_TZ=False, TIME_ZONE="America/New_York"):
        answer = confirm(olga, send(olga, text, ""))
        assert said(answer) == "1 network rule was imported."
        assert NetworkRule.objects.get().until == datetime(2030, 1, 1, 7)


def test_an_export_is_harmless_to_a_spreadsheet(olga: Client) -> None:
    NetworkRule.objects.create(cidr="198.51.100.0/24", reason="=1+1")
    (row,) = csv.DictReader(io.StringIO(export(olga)))
    assert (row["cidr"], row["reason"]) == ("198.51.100.0/24", "'=1+1")


def test_an_export_has_what_the_filter_selects(olga: Client) -> None:
    NetworkRule.objects.create(cidr="198.51.100.0/24")
    NetworkRule.objects.create(cidr="192.0.2.1", action="allow")
    assert "198.51.100.0/24" not in export(olga, "?action=allow")
    assert AuditEntry.objects.get().action == "export"


@pytest.mark.parametrize(("role", "status"), [("support", 403), ("security", 200)])
def test_an_export_takes_a_permission(staff: Any, role: str, status: int) -> None:
    assert staff(role).get(EXPORT).status_code == status
