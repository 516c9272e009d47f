"""The cache server's own clock, which no test can freeze: slots and locks end when they should."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from .servers import CacheServer, site
from .test_faults import REFUSED, RIGHT, log_in

SECS = 8


@pytest.mark.parametrize("kind", ["redis", "memcached"])
def test_a_lock_ends_on_the_servers_clock(
    kind: str, postgres: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    server: CacheServer = request.getfixturevalue(kind)
    short = {"FAILED_LOGIN_INTERVAL_SECS": str(SECS), "ACCOUNT_LOCKED_TIMEOUT_SECS": str(SECS)}
    with site(tmp_path, workers=2, threads=4, DATABASE_URL=postgres, CACHE_URL=server.url, **short) as target:
        target.python(
            "from lockout_admin.lockout import *\nassert [handle_failed_login('alice') for _ in range(4)][-1]"
        )
        assert log_in(target) == REFUSED
        assert 1 < until(lambda: log_in(target) == RIGHT) < SECS + 5


def until(condition: Callable[[], bool]) -> float:
    """Return the seconds until a condition holds, at most a minute."""
    started = time.monotonic()
    while not condition() and time.monotonic() < started + 60:
        time.sleep(0.1)
    return time.monotonic() - started
