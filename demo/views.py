"""A home page, a login page, and a login for programs: sync and async."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.auth import aauthenticate, alogin, authenticate, login
from django.contrib.auth.views import LoginView
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST, require_safe
from django.views.generic import TemplateView

from lockout_admin.conf import conf

from .people import SHOWN
from .postbox import letters


class HomeView(TemplateView):
    """Says who is signed in, and what there is to see."""

    template_name = "demo/home.html"
    extra_context = {"rule": conf}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add whether mails are shown."""
        return super().get_context_data(**kwargs, has_mail=settings.DEBUG)


class MailView(TemplateView):
    """Shows the demo's mails, so that their links can be clicked; to nobody in production."""

    template_name = "demo/mail.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the mails."""
        if not settings.DEBUG:
            raise Http404
        return super().get_context_data(**kwargs, letters=letters())


class DemoLoginView(LoginView):
    """Django's login view, with the demo's accounts beside the form."""

    template_name = "demo/login.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the accounts whose passwords are public."""
        return super().get_context_data(**kwargs, people=SHOWN if settings.DEBUG else ())


@cache_control(max_age=86_400, public=True)
@require_safe
def icon(request: HttpRequest) -> HttpResponse:
    """Lead to the icon that the demo's own pages name."""
    return redirect(static("demo/lock.svg"))


# A program has no form to carry a token in, and another site's page can't forge this request
# either: a browser asks before it sends JSON across origins, and nobody here answers yes.
@csrf_exempt
@require_POST
@sensitive_variables()
def api_login(request: HttpRequest) -> JsonResponse:
    """Sign a program in that posts JSON: ``{"username": …, "password": …}``."""
    try:
        credentials = credentials_in(request)
    except CredentialsError as error:
        return _bad_request(error)
    user = authenticate(request, **credentials)
    if user is None:
        return _unauthorized()
    login(request, user)
    return _signed_in(user)


@csrf_exempt
@require_POST
@sensitive_variables()
async def api_alogin(request: HttpRequest) -> JsonResponse:
    """Async twin of `api_login`."""
    try:
        credentials = credentials_in(request)
    except CredentialsError as error:
        return _bad_request(error)
    user = await aauthenticate(request, **credentials)
    if user is None:
        return _unauthorized()
    await alogin(request, user)
    return _signed_in(user)


class CredentialsError(ValueError):
    """A body that is no username and password; the message says what is wrong with it."""


def credentials_in(request: HttpRequest) -> dict[str, str]:
    """Return the credentials in a JSON body; raise `CredentialsError` for anything else."""
    if request.content_type != "application/json":
        raise CredentialsError("Send JSON, with 'Content-Type: application/json'.")
    try:
        body = json.loads(request.body)
    except RequestDataTooBig:
        raise CredentialsError("The body is too long.") from None
    except (ValueError, RecursionError):
        raise CredentialsError("The body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise CredentialsError("The body must be a JSON object.")
    return {name: _text(body, name) for name in ("username", "password")}


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise CredentialsError(f"'{name}' must be a string that is not empty.")
    return value


def _signed_in(user: Any) -> JsonResponse:
    return JsonResponse({"username": user.get_username()})


def _bad_request(error: CredentialsError) -> JsonResponse:
    return JsonResponse(
        {"detail": str(error), "code": "bad_request"}, status=HTTPStatus.BAD_REQUEST
    )


def _unauthorized() -> JsonResponse:
    # A refused attempt ends here too; the middleware answers it with 429 instead.
    details = {"detail": "Wrong username or password.", "code": "wrong_credentials"}
    return JsonResponse(details, status=HTTPStatus.UNAUTHORIZED)
