"""A Content-Security-Policy for Django 5.2; later ones have a middleware of their own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import sync_and_async_middleware


@sync_and_async_middleware
def content_security_policy(
    get_response: Callable[[HttpRequest], Any],
) -> Callable[[HttpRequest], Any]:
    """Send ``SECURE_CSP`` with every answer."""

    def answer(request: HttpRequest) -> HttpResponse:
        return _with_policy(get_response(request))

    async def async_answer(request: HttpRequest) -> HttpResponse:
        response: Awaitable[HttpResponse] = get_response(request)
        return _with_policy(await response)

    return async_answer if iscoroutinefunction(get_response) else answer


def _with_policy(response: HttpResponse) -> HttpResponse:
    if settings.DEBUG and response.status_code in (404, 500):
        return response  # Django's debug pages are styled inline
    policy = "; ".join(
        f"{name} {' '.join(sources)}" for name, sources in settings.SECURE_CSP.items()
    )
    response.headers.setdefault("Content-Security-Policy", policy)
    return response
