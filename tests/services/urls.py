"""The ways in of the attacked site."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth import aauthenticate, authenticate, login
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt


@csrf_exempt
def sync_login(request: HttpRequest) -> HttpResponse:
    """Log in with a JSON body."""
    user = authenticate(request, **json.loads(request.body))
    if user is None:
        return HttpResponse("wrong", status=401)
    login(request, user)
    return HttpResponse("in")


@csrf_exempt
async def async_login(request: HttpRequest) -> HttpResponse:
    """Check credentials in async code."""
    user = await aauthenticate(request, **json.loads(request.body))
    return HttpResponse("in") if user else HttpResponse("wrong", status=401)


@csrf_exempt
def failing_login(request: HttpRequest) -> HttpResponse:
    """Fail after the login did."""
    authenticate(request, **json.loads(request.body))
    raise RuntimeError("the view fails")


def up(request: HttpRequest) -> HttpResponse:
    """Tell that the server is up."""
    return HttpResponse("up")


urlpatterns: list[Any] = [
    path("login/", sync_login),
    path("alogin/", async_login),
    path("failing/", failing_login),
    path("up/", up),
]
