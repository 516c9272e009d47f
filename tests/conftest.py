"""The cast: Alice has an account, Mallory is a stranger who wants it."""

from __future__ import annotations

import gc
import socket
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from asgiref.sync import SyncToAsync
from django.conf import settings
from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management.color import no_style
from django.db import connections
from django.test import RequestFactory, TransactionTestCase, override_settings
from django.utils import translation
from freezegun import freeze_time
from freezegun.api import FrozenDateTimeFactory

from lockout_admin.engine import fingerprints
from lockout_admin.testing import isolated_lockouts

#: Alice's network.
HOME = "203.0.113.5"


def pytest_configure(config: pytest.Config) -> None:
    """Leave sockets alone that Django's memcached clients of ended threads close when collected."""
    if "memcache" in settings.CACHES["default"]["BACKEND"]:
        config.addinivalue_line(
            "filterwarnings",
            "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning",
        )


def pytest_sessionfinish() -> None:
    """Close what is open to caches: Django drops its clients where a test changes CACHES."""
    # Not isinstance(), which wakes up lazy objects.
    sockets = (thing for thing in gc.get_objects() if issubclass(type(thing), socket.socket))
    for one in [one for one in sockets if one.family == socket.AF_INET]:
        one.close()


def _empty_tables(case: Any) -> None:
    """Do what ``flush`` does after a test with transactions of its own, but for permissions.

    It makes all of them anew, which takes longer than most of these tests.
    """
    kept = {Permission._meta.db_table, ContentType._meta.db_table}
    for alias in case._databases_names(include_mirrors=False):
        connection = connections[alias]
        tables = connection.introspection.django_table_names(only_existing=True)
        rest = sorted({*tables} - kept)
        statements = connection.ops.sql_flush(no_style(), rest)
        if connection.vendor == "postgresql":
            # TRUNCATE makes all files anew: a hundred times as long for the few rows of a test.
            statements = [f"DELETE FROM {connection.ops.quote_name(table)}" for table in rest]
        connection.ops.execute_sql_flush(statements)


TransactionTestCase._fixture_teardown = _empty_tables  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def _isolated() -> Iterator[None]:
    with isolated_lockouts():
        yield


@pytest.fixture(autouse=True)
def _no_two_passwords_look_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 65,536 guesses one passes for a repetition: now and then, a count would be one short."""
    monkeypatch.setattr(fingerprints, "_BITS", 60)


@pytest.fixture(autouse=True)
def _language_of_the_site() -> Iterator[None]:
    """A request activates its language, and Django leaves that to the next one of the thread."""
    yield
    translation.deactivate()


@pytest.fixture(scope="session", autouse=True)
def _threads_let_the_database_go(django_db_setup: None) -> Iterator[None]:
    yield
    SyncToAsync.single_thread_executor.submit(connections.close_all).result()


@pytest.fixture
def clock() -> Iterator[FrozenDateTimeFactory]:
    """Noon of New Year's Day, without a cache server: nothing here can stop the clock of one."""
    caches = {
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "LOCATION": "frozen",
        }
    }
    with override_settings(CACHES=caches), freeze_time("2026-01-01 12:00:00") as frozen:
        yield frozen  # type: ignore[misc]


@pytest.fixture
def alice(db: None) -> Any:
    """An account holder whose password is ``right``."""
    return get_user_model().objects.create_user("alice", "alice@example.com", "right")


def request_from(ip_address: str = HOME, **headers: str) -> Any:
    """Return a login request from an address."""
    return RequestFactory(REMOTE_ADDR=ip_address, headers=headers).post("/login/")


@pytest.fixture
def guess(db: None) -> Callable[..., Any]:
    """Try ``times`` fresh wrong passwords from one network; the last answer is returned."""
    fresh = count()

    def guess(username: Any = "alice", times: int = 1, request: Any = None) -> Any:
        for _ in range(times):
            password = f"wrong {next(fresh)}"
            answer = authenticate(request or request_from(), username=username, password=password)
        return answer

    return guess
