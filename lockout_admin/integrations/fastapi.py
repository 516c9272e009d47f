"""Logins of FastAPI: the same limits, records and console as those of the Django site beside it.

    app = FastAPI()
    guard(app)

    @app.post("/login")
    async def log_in(given: Credentials, logins: Logins) -> dict[str, str]:
        async with logins.attempt(given.username, given.password) as attempt:
            user = await check(given)
            if user is None:
                raise HTTPException(401)
            attempt.succeeded(user)
        await logins.asession_begins(user)
        return {"token": token_for(user)}

``django.setup()`` has run before. Where Django's backends are to check the password, there is
``await logins.aauthenticate(username=…, password=…)`` in place of the block.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Final, cast

from django.contrib.auth import aauthenticate, authenticate
from django.views.decorators.debug import sensitive_variables
from fastapi import Depends, FastAPI, WebSocket
from fastapi.requests import HTTPConnection
from fastapi.responses import JSONResponse
from fastapi.websockets import WebSocketState

from .. import lockout
from ..engine.patience import to_the_end
from ..exceptions import AccountLocked
from ..models.transactions import close_idle_connections
from .asgi import LockoutMiddleware, asession_begins, session_begins

__all__ = ["AccountLocked", "LoginDoor", "Logins", "guard", "refused"]

#: How a WebSocket is closed (the registry of IANA that RFC 6455, 11.7, made).
_TRY_AGAIN_LATER: Final = 1013


def guard(app: FastAPI) -> None:
    """Have refusals answered, wherever they come from, and browsers known again by a cookie."""
    app.add_exception_handler(AccountLocked, cast("Any", refused))  # of both kinds of connection
    app.add_middleware(LockoutMiddleware)


async def refused(request: HTTPConnection, refusal: Exception) -> JSONResponse | None:
    """Answer a refusal with 429, ``Retry-After`` and JSON: an exception handler.

    A WebSocket that was accepted is closed: "try again later", with the seconds.
    """
    told = cast("AccountLocked", refusal)  # Starlette asks for handlers of any exception
    if isinstance(request, WebSocket) and request.application_state is WebSocketState.CONNECTED:
        await request.close(_TRY_AGAIN_LATER, f"Retry-After: {told.headers['Retry-After']}")
        return None
    return JSONResponse(told.details, HTTPStatus.TOO_MANY_REQUESTS, told.headers)


class LoginDoor:
    """The logins of one request, or of one WebSocket: a dependency, see `Logins`."""

    def __init__(self, request: HTTPConnection) -> None:
        self.request = request

    @sensitive_variables("password")
    def attempt(self, username: Any, password: Any = "") -> lockout.AttemptBlock:
        """Return one attempt as a block, for ``async with`` and ``with``; see `lockout.attempt`.

        With `password` one that is repeated is told from a fresh one.
        """
        return lockout.attempt(username, self.request, password=password)

    @sensitive_variables()
    def authenticate(self, **credentials: Any) -> Any:
        """Ask Django's backends, which are guarded themselves; no block is needed around it.

        ``None``: wrong or refused. The middleware tells the one from the other in the answer; in
        one to a WebSocket it can't, so there `attempt` is the better way.
        """
        close_idle_connections()
        try:
            return authenticate(self.request, **credentials)  # type: ignore[arg-type]
        finally:
            close_idle_connections()

    @sensitive_variables()
    async def aauthenticate(self, **credentials: Any) -> Any:
        """Async twin of `authenticate`."""
        await to_the_end(close_idle_connections)
        try:
            return await aauthenticate(self.request, **credentials)  # type: ignore[arg-type]
        finally:
            await to_the_end(close_idle_connections)

    def session_begins(self, user: Any) -> None:
        """Say that somebody is logged in now, no second factor pending; see `asgi`."""
        session_begins(self.request, user)

    async def asession_begins(self, user: Any) -> None:
        """Async twin of `session_begins`."""
        await asession_begins(self.request, user)


async def _door(request: HTTPConnection) -> LoginDoor:
    return LoginDoor(request)


#: The parameter of a path operation by which it gets its `LoginDoor`.
Logins = Annotated[LoginDoor, Depends(_door)]
