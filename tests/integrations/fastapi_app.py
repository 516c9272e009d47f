"""An application of FastAPI with every kind of login."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from fastapi import FastAPI, HTTPException, Request, WebSocket
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from lockout_admin import lockout
from lockout_admin.integrations.fastapi import Logins, guard

app = FastAPI()
guard(app)


class Credentials(BaseModel):
    username: str
    password: str


def check(given: Credentials) -> Any:
    """Return the account whose password this is."""
    user = get_user_model().objects.filter(username=given.username).first()
    return user if user and user.check_password(given.password) else None


async def acheck(given: Credentials) -> Any:
    """Async twin."""
    user = await get_user_model().objects.filter(username=given.username).afirst()
    return user if user and await user.acheck_password(given.password) else None


def _in(user: Any) -> dict[str, str]:
    if user is None:
        raise HTTPException(401)
    return {"username": user.username}


@app.post("/ablock")
async def in_async_code(given: Credentials, logins: Logins) -> dict[str, str]:
    async with logins.attempt(given.username, given.password) as attempt:
        user = await acheck(given)
        _in(user)
        attempt.succeeded(user)
    await logins.asession_begins(user)
    return _in(user)


@app.post("/block")
def in_a_thread(given: Credentials, logins: Logins) -> dict[str, str]:
    with logins.attempt(given.username, given.password) as attempt:
        user = check(given)
        _in(user)
        attempt.succeeded(user)
    logins.session_begins(user)
    return _in(user)


@app.post("/abackends")
async def by_backends(given: Credentials, logins: Logins) -> dict[str, str]:
    user = await logins.aauthenticate(**given.model_dump())
    if user:
        await logins.asession_begins(user)
    return _in(user)


@app.post("/backends")
def by_backends_in_a_thread(given: Credentials, logins: Logins) -> dict[str, str]:
    user = logins.authenticate(**given.model_dump())
    if user:
        logins.session_begins(user)
    return _in(user)


inner = FastAPI()
app.mount("/inner", inner)


@inner.post("/token")
async def in_an_application_inside(given: Credentials, logins: Logins) -> dict[str, str]:
    """It knows no handler for refusals."""
    return await in_async_code(given, logins)


@app.websocket("/socket/{password}")
async def by_a_socket(socket: WebSocket, password: str, logins: Logins) -> None:
    """The password comes before the socket is accepted."""
    async with logins.attempt("alice", password) as attempt:
        attempt.failed()
    await socket.accept()
    await socket.close()


@app.websocket("/open-socket/{password}")
async def by_an_open_socket(socket: WebSocket, password: str, logins: Logins) -> None:
    """It is accepted before anything is tried."""
    await socket.accept()
    async with logins.attempt("alice", password) as attempt:
        attempt.failed()
    await socket.close()


@app.post("/plain")
async def by_the_verb(given: Credentials, request: Request) -> dict[str, str]:
    async with lockout.attempt(given.username, request, password=given.password) as attempt:
        user = await acheck(given)
        attempt.succeeded(user) if user else attempt.failed()
    return _in(user)


@app.post("/first-factor")
async def first_factor(given: Credentials, logins: Logins) -> dict[str, str]:
    """A second one is pending."""
    async with logins.attempt(given.username, given.password) as attempt:
        user = await acheck(given)
        attempt.succeeded(user) if user else attempt.failed()
    return _in(user)


@app.post("/token-in-a-cookie")
async def careless(given: Credentials, logins: Logins) -> JSONResponse:
    """Asks the backends, and then looks itself."""
    await logins.aauthenticate(**given.model_dump())
    user = await acheck(given)
    answer = JSONResponse({"detail": "no"}, 403, {"X-Kept": "yes"})
    answer.set_cookie("token", "live" if user else "none")
    return answer


@app.post("/asks-first")
async def asks_first(given: Credentials) -> None:
    await lockout.araise_if_locked(given.username)
