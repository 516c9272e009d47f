"""Logins that check the password themselves, in a block of `lockout.attempt`."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.response import Response

from lockout_admin import lockout


def check(username: str, password: str) -> Any:
    """Return the account whose password this is."""
    user = get_user_model().objects.filter(username=username).first()
    return user if user and user.check_password(password) else None


async def acheck(username: str, password: str) -> Any:
    """Async twin."""
    user = await get_user_model().objects.filter(username=username).afirst()
    return user if user and await user.acheck_password(password) else None


@csrf_exempt
def sync_block(request: HttpRequest) -> HttpResponse:
    """A view of Django."""
    given = json.loads(request.body)
    with lockout.attempt(given["username"], request) as attempt:
        if user := check(**given):
            attempt.succeeded(user)
            return HttpResponse("in")
    return HttpResponse("wrong", status=401)


@csrf_exempt
async def async_block(request: HttpRequest) -> HttpResponse:
    """The same in async code."""
    given = json.loads(request.body)
    async with lockout.attempt(given["username"], request) as attempt:
        user = await acheck(**given)
        attempt.succeeded(user) if user else attempt.failed()
    return HttpResponse("in") if user else HttpResponse("wrong", status=401)


@api_view(["POST"])
@authentication_classes([])
@permission_classes([])
def drf_block(request: Any) -> Response:
    """A view of Django REST framework, which raises its 401 inside."""
    given = request.data
    with lockout.attempt(given["username"], request) as attempt:
        user = check(given["username"], given["password"])
        if user is None:
            raise AuthenticationFailed
        attempt.succeeded(user)
    return Response("in")
