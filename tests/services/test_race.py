"""A thousand guesses at once on real servers: N passwords are evaluated, not one more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .attack import Guess, storm
from .servers import CacheServer, site

GUESSES = 1000
N = 4
WRONG, REFUSED = 401, 429

SPELLINGS = ["alice", "ALICE", "Alice", " alice", "alice  ", "ａｌｉｃｅ", "ＡＬＩＣＥ", "\talice\u00a0", "aLiCe"]


def outcome(hashed: int, statuses: Any) -> dict[str, int]:
    return {"hashed": hashed, "wrong": statuses[WRONG], "refused": statuses[REFUSED]}


HELD = {"hashed": N, "wrong": N, "refused": GUESSES - N}


def test_spellings_against_a_backend_that_folds(postgres: str, redis: CacheServer, tmp_path: Path) -> None:
    backend = "tests.services.accounts.AnySpellingBackend"
    guesses = [Guess(SPELLINGS[number % len(SPELLINGS)]) for number in range(GUESSES)]
    with site(tmp_path, DATABASE_URL=postgres, CACHE_URL=redis.url, BACKEND=backend) as target:
        statuses = storm(f"{target.url}/login/", guesses)
        assert outcome(target.passwords_hashed, statuses) == HELD


def test_a_new_address_with_each_guess(postgres: str, redis: CacheServer, tmp_path: Path) -> None:
    guesses = [Guess(headers={"X-Forwarded-For": f"203.0.113.{n % 256}, 10.{n % 99}.0.1"}) for n in range(GUESSES)]
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
    guesses = [Guess(password="right" if number >= 200 and number % 50 == 0 else "wrong") for number in range(GUESSES)]
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
    with site(tmp_path, DATABASE_URL=postgres, CACHE_URL=redis.url, ATOMIC_REQUESTS=atomic_requests) as target:
        statuses = storm(f"{target.url}/login/", [Guess()] * GUESSES)
        assert outcome(target.passwords_hashed, statuses) == HELD
        counts = target.python(
            "from lockout_admin.models import *\nprint(FailedLogin.objects.count(), AccountLock.objects.count())"
        )
        assert counts == f"{N} 1"
