"""A site without time zones keeps its locks, its console and its evidence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.management import call_command
from django.http import QueryDict
from django.test import Client, override_settings

from lockout_admin import lockout
from lockout_admin.evidence.filters import FailureFilter
from lockout_admin.models import AccountLock, FailedLogin, SuccessfulLogin

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_zones() -> Iterator[None]:
    with override_settings(USE_TZ=False, TIME_ZONE="America/New_York"):
        yield


def test_a_lock_refuses_and_ends(alice: Any, guess: Any) -> None:
    guess(times=4)
    lock = lockout.get_lock("alice")
    assert lock is not None
    assert 58 <= lock.remaining <= 60
    assert authenticate(username="alice", password="right") is None
    assert lockout.unlock_account("alice")
    assert authenticate(username="alice", password="right") == alice


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?time=15m",
        "?after=2020-01-01T00:00",
        "?after=2020-01-01T00:00Z",
        "?before=9999-12-31T23:59-12:00",
    ],
)
@pytest.mark.parametrize("page", ["failedlogin", "successfullogin", "activelock", "accountlock"])
def test_pages_are_shown(page: str, query: str, guess: Any, admin_client: Client) -> None:
    guess(times=4)
    lockout.handle_successful_login("alice")
    response = admin_client.get(f"/admin/lockout_admin/{page}/{query}")
    assert response.status_code == 200
    assert (b"alice" in response.content) == ("9999" not in query)


def test_a_row_is_shown(guess: Any, admin_client: Client) -> None:
    guess(times=4)
    for page, record in (
        ("failedlogin", FailedLogin),
        ("successfullogin", SuccessfulLogin),
        ("activelock", AccountLock),
        ("accountlock", AccountLock),
    ):
        pk = record.objects.latest("pk").pk
        assert admin_client.get(f"/admin/lockout_admin/{page}/{pk}/change/").status_code == 200


def test_what_goes_out_is_in_utc(guess: Any, capsys: pytest.CaptureFixture[str]) -> None:
    guess()
    FailedLogin.objects.update(timestamp="2026-01-01 12:00:00")
    call_command("lockout_export", "failures", "--where", "time=all", "--format", "jsonl")
    assert json.loads(capsys.readouterr().out)["timestamp"] == "2026-01-01T17:00:00.000000Z"


#: Berlin, 25 October 2026: at 3:00 it is 2:00 again. 29 March: at 2:00 it is 3:00.
@pytest.mark.parametrize(
    ("query", "selected"),
    [
        ("after=2026-10-25T02:30", ["00:30", "01:00", "01:30", "02:00"]),
        ("after=2026-10-25T02:00", ["00:00", "00:30", "01:00", "01:30", "02:00"]),
        ("before=2026-10-25T02:30", ["00:00", "00:30", "01:00"]),
        ("after=2026-10-25T02:10&before=2026-10-25T02:50", ["00:30", "01:00", "01:30"]),
        ("after=2026-10-25T02:30%2B01:00", ["01:30", "02:00"]),
        ("after=2026-03-29T02:30", ["00:00", "00:30", "01:00", "01:30", "02:00"]),
        ("before=2026-03-29T02:30", []),
        ("after=9999-12-31T23:59", None),
        ("after=0001-01-01T00:00", None),
        ("after=yesterday", None),
    ],
)
def test_an_hour_that_comes_twice_is_read_in_both_ways(
    query: str, selected: list[str] | None
) -> None:
    utc = ["00:00", "00:30", "01:00", "01:30", "02:00"]
    with override_settings(USE_TZ=True, TIME_ZONE="Europe/Berlin"):
        for time in utc:
            FailedLogin.objects.create(time, timestamp=f"2026-10-25T{time}Z")
        failures = FailureFilter(QueryDict(query), FailedLogin.objects.order_by("pk"))
        assert failures.is_valid() == (selected is not None)
        assert list(failures.qs.values_list("username", flat=True)) == (selected or [])


@pytest.mark.parametrize("hour", ["2026-10-25T00:30Z", "2026-10-25T01:30Z"])
def test_a_form_that_shows_such_an_hour_can_be_sent_again(hour: str) -> None:
    with override_settings(USE_TZ=True, TIME_ZONE="Europe/Berlin"):
        row = FailedLogin.objects.create("alice", timestamp=hour)
        shown = str(FailureFilter(QueryDict(f"after={hour}"), None).form["after"])
        assert 'value="2026-10-25T02:30:00"' in shown
        again = FailureFilter(QueryDict("after=2026-10-25T02:30:00"), FailedLogin.objects.all())
        assert list(again.qs) == [row]
