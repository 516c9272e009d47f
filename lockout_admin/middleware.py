"""What a refused person gets to see, and records that no rollback takes with it."""

from __future__ import annotations

import gzip
import logging
import re
import zlib
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.translation import gettext

from .defences.asking import rendered
from .engine.journal import Journal, current_journal
from .engine.patience import to_the_end
from .exceptions import AccountLocked
from .identity.browser import changed
from .notifications.links import ask_path

logger = logging.getLogger("lockout_admin")

#: What tells a login form from other pages.
_PASSWORD_INPUT = re.compile(rb"""<input[^>]{0,999}type\s*=\s*["']?password""", re.IGNORECASE)

#: Headers that describe the answer that is replaced, not the conversation.
OF_THE_BODY = frozenset(
    (
        "content-type",
        "content-length",
        "content-encoding",
        "content-disposition",
        "etag",
        "last-modified",
        "location",
    )
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
        journal = Journal.opened_for(request)
        token = current_journal.set(journal)
        try:
            response = self.get_response(request)
        finally:
            current_journal.reset(token)
            journal.close()
        return _answer(request, response, journal)

    async def _acall(self, request: HttpRequest) -> HttpResponseBase:
        journal = Journal.opened_for(request)
        token = current_journal.set(journal)
        try:
            response = await self.get_response(request)
        finally:
            current_journal.reset(token)
            await to_the_end(journal.close)
        return await sync_to_async(_answer)(request, response, journal)

    def process_template_response(self, request: HttpRequest, response: Any) -> Any:
        """Put the refusal into the form of the page, before it is rendered."""
        journal = current_journal.get()
        if journal is None or journal.refusal is None or journal.somebody_is_in:
            return response
        # A response out of Django's cache has left its context behind.
        form: Any = (getattr(response, "context_data", None) or {}).get("form")
        if _is_login_form(form) and not _speaks_json(request, response):
            error = ValidationError(
                _with_help(request, journal.refusal), code=journal.refusal.reason
            )
            # Not add_error(), which an unbound form does not take.
            form.errors[NON_FIELD_ERRORS] = form.error_class(
                error.error_list, "nonfield", form.renderer
            )
            _mark(response, journal.refusal)
        return response

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseBase | None:
        """Answer a refusal that a view let through."""
        return _refusal(request, None, exception) if isinstance(exception, AccountLocked) else None


def _answer(request: HttpRequest, response: HttpResponseBase, journal: Journal) -> HttpResponseBase:
    """Return the answer to a request, with the cookie by which its browser is known again."""
    response = _refused_or_not(request, response, journal)
    if browser := changed(request):
        browser.set_cookie(request, response)
    return response


def _refused_or_not(
    request: HttpRequest, response: HttpResponseBase, journal: Journal
) -> HttpResponseBase:
    """Return the answer to a request: of one that was refused, 429 in place of the view's refusal.

    What the view did besides, or answered although it was told of a lock, is left alone.
    """
    if journal.somebody_is_in:
        return response
    if journal.refusal and _refuses(response):
        response = _refusal(request, response, journal.refusal)
    elif journal.told and response.status_code == HTTPStatus.FORBIDDEN:
        response = _refusal(request, response, journal.told)
    was_refused = journal.refusal or journal.told
    if was_refused and response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        _forget_new_cookies(request, response)
    return response


def _is_login_form(form: Any) -> bool:
    """Tell whether it is a form that asks for a password, or that is back with its errors."""
    if not isinstance(form, BaseForm):
        return False
    inputs = (getattr(field.widget, "input_type", "") for field in form.fields.values())
    # Not is_valid(), which would try again where the view has not asked yet.
    return "password" in inputs or bool(getattr(form, "_errors", None))


def _refuses(response: HttpResponseBase) -> bool:
    """Tell whether an answer is a refusal: an error of the client's, or the login form again."""
    status = response.status_code
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return False  # as it should be
    if status in range(400, 500):
        return True
    return status == HTTPStatus.OK and _PASSWORD_INPUT.search(_body(response)) is not None


def _body(response: HttpResponseBase) -> bytes:
    """Return what an answer says, though other middleware has packed it already."""
    if response.streaming:
        return b""
    content: bytes = getattr(response, "content", b"")
    if response.headers.get("Content-Encoding") != "gzip":
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error):
        return content


def _refusal(
    request: HttpRequest, response: HttpResponseBase | None, refusal: AccountLocked
) -> HttpResponseBase:
    is_json = _speaks_json(request, response)
    answer = JsonResponse(refusal.details) if is_json else _page(request, refusal)
    if response:
        # What other middleware and the view said to the client: security headers, CORS, cookies.
        for name, value in response.headers.items():
            if name.lower() not in OF_THE_BODY:
                answer.headers.setdefault(name, value)
        answer.cookies = response.cookies
    return _mark(answer, refusal)


def _forget_new_cookies(request: HttpRequest, response: HttpResponseBase) -> None:
    """Take away cookies that the request did not bring: a refused one must not open a session.

    A view that checks the password itself would do so with the right one only. A stranger brings
    whatever names he likes: by name alone those are kept that tell nothing and open nothing.
    """
    own = settings.SESSION_COOKIE_NAME
    harmless = {settings.CSRF_COOKIE_NAME, settings.LANGUAGE_COOKIE_NAME} - {own}
    response.headers.pop("Set-Cookie", None)
    for name, cookie in list(response.cookies.items()):
        brought = request.COOKIES.get(name)
        if brought is None or (name not in harmless and cookie.value not in ("", brought)):
            del response.cookies[name]
    # The middleware of sessions may stand before this one, and set its cookie later.
    session: Any = getattr(request, "session", None)
    brought = request.COOKIES.get(own)
    if session is not None and session.modified and _is_new(session, brought):
        request.session = type(session)(brought)


def _with_help(request: HttpRequest, refusal: AccountLocked) -> Any:
    """Return what a refused person reads in a form, with a way out where the site has one."""
    path = ask_path()
    challenge = rendered(request, refusal)
    if not path and not challenge:
        return refusal.message
    offer = gettext("Is this your account? Get in by e-mail")
    link = format_html('<a href="{}">{}</a>', path, offer) if path else ""
    return format_html("{} {} {}", refusal.message, challenge, link)


def _is_new(session: Any, brought: str | None) -> bool:
    return session.session_key is None or session.session_key != brought


def _page(request: HttpRequest, refusal: AccountLocked) -> HttpResponse:
    try:
        challenge = rendered(request, refusal)
        context = {"refusal": refusal, "challenge": challenge, "ask_path": ask_path()}
        return HttpResponse(render_to_string("lockout_admin/refused.html", context, request))
    except Exception:
        # The template may be missing, a context processor may need what the view would have made.
        logger.exception(
            "refusal_page_not_rendered: answering in plain text; see lockout_admin/refused.html."
        )
        return HttpResponse(str(refusal.message), content_type="text/plain; charset=utf-8")


def _mark(response: HttpResponseBase, refusal: AccountLocked) -> HttpResponseBase:
    response.status_code = HTTPStatus.TOO_MANY_REQUESTS
    for name, value in refusal.headers.items():
        response.headers[name] = value
    return response


def _speaks_json(request: HttpRequest, response: HttpResponseBase | None) -> bool:
    answered = response.headers.get("Content-Type", "") if response else ""
    return (
        "json" in answered
        or request.content_type == "application/json"
        or request.get_preferred_type(["text/html", "application/json"]) == "application/json"
    )
