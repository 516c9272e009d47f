"""The demo's logins of FastAPI."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
import uvicorn
from asgiref.sync import sync_to_async
from django.core.management import call_command
from django.test import Client

from demo.fastapi.app import app
from demo.management.commands import demo, fastapi
from lockout_admin.models import FailedLogin

from ..integrations.conftest import (
    ELSEWHERE,
    Caller,
    _threads_close_what_they_open,  # noqa: F401
    alice,  # noqa: F401
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("site")]

LOGINS = ["/token", "/login"]


@pytest.mark.usefixtures("alice")
@pytest.mark.parametrize("path", LOGINS)
async def test_a_token_says_whose_it_is(path: str) -> None:
    caller = Caller(app)
    token = (await caller.post(path, "right")).json()["access_token"]
    answer = await caller.get("/me", Authorization=f"Bearer {token}")
    assert (answer.status_code, answer.json()) == (200, {"username": "alice"})
    forged = await caller.get("/me", Authorization=f"Bearer {token}x")
    assert forged.status_code == 401


@pytest.mark.usefixtures("alice")
@pytest.mark.parametrize("path", LOGINS)
@pytest.mark.parametrize("username", ["alice", "nobody"])
async def test_four_are_evaluated_of_each_name(path: str, username: str) -> None:
    stranger = Caller(app, ELSEWHERE)
    assert await stranger.guess(path, 5, username) == [*[401] * 4, 429]
    assert await FailedLogin.objects.acount() == 4


@pytest.mark.parametrize("path", LOGINS)
@pytest.mark.parametrize(
    ("username", "password"), [("", "x"), ("alice", ""), ("a" * 255, "x"), ("\0", "x")]
)
async def test_what_is_no_name_or_password_is_told(path: str, username: str, password: str) -> None:
    assert await Caller(app).log_in(path, password, username) == 422


def log_in_there() -> Any:
    client = Client(REMOTE_ADDR=ELSEWHERE)
    form = {"username": "alice", "password": "right"}
    return client.post("/api/login/", form, content_type="application/json")


async def test_who_is_locked_there_is_locked_here(alice: Any) -> None:  # noqa: F811
    await Caller(app, ELSEWHERE).guess("/token", 4)
    assert (await sync_to_async(log_in_there)()).status_code == 429


def test_one_command_sets_it_up_and_serves_it(monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[Any] = []
    monkeypatch.setattr(demo, "call_command", lambda *command, **options: served.append(command))
    monkeypatch.setattr(uvicorn, "run", lambda *app, **options: served.append((app, options)))
    out = StringIO()
    call_command(fastapi.Command(), port=18999, stdout=out)
    *commands, (application, options) = served
    assert commands == [("migrate",), ("seed",), ("lockout_incidents",)]
    assert application == ("demo.fastapi.app:app",)
    assert (options["port"], options["proxy_headers"]) == (18999, False)
    assert "http://127.0.0.1:18999/token" in out.getvalue()
