"""Each wrong setting has an id and a remedy."""

from __future__ import annotations

import tempfile
from typing import Any

import pytest
from django.contrib.auth.backends import BaseBackend, ModelBackend
from django.core.checks import ERROR, WARNING, run_checks
from django.test import override_settings

from lockout_admin.decorators import apply_account_lock
from lockout_admin.middleware import LockoutMiddleware

#: A file cache makes its folder when it is asked for; no other is connected to.
NOWHERE = f"{tempfile.gettempdir()}/lockout_admin"


class Unguarded(BaseBackend):
    def authenticate(self, request: Any, **credentials: Any) -> Any: ...


class HalfGuarded(ModelBackend):
    authenticate = apply_account_lock(ModelBackend.authenticate)


class ByPosition(BaseBackend):
    def authenticate(self, request: Any, *credentials: Any) -> Any: ...


class ByPin(BaseBackend):
    def authenticate(self, request: Any, number: Any = None, pin: Any = None) -> Any: ...


class PassesOn(BaseBackend):
    def authenticate(self, *args: Any, **kwargs: Any) -> Any: ...


class ByToken(BaseBackend):
    def authenticate(self, request: Any, token: Any = None) -> Any: ...


def findings(*, deploy: bool = False, **settings: Any) -> list[str]:
    with override_settings(**settings):
        found = run_checks(include_deployment_checks=deploy)
    ours = [message for message in found if (message.id or "").startswith("lockout_admin.")]
    assert all(message.hint for message in ours)
    assert all(message.level == (WARNING if ".W" in (message.id or "") else ERROR) for message in ours)
    return sorted((message.id or "").partition(".")[2] for message in ours)


def cache(backend: str, **options: Any) -> dict[str, Any]:
    return {"default": {"BACKEND": backend, "LOCATION": NOWHERE, **options}}


def ours(name: str) -> str:
    return f"{__name__}.{name}"


def test_a_site_set_up_by_the_book_has_no_findings() -> None:
    assert findings() == []
    assert findings(deploy=True, CACHES=cache("django.core.cache.backends.redis.RedisCache")) == []


@pytest.mark.parametrize("value", [0, -1, 10**12, "4", 4.5, None, True])
@pytest.mark.parametrize(
    "name", ["MAX_FAILED_LOGIN_ATTEMPTS", "FAILED_LOGIN_INTERVAL_SECS", "ACCOUNT_LOCKED_TIMEOUT_SECS"]
)
def test_the_threshold_is_made_of_whole_numbers(name: str, value: Any) -> None:
    assert findings(**{name: value}) == ["E001"]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, []),
        ([], ["E003"]),
        ({"TRUSTED_PROXY": 1}, ["E004"]),
        ({"LOCK_GROWTH_FACTOR": 0.5}, ["E005"]),
        ({"LOCK_GROWTH_FACTOR": 1.5}, []),
        ({"LOCK_GROWTH_FACTOR": float("inf")}, ["E005"]),
        ({"LOCK_MAX_SECS": 0}, ["E005"]),
        ({"LOCK_MAX_SECS": 10**12}, ["E005"]),
        ({"RETENTION_SECS": 3600}, ["E005"]),
        ({"LOCK_GROWTH_WINDOW_SECS": "day"}, ["E005"]),
        ({"RETENTION_SECS": 1.5}, ["E005"]),
        ({"MASK_UNKNOWN_USERNAMES": 1}, ["E006"]),
        ({"FORWARDED_HEADER": None}, ["E006"]),
        ({"TRUSTED_PROXIES": ["10.0.0.0/8", "unix", "::1"]}, []),
        ({"TRUSTED_PROXIES": ["10.0.0.0/33", "proxy"]}, ["E007", "E007"]),
        ({"TRUSTED_PROXIES": "10.0.0.0/8"}, ["E007"]),
        ({"TRUSTED_PROXIES": True}, ["E007"]),
        ({"TRUSTED_PROXIES": -1}, ["E007"]),
        ({"TRUSTED_PROXIES": [10]}, ["E007"]),
        ({"FORWARDED_HEADER": "X-Real-IP"}, []),
        ({"FORWARDED_HEADER": "Forwarded"}, ["E015"]),
        ({"FORWARDED_HEADER": ""}, ["E015"]),
        ({"CACHE": "locks"}, ["E008"]),
        ({"CACHE": []}, ["E006", "E008"]),
    ],
)
def test_the_keys_are_checked(keys: Any, expected: list[str]) -> None:
    assert findings(LOCKOUT_ADMIN=keys) == expected


def test_local_time_is_told_of() -> None:
    assert findings(USE_TZ=False) == ["W017"]


def test_more_than_a_hundred_guesses_is_no_limit() -> None:
    assert findings(MAX_FAILED_LOGIN_ATTEMPTS=100) == []
    assert findings(MAX_FAILED_LOGIN_ATTEMPTS=101) == ["E002"]


GUARDED = "lockout_admin.backends.LockoutBackend"


@pytest.mark.parametrize(
    ("backends", "expected"),
    [
        ([GUARDED], []),
        ([GUARDED, ours("ByToken")], []),
        ([GUARDED, "django.contrib.auth.backends.RemoteUserBackend"], []),
        ([GUARDED, "django.contrib.auth.backends.BaseBackend"], []),
        ([GUARDED, ours("Unguarded")], ["E010"]),
        ([GUARDED, ours("ByPosition")], ["E010"]),
        ([GUARDED, ours("ByPin")], ["E010"]),
        ([GUARDED, ours("PassesOn")], ["W016"]),
        ([GUARDED, "django.contrib.auth.backends.ModelBackend"], ["E010"]),
        (["django.contrib.auth.backends.ModelBackend"], ["E009", "E010"]),
        ([ours("HalfGuarded")], ["E011"]),
    ],
)
def test_every_way_in_is_guarded(backends: list[str], expected: list[str]) -> None:
    assert findings(AUTHENTICATION_BACKENDS=backends) == expected


class OurOwn(LockoutMiddleware):
    """A site's own answer to a refusal."""


def plain(get_response: Any) -> Any: ...


def test_a_middleware_made_of_ours_will_do() -> None:
    assert (
        findings(MIDDLEWARE=["django.contrib.messages.middleware.MessageMiddleware", ours("OurOwn"), ours("plain")])
        == []
    )


def test_the_middleware_is_missed() -> None:
    with override_settings(MIDDLEWARE=[]):
        assert "W012" in findings(
            INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "lockout_admin"]
        )


@pytest.mark.parametrize(
    ("caches", "expected"),
    [
        (cache("django.core.cache.backends.redis.RedisCache"), []),
        (cache("django.core.cache.backends.dummy.DummyCache"), ["E013"]),
        (cache("django.core.cache.backends.filebased.FileBasedCache"), ["E013", "E014"]),
        (cache("django.core.cache.backends.db.DatabaseCache"), ["E013", "E014"]),
        (cache("django.core.cache.backends.locmem.LocMemCache", OPTIONS={"MAX_ENTRIES": 10_000}), ["E013"]),
        (cache("django.core.cache.backends.locmem.LocMemCache", OPTIONS={"MAX_ENTRIES": 9_999}), ["E013", "E014"]),
    ],
)
def test_the_cache_can_hold_the_promise(caches: Any, expected: list[str]) -> None:
    assert findings(deploy=True, CACHES=caches) == expected


def test_local_memory_will_do_on_a_developers_machine() -> None:
    locmem = cache("django.core.cache.backends.locmem.LocMemCache", OPTIONS={"MAX_ENTRIES": 10_000})
    assert findings(deploy=True, DEBUG=True, CACHES=locmem) == []


def test_deployment_findings_of_an_unknown_cache_are_one() -> None:
    assert findings(deploy=True, LOCKOUT_ADMIN={"CACHE": "locks"}) == ["E008"]
