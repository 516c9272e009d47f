"""The middleware for applications of ASGI, whichever framework they are made with."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import suppress
from io import BytesIO
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIRequest
from starlette.requests import Request

from lockout_admin import lockout
from lockout_admin.identity.browser import Browser, changed
from lockout_admin.identity.visit import Visit, bare
from lockout_admin.integrations.asgi import LockoutMiddleware, Scope
from lockout_admin.models import SuccessfulLogin

from .conftest import Caller

pytestmark = pytest.mark.django_db(transaction=True)


class Application:
    """Does what a test says, and answers as the test says."""

    def __init__(self, status: int = 200, headers: Any = (), body: tuple[bytes, ...] = ()) -> None:
        self.status, self.headers, self.body = status, list(headers), body

    async def work(self, scope: Scope) -> None:
        """Log in, or whatever this application does."""

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        await self.work(scope)
        head = {"type": "http.response.start", "status": self.status}
        await send({**head, "headers": self.headers} if self.headers else head)
        for part in self.body:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


class Guarded(Application):
    """Tries one wrong password by the scope alone, and swallows a refusal."""

    async def work(self, scope: Scope) -> None:
        with suppress(lockout.AccountLocked):
            async with lockout.attempt("alice", scope):
                raise AssertionError("it is refused")


class LetsThrough(Guarded):
    """Lets a refusal through: it has no handler for it."""

    async def work(self, scope: Scope) -> None:
        async with lockout.attempt("alice", scope):
            raise AssertionError("it is refused")


class LetsThroughLate(Application):
    """Does so when the answer has begun."""

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        await super().__call__(scope, receive, send)
        raise lockout.AccountLocked


class Breaks(Guarded):
    """Swallows a refusal, answers with an error page, and raises something else."""

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        await super().__call__(scope, receive, send)
        raise ZeroDivisionError


class LetsOneOfTwoIn(Application):
    """Tries a name that is locked, and lets Alice in by another one."""

    async def work(self, scope: Scope) -> None:
        for name in ("alice@example.com", "alice"):
            with suppress(lockout.AccountLocked):
                async with lockout.attempt(name, scope) as attempt:
                    attempt.succeeded()


class LetsIn(Application):
    """Lets everybody in."""

    async def work(self, scope: Scope) -> None:
        async with lockout.attempt("alice", scope) as attempt:
            attempt.succeeded()


class TakesItsTime(LetsIn):
    """Begins a check that its client does not wait for."""

    def __init__(self) -> None:
        super().__init__()
        self.checking = asyncio.Event()

    async def work(self, scope: Scope) -> None:
        await super().work(scope)
        self.checking.set()
        await asyncio.Event().wait()


async def locked(application: Application) -> Any:
    """Return the answer to somebody whose name is locked."""
    await lockout.alock_account("alice", 3600)
    return await Caller(LockoutMiddleware(application)).post("/login", "wrong")


REFUSING = [400, 401, 403, 404, 422]


@pytest.mark.parametrize("status", REFUSING)
async def test_a_refusal_that_the_application_swallows_is_answered_as_one(status: int) -> None:
    headers = [(b"content-type", b"text/html"), (b"ETag", b"x"), (b"X-Frame-Options", b"DENY")]
    answer = await locked(Guarded(status, headers, (b"wrong", b" password")))
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3600")
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Content-Type"] == "application/json"
    assert "ETag" not in answer.headers
    assert answer.json()["retry_after"] == 3600


@pytest.mark.parametrize("status", [200, 302, 500])
async def test_what_is_no_refusal_is_left_alone(status: int) -> None:
    answer = await locked(Guarded(status, [(b"set-cookie", b"a=b")], (b"its", b" own")))
    assert (answer.status_code, answer.text) == (status, "its own")
    assert answer.cookies["a"] == "b"


async def test_an_answer_with_429_of_its_own_keeps_its_body_and_opens_no_session() -> None:
    answer = await locked(Guarded(429, [(b"Set-Cookie", b"a=b")], (b"slowly",)))
    assert (answer.status_code, answer.text) == (429, "slowly")
    assert not answer.cookies


async def test_a_refusal_that_nobody_catches_is_answered_too() -> None:
    answer = await locked(LetsThrough())
    assert (answer.status_code, answer.json()["code"]) == (429, "locked")


async def test_one_that_comes_when_the_answer_has_begun_is_a_fault() -> None:
    with pytest.raises(lockout.AccountLocked):
        await locked(LetsThroughLate())


async def test_an_error_after_a_refusal_is_an_error() -> None:
    with pytest.raises(ZeroDivisionError):
        await locked(Breaks(500, body=(b"sorry",)))


async def test_where_somebody_got_in_the_answer_is_the_applications() -> None:
    await lockout.alock_account("alice@example.com", 3600)
    application = LetsOneOfTwoIn(403, [(b"set-cookie", b"a=b")], (b"not for you",))
    answer = await Caller(LockoutMiddleware(application)).post("/login", "right")
    assert (answer.status_code, answer.text) == (403, "not for you")
    assert answer.cookies["a"] == "b"


async def test_what_is_answered_is_on_record() -> None:
    recorded = []

    async def send(message: Any) -> None:
        recorded.append((message["type"], await SuccessfulLogin.objects.acount()))

    await LockoutMiddleware(LetsIn())({**SCOPE}, None, send)  # type: ignore[arg-type]
    assert recorded == [("http.response.start", 1), ("http.response.body", 1)]


async def test_a_client_that_hangs_up_leaves_its_record() -> None:
    application = TakesItsTime()
    request = Caller(LockoutMiddleware(application)).post("/login", "right")
    task = asyncio.ensure_future(request)
    await application.checking.wait()
    assert await SuccessfulLogin.objects.acount() == 0
    task.cancel()
    await asyncio.wait({task})
    assert (await SuccessfulLogin.objects.aget()).event == SuccessfulLogin.Event.VERIFIED


async def test_what_is_no_request_passes() -> None:
    passed = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        passed.append(scope)

    scope: dict[str, Any] = {"type": "lifespan"}
    await LockoutMiddleware(application)(scope, None, None)  # type: ignore[arg-type]
    assert passed == [{"type": "lifespan"}]


# -- Which object stands for a request ----------------------------------------------------------

SCOPE = {
    "type": "http",
    "method": "POST",
    "path": "/login",
    "query_string": b"",
    "headers": [(b"cookie", b"a=1; b=2"), (b"Cookie", b"c=3"), (b"host", b"x")],
}


def test_a_visit_has_the_cookies_of_all_its_headers() -> None:
    assert Visit(SCOPE).COOKIES == {"a": "1", "b": "2", "c": "3"}
    assert Visit({}).COOKIES == {}


@pytest.mark.parametrize(
    ("scope", "is_secure"), [({}, False), ({"scheme": "http"}, False), ({"scheme": "https"}, True)]
)
def test_a_visit_is_secure_where_the_server_says_so(scope: Any, is_secure: bool) -> None:
    assert Visit(scope).is_secure() == is_secure


def test_what_is_made_of_a_scope_leads_to_its_visit() -> None:
    visit = Visit(SCOPE)
    assert bare(visit.inside()) is visit
    assert bare(Request(visit.inside())) is visit
    assert bare(visit) is visit
    assert bare(SCOPE) is SCOPE


def test_a_request_of_django_inside_stands_for_itself() -> None:
    request = ASGIRequest(Visit(SCOPE).inside(), BytesIO())
    assert bare(request) is request
    assert isinstance(Browser.of(request), Browser)
    assert changed(Visit(SCOPE)) is None


# -- Without any framework ----------------------------------------------------------------------

WITHOUT = """
import importlib, pkgutil, sys
sys.modules |= dict.fromkeys(("fastapi", "starlette", "pydantic"))
import django
django.setup()
import lockout_admin
names = [m.name for m in pkgutil.walk_packages(lockout_admin.__path__, "lockout_admin.")]
missing = []
for name in names:
    try:
        importlib.import_module(name)
    except ImportError as error:
        missing.append(name)
print(len(names) > 150, missing)
"""


def test_no_module_but_its_own_needs_the_framework() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True
    )
    assert done.stdout.split(maxsplit=1) == ["True", "['lockout_admin.integrations.fastapi']\n"]
