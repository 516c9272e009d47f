"""Counts what each kind of attempt costs beyond plain Django; prints JSON.

To be run in the environment of the site.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

import django

django.setup()

from django.contrib.auth import authenticate, get_user_model  # noqa: E402
from django.contrib.auth.backends import ModelBackend  # noqa: E402
from django.core.cache import cache  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import RequestFactory  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from lockout_admin import lockout  # noqa: E402
from lockout_admin.defences import devices  # noqa: E402
from lockout_admin.identity.browser import Browser  # noqa: E402
from lockout_admin.incidents import turns  # noqa: E402
from lockout_admin.models import TrustedDevice  # noqa: E402

from .chores import do_now  # noqa: E402

FRESH = count()
CACHE_CALLS = (
    "add",
    "decr",
    "delete",
    "delete_many",
    "get",
    "get_many",
    "incr",
    "set",
    "set_many",
    "touch",
)


def counted(calls: Counter[str], name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    """Return `method`, counting."""

    def count(*args: Any, **kwargs: Any) -> Any:
        calls[name] += 1
        return method(*args, **kwargs)

    return count


def costs(
    username: str, password: str, attempt: Callable[..., Any], cookie: str = ""
) -> dict[str, Any]:
    """Return SQL statements and cache calls of one attempt; a wrong password is a new one."""
    calls: Counter[str] = Counter()
    if password == "wrong":
        password = f"wrong {next(FRESH)}"
    backend = type(cache._connections[cache._alias])  # type: ignore[attr-defined]
    originals = {name: getattr(backend, name) for name in CACHE_CALLS}
    for name, method in originals.items():
        setattr(backend, name, counted(calls, name, method))
    request = RequestFactory(headers={"User-Agent": "Firefox"}).post("/login/")
    request.COOKIES["lockout_device"] = cookie
    do_now()
    calls.clear()
    try:
        with CaptureQueriesContext(connection) as queries:
            attempt(request, username=username, password=password)
    finally:
        for name, method in originals.items():
            setattr(backend, name, method)
    return {"sql": len(queries), "cache": dict(calls)}


def main() -> None:
    """Walk through the life of a count: success, failures up to the lock, refusals, release."""
    # The thread that looks for incidents has its own calls.
    turns._worker = turns.Worker(pause=3600)
    plain = {
        "success": costs("alice", "right", ModelBackend().authenticate)["sql"],
        "failure": costs("alice", "wrong", ModelBackend().authenticate)["sql"],
    }
    authenticate(
        RequestFactory(headers={"User-Agent": "Firefox"}).get("/"), username="warm", password="up"
    )

    def added(kind: str, password: str, cookie: str = "") -> dict[str, Any]:
        cost = costs("alice", password, authenticate, cookie)
        return {**cost, "sql": cost["sql"] - plain.get(kind, 0)}

    report = {"success": added("success", "right")}
    report["first failure"] = added("failure", "wrong")
    report["success after a failure"] = added("success", "right")
    for number in (1, 2, 3):
        report[f"failure {number}"] = added("failure", "wrong")
    report["failure that locks"] = added("failure", "wrong")
    report["first refusal"] = added("refusal", "wrong")
    report["refusal"] = added("refusal", "right")
    many = [added("refusal", "wrong") for _ in range(40)]
    report["forty refusals"] = {
        "sql": sum(cost["sql"] for cost in many),
        "cache": dict(sum((Counter(cost["cache"]) for cost in many), Counter())),
    }
    lockout.unlock_account("alice")
    report["success after a release"] = added("success", "right")
    cookie = cookie_of_a_device()
    report["success of a device"] = added("success", "right", cookie)
    report["failure of a device"] = added("failure", "wrong", cookie)
    lockout.lock_account("alice", 60)
    report["refusal of a device"] = added("refusal", "right", cookie)
    print(json.dumps(report))


def cookie_of_a_device() -> str:
    """Return the cookie of a browser that Alice logged in with."""
    request = RequestFactory(headers={"User-Agent": "Firefox"}).post("/login/")
    devices.trust_next_login(request, get_user_model().objects.get(username="alice"))
    TrustedDevice.objects.update(for_once=False)
    browser = Browser.of(request)
    assert browser
    browser.owners = [replace(owner, once_until=0) for owner in browser.owners]
    return browser.cookie


main()
