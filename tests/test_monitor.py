"""A site that only watches answers as one without the app, to the byte, and writes down why not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import authenticate, get_user_model, login
from django.http import HttpResponse, JsonResponse
from django.test import Client, override_settings
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from lockout_admin.models import AccountLock, FailedLogin, NetworkRule
from tests.urls import urlpatterns as pages

from .conftest import HOME

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

BLOCKED = "198.51.100.9"
WATCHING = {"CACHE": "default", "MODE": "monitor", "BASE_URL": "https://example.org"}
#: Of each answer what is another one each time.
PASSING = re.compile(
    rb"(csrfmiddlewaretoken\" value=\"|csrftoken=|sessionid=)[A-Za-z0-9]+|expires=[^;]+;"
)


@csrf_exempt
def api(request: Any) -> HttpResponse:
    user = authenticate(request, **json.loads(request.body))
    if user:
        login(request, user)
    return JsonResponse({"user": str(user)}, status=200 if user else 401)


urlpatterns = [*pages, path("api/", api)]

Step = Callable[[Client], Any]


def form(username: str, password: str, ip: str = HOME, url: str = "/login/?next=/login/") -> Step:
    fields = {"username": username, "password": password}
    return lambda client: client.post(url, fields, REMOTE_ADDR=ip)


def sent(username: Any, password: Any, ip: str = HOME) -> Step:
    body = {"username": username, "password": password}
    return lambda client: client.post(
        "/api/",
        body,
        content_type="application/json",
        REMOTE_ADDR=ip,
        HTTP_ACCEPT="application/json",
    )


#: What may be no attempt at all.
UNFIT: list[Step] = [sent("", ""), sent("alice", None), sent("a" * 300, "x" * 300)] * 2
#: Wrong, right, locked out, sprayed, blocked, in forms, in the admin and in JSON.
TRACE: list[Step] = [
    lambda client: client.get("/login/"),
    *(form("alice", f"wrong {number}") for number in range(6)),
    form("alice", "right"),
    *(sent("alice", f"bad {number}") for number in range(12)),
    *(sent("alice", f"bad {number}") for number in range(3)),
    sent("alice", "right"),
    sent("ALICE", "right"),
    *(form(f"name-{number}", "Summer2026", "203.0.113.80") for number in range(24)),
    form("alice", "right", "203.0.113.80"),
    sent("alice", "wrong", BLOCKED),
    sent("alice", "right", BLOCKED),
    form("alice", "wrong", BLOCKED),
    form("root", "wrong", url="/admin/login/?next=/admin/"),
    *(form("root", f"wrong {number}", url="/admin/login/?next=/admin/") for number in range(6)),
    form("root", "right", url="/admin/login/?next=/admin/"),
    sent("nobody", "x"),
    *UNFIT,
    lambda client: client.get("/admin/", REMOTE_ADDR=BLOCKED),
]


def wire(answer: Any) -> bytes:
    """Return what goes over the wire, less what is another one each time."""
    lines = [str(answer.status_code), *(f"{name}: {value}" for name, value in answer.items())]
    lines += [cookie.OutputString() for cookie in answer.cookies.values()]
    return PASSING.sub(rb"\1", "\n".join(lines).encode() + b"\n\n" + answer.content)


def played() -> list[bytes]:
    answers = []
    for browser in (Client(), Client()):
        answers += [wire(step(browser)) for step in TRACE]
    return answers


@pytest.fixture
def people(db: None) -> None:
    get_user_model().objects.create_user("alice", "alice@example.com", "right")
    get_user_model().objects.create_superuser("root", "root@example.com", "right")
    NetworkRule.objects.create(cidr=f"{BLOCKED}/32", first=BLOCKED, action="block")


@pytest.fixture
def without(people: None) -> list[bytes]:
    """Return the answers of the same site without the app."""
    middleware = [name for name in django_settings.MIDDLEWARE if "lockout" not in name]
    with override_settings(
        MIDDLEWARE=middleware,
        AUTHENTICATION_BACKENDS=["django.contrib.auth.backends.ModelBackend"],
    ):
        return played()


@pytest.mark.usefixtures("clock")
def test_answers_are_those_of_the_site_without_the_app(without: list[bytes], settings: Any) -> None:
    settings.LOCKOUT_ADMIN = WATCHING
    assert played() == without
    # And there was something to refuse.
    rules = AccountLock.objects.filter(enforced=False).values_list("rule", flat=True)
    assert {"account", "account-daily", "network", "spraying"} <= set(rules)
    assert not AccountLock.objects.filter(enforced=True).exists()
    failed = sum(answer.startswith(b"401") for answer in without)
    assert FailedLogin.objects.filter(path="/api/").count() >= failed - len(UNFIT)
    assert {answer[:3] for answer in without} == {b"200", b"302", b"401"}


@pytest.mark.usefixtures("clock", "people")
def test_the_same_site_refuses_when_it_enforces(settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {**WATCHING, "MODE": "enforce"}
    answers = played()
    assert sum(answer.startswith(b"429") for answer in answers) > len(answers) / 2
    assert any(b"lockout_device" in answer for answer in answers)
