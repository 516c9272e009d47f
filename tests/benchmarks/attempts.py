"""What the guard adds to an attempt, beside the same calls made without any logic, in one run.

    DATABASE_URL=postgres://… CACHE_URL=rediscache://… python -m tests.benchmarks.attempts
    … --table      the database alone holds slots and locks (LOCKOUT_ADMIN["CACHE"] = None)
    … --incidents  what it adds that incidents are found: on and off in turns, no bare calls

The calls of one attempt are taken down, then made again and again through Django's cache API and
``connection.cursor()``. Guarded, bare and plain attempts take turns, so that noise hits all alike.
The password hasher is a fast one, so that it does not drown what is measured. Medians; the tables
and the cache are emptied first, so give it some of its own.
"""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402
from django.contrib.auth.backends import ModelBackend  # noqa: E402
from django.core.cache import cache  # noqa: E402
from django.core.exceptions import PermissionDenied  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import RequestFactory  # noqa: E402

from lockout_admin import lockout  # noqa: E402
from lockout_admin.backends import LockoutBackend  # noqa: E402
from lockout_admin.engine import fingerprints, sightings  # noqa: E402
from lockout_admin.incidents import turns  # noqa: E402
from lockout_admin.signals import login_failed, login_succeeded  # noqa: E402

VERBS = ("get_many", "add", "incr", "set_many", "delete_many")
#: As noise goes: an attempt costs the same with incidents and without.
MOST_OF_INCIDENTS = 1.05
PLAIN = ModelBackend()
GUARDED = LockoutBackend()


def request(number: int = 0) -> Any:
    """Return a login request, each from another address: none is a repetition of the one before."""
    address = f"203.0.{number // 250 % 250}.{number % 250}"
    made = RequestFactory(REMOTE_ADDR=address, headers={"User-Agent": "Firefox"})
    return made.post("/login/")


@dataclass
class Calls:
    """The calls of one attempt, in their order."""

    made: list[tuple[str, Any, Any]] = field(default_factory=list)

    def repeat(self, number: int) -> None:
        """Make them again, with names that are new where an entry must not be there yet."""
        for verb, args, kwargs in self.made:
            if verb == "execute":
                with connection.cursor() as cursor:
                    cursor.execute(args, fresh(kwargs, number))
                    if cursor.description:
                        cursor.fetchall()
            elif verb == "add":
                getattr(cache, verb)(f"{args[0]}:{number}", *args[1:], **kwargs)
            else:
                getattr(cache, verb)(*args, **kwargs)


def fresh(params: Any, number: int) -> Any:
    """Return parameters with another subject, so that rows of earlier rounds are not met again."""
    digests = (
        value + number if isinstance(value, int) and value > 2**40 else value for value in params
    )
    return tuple(digests)


@contextmanager
def taken_down() -> Iterator[Calls]:
    """Take down what is sent to the database and the cache."""
    calls = Calls()
    backend = type(cache._connections[cache._alias])  # type: ignore[attr-defined]
    originals = {verb: getattr(backend, verb) for verb in VERBS}

    def noting(verb: str) -> Callable[..., Any]:
        def note(self: Any, *args: Any, **kwargs: Any) -> Any:
            calls.made.append((verb, args, kwargs))
            return originals[verb](self, *args, **kwargs)

        return note

    def note_sql(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "lockout_" in sql:
            calls.made.append(("execute", sql, params))
        return execute(sql, params, many, context)

    for verb in VERBS:
        setattr(backend, verb, noting(verb))
    try:
        with connection.execute_wrapper(note_sql):
            yield calls
    finally:
        for verb, original in originals.items():
            setattr(backend, verb, original)


def attempt(backend: ModelBackend, password: str, name: str) -> Callable[[int], Any]:
    """Return an attempt by a backend."""

    def once(number: int) -> None:
        with suppress(PermissionDenied):
            backend.authenticate(request(number), name.format(number), password.format(number))

    return once


def medians(works: list[Callable[[int], Any]], times: int) -> list[float]:
    """Return the median of each in microseconds; they take turns."""
    spent: list[list[float]] = [[] for _ in works]
    for number in range(times):
        for work, taken in zip(works, spent, strict=True):
            started = time.perf_counter()
            work(number)
            taken.append(time.perf_counter() - started)
    return [statistics.median(taken) * 1e6 for taken in spent]


def measure(password: str, name: str, times: int) -> tuple[float, float]:
    """Return what the guard adds, and what the bare calls take."""
    guarded = attempt(GUARDED, password, name)
    guarded(-1)
    with taken_down() as calls:
        guarded(-2)
    plain = attempt(PLAIN, password, name)
    with_guard, bare, without = medians([guarded, calls.repeat, plain], times)
    return with_guard - without, bare


@contextmanager
def without_incidents() -> Iterator[None]:
    """Have nothing of an attempt be noted for incidents, and wake no thread that looks."""
    places = [*product([sightings], ("refused", "guessed", "came_in")), (fingerprints, "guess_of")]
    works = [(module, name, getattr(module, name)) for module, name in places]
    for module, name in places:
        setattr(module, name, lambda *_args: 0)
    login_failed.disconnect(dispatch_uid="lockout_admin.incidents.failed")
    login_succeeded.disconnect(dispatch_uid="lockout_admin.incidents.in")
    try:
        yield
    finally:
        for module, name, work in works:
            setattr(module, name, work)
        turns.connect()


def on_and_off(password: str, name: str, times: int) -> tuple[float, float]:
    """Return what an attempt takes with incidents, and without, in microseconds: medians."""
    guarded = attempt(GUARDED, password, name)
    spent: dict[bool, list[float]] = {True: [], False: []}
    for number in range(2 * times):
        is_on = number % 2 == 0
        with nullcontext() if is_on else without_incidents():
            started = time.perf_counter()
            guarded(number)
            spent[is_on].append(time.perf_counter() - started)
    return statistics.median(spent[True]) * 1e6, statistics.median(spent[False]) * 1e6


def report_incidents(times: int) -> None:
    """Print a table; the thread that looks is at work all the time."""
    print(f"{'attempt':<16} {'on':>10} {'off':>12} {'ratio':>7}")
    rows = [
        ("right password", *on_and_off("right", "alice", times)),
        ("wrong password", *on_and_off("wrong {}", "nobody-{}", times)),
    ]
    lockout.lock_account("alice", 3600)
    rows.append(("locked", *on_and_off("right", "alice", times)))
    for kind, on, off in rows:
        print(f"{kind:<16} {on:>7.0f} µs {off:>9.0f} µs {on / off:>7.3f}")
    if any(on > MOST_OF_INCIDENTS * off for _kind, on, off in rows):
        raise SystemExit(f"An attempt costs more than {MOST_OF_INCIDENTS} times as much.")


def report(times: int) -> None:
    """Print a table."""
    print(f"{'attempt':<16} {'added':>10} {'bare calls':>12} {'ratio':>7}")
    rows = [
        ("right password", *measure("right", "alice", times)),
        ("wrong password", *measure("wrong", "nobody-{}", times)),
    ]
    lockout.lock_account("alice", 3600)
    rows.append(("locked", *measure("right", "alice", times)))
    for kind, added, bare in rows:
        print(f"{kind:<16} {added:>7.0f} µs {bare:>9.0f} µs {added / bare:>7.2f}")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=500, help="attempts of each kind")
    parser.add_argument("--table", action="store_true", help="without a cache")
    parser.add_argument("--incidents", action="store_true", help="on and off, in turns")
    options = parser.parse_args()
    call_command("migrate", verbosity=0)
    call_command("flush", verbosity=0, interactive=False)
    get_user_model().objects.create_user("alice", password="right")
    store = None if options.table else "default"
    # The lines are made; where they go is not the app's.
    logging.getLogger("lockout_admin").propagate = False
    logging.getLogger("lockout_admin").addHandler(logging.NullHandler())
    print(f"{connection.vendor}, {'table' if options.table else 'cache'}")
    # Not by `override_settings`, under which every setting takes several times as long to read.
    settings.LOCKOUT_ADMIN = {"CACHE": store}
    cache.clear()
    (report_incidents if options.incidents else report)(options.times)
    cache.clear()


if __name__ == "__main__":
    main()
