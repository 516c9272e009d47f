"""Logins of FastAPI beside the Django site: the same accounts, the same limits."""

from __future__ import annotations

from typing import Any

import django

django.setup()

from fastapi import FastAPI, HTTPException  # noqa: E402
from fastapi.responses import JSONResponse  # noqa: E402
from pydantic import BaseModel  # noqa: E402

from lockout_admin.integrations.fastapi import Logins, guard  # noqa: E402
from tests.services.own_checks import acheck, check  # noqa: E402

application = FastAPI()
guard(application)


class Credentials(BaseModel):
    """A JSON body."""

    username: str
    password: str


@application.post("/ablock/")
async def in_async_code(given: Credentials, logins: Logins) -> JSONResponse:
    """Check the password here."""
    async with logins.attempt(given.username, given.password) as attempt:
        user = await acheck(given.username, given.password)
        if user is None:
            raise HTTPException(401)
        attempt.succeeded(user)
    await logins.asession_begins(user)
    return JSONResponse("in")


@application.post("/block/")
def in_threads(given: Credentials, logins: Logins) -> JSONResponse:
    """Check it here in sync code, which FastAPI runs in threads."""
    with logins.attempt(given.username, given.password) as attempt:
        user = check(given.username, given.password)
        if user is None:
            raise HTTPException(401)
        attempt.succeeded(user)
    logins.session_begins(user)
    return JSONResponse("in")


@application.post("/abackends/")
async def by_backends(given: Credentials, logins: Logins) -> JSONResponse:
    """Have Django's backends check it."""
    return _answer(await logins.aauthenticate(**given.model_dump()))


@application.post("/backends/")
def by_backends_in_threads(given: Credentials, logins: Logins) -> JSONResponse:
    """Have them do so in sync code."""
    return _answer(logins.authenticate(**given.model_dump()))


def _answer(user: Any) -> JSONResponse:
    if user is None:
        raise HTTPException(401)
    return JSONResponse("in")
