"""What this app and django-axes add to Django's ``authenticate()``, in one run; they take turns.

    pip install django-axes
    DATABASE_URL=postgres://… CACHE_URL=rediscache://… python -m tests.benchmarks.peers

django-axes counts in the database (its default) or in the cache. Medians in microseconds; give it
a database and a cache of its own, which are emptied.
"""

from __future__ import annotations

import argparse
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from typing import Any

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.peers_settings"

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth import authenticate, get_user_model, signals  # noqa: E402
from django.core.cache import cache  # noqa: E402
from django.core.exceptions import PermissionDenied  # noqa: E402
from django.core.management import call_command  # noqa: E402

from tests.benchmarks.attempts import medians, request  # noqa: E402

MODEL = "django.contrib.auth.backends.ModelBackend"
#: Who guards: the backends, and settings of django-axes.
GUARDS: dict[str, tuple[list[str], dict[str, Any]]] = {
    "plain Django": ([MODEL], {"AXES_ENABLED": False}),
    "lockout_admin": (["lockout_admin.backends.LockoutBackend"], {"AXES_ENABLED": False}),
    "axes, database": (
        ["axes.backends.AxesStandaloneBackend", MODEL],
        {"AXES_ENABLED": True, "AXES_HANDLER": "axes.handlers.database.AxesDatabaseHandler"},
    ),
    "axes, cache": (
        ["axes.backends.AxesStandaloneBackend", MODEL],
        {"AXES_ENABLED": True, "AXES_HANDLER": "axes.handlers.cache.AxesCacheHandler"},
    ),
}


@contextmanager
def guarded_by(name: str) -> Iterator[None]:
    """Let one of them guard. By plain assignment: `override_settings` makes all settings slow."""
    from axes.handlers.proxy import AxesProxyHandler  # noqa: PLC0415 - once the apps are ready

    backends, keys = GUARDS[name]
    settings.AUTHENTICATION_BACKENDS = backends
    for key, value in keys.items():
        setattr(settings, key, value)
    AxesProxyHandler.implementation = None
    yield


def attempt(guard: str, password: str, name: str) -> Callable[[int], Any]:
    """Return an attempt, with the signal that a login sends."""

    def once(number: int) -> None:
        made = request()
        with suppress(PermissionDenied):
            username = f"{name}-{number}" if name == "nobody" else name
            user = authenticate(made, username=username, password=password)
            if user and guard.startswith("axes"):
                # Axes ends its count with the login. Django's own receiver writes `last_login`.
                signals.user_logged_in.send(type(user), request=made, user=user)

    return once


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=500, help="attempts of each kind")
    options = parser.parse_args()
    call_command("migrate", verbosity=0)
    call_command("flush", verbosity=0, interactive=False)
    cache.clear()
    get_user_model().objects.create_user("alice", password="right")
    logging.disable(logging.CRITICAL)
    signals.user_logged_in.disconnect(dispatch_uid="update_last_login")
    settings.LOCKOUT_ADMIN = {"CACHE": "default"}
    print(f"django-axes {version('django-axes')}")
    print(f"{'added, µs':<16} {'right':>8} {'wrong':>8}")
    taken = {guard: [0.0, 0.0] for guard in GUARDS}
    for column, (password, name) in enumerate((("right", "alice"), ("wrong", "nobody"))):
        works = [_within(guard, attempt(guard, password, name)) for guard in GUARDS]
        for guard, median in zip(GUARDS, medians(works, options.times), strict=True):
            taken[guard][column] = median
    plain = taken.pop("plain Django")
    for guard, (right, wrong) in taken.items():
        print(f"{guard:<16} {right - plain[0]:>8.0f} {wrong - plain[1]:>8.0f}")


def _within(guard: str, work: Callable[[int], Any]) -> Callable[[int], Any]:
    def once(number: int) -> None:
        with guarded_by(guard):
            work(number)

    return once


if __name__ == "__main__":
    main()
