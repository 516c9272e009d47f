"""Each wrong setting has an id and a remedy."""

from __future__ import annotations

import tempfile
import time
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.backends import BaseBackend, ModelBackend
from django.core.cache import BaseCache
from django.core.checks import ERROR, WARNING, run_checks
from django.db import connection
from django.test import override_settings

from lockout_admin.checks import clocks, collations
from lockout_admin.decorators import apply_account_lock
from lockout_admin.defences.work import ProofOfWork
from lockout_admin.engine.rules import ACCOUNT, LockTerms, Mode, Rule
from lockout_admin.middleware import LockoutMiddleware

#: A file cache makes its folder when it is asked for; no other is connected to.
NOWHERE = f"{tempfile.gettempdir()}/lockout_admin"

ACCOUNT_RULE = Rule("account", ACCOUNT, limit=4, interval=60, lock=LockTerms(60))
NO_RULES: list[Rule] = []


class Unguarded(BaseBackend):
    def authenticate(self, request: Any, **credentials: Any) -> Any: ...


class ByNameAndMore(BaseBackend):
    def authenticate(self, request: Any, username: Any = None, **credentials: Any) -> Any: ...


class ByTokenAndMore(BaseBackend):
    def authenticate(self, request: Any, token: Any = None, **credentials: Any) -> Any: ...


class AsyncOnly(BaseBackend):
    async def aauthenticate(self, request: Any, username: Any, password: Any) -> Any: ...


class GuardedAsyncOnly(BaseBackend):
    @apply_account_lock(names="username")
    async def aauthenticate(self, request: Any, username: Any, password: Any) -> Any: ...


class HalfGuarded(ModelBackend):
    authenticate = apply_account_lock(names="username")(ModelBackend.authenticate)


class OtherHalfGuarded(ModelBackend):
    aauthenticate = apply_account_lock(names="username")(ModelBackend.aauthenticate)


class ByTokenOrInherited(ModelBackend):
    """Its own code takes no password; the async code that it inherits does."""

    def authenticate(self, request: Any, token: Any = None) -> Any: ...


class OpenInAsyncOnly(BaseBackend):
    def authenticate(self, request: Any, token: Any = None) -> Any: ...

    async def aauthenticate(self, request: Any, **credentials: Any) -> Any: ...


class InheritsAsync(ModelBackend):
    """Its own code is open, and so is the async code that it inherits."""

    def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any: ...


class Nameless(BaseBackend):
    @apply_account_lock
    def authenticate(self, request: Any, username: Any, password: Any) -> Any: ...


class ByPosition(BaseBackend):
    def authenticate(self, request: Any, *credentials: Any) -> Any: ...


class ByPin(BaseBackend):
    def authenticate(self, request: Any, number: Any = None, pin: Any = None) -> Any: ...


class PassesOn(BaseBackend):
    def authenticate(self, *args: Any, **kwargs: Any) -> Any: ...


class ByToken(BaseBackend):
    def authenticate(self, request: Any, token: Any = None) -> Any: ...


def findings(*, deploy: bool = False, proxies: int | None = 0, **settings: Any) -> list[str]:
    keys = settings.get("LOCKOUT_ADMIN", {"CACHE": "default"})
    if deploy and proxies is None:
        settings["LOCKOUT_ADMIN"] = {"NOTIFIERS": (), **keys}
    elif deploy:
        settings["LOCKOUT_ADMIN"] = {"TRUSTED_PROXIES": proxies, "NOTIFIERS": (), **keys}
    with override_settings(**settings):
        found = run_checks(include_deployment_checks=deploy)
    ours = [message for message in found if (message.id or "").startswith("lockout_admin.")]
    assert all(message.hint for message in ours)
    assert all(
        message.level == (WARNING if ".W" in (message.id or "") else ERROR) for message in ours
    )
    return sorted((message.id or "").partition(".")[2] for message in ours)


def cache(backend: str, **options: Any) -> dict[str, Any]:
    settings = {"BACKEND": backend, "LOCATION": NOWHERE, "OPTIONS": {}}
    return {"default": {**settings, **options}}


MEMCACHED = "django.core.cache.backends.memcached.PyMemcacheCache"
REDIS = "django.core.cache.backends.redis.RedisCache"
#: What its client may wait for.
SHORT = {"socket_timeout": 0.5, "socket_connect_timeout": 1.0}


#: What several processes share.
SHARED = cache(REDIS, OPTIONS=SHORT)


def ours(name: str) -> str:
    return f"{__name__}.{name}"


def test_a_site_set_up_by_the_book_has_no_findings() -> None:
    assert findings() == []
    assert findings(deploy=True, CACHES=SHARED) == []


def test_djangos_default_settings_will_do() -> None:
    locmem = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    assert findings(deploy=True, CACHES=locmem, LOCKOUT_ADMIN={"TRUSTED_PROXIES": 0}) == []


@pytest.mark.parametrize(
    ("proxies", "expected"), [(None, ["W024"]), (0, []), (1, []), ("10.0.0.0/8", ["E007"])]
)
def test_whether_there_are_proxies_is_to_be_said(proxies: Any, expected: list[str]) -> None:
    assert findings(deploy=True, CACHES=SHARED, proxies=proxies) == expected
    assert findings(CACHES=SHARED, LOCKOUT_ADMIN={}) == []


@pytest.mark.parametrize(
    ("left_out", "expected"),
    [
        (["import_export"], ["E020"]),
        (["django_filters"], ["E020"]),
        (["import_export", "django_filters"], ["E020", "E020"]),
        (["import_export", "django_filters", "django.contrib.admin"], []),
    ],
)
def test_the_console_needs_its_apps(
    left_out: list[str], expected: list[str], settings: Any
) -> None:
    installed = [name for name in settings.INSTALLED_APPS if name not in left_out]
    assert findings(INSTALLED_APPS=installed) == expected


@pytest.mark.parametrize("value", [0, -1, 10**12, "4", 4.5, None, True, float("nan")])
@pytest.mark.parametrize(
    "name",
    ["MAX_FAILED_LOGIN_ATTEMPTS", "FAILED_LOGIN_INTERVAL_SECS", "ACCOUNT_LOCKED_TIMEOUT_SECS"],
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
        ({"FORWARDED_HEADER": "HTTP_FORWARDED"}, ["E015"]),
        ({"FORWARDED_HEADER": ""}, ["E015"]),
        ({"CACHE": None}, []),
        ({"CACHE": "locks"}, ["E008"]),
        ({"CACHE": []}, ["E006"]),
        ({"PASSWORD_FREE_BACKENDS": ("sso.Backend",)}, []),
        ({"PASSWORD_FREE_BACKENDS": "sso.Backend"}, ["E006"]),
        ({"NAMESPACE": 7}, ["E006"]),
        ({"RULES": {"account-daily": {"limit": 20}, "account-total": None}}, []),
        ({"RULES": {"account-daily": {"limit": 0, "lock": "1 h"}}}, ["E018", "E018"]),
        ({"RULES": {"account-daily": 20}}, ["E018"]),
        ({"RULES": {"account-daily": {"window": 60}}}, ["E018"]),
        ({"RULES": []}, ["E018"]),
        ({"RULES": {"acount": None}}, ["E019"]),
        ({"RULES": {"account-daily": {"growth": 2}}}, ["E019"]),
        ({"RULES": {"account-daily": {"growth": 2, "longest": 7200}}}, []),
        ({"RULES": {"delay": {"interval": 30}}}, ["E019"]),
        ({"RULES": {"delay": {"interval": 60}}}, []),
        ({"RULES": {"delay": {"lock": 30, "longest": 3600, "growth": 2}}}, []),
        ({"RULES": {"delay": {"lock": 30, "longest": 3601, "growth": 2}}}, ["E019"]),
        ({"RULES": [ACCOUNT_RULE, replace(ACCOUNT_RULE, name="slow", delays=True)]}, []),
        (
            {
                "RULES": [
                    ACCOUNT_RULE,
                    replace(ACCOUNT_RULE, name="slow", delays=True, lock=LockTerms(10**6)),
                ]
            },
            ["E019"],
        ),
        ({"RULES": "no.such.rules"}, ["E019"]),
        ({"RULES": ["account"]}, ["E019"]),
        ({"RULES": [ACCOUNT_RULE, ACCOUNT_RULE]}, ["E019"]),
        ({"RULES": [ACCOUNT_RULE]}, []),
        ({"RULES": [replace(ACCOUNT_RULE, limit=0)]}, ["E019"]),
        ({"RULES": [replace(ACCOUNT_RULE, limit=5000)]}, ["W022"]),
        ({"RETENTION_SECS": 86_400}, ["W028"]),
        ({"RETENTION_SECS": 86_400, "RULES": {"account-total": None}}, []),
        ({"RULES": "tests.test_checks.NO_RULES"}, ["E019"]),
        ({"RULES": [replace(ACCOUNT_RULE, mode=Mode.MONITOR)]}, ["W022"]),
        ({"RULES": dict.fromkeys(("account", "account-daily", "account-total"))}, ["W022"]),
        ({"LOCK_MAX_SECS": 0, "CASH": None, "RULES": 5}, ["E004", "E005", "E018"]),
    ],
)
def test_the_keys_are_checked(keys: Any, expected: list[str]) -> None:
    assert findings(LOCKOUT_ADMIN=keys) == expected


@pytest.mark.parametrize("name", ["Unguarded", "ByPin", "PassesOn"])
def test_a_backend_that_is_said_to_check_no_password_needs_no_guard(name: str) -> None:
    keys = {"PASSWORD_FREE_BACKENDS": [ours(name)]}
    assert findings(AUTHENTICATION_BACKENDS=[GUARDED, ours(name)], LOCKOUT_ADMIN=keys) == []


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
        ([GUARDED, ours("ByNameAndMore")], ["E010"]),
        ([GUARDED, ours("ByTokenAndMore")], ["W016"]),
        ([GUARDED, ours("AsyncOnly")], ["E010"]),
        ([ours("GuardedAsyncOnly")], []),
        (["django.contrib.auth.backends.ModelBackend"], ["E009", "E010"]),
        ([ours("HalfGuarded")], ["E011"]),
        ([ours("OtherHalfGuarded")], ["E010"]),
        ([ours("Nameless")], ["W018"]),
        ([ours("ByTokenOrInherited"), GUARDED], ["E010"]),
        ([GUARDED, ours("ByTokenOrInherited")], ["E010"]),
        ([ours("InheritsAsync"), GUARDED], ["E010"]),
        ([ours("OpenInAsyncOnly"), GUARDED], ["E010"]),
    ],
)
def test_every_way_in_is_guarded(backends: list[str], expected: list[str]) -> None:
    found = findings(deploy=True, AUTHENTICATION_BACKENDS=backends, CACHES=SHARED)
    assert [check for check in found if check != "W019"] == expected


@pytest.mark.parametrize(
    ("backends", "expected"),
    [
        ([GUARDED], []),
        ([GUARDED, ours("ByToken")], []),
        ([GUARDED, ours("Unguarded")], ["W019"]),
        (["django.contrib.auth.backends.ModelBackend"], ["W019"]),
        ([ours("HalfGuarded")], ["W019"]),
    ],
)
def test_an_open_way_in_stops_no_installation(backends: list[str], expected: list[str]) -> None:
    assert findings(AUTHENTICATION_BACKENDS=backends) == expected


@pytest.mark.parametrize("name", ["Unguarded", "ByPin", "PassesOn", "AsyncOnly", "ByTokenAndMore"])
def test_a_backend_may_be_declared_to_verify_no_password(name: str) -> None:
    settings: Any = {"AUTHENTICATION_BACKENDS": [GUARDED, ours(name)], "CACHES": SHARED}
    free = {"PASSWORD_FREE_BACKENDS": [ours(name)]}
    assert findings(deploy=True, LOCKOUT_ADMIN=free, **settings) == []


@pytest.mark.parametrize(
    "path",
    [
        "django.contrib.auth.backends.ModelBackend",
        "django.contrib.auth.backends.AllowAllUsersModelBackend",
    ],
)
def test_of_djangos_own_code_nobody_can_declare_that(path: str) -> None:
    settings: Any = {"AUTHENTICATION_BACKENDS": [GUARDED, path], "CACHES": SHARED}
    free = {"PASSWORD_FREE_BACKENDS": [path]}
    assert findings(deploy=True, LOCKOUT_ADMIN=free, **settings) == ["E010", "W019"]


def test_what_a_backend_only_inherits_for_async_code_is_the_sites_to_judge() -> None:
    path = ours("ByTokenOrInherited")
    settings: Any = {"AUTHENTICATION_BACKENDS": [GUARDED, path], "CACHES": SHARED}
    free = {"PASSWORD_FREE_BACKENDS": [path]}
    assert findings(deploy=True, LOCKOUT_ADMIN=free, **settings) == []
    assert "E010" in findings(deploy=True, **settings)


class OurOwn(LockoutMiddleware):
    """A site's own answer to a refusal."""


def plain(get_response: Any) -> Any: ...


def test_a_middleware_made_of_ours_will_do() -> None:
    assert (
        findings(
            MIDDLEWARE=[
                "django.contrib.messages.middleware.MessageMiddleware",
                ours("OurOwn"),
                ours("plain"),
            ]
        )
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
        (SHARED, []),
        (cache("django.core.cache.backends.dummy.DummyCache"), ["E013"]),
        (cache("django.core.cache.backends.filebased.FileBasedCache"), ["E013", "E014"]),
        (cache("django.core.cache.backends.db.DatabaseCache"), ["E013", "E014"]),
        (
            cache("django.core.cache.backends.locmem.LocMemCache", OPTIONS={"MAX_ENTRIES": 10_000}),
            ["E013"],
        ),
        (
            cache("django.core.cache.backends.locmem.LocMemCache", OPTIONS={"MAX_ENTRIES": 9_999}),
            ["E013", "E014"],
        ),
    ],
)
def test_the_cache_can_hold_the_promise(caches: Any, expected: list[str]) -> None:
    assert findings(deploy=True, CACHES=caches) == expected


class Valkey(BaseCache):
    """A cache of a package that is not installed."""

    __module__ = "django_valkey.cache"

    def __init__(self, location: Any, params: dict[str, Any]) -> None:
        super().__init__(params)


class DefaultClusterClient:
    """Knows the nodes of a cluster."""


class ClusterValkey(Valkey):
    client = DefaultClusterClient()


@pytest.mark.parametrize(
    ("caches", "expected"),
    [
        (cache(REDIS, OPTIONS=SHORT), []),
        (cache(REDIS), ["W020"]),
        (cache(REDIS, OPTIONS={"socket_timeout": 0.5}), ["W020"]),
        (cache(REDIS, OPTIONS={**SHORT, "socket_timeout": 1.5}), ["W020"]),
        (cache(REDIS, OPTIONS={**SHORT, "socket_timeout": 0}), ["W020"]),
        (cache(REDIS, OPTIONS={**SHORT, "socket_timeout": None}), ["W020"]),
        (
            cache(
                REDIS,
                LOCATION="redis://127.0.0.1:1?socket_timeout=0.5&socket_connect_timeout=0.5",
            ),
            [],
        ),
        (
            cache(REDIS, LOCATION="redis://127.0.0.1:1?socket_timeout=5", OPTIONS=SHORT),
            ["W020"],
        ),
        (cache(MEMCACHED, OPTIONS={"timeout": 0.5, "connect_timeout": 0.5}), []),
        (cache(MEMCACHED), ["W020"]),
        (cache(ours("Valkey")), ["W020"]),
        (cache(ours("Valkey"), OPTIONS={name.upper(): 1 for name in SHORT}), []),
        (cache(ours("Valkey"), OPTIONS={"CONNECTION_POOL_KWARGS": SHORT}), []),
        (cache(ours("ClusterValkey")), ["W020"]),
        (cache(ours("ClusterValkey"), OPTIONS={name.upper(): 1 for name in SHORT}), ["W020"]),
        (cache(ours("ClusterValkey"), OPTIONS={"BASE_CLIENT_KWARGS": SHORT}), []),
    ],
)
def test_a_cache_that_hangs_is_not_waited_for(caches: Any, expected: list[str]) -> None:
    if caches["default"]["BACKEND"] == MEMCACHED:
        pytest.importorskip("pymemcache")  # there where the suite runs on memcached
    assert findings(deploy=True, CACHES=caches) == expected


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("redis://127.0.0.1:1", []),
        (["redis://127.0.0.1:1"], []),
        (["redis://127.0.0.1:1", "redis://127.0.0.1:2"], ["W021"]),
        ("redis://127.0.0.1:1,redis://127.0.0.1:2", ["W021"]),
    ],
)
def test_what_decides_is_read_from_the_primary(location: Any, expected: list[str]) -> None:
    caches = cache(REDIS, LOCATION=location, OPTIONS=SHORT)
    assert findings(deploy=True, CACHES=caches) == expected


def test_local_memory_will_do_on_a_developers_machine() -> None:
    locmem = cache("django.core.cache.backends.locmem.LocMemCache", OPTIONS={"MAX_ENTRIES": 10_000})
    assert findings(deploy=True, DEBUG=True, CACHES=locmem) == []


def test_deployment_findings_of_an_unknown_cache_are_one() -> None:
    assert findings(deploy=True, LOCKOUT_ADMIN={"CACHE": "locks"}) == ["E008"]


def clock_findings(**kwargs: Any) -> list[str]:
    found = run_checks(databases=["default"], **kwargs)
    return [message.msg for message in found if message.id == "lockout_admin.W023"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("apart", "said"), [(0, []), (4, []), (-90, ["90 s slow"]), (6, ["6 s fast"])]
)
def test_a_clock_that_differs_from_the_databases_is_told(
    apart: int, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clocks, "_NOW", {connection.vendor: f"SELECT {1000 - apart}"})
    monkeypatch.setattr(time, "time", lambda: 1000)
    assert [words in found for words, found in zip(said, clock_findings(), strict=True)] == [
        True for _ in said
    ]


@pytest.mark.django_db
def test_a_database_on_this_host_has_the_same_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clocks, "_NOW", {})
    assert clock_findings() == []


@pytest.mark.django_db
def test_no_database_is_asked_that_the_check_may_not_ask() -> None:
    assert clocks.clocks_agree(databases=None) == []


class Column:
    """A PostgreSQL whose column of usernames has this collation, or a deterministic one."""

    vendor = "postgresql"
    ops = connection.ops

    def __init__(self, collation: str | None) -> None:
        self.found = (collation,) if collation else None

    def cursor(self) -> Any:
        return nullcontext(SimpleNamespace(execute=self.execute, fetchone=lambda: self.found))

    def execute(self, statement: str, names: list[str]) -> None:
        assert names[1] == "username"


@pytest.mark.parametrize(
    ("column", "backend", "databases", "found"),
    [
        (Column("odd"), "Nameless", ["default"], 1),
        (Column("odd"), "HalfGuarded", ["default"], 0),
        (Column("odd"), "Nameless", None, 0),
        (Column("odd"), "Nameless", ["other"], 0),
        (Column(None), "Nameless", ["default"], 0),
        (SimpleNamespace(vendor="sqlite"), "Nameless", ["default"], 0),
    ],
)
def test_a_collation_that_takes_several_names_for_one_is_named(
    column: Any, backend: str, databases: Any, found: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collations, "connections", {"default": column})
    with override_settings(AUTHENTICATION_BACKENDS=[f"tests.test_checks.{backend}"]):
        said = collations.a_collation_makes_no_budgets(databases)
    assert [each.id for each in said] == ["lockout_admin.W027"] * found
    assert all("'odd'" in each.msg for each in said)


# -- What owners are told -----------------------------------------------------------------------

MAIL = "lockout_admin.notifications.mail.MailNotifier"
WITH_PAGES = "tests.notifications.urls"
WITH_MAIL = {"BASE_URL": "https://shop.example", "CONTACT": "+49 30 123", "NOTIFIERS": [MAIL]}


@pytest.mark.parametrize(
    ("changes", "urls", "expected"),
    [
        ({}, WITH_PAGES, []),
        ({}, "tests.urls", ["W032"]),
        ({}, "tests.notifications.without_login", ["W036"]),
        ({"BASE_URL": ""}, "tests.notifications.without_login", ["W031"]),
        ({"BASE_URL": ""}, WITH_PAGES, ["W031"]),
        ({"BASE_URL": "http://shop.example"}, WITH_PAGES, ["W033"]),
        ({"CONTACT": ""}, WITH_PAGES, ["W034"]),
        ({"NOTIFIERS": [], "BASE_URL": "", "CONTACT": ""}, "tests.urls", []),
        ({"NOTIFIERS": [MAIL, "no.such"]}, WITH_PAGES, ["E030"]),
        ({"NOTIFIERS": [MAIL, "builtins.dict"]}, WITH_PAGES, ["E030"]),
        ({"NOTIFIERS": [MAIL, "os.path.join"]}, WITH_PAGES, ["E030"]),
        (
            {"NOTIFIERS": [MAIL, "lockout_admin.notifications.notifiers.Notifier"]},
            WITH_PAGES,
            ["E030"],
        ),
        ({"WEBHOOK_URL": "https://hook.example"}, WITH_PAGES, ["W035"]),
        ({"WEBHOOK_SECRET": "secret"}, WITH_PAGES, ["W035"]),
        (
            {"WEBHOOK_URL": "https://hook.example", "WEBHOOK_SECRET": "secret"},
            WITH_PAGES,
            [],
        ),
    ],
)
def test_owners_are_told_and_find_the_pages(
    changes: dict[str, Any], urls: str, expected: list[str]
) -> None:
    keys = {**WITH_MAIL, **changes}
    found = findings(deploy=True, CACHES=SHARED, LOCKOUT_ADMIN=keys, ROOT_URLCONF=urls)
    assert found == expected


# -- The challenge ------------------------------------------------------------------------------

WORK = "lockout_admin.defences.work.ProofOfWork"


@pytest.mark.parametrize(
    ("changes", "secure", "expected"),
    [
        ({"CHALLENGE": WORK}, False, []),
        ({"CHALLENGE": None}, False, []),
        ({"CHALLENGE": ProofOfWork}, False, []),
        ({"CHALLENGE": WORK, "BASE_URL": "http://shop.example"}, True, ["W033"]),
        ({"CHALLENGE": WORK, "BASE_URL": "http://shop.example"}, False, ["W033", "W046"]),
        ({"CHALLENGE": WORK, "NOTIFIERS": []}, False, ["W047"]),
        ({"CHALLENGE": "no.such"}, False, ["E045"]),
        ({"CHALLENGE": "builtins.dict"}, False, ["E045"]),
        ({"CHALLENGE": len}, False, ["E045"]),
        ({"CHALLENGE": "lockout_admin.defences.challenge.Challenge"}, False, ["E045"]),
    ],
)
def test_a_challenge_is_one_that_browsers_can_answer(
    changes: dict[str, Any], secure: bool, expected: list[str]
) -> None:
    more = {"SECURE_SSL_REDIRECT": secure}
    keys = {**WITH_MAIL, **changes}
    found = findings(
        deploy=True, CACHES=SHARED, LOCKOUT_ADMIN=keys, ROOT_URLCONF=WITH_PAGES, **more
    )
    assert sorted(found) == expected
