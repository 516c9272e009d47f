"""What the guard adds to an attempt, in microseconds, beside one round trip to the cache.

    DATABASE_URL=postgres://… CACHE_URL=rediscache://… python -m tests.benchmarks.attempts

The password hasher is a fast one, so that it does not drown what is measured; with Django's default
one an attempt takes some hundred thousand microseconds more. Medians; the tables are emptied first,
so give it a database of its own.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.contrib.auth.backends import ModelBackend  # noqa: E402
from django.core.cache import cache  # noqa: E402
from django.core.exceptions import PermissionDenied  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import RequestFactory  # noqa: E402

from lockout_admin import lockout  # noqa: E402
from lockout_admin.backends import LockoutBackend  # noqa: E402
from lockout_admin.testing import isolated_lockouts  # noqa: E402


def median_us(work: Callable[[int], Any], times: int) -> float:
    """Return the median of `times` runs in microseconds."""
    spent = []
    for number in range(times):
        started = time.perf_counter()
        with suppress(PermissionDenied):
            work(number)
        spent.append(time.perf_counter() - started)
    return statistics.median(spent) * 1e6


def measure(times: int) -> dict[str, tuple[float, float]]:
    """Return for each kind of attempt what it takes with the guard, and with plain Django."""
    plain, guarded = ModelBackend(), LockoutBackend()
    request = RequestFactory(headers={"User-Agent": "Firefox"}).post("/login/")

    def attempt(backend: ModelBackend, password: str, name: str) -> Callable[[int], Any]:
        return lambda number: backend.authenticate(request, name.format(number), password)

    right, wrong = (
        (median_us(attempt(guarded, password, name), times), median_us(attempt(plain, password, name), times))
        for password, name in (("right", "alice"), ("wrong", "nobody-{}"))
    )
    lockout.lock_account("alice", 3600)
    locked = (median_us(attempt(guarded, "right", "alice"), times), median_us(attempt(plain, "right", "alice"), times))
    return {"right password": right, "wrong password": wrong, "locked": locked}


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=500, help="attempts of each kind (default: 500)")
    times = parser.parse_args().times
    call_command("migrate", verbosity=0)
    call_command("flush", verbosity=0, interactive=False)
    get_user_model().objects.create_user("alice", password="right")
    cache.set("round-trip", 1)
    round_trip = median_us(lambda number: cache.get("round-trip"), times)
    with isolated_lockouts():
        results = measure(times)
    print(f"{connection.vendor}, {type(cache._connections[cache._alias]).__name__}")  # type: ignore[attr-defined]
    print(f"one cache round trip: {round_trip:.0f} µs")
    print(f"{'attempt':<16} {'guarded':>10} {'plain':>10} {'added':>10} {'round trips':>12}")
    for kind, (guarded, plain) in results.items():
        added = guarded - plain
        print(f"{kind:<16} {guarded:>7.0f} µs {plain:>7.0f} µs {added:>7.0f} µs {added / round_trip:>12.1f}")


if __name__ == "__main__":
    main()
