"""Logins of FastAPI: limits, answers, records and trusted browsers, as for Django's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import altcha
import pytest
from django.test import override_settings

from lockout_admin import lockout
from lockout_admin.models import AccountLock, FailedLogin, SuccessfulLogin, TrustedDevice

from ..conftest import HOME
from .conftest import COOKIE, ELSEWHERE, Caller
from .fastapi_app import app

pytestmark = pytest.mark.django_db(transaction=True)

BLOCKS = ["/ablock", "/block"]
BACKENDS = ["/abackends", "/backends"]
WAYS = [*BLOCKS, *BACKENDS]


@pytest.fixture
def owner(alice: Any) -> Caller:
    return Caller(app)


@pytest.fixture
def stranger(alice: Any) -> Caller:
    return Caller(app, ELSEWHERE)


# -- Limits and answers -------------------------------------------------------------------------


@pytest.mark.parametrize("path", WAYS)
async def test_four_are_evaluated_and_the_fifth_is_refused_with_json(
    path: str, stranger: Caller
) -> None:
    assert await stranger.guess(path, 4) == [401] * 4
    answer = await stranger.post(path, "right")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"] == "application/json"
    told = answer.json()
    assert told["detail"].startswith("Too many failed login attempts.")
    assert (told["code"], str(told["retry_after"])) == ("locked", answer.headers["Retry-After"])
    assert await FailedLogin.objects.acount() == 4
    assert await AccountLock.objects.acount() == 1


async def test_all_ways_in_draw_on_one_limit(stranger: Caller) -> None:
    assert [await stranger.log_in(path, "wrong") for path in WAYS] == [401] * 4
    assert [await stranger.log_in(path) for path in [*WAYS, "/asks-first"]] == [429] * 5


@pytest.mark.parametrize("path", WAYS)
async def test_names_without_an_account_are_answered_alike(
    path: str, alice: Any, clock: Any
) -> None:
    seen = []
    for username in ("alice", "nobody"):
        caller = Caller(app, ELSEWHERE)
        answers = [await caller.post(path, f"{n}", username) for n in range(5)]
        seen.append([(one.status_code, one.content, sorted(one.headers)) for one in answers])
    assert seen[0] == seen[1]


async def test_a_refusal_in_an_application_inside_is_one_too(stranger: Caller) -> None:
    assert await stranger.guess("/inner/token", 4) == [401] * 4
    answer = await stranger.post("/inner/token", "right")
    assert (answer.status_code, answer.json()["code"]) == (429, "locked")
    assert "Retry-After" in answer.headers


async def socket(password: str, path: str = "/socket") -> list[Any]:
    """Open a WebSocket; return what comes back."""
    sent: list[Any] = []

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "websocket",
        "path": f"{path}/{password}",
        "query_string": b"",
        "headers": [],
        "client": (ELSEWHERE, 4711),
        "extensions": {"websocket.http.response": {}},
    }
    await app(scope, receive, send)
    return sent


async def test_logins_by_a_socket_draw_on_the_same_limit(stranger: Caller) -> None:
    assert [(await socket(str(n)))[0]["type"] for n in range(4)] == ["websocket.accept"] * 4
    refused = (await socket("right"))[0]
    assert (refused["type"], refused["status"]) == ("websocket.http.response.start", 429)
    assert await stranger.log_in("/ablock") == 429
    failure = await FailedLogin.objects.afirst()
    assert failure
    assert failure.ip_address == ELSEWHERE


async def test_a_socket_that_is_open_is_closed_with_the_seconds_to_wait(alice: Any) -> None:
    for number in range(4):
        assert (await socket(str(number), "/open-socket"))[1]["code"] == 1000
    accepted, closed = await socket("right", "/open-socket")
    assert accepted["type"] == "websocket.accept"
    assert (closed["type"], closed["code"]) == ("websocket.close", 1013)
    assert closed["reason"].startswith("Retry-After: ")


@pytest.mark.parametrize("path", WAYS)
async def test_a_challenge_is_answered_in_a_header(path: str, alice: Any) -> None:
    keys = {
        "CHALLENGE": "lockout_admin.defences.work.ProofOfWork",
        "CHALLENGE_DIFFICULTY": 3,
        "TRUSTED_PROXIES": 0,
    }
    stranger = Caller(app, ELSEWHERE)
    with override_settings(LOCKOUT_ADMIN=keys):
        assert await stranger.guess(path, 2) == [401] * 2
        told = (await stranger.post(path, "right")).json()
        assert told["code"] == "challenged"
        asked = altcha.Challenge.from_dict(told["challenge"])
        solved = altcha.solve_challenge(asked)
        assert solved
        answer = {"X-Lockout-Answer": altcha.Payload(asked, solved).to_base64()}
        assert (await stranger.post(path, "right", **answer)).status_code == 200
    assert await FailedLogin.objects.acount() == 2


async def test_a_network_is_refused_for_names_that_nobody_has_tried(stranger: Caller) -> None:
    assert [(await stranger.guess("/ablock", 1, f"name{n}"))[0] for n in range(11)] == [
        *[401] * 10,
        429,
    ]


@pytest.mark.parametrize("path", WAYS)
async def test_a_row_says_where_it_came_from(path: str, stranger: Caller) -> None:
    await stranger.log_in(path, "wrong")
    await stranger.log_in(path)
    for row in (
        await FailedLogin.objects.select_related("user_agent").aget(),
        await SuccessfulLogin.objects.select_related("user_agent").aget(),
    ):
        assert (row.ip_address, row.path) == (ELSEWHERE, path)
        assert row.user_agent
        assert row.user_agent.text == "Firefox"


@pytest.mark.parametrize(
    ("proxies", "stored"),
    [(None, "10.0.0.9"), (0, "10.0.0.9"), (1, HOME), (["10.0.0.0/8"], HOME)],
)
async def test_declared_proxies_are_believed_and_no_others(
    proxies: Any, stored: str, settings: Any, alice: Any
) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "TRUSTED_PROXIES": proxies}
    await Caller(app, "10.0.0.9").post(
        "/ablock", "wrong", **{"X-Forwarded-For": f"6.6.6.6, {HOME}"}
    )
    assert (await FailedLogin.objects.aget()).ip_address == stored


async def test_a_refused_answer_opens_no_session(stranger: Caller) -> None:
    await stranger.guess("/ablock", 4)
    answer = await stranger.post("/token-in-a-cookie", "right")
    assert (answer.status_code, answer.headers["X-Kept"]) == (429, "yes")
    assert "token" not in answer.cookies
    assert answer.json()["code"] == "locked"


# -- What is recorded ---------------------------------------------------------------------------


@pytest.mark.parametrize("path", WAYS)
async def test_a_login_is_one_row(path: str, owner: Caller) -> None:
    assert await owner.log_in(path) == 200
    row = await SuccessfulLogin.objects.aget()
    assert (row.event, row.username) == (SuccessfulLogin.Event.LOGIN, "alice")


async def test_a_right_password_without_a_session_is_recorded_as_such(owner: Caller) -> None:
    assert await owner.log_in("/first-factor") == 200
    assert (await SuccessfulLogin.objects.aget()).event == SuccessfulLogin.Event.VERIFIED


# -- Trusted browsers ---------------------------------------------------------------------------


@pytest.mark.parametrize("path", WAYS)
async def test_the_owner_gets_in_while_strangers_are_locked_out(
    path: str, owner: Caller, stranger: Caller
) -> None:
    assert await owner.log_in(path) == 200
    assert await stranger.guess(path, 5) == [*[401] * 4, 429]
    assert await owner.log_in(path) == 200
    assert await Caller(app).log_in(path) == 429


async def test_the_verb_with_a_request_of_the_framework_knows_the_browser_too(
    owner: Caller, stranger: Caller
) -> None:
    await owner.log_in("/ablock")
    await stranger.guess("/plain", 4)
    assert await owner.log_in("/plain") == 200


async def test_a_second_factor_that_is_pending_trusts_nothing(
    owner: Caller, stranger: Caller
) -> None:
    assert await owner.log_in("/first-factor") == 200
    assert await TrustedDevice.objects.acount() == 0
    await stranger.guess("/ablock", 4)
    assert await owner.log_in("/first-factor") == 429


async def test_who_failed_is_known_again_and_trusted_with_nothing(
    owner: Caller, stranger: Caller
) -> None:
    assert await owner.log_in("/ablock", "wrong") == 401
    assert owner.jar[COOKIE]
    await stranger.guess("/ablock", 3)
    assert await owner.log_in("/ablock") == 429


async def test_the_same_browser_ends_its_own_failures(owner: Caller) -> None:
    await owner.guess("/ablock", 3)
    assert await owner.log_in("/ablock") == 200
    outcomes = [row.outcome async for row in FailedLogin.objects.all()]
    assert outcomes == ["forgiven"] * 3


async def test_a_forged_cookie_says_nothing(owner: Caller, stranger: Caller) -> None:
    await owner.log_in("/ablock")
    await stranger.guess("/ablock", 4)
    owner.jar.set(COOKIE, owner.jar[COOKIE][:-3] + "abc", domain="site.example")
    forger = Caller(app)
    forger.jar.set(COOKIE, owner.jar[COOKIE][:-3] + "abc", domain="site.example")
    assert await forger.log_in("/ablock") == 429


async def test_a_lock_by_hand_binds_the_owner_here_too(owner: Caller) -> None:
    await owner.log_in("/ablock")
    await lockout.alock_account("alice", 3600)
    assert await owner.log_in("/ablock") == 429


def certificate(request: Any) -> str | None:
    """Return what a proxy says of the client's certificate."""
    told: str | None = request.headers.get("X-Certificate")
    return told


async def test_a_client_without_cookies_is_known_by_what_the_site_says(
    settings: Any, stranger: Caller
) -> None:
    own = {"DEVICE_OF": f"{__name__}.certificate"}
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, **own}
    mine = {"X-Certificate": "of Alice"}
    assert (await Caller(app).post("/ablock", "right", **mine)).status_code == 200
    await stranger.guess("/ablock", 4)
    assert (await Caller(app).post("/ablock", "right", **mine)).status_code == 200
    assert await Caller(app).log_in("/ablock") == 429


@pytest.mark.parametrize(("base", "is_secure"), [("http", False), ("https", True)])
async def test_the_cookie_is_for_no_script_and_keeps_to_https(
    base: str, is_secure: bool, alice: Any
) -> None:
    answer = await Caller(app, base=f"{base}://site.example").post("/ablock", "right")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert ("Secure" in cookie) == is_secure
    assert answer.headers["Vary"] == "Cookie"


async def test_what_has_no_login_sets_no_cookie(alice: Any) -> None:
    answer = await Caller(app).post("/asks-first", "")
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers


# -- The page -----------------------------------------------------------------------------------

PAGE = (Path(__file__).parents[2] / "docs/integration.md").read_text()


async def test_the_code_of_the_page_is_guarded(alice: Any) -> None:
    (code,) = re.findall(r"```python\n# api\.py\n(.*?)```", PAGE, re.DOTALL)
    module: dict[str, Any] = {"__name__": "api"}
    exec(compile(code, "api.py", "exec"), module)
    stranger = Caller(module["app"], ELSEWHERE)
    assert "token" in (await Caller(module["app"]).post("/token", "right")).json()
    assert await stranger.guess("/token", 5) == [*[401] * 4, 429]
    assert await stranger.guess("/token", 5, "nobody") == [*[401] * 4, 429]
