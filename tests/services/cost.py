"""Counts what each kind of attempt costs beyond plain Django; prints JSON. Run in the site's environment."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import django

django.setup()

from django.contrib.auth import authenticate  # noqa: E402
from django.contrib.auth.backends import ModelBackend  # noqa: E402
from django.core.cache import cache  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import RequestFactory  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from lockout_admin import lockout  # noqa: E402

CACHE_CALLS = ("add", "decr", "delete", "delete_many", "get", "get_many", "incr", "set", "set_many", "touch")


def counted(calls: Counter[str], name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    """Return `method`, counting."""

    def count(*args: Any, **kwargs: Any) -> Any:
        calls[name] += 1
        return method(*args, **kwargs)

    return count


def costs(username: str, password: str, attempt: Callable[..., Any]) -> dict[str, Any]:
    """Return SQL statements and cache calls of one attempt."""
    calls: Counter[str] = Counter()
    backend = type(cache._connections[cache._alias])  # type: ignore[attr-defined]
    originals = {name: getattr(backend, name) for name in CACHE_CALLS}
    for name, method in originals.items():
        setattr(backend, name, counted(calls, name, method))
    request = RequestFactory(headers={"User-Agent": "Firefox"}).post("/login/")
    try:
        with CaptureQueriesContext(connection) as queries:
            attempt(request, username=username, password=password)
    finally:
        for name, method in originals.items():
            setattr(backend, name, method)
    return {"sql": len(queries), "cache": dict(calls)}


def main() -> None:
    """Walk through the life of a count: success, failures up to the lock, refusals, release."""
    plain = {
        "success": costs("alice", "right", ModelBackend().authenticate)["sql"],
        "failure": costs("alice", "wrong", ModelBackend().authenticate)["sql"],
    }
    authenticate(RequestFactory(headers={"User-Agent": "Firefox"}).get("/"), username="warm", password="up")

    def added(kind: str, password: str) -> dict[str, Any]:
        cost = costs("alice", password, authenticate)
        return {**cost, "sql": cost["sql"] - plain.get(kind, 0)}

    report = {"success": added("success", "right")}
    report["first failure"] = added("failure", "wrong")
    report["success after a failure"] = added("success", "right")
    for number in (1, 2, 3):
        report[f"failure {number}"] = added("failure", "wrong")
    report["failure that locks"] = added("failure", "wrong")
    report["first refusal"] = added("refusal", "wrong")
    report["refusal"] = added("refusal", "right")
    lockout.unlock_account("alice")
    report["success after a release"] = added("success", "right")
    print(json.dumps(report))


main()
