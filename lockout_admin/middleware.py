"""What a refused person gets to see, and records that no rollback takes with it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.template.loader import render_to_string

from .exceptions import AccountLocked
from .journal import Journal, current_journal

logger = logging.getLogger("lockout_admin")

#: Headers that describe the answer that is replaced, not the conversation.
_OF_THE_BODY = frozenset(
    ("content-type", "content-length", "content-encoding", "content-disposition", "etag", "last-modified", "location")
)


class LockoutMiddleware:
    """Answers refused logins with 429 and ``Retry-After`` (RFC 6585, 4; RFC 9110, 10.2.3).

    The reason is told where people look for it: in the login form they used, in JSON for a client
    that speaks JSON, on a page of its own else.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Open a journal for the request, and act on what is in it afterwards."""
        if self.is_async:
            return self._acall(request)
        journal = Journal()
        token = current_journal.set(journal)
        try:
            response = self.get_response(request)
        finally:
            current_journal.reset(token)
            journal.write()
        return _answer(request, response, journal.refusal)

    async def _acall(self, request: HttpRequest) -> HttpResponseBase:
        journal = Journal()
        token = current_journal.set(journal)
        try:
            response = await self.get_response(request)
        finally:
            current_journal.reset(token)
            await sync_to_async(journal.write)()
        return await sync_to_async(_answer)(request, response, journal.refusal)

    def process_template_response(self, request: HttpRequest, response: Any) -> Any:
        """Put the refusal into the form of the page, before it is rendered."""
        journal = current_journal.get()
        form = (response.context_data or {}).get("form")
        if journal and journal.refusal and isinstance(form, BaseForm) and not _speaks_json(request, response):
            error = ValidationError(journal.refusal.message, code=journal.refusal.reason)
            # Not add_error(), which an unbound form does not take.
            form.errors[NON_FIELD_ERRORS] = form.error_class(error.error_list, "nonfield", form.renderer)
            _mark(response, journal.refusal)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """Answer a refusal that a view let through."""
        return _refusal(request, None, exception) if isinstance(exception, AccountLocked) else None


def _answer(request: HttpRequest, response: HttpResponseBase, refusal: AccountLocked | None) -> HttpResponseBase:
    if refusal is None or response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        return response
    return _refusal(request, response, refusal)


def _refusal(request: HttpRequest, response: HttpResponseBase | None, refusal: AccountLocked) -> HttpResponseBase:
    answer = _json(refusal) if _speaks_json(request, response) else _page(request, refusal)
    if response:
        # What other middleware and the view said to the client: security headers, CORS, cookies.
        for name, value in response.headers.items():
            if name.lower() not in _OF_THE_BODY:
                answer.headers.setdefault(name, value)
        answer.cookies = response.cookies
    return _mark(answer, refusal)


def _json(refusal: AccountLocked) -> HttpResponse:
    details = {"detail": str(refusal.message), "code": refusal.reason, "retry_after": refusal.retry_after}
    return JsonResponse(details)


def _page(request: HttpRequest, refusal: AccountLocked) -> HttpResponse:
    try:
        return HttpResponse(render_to_string("lockout_admin/refused.html", {"refusal": refusal}, request))
    except Exception:
        # The template may be missing, a context processor may need what the view would have made.
        logger.exception("refusal_page_not_rendered: answering in plain text; see lockout_admin/refused.html.")
        return HttpResponse(str(refusal.message), content_type="text/plain; charset=utf-8")


def _mark(response: HttpResponseBase, refusal: AccountLocked) -> HttpResponseBase:
    response.status_code = HTTPStatus.TOO_MANY_REQUESTS
    response.headers["Retry-After"] = str(refusal.retry_after)
    response.headers["Cache-Control"] = "no-store"
    return response


def _speaks_json(request: HttpRequest, response: HttpResponseBase | None) -> bool:
    answered = response.headers.get("Content-Type", "") if response else ""
    return (
        "json" in answered
        or request.content_type == "application/json"
        or request.get_preferred_type(["text/html", "application/json"]) == "application/json"
    )
