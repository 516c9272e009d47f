"""Logins of Starlette beside the Django site: the same accounts, the same limits."""

from __future__ import annotations

from typing import Any

import django

django.setup()

from starlette.applications import Starlette  # noqa: E402
from starlette.concurrency import run_in_threadpool  # noqa: E402
from starlette.exceptions import HTTPException  # noqa: E402
from starlette.requests import Request  # noqa: E402
from starlette.responses import PlainTextResponse  # noqa: E402
from starlette.routing import Route  # noqa: E402

from lockout_admin import lockout  # noqa: E402
from tests.services.own_checks import acheck, check  # noqa: E402


async def in_async_code(request: Request) -> PlainTextResponse:
    """Check credentials in a JSON body."""
    return await _verified(request, await request.json())


async def by_its_scope(request: Request) -> PlainTextResponse:
    """Do so with nothing but the scope, as middleware of ASGI has it."""
    return await _verified(dict(request.scope), await request.json())


async def in_threads(request: Request) -> PlainTextResponse:
    """Do so in sync code, which Starlette runs in threads."""
    return await run_in_threadpool(_verified_in_a_thread, request, await request.json())


async def _verified(where: Any, given: dict[str, str]) -> PlainTextResponse:
    async with lockout.attempt(given["username"], where) as attempt:
        user = await acheck(**given)
        if user is None:
            raise HTTPException(401)
        attempt.succeeded(user)
    return PlainTextResponse("in")


def _verified_in_a_thread(request: Request, given: dict[str, str]) -> PlainTextResponse:
    with lockout.attempt(given["username"], request) as attempt:
        user = check(**given)
        if user is None:
            raise HTTPException(401)
        attempt.succeeded(user)
    return PlainTextResponse("in")


async def refused(request: Request, refusal: Any) -> PlainTextResponse:
    """Answer a refusal, wherever it comes from."""
    headers = {"Retry-After": str(refusal.retry_after)}
    return PlainTextResponse(str(refusal.message), 429, headers)


application = Starlette(
    routes=[
        Route("/block/", in_threads, methods=["POST"]),
        Route("/ablock/", in_async_code, methods=["POST"]),
        Route("/scope/", by_its_scope, methods=["POST"]),
    ],
    exception_handlers={lockout.AccountLocked: refused},
)
