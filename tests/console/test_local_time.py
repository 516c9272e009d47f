"""A site without time zones keeps its locks, its console and its evidence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.management import call_command
from django.test import Client, override_settings

from lockout_admin import lockout
from lockout_admin.models import AccountLock, FailedLogin

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
    ["", "?time=15m", "?after=2020-01-01T00:00", "?after=2020-01-01T00:00Z", "?before=9999-12-31T23:59-12:00"],
)
@pytest.mark.parametrize("page", ["failedlogin", "activelock", "accountlock"])
def test_pages_are_shown(page: str, query: str, guess: Any, admin_client: Client) -> None:
    guess(times=4)
    response = admin_client.get(f"/admin/lockout_admin/{page}/{query}")
    assert response.status_code == 200
    assert (b"alice" in response.content) == ("9999" not in query)


def test_a_row_is_shown(guess: Any, admin_client: Client) -> None:
    guess(times=4)
    for page, record in (("failedlogin", FailedLogin), ("activelock", AccountLock), ("accountlock", AccountLock)):
        pk = record.objects.latest("pk").pk
        assert admin_client.get(f"/admin/lockout_admin/{page}/{pk}/change/").status_code == 200


def test_what_goes_out_is_in_utc(guess: Any, capsys: pytest.CaptureFixture[str]) -> None:
    guess()
    FailedLogin.objects.update(timestamp="2026-01-01 12:00:00")
    call_command("lockout_export", "failures", "--where", "time=all", "--format", "jsonl")
    assert json.loads(capsys.readouterr().out)["timestamp"] == "2026-01-01T17:00:00.000000Z"
