"""The ways in of the attacked site."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from django.contrib.auth import aauthenticate, authenticate, login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from lockout_admin.engine import attempts

from . import own_checks


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


@csrf_exempt
def many_logins(request: HttpRequest) -> HttpResponse:
    """Log in with each of a list, as a batch of GraphQL does; tell how each ended."""
    answers = []
    for credentials in json.loads(request.body):
        try:
            answers.append("in" if authenticate(request, **credentials) else "wrong")
        except PermissionDenied:
            answers.append("refused")
    return HttpResponse(",".join(answers))


@csrf_exempt
def slow_login(request: HttpRequest) -> HttpResponse:
    """Reserve as a login does, and verify for a minute."""
    attempts.begin(json.loads(request.body)["username"], request)
    time.sleep(60)
    return HttpResponse("done")


def worker(request: HttpRequest) -> HttpResponse:
    """Tell which process answers."""
    return HttpResponse(str(os.getpid()))


def up(request: HttpRequest) -> HttpResponse:
    """Tell that the server is up."""
    return HttpResponse("up")


urlpatterns: list[Any] = [
    path("login/", sync_login),
    path("alogin/", async_login),
    path("failing/", failing_login),
    path("many/", many_logins),
    path("slow/", slow_login),
    path("block/", own_checks.sync_block),
    path("ablock/", own_checks.async_block),
    path("drf/", own_checks.drf_block),
    path("worker/", worker),
    path("up/", up),
]
