"""A thousand guesses at once on real servers: N passwords are evaluated, not one more."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from .attack import Guess, storm
from .servers import CacheServer, execute, site

pytestmark = pytest.mark.race

GUESSES = 1000
N = 4
WRONG, REFUSED = 401, 429

SPELLINGS = [
    "alice",
    "ALICE",
    "Alice",
    " alice",
    "alice  ",
    "ａｌｉｃｅ",
    "ＡＬＩＣＥ",
    "\talice\u00a0",
    "aLiCe",
]


def outcome(hashed: int, statuses: Any) -> dict[str, int]:
    return {"hashed": hashed, "wrong": statuses[WRONG], "refused": statuses[REFUSED]}


HELD = {"hashed": N, "wrong": N, "refused": GUESSES - N}


def test_spellings_against_a_backend_that_folds(
    postgres: str, redis: CacheServer, tmp_path: Path
) -> None:
    backend = "tests.services.accounts.AnySpellingBackend"
    guesses = [Guess(SPELLINGS[number % len(SPELLINGS)]) for number in range(GUESSES)]
    with site(tmp_path, DATABASE_URL=postgres, CACHE_URL=redis.url, BACKEND=backend) as target:
        statuses = storm(f"{target.url}/login/", guesses)
        assert outcome(target.passwords_hashed, statuses) == HELD


def test_a_new_address_with_each_guess(postgres: str, redis: CacheServer, tmp_path: Path) -> None:
    guesses = [
        Guess(headers={"X-Forwarded-For": f"203.0.113.{n % 256}, 10.{n % 99}.0.1"})
        for n in range(GUESSES)
    ]
    with site(tmp_path, DATABASE_URL=postgres, CACHE_URL=redis.url) as target:
        statuses = storm(f"{target.url}/login/", guesses)
        assert outcome(target.passwords_hashed, statuses) == HELD


def test_async_guesses_under_asgi(postgres: str, redis: CacheServer, tmp_path: Path) -> None:
    with site(tmp_path, "uvicorn", DATABASE_URL=postgres, CACHE_URL=redis.url) as target:
        statuses = storm(f"{target.url}/alogin/", [Guess()] * GUESSES)
        assert outcome(target.passwords_hashed, statuses) == HELD


@pytest.mark.parametrize(("server", "path"), [("gunicorn", "login"), ("uvicorn", "alogin")])
def test_the_right_password_among_them_does_not_get_in(
    server: str, path: str, postgres: str, redis: CacheServer, tmp_path: Path
) -> None:
    # By the 200th guess over 64 connections, N have been answered.
    guesses = [
        Guess(password="right" if number >= 200 and number % 50 == 0 else "wrong")
        for number in range(GUESSES)
    ]
    with site(tmp_path, server, DATABASE_URL=postgres, CACHE_URL=redis.url) as target:
        statuses = storm(f"{target.url}/{path}/", guesses)
        assert outcome(target.passwords_hashed, statuses) == HELD


def test_memcached_and_mariadb(mariadb: str, memcached: CacheServer, tmp_path: Path) -> None:
    with site(tmp_path, DATABASE_URL=mariadb, CACHE_URL=memcached.url) as target:
        statuses = storm(f"{target.url}/login/", [Guess()] * GUESSES)
        assert outcome(target.passwords_hashed, statuses) == HELD


def test_local_memory_and_threads(postgres: str, tmp_path: Path) -> None:
    with site(tmp_path, workers=1, threads=64, DATABASE_URL=postgres) as target:
        statuses = storm(f"{target.url}/login/", [Guess()] * GUESSES)
        assert outcome(target.passwords_hashed, statuses) == HELD


@pytest.mark.parametrize("atomic_requests", ["0", "1"])
def test_every_guess_is_recorded_and_the_lock_once(
    atomic_requests: str, postgres: str, redis: CacheServer, tmp_path: Path
) -> None:
    with site(
        tmp_path, DATABASE_URL=postgres, CACHE_URL=redis.url, ATOMIC_REQUESTS=atomic_requests
    ) as target:
        statuses = storm(f"{target.url}/login/", [Guess()] * GUESSES)
        assert outcome(target.passwords_hashed, statuses) == HELD
        counts = target.python(
            "from lockout_admin.models import *\n"
            "print(FailedLogin.objects.count(), AccountLock.objects.count())"
        )
        assert counts == f"{N} 1"


# -- Without a cache ----------------------------------------------------------------------------


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/site.sqlite3"


@pytest.mark.parametrize("atomic_requests", ["0", "1"])
@pytest.mark.parametrize("database", ["postgres", "mariadb", "sqlite"])
def test_the_database_alone_holds_the_limit(
    database: str, atomic_requests: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    settings = {
        "DATABASE_URL": request.getfixturevalue(database),
        "ATOMIC_REQUESTS": atomic_requests,
        "STORE": "table",
    }
    with site(tmp_path, **settings) as target:
        statuses = storm(f"{target.url}/login/", [Guess()] * GUESSES)
        assert outcome(target.passwords_hashed, statuses) == HELD


def test_the_database_alone_holds_the_limit_of_async_logins(postgres: str, tmp_path: Path) -> None:
    with site(tmp_path, "uvicorn", DATABASE_URL=postgres, STORE="table") as target:
        statuses = storm(f"{target.url}/alogin/", [Guess()] * GUESSES)
        assert outcome(target.passwords_hashed, statuses) == HELD


def test_a_database_without_a_free_connection_lets_nobody_try(
    postgres: str, tmp_path: Path
) -> None:
    role = f"lockout_few_{os.getpid()}"
    name = postgres.rpartition("/")[2]
    execute(
        "postgres",
        postgres,
        f"CREATE ROLE {role} LOGIN CONNECTION LIMIT 6",
        f"ALTER DATABASE {name} OWNER TO {role}",
    )
    few = postgres.replace("postgres@", f"{role}@")
    try:
        with site(tmp_path, "uvicorn", DATABASE_URL=few, STORE="table") as target:
            storm(f"{target.url}/alogin/", [Guess()] * GUESSES)
            assert target.passwords_hashed <= N
    finally:
        execute(
            "postgres",
            postgres,
            f"ALTER DATABASE {name} OWNER TO CURRENT_USER",
            f"REASSIGN OWNED BY {role} TO CURRENT_USER",
            f"DROP ROLE {role}",
        )


def test_fresh_passwords_are_worth_no_more(
    postgres: str, redis: CacheServer, tmp_path: Path
) -> None:
    guesses = [Guess(password=f"guess {number}") for number in range(GUESSES)]
    with site(tmp_path, DATABASE_URL=postgres, CACHE_URL=redis.url) as target:
        statuses = storm(f"{target.url}/login/", guesses)
        assert outcome(target.passwords_hashed, statuses) == HELD


def test_the_slowest_rule_is_exact_under_fire(
    postgres: str, redis: CacheServer, tmp_path: Path
) -> None:
    # Eight of the day's ten are gone, none of them within the first rule's interval.
    earlier = """
from datetime import timedelta
from django.utils import timezone
from lockout_admin.models import FailedLogin
for hours in range(2, 10):
    FailedLogin.objects.create("alice", timestamp=timezone.now() - timedelta(hours=hours))
"""
    with site(tmp_path, DATABASE_URL=postgres, CACHE_URL=redis.url) as target:
        target.python(earlier)
        guesses = [Guess(password=f"guess {number}") for number in range(GUESSES)]
        statuses = storm(f"{target.url}/login/", guesses)
        assert statuses[WRONG] == target.passwords_hashed == 2
