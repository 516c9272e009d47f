"""Successful logins go out as failures do: every way, every format, defused, permitted, logged."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from lockout_admin.exports import copying
from lockout_admin.exports.export import Export
from lockout_admin.exports.formats import CSV, TSV, XLSX, JSONLines
from lockout_admin.exports.resources import SuccessfulLoginResource
from lockout_admin.models import SuccessfulLogin, UserAgent

from .conftest import AGENT, NOON
from .test_command import run

PAGE = "/admin/lockout_admin/successfullogin/export/"
FORM = {"format": "0", "resource": "0", "successfulloginresource_username": "on"}


@pytest.fixture
def row(db: None) -> SuccessfulLogin:
    """A login with a formula for a name."""
    UserAgent.objects.remember(AGENT)
    made: SuccessfulLogin = SuccessfulLogin.objects.create(
        username="=1+1",
        subject=0xAF,
        account="7",
        event="verified",
        timestamp=NOON,
        ip_address="192.0.2.1",
        user_agent_id=UserAgent.objects.key_of(AGENT),
        path="/api/",
    )
    return made


def exported(file_format: Any = CSV) -> bytes:
    rows = SuccessfulLogin.objects.all()
    return b"".join(Export(rows, SuccessfulLoginResource(), file_format()).chunks())


def test_a_row_has_all_that_is_known(row: SuccessfulLogin) -> None:
    headers, cells, end = exported().decode().split("\r\n")
    assert headers == "id,timestamp,event,username,account,ip_address,user_agent,path,subject"
    assert cells == (
        f"{row.pk},2026-11-22T12:00:00.000000Z,verified,'=1+1,7,192.0.2.1,{AGENT},/api/,"
        "00000000000000af"
    )
    assert end == ""
    assert json.loads(exported(JSONLines))["username"] == "=1+1"
    assert exported(XLSX).startswith(b"PK")


@pytest.mark.parametrize("file_format", [CSV, TSV])
def test_the_database_writes_what_python_writes(
    row: SuccessfulLogin, file_format: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = exported(file_format)
    monkeypatch.setattr(copying, "is_possible", lambda *args: False)
    assert copied == exported(file_format)


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("time=all", 1),
        ("time=24h", 0),
        ("time=all&account=7&event=verified", 1),
        ("time=all&net=192.0.2.0/24", 1),
        ("time=all&failed=nobody", 0),
    ],
)
def test_the_command_has_the_filters_of_the_list(
    row: SuccessfulLogin, where: str, found: int
) -> None:
    lines = run("successes", "--columns", "account", "--where", where).split()
    assert lines == ["account", *["7"] * found]


def test_the_page_streams_what_the_list_shows_and_leaves_an_entry(
    row: SuccessfulLogin, admin_client: Client
) -> None:
    SuccessfulLogin.objects.filter(pk=row.pk).update(timestamp=timezone.now())
    answer: Any = admin_client.post(f"{PAGE}?account=7", FORM)
    assert b"".join(answer.streaming_content) == b"username\r\n'=1+1\r\n"
    entry = LogEntry.objects.get()
    assert entry.object_repr == "successful logins"
    assert entry.get_change_message().endswith("Complete: 1 rows.")


def test_common_is_a_number_or_nothing(failures: Any) -> None:
    for common in (True, False, None):
        failures("alice", common=common)
    told = run("failures", "--columns", "username,common").split("\r\n")[1:-1]
    assert sorted(told) == ["alice,", "alice,0", "alice,1"]
