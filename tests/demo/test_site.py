"""The demo's pages and its logins for programs."""

from __future__ import annotations

from pathlib import Path
from runpy import run_module
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.http import HttpResponse
from django.test import AsyncClient, Client, RequestFactory

from demo.middleware import content_security_policy
from lockout_admin.admin import LockoutUserAdmin

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site")]

LOGINS = ["/api/login", "/api/login/", "/api/alogin", "/api/alogin/"]
BAD_BODIES = [
    (b" ", "not valid JSON"),
    (b"{", "not valid JSON"),
    (b"\xff\xfe\x00", "not valid JSON"),
    (b"[" * 100_000, "not valid JSON"),
    (b"[]", "must be a JSON object"),
    (b"null", "must be a JSON object"),
    (b'"alice"', "must be a JSON object"),
    (b"{}", "'username' must be a string"),
    (b'{"username": "alice"}', "'password' must be a string"),
    (b'{"username": null, "password": "x"}', "'username' must be a string"),
    (b'{"username": ["alice"], "password": "x"}', "'username' must be a string"),
    (b'{"username": "alice", "password": 1}', "'password' must be a string"),
    (b'{"username": "", "password": "x"}', "'username' must be a string"),
    (b'{"username": "alice", "password": ""}', "'password' must be a string"),
    (b" " * 3_000_000, "too long"),
]


def post(client: Client, path: str, body: Any, content_type: str = "application/json") -> Any:
    return client.post(path, body, content_type=content_type)


@pytest.mark.parametrize("path", LOGINS)
def test_a_program_gets_in_with_the_right_password(client: Client, alice: Any, path: str) -> None:
    response = post(client, path, {"username": "alice", "password": "right"})
    assert (response.status_code, response.json()) == (200, {"username": "alice"})
    assert "sessionid" in client.cookies


@pytest.mark.parametrize("path", LOGINS)
@pytest.mark.parametrize("username", ["alice", "nobody", "\0", "\ud800", "a" * 10_000])
def test_a_program_with_a_wrong_password_is_told_nothing_else(
    client: Client, alice: Any, path: str, username: str
) -> None:
    response = post(client, path, {"username": username, "password": "wrong"})
    assert (response.status_code, response.json()["code"]) == (401, "wrong_credentials")


def test_pages_that_name_no_icon_have_one(client: Client) -> None:
    answer = client.get("/favicon.ico")
    assert (answer.status_code, answer["Location"]) == (302, "/static/demo/lock.svg")


@pytest.mark.parametrize("path", LOGINS)
def test_a_locked_username_is_refused_with_429(client: Client, alice: Any, path: str) -> None:
    for _ in range(4):
        post(client, path, {"username": "alice", "password": "wrong"})
    response = post(client, path, {"username": "alice", "password": "right"})
    assert (response.status_code, response.json()["code"]) == (429, "locked")
    assert 0 < int(response["Retry-After"]) <= 60


@pytest.mark.parametrize("path", ["/api/login/", "/api/alogin/"])
@pytest.mark.parametrize(("body", "message"), BAD_BODIES)
def test_a_body_that_is_no_login_is_answered_with_400(
    client: Client, path: str, body: bytes, message: str
) -> None:
    response = post(client, path, body)
    assert response.status_code == 400
    assert message in response.json()["detail"]


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_what_another_sites_page_could_send_is_refused(client: Client, content_type: str) -> None:
    response = post(
        client, "/api/login/", b'{"username": "alice", "password": "right"}', content_type
    )
    assert response.status_code == 400


@pytest.mark.django_db(transaction=True)
async def test_the_async_login_works_under_asgi(async_client: AsyncClient, alice: Any) -> None:
    credentials = {"username": "alice", "password": "right"}
    response = await async_client.post("/api/alogin/", credentials, content_type="application/json")
    assert response.status_code == 200


def test_the_login_form_signs_in_and_out(client: Client, alice: Any) -> None:
    response = client.post("/login/", {"username": "alice", "password": "right"}, follow=True)
    assert "Hello, alice." in response.content.decode()
    assert "Not signed in" in client.post("/logout/", follow=True).content.decode()


def test_the_login_form_says_why_a_refused_person_has_to_wait(client: Client, alice: Any) -> None:
    for _ in range(5):
        response = client.post("/login/", {"username": "alice", "password": "wrong"})
    assert response.status_code == 429
    assert "Too many failed login attempts" in response.content.decode()


@pytest.mark.parametrize("debug", [False, True])
def test_published_passwords_are_shown_in_debug_mode_only(
    client: Client, settings: Any, debug: bool
) -> None:
    settings.DEBUG = debug
    assert ("demo-support" in client.get("/login/").content.decode()) is debug


@pytest.mark.parametrize("path", ["/", "/login/"])
@pytest.mark.parametrize("telltale", ["<script", "<style", " style=", " onclick=", "javascript:"])
def test_pages_have_nothing_inline(client: Client, path: str, telltale: str) -> None:
    assert telltale not in client.get(path).content.decode()


def test_the_page_of_the_users_shows_their_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = admin.site._registry
    user = get_user_model()
    monkeypatch.setitem(registry, user, registry[user])  # put back afterwards
    run_module("demo.admin")
    assert isinstance(registry[user], LockoutUserAdmin)


@pytest.mark.parametrize(
    ("url", "cache", "waits"),
    [
        ("", None, 0),
        ("rediscache://127.0.0.1:1/1", "default", 2),
        ("pymemcache://127.0.0.1:1", "default", 2),
    ],
)
def test_the_cache_that_the_environment_names_has_the_locks_and_answers_soon(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str, cache: str | None, waits: int
) -> None:
    if url.startswith("pymemcache"):
        pytest.importorskip("pymemcache")  # there where the suite runs on memcached
    monkeypatch.setenv("CACHE_URL", url)
    monkeypatch.setenv("DEMO_DATA_DIR", str(tmp_path))
    made = run_module("demo.settings")
    assert made["LOCKOUT_ADMIN"]["CACHE"] == cache
    options = made["CACHES"]["default"].get("OPTIONS", {})
    assert [*options.values()] == [0.5] * waits


@pytest.mark.parametrize(
    ("debug", "status", "sent"), [(False, 200, True), (True, 200, True), (True, 500, False)]
)
def test_the_policy_goes_with_every_page_but_debug_pages(
    settings: Any, debug: bool, status: int, sent: bool
) -> None:
    settings.DEBUG = debug
    settings.SECURE_CSP = {"default-src": ["'self'"]}
    response = content_security_policy(lambda request: HttpResponse(status=status))(
        RequestFactory().get("/")
    )
    assert (response.headers.get("Content-Security-Policy") == "default-src 'self'") is sent


async def test_the_policy_is_sent_by_async_sites_too(settings: Any) -> None:
    async def view(request: Any) -> HttpResponse:
        return HttpResponse()

    settings.SECURE_CSP = {"default-src": ["'self'"]}
    response = await content_security_policy(view)(RequestFactory().get("/"))
    assert response.headers["Content-Security-Policy"] == "default-src 'self'"
