"""What happens when things fail: the lock holds, the right password gets in, failures count."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from .servers import CacheServer, Site, execute, site

pytestmark = pytest.mark.race

WRONG, RIGHT, REFUSED = 401, 200, 429


@pytest.fixture
def target(postgres: str, redis: CacheServer, tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path, workers=2, threads=4, DATABASE_URL=postgres, CACHE_URL=redis.url) as served:
        yield served


def log_in(
    target: Site, password: str = "right", username: str = "alice", path: str = "login"
) -> int:
    body = {"username": username, "password": password}
    return httpx.post(f"{target.url}/{path}/", json=body, timeout=60).status_code


def fail(target: Site, times: int, path: str = "login") -> list[int]:
    return [log_in(target, "wrong", path=path) for _ in range(times)]


def test_a_lock_survives_flushall(target: Site) -> None:
    fail(target, 4)
    target.python("from django.core.cache import cache\ncache.clear()")
    assert [log_in(target) for _ in range(8)] == [REFUSED] * 8


def test_a_lock_survives_the_eviction_of_any_of_its_keys(target: Site) -> None:
    fail(target, 4)
    evict = """
from django.core.cache import cache
from lockout_admin.identity.subject import Subject
from lockout_admin.engine.store import Keys
keys = Keys("account", Subject.of("alice").key)
cache.delete({key})
"""
    for key in ("keys.lock", "keys.refused", "keys.slots(4)[0]", "keys.slots(4)[3]"):
        target.python(evict.format(key=key))
        assert log_in(target) == REFUSED


def test_a_flush_before_the_limit_lets_no_more_guesses_through(target: Site) -> None:
    fail(target, 3)
    target.python("from django.core.cache import cache\ncache.clear()")
    assert fail(target, 3) == [WRONG, REFUSED, REFUSED]


def test_without_a_cache_the_database_holds(target: Site, redis: CacheServer) -> None:
    redis.kill()
    assert log_in(target) == RIGHT
    assert fail(target, 6) == [WRONG] * 4 + [REFUSED] * 2
    assert log_in(target) == REFUSED


def test_a_lock_holds_when_the_cache_goes_and_when_it_comes_back(
    target: Site, redis: CacheServer
) -> None:
    fail(target, 4)
    redis.kill()
    assert log_in(target) == REFUSED
    redis.start()
    assert log_in(target) == REFUSED
    target.python(
        "from lockout_admin.lockout import unlock_account\nassert unlock_account('alice')"
    )
    assert log_in(target) == RIGHT
    assert fail(target, 5) == [WRONG] * 4 + [REFUSED]


def test_failures_count_across_an_outage(target: Site, redis: CacheServer) -> None:
    fail(target, 2)
    redis.kill()
    fail(target, 1)
    redis.start()
    assert fail(target, 3) == [WRONG, REFUSED, REFUSED]


def test_an_outage_is_logged_once_a_process(
    target: Site, redis: CacheServer, tmp_path: Path
) -> None:
    redis.kill()
    fail(target, 4)
    fail(target, 20)
    assert 1 <= (tmp_path / "server.log").read_text().count("cache_unavailable") <= 2


@pytest.mark.parametrize("name", ["failedlogin", "successfullogin", "accountlock", "useragent"])
def test_a_login_answers_when_the_database_refuses_records(
    name: str, target: Site, postgres: str
) -> None:
    execute("postgres", postgres, f"ALTER TABLE lockout_admin_{name} RENAME TO gone")
    assert log_in(target) == RIGHT
    assert fail(target, 6) == [WRONG] * 4 + [REFUSED] * 2


def test_no_rollback_takes_a_record_with_it(
    postgres: str, redis: CacheServer, tmp_path: Path
) -> None:
    settings = {"DATABASE_URL": postgres, "CACHE_URL": redis.url, "ATOMIC_REQUESTS": "1"}
    with site(tmp_path, workers=2, threads=4, **settings) as target:
        assert fail(target, 5, path="failing")[:4] == [500] * 4
        counts = (
            "from lockout_admin.models import *\n"
            "print(FailedLogin.objects.count(), AccountLock.objects.count())"
        )
        assert target.python(counts) == "4 1"
        assert log_in(target) == REFUSED


@pytest.mark.parametrize("store", ["cache", "dead cache", "table"])
def test_many_logins_of_one_request_and_transaction_have_the_limit_of_one_each(
    store: str, postgres: str, redis: CacheServer, tmp_path: Path
) -> None:
    kind = store.removeprefix("dead ")
    settings = {"DATABASE_URL": postgres, "CACHE_URL": redis.url, "STORE": kind}
    guesses = [{"username": "alice", "password": f"guess {number}"} for number in range(100)]
    with site(tmp_path, workers=2, threads=4, ATOMIC_REQUESTS="1", **settings) as target:
        if store == "dead cache":
            redis.kill()
        httpx.post(f"{target.url}/many/", json=guesses, timeout=60)
        assert target.passwords_hashed == 4
        assert log_in(target) == REFUSED
        counts = (
            "from lockout_admin.models import *\n"
            "print(FailedLogin.objects.count(), AccountLock.objects.count())"
        )
        assert target.python(counts) == "4 1"


WRONG_SETTINGS: dict[str, Any] = {
    "MAX_FAILED_LOGIN_ATTEMPTS": "4",
    "FAILED_LOGIN_INTERVAL_SECS": None,
    "SECRET_KEY_FALLBACKS": [None],
}
WRONG_KEYS: dict[str, Any] = {
    "CACHE": ["default"],
    "LOCK_GROWTH_FACTOR": "2",
    "NAMESPACE": 7,
    "RULES": {"account-daily": {"limit": "ten"}},
    "TRUSTED_PROXIES": "10.0.0.0/8",
}


@pytest.mark.parametrize(
    ("settings", "keys", "errors"),
    [(WRONG_SETTINGS, WRONG_KEYS, 8), ({"LOCKOUT_ADMIN": None}, {}, 1)],
    ids=["many", "the dict"],
)
def test_a_setting_of_a_wrong_type_counts_as_not_set_and_is_logged_once_a_process(
    settings: Any, keys: Any, errors: int, postgres: str, redis: CacheServer, tmp_path: Path
) -> None:
    wrong = {"SETTINGS": json.dumps(settings), "KEYS": json.dumps(keys)}
    served = {"DATABASE_URL": postgres, "CACHE_URL": redis.url, **wrong}
    with site(tmp_path, workers=1, threads=4, **served) as target:
        assert fail(target, 6) == [WRONG] * 4 + [REFUSED] * 2
        assert log_in(target, "wrong", "bob") == WRONG
    log = (tmp_path / "server.log").read_text()
    assert log.count("setting_wrong") == errors
    assert "Traceback" not in log
