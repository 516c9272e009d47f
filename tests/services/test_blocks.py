"""Code that checks passwords itself, in blocks of `lockout.attempt`, on real servers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .attack import Guess, storm
from .servers import CacheServer, site

pytestmark = pytest.mark.race

GUESSES = 200
N = 4

STARLETTE = {"APPLICATION": "tests.services.starlette_site:application"}
#: Under ASGI each request of Django has a thread of its own, which would keep its connection.
ASGI = {"CONN_MAX_AGE": "0"}
WAYS: list[tuple[str, str, dict[str, str]]] = [
    ("gunicorn", "block", {}),
    ("gunicorn", "drf", {}),
    ("uvicorn", "block", ASGI),
    ("uvicorn", "ablock", ASGI),
    ("uvicorn", "block", STARLETTE),
    ("uvicorn", "ablock", STARLETTE),
    ("uvicorn", "scope", STARLETTE),
]
IDS = [
    "Django",
    "DRF",
    "Django under ASGI",
    "Django, async",
    "Starlette in threads",
    "Starlette",
    "an ASGI scope",
]


@pytest.mark.parametrize("store", ["cache", "table"])
@pytest.mark.parametrize(("server", "path", "settings"), WAYS, ids=IDS)
def test_of_200_at_once_n_are_evaluated(
    server: str,
    path: str,
    settings: dict[str, str],
    store: str,
    postgres: str,
    redis: CacheServer,
    tmp_path: Path,
) -> None:
    where: dict[str, Any] = {
        "DATABASE_URL": postgres,
        "CACHE_URL": redis.url,
        "STORE": store,
        **settings,
    }
    with site(tmp_path, server, **where) as target:
        statuses = storm(f"{target.url}/{path}/", [Guess()] * GUESSES)
        counts = target.python(
            "from lockout_admin.models import *\n"
            "print(FailedLogin.objects.count(), AccountLock.objects.count())"
        )
    assert (target.passwords_hashed, statuses[429]) == (N, GUESSES - N)
    assert counts == f"{N} 1"


FOUR_AT_ONCE = """
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from django.db import connection
from lockout_admin import lockout
from lockout_admin.models import AccountLock

together = Barrier(4)

def guess(number):
    try:
        with lockout.attempt(f"name{number}", ip_address=f"198.51.100.{number}") as attempt:
            together.wait(30)
            attempt.failed()
    except Exception as problem:
        together.abort()
        raise

with ThreadPoolExecutor(4) as pool:
    for number in range(ROUNDS):
        list(pool.map(guess, [number] * 4))
    list(pool.map(lambda _: connection.close(), range(4)))
at_once = AccountLock.objects.count()
for number in range(ROUNDS):
    try:
        lockout.attempt(f"name{number}", ip_address=f"198.51.100.{number}").__enter__()
    except lockout.AccountLocked:
        pass
print(at_once, AccountLock.objects.count())
"""


def test_four_failures_of_one_moment_leave_a_lock(
    postgres: str, redis: CacheServer, tmp_path: Path
) -> None:
    """None sees what the others have not committed yet; the next attempt begins what is overdue."""
    rounds = 200
    code = FOUR_AT_ONCE.replace("ROUNDS", str(rounds))
    with site(tmp_path, "gunicorn", DATABASE_URL=postgres, CACHE_URL=redis.url) as target:
        at_once, in_the_end = map(int, target.python(code).split())
    assert (at_once > 0.95 * rounds, in_the_end) == (True, rounds), at_once
