"""Logins of an application of ASGI that is not Django's; no package is needed.

What Django's middleware does there, the middleware here does: refusals are answered, what an
attempt left open ends with its request, and browsers get the cookie by which they are trusted.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse

from ..defences import devices
from ..engine import receivers
from ..engine.journal import Journal, current_journal
from ..engine.patience import to_the_end
from ..exceptions import AccountLocked
from ..identity.browser import changed
from ..identity.visit import Visit
from ..middleware import OF_THE_BODY
from ..models.transactions import close_idle_connections

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]


class LockoutMiddleware:
    """Answers refused logins with 429, ``Retry-After`` and JSON; sets the cookie of browsers."""

    def __init__(self, app: Application) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Open a journal for the request, and act on what is in it when the answer begins."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        visit = Visit(scope)
        answer = _Answer(visit, Journal.opened_for(visit), send)
        token = current_journal.set(answer.journal)
        try:
            await self.app(visit.inside(), receive, answer)
        except Exception as error:
            refusal = _refusal_in(error)
            if refusal is None or answer.has_begun:
                await answer.let_go()
                raise
            await answer.refuse(refusal)
        else:
            await answer.let_go()
        finally:
            current_journal.reset(token)
            await answer.write()


def session_begins(request: Any, user: Any) -> None:
    """Say that somebody is logged in now: with a token, a cookie, or whatever a session is here.

    It is what ``django.contrib.auth.login()`` says of Django's sessions. The login is recorded as
    one, and the browser is trusted as its owner's; so call it when no second factor is pending.
    """
    try:
        receivers.user_is_in(request=request, user=user)
        devices.user_is_in(request=request, user=user)
    finally:
        close_idle_connections()


async def asession_begins(request: Any, user: Any) -> None:
    """Async twin of `session_begins`."""
    await to_the_end(lambda: session_begins(request, user))


class _Answer:
    """The way out of one request; it is the `send` of the application."""

    def __init__(self, visit: Visit, journal: Journal, send: Send) -> None:
        self.visit = visit
        self.journal = journal
        self.send = send
        self.has_begun = False
        #: What takes the place of the application's body.
        self.body: bytes | None = None
        #: An error page after a refusal: an application inside another one sends it, and raises
        #: the refusal then.
        self.held: list[Message] = []

    async def __call__(self, message: Message) -> None:
        is_error = message.get("status", 0) >= HTTPStatus.INTERNAL_SERVER_ERROR
        if self.held or (is_error and self.journal.refusal):
            self.held.append(message)
        else:
            await self._send(message)

    async def let_go(self) -> None:
        """Send what was held, once it is known that no refusal comes."""
        held, self.held = self.held, []
        for message in held:
            await self._send(message)

    async def _send(self, message: Message) -> None:
        if message["type"] != "http.response.start":
            if self.body is None:
                await self.send(message)
            return
        self.has_begun = True
        await self.write()
        await self.send(self._beginning(message))
        if self.body is not None:
            await self.send({"type": "http.response.body", "body": self.body})

    async def refuse(self, refusal: AccountLocked) -> None:
        """Answer a refusal that the application let through."""
        self.held.clear()
        self.journal.refusal = refusal
        self.journal.somebody_is_in = False
        await self({"type": "http.response.start", "status": HTTPStatus.FORBIDDEN})

    async def write(self) -> None:
        """End what is open and write what was put off, before anybody hears of it."""
        if self.journal.has_work:
            await to_the_end(self._close)
        self.journal.closed = True

    def _close(self) -> None:
        self.journal.close()
        close_idle_connections()

    def _beginning(self, message: Message) -> Message:
        """Return how the answer begins: with 429 where the application refused as well."""
        status = message["status"]
        headers: Collection[Header] = message.get("headers") or ()
        refusal = None if self.journal.somebody_is_in else self.journal.refusal
        if refusal and status in range(400, 500):
            # Code that checks passwords itself would open a session with the right one only.
            headers = _without({"set-cookie"}, headers)
            if status != HTTPStatus.TOO_MANY_REQUESTS:
                self.body = json.dumps(refusal.details).encode()
                headers = [*_without(OF_THE_BODY, headers), *_headers(refusal, self.body)]
                status = HTTPStatus.TOO_MANY_REQUESTS
        return {**message, "status": int(status), "headers": [*headers, *_cookie(self.visit)]}


def _refusal_in(error: Exception) -> AccountLocked | None:
    """Return the refusal that an error is, or comes from."""
    for one in (error, error.__cause__):
        if isinstance(one, AccountLocked):
            return one
    return None


def _without(names: Collection[str], headers: Collection[Header]) -> list[Header]:
    return [(name, value) for name, value in headers if name.decode("latin-1").lower() not in names]


def _headers(refusal: AccountLocked, body: bytes) -> list[Header]:
    headers = {
        **refusal.headers,
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
    }
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


def _cookie(visit: Visit) -> list[Header]:
    """Return the headers by which the browser is known again, as Django would write them."""
    browser = changed(visit)
    if browser is None:
        return []
    response = HttpResponse()
    browser.set_cookie(visit, response)
    cookies = [(b"set-cookie", one.OutputString().encode()) for one in response.cookies.values()]
    return [*cookies, (b"vary", response.headers["Vary"].encode())]
