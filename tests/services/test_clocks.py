"""Clocks that no test can freeze: the cache server's, the database's, those of hosts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from .servers import CacheServer, Site, site
from .test_faults import REFUSED, RIGHT, log_in

pytestmark = pytest.mark.race

SECS = 8


@pytest.mark.parametrize("kind", ["redis", "memcached"])
def test_a_lock_ends_on_the_servers_clock(
    kind: str, postgres: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    server: CacheServer = request.getfixturevalue(kind)
    short: Any = {"FAILED_LOGIN_INTERVAL_SECS": str(SECS), "ACCOUNT_LOCKED_TIMEOUT_SECS": str(SECS)}
    with site(
        tmp_path, workers=2, threads=4, DATABASE_URL=postgres, CACHE_URL=server.url, **short
    ) as target:
        target.python(
            "from lockout_admin.lockout import *\n"
            "assert [handle_failed_login('alice') for _ in range(4)][-1]"
        )
        assert log_in(target) == REFUSED
        assert 1 < until(lambda: log_in(target) == RIGHT) < SECS + 5


GUESSES = """
from lockout_admin.backends import LockoutBackend
from lockout_admin.exceptions import AccountLocked
from lockout_admin.models import AccountLock
wrong = 0
for number in range({times}):
    try:
        LockoutBackend().authenticate(None, "alice", "{prefix} %d" % number)
        wrong += 1
    except AccountLocked:
        pass
print(wrong, AccountLock.objects.count())
"""


@pytest.fixture(params=["postgres", "mariadb"])
def hosts(
    request: pytest.FixtureRequest, redis: CacheServer, tmp_path: Path
) -> Iterator[tuple[Site, Site]]:
    """Two hosts of one site; the clock of the second is 90 s fast."""
    url = request.getfixturevalue(request.param)
    short: Any = {"FAILED_LOGIN_INTERVAL_SECS": "60", "HASH_ITERATIONS": "10"}
    with site(
        tmp_path, "gunicorn", workers=1, threads=1, DATABASE_URL=url, CACHE_URL=redis.url, **short
    ) as first:
        fast = {**first.environment, "CLOCK_FAST_SECS": "90"}
        yield first, replace(first, environment=fast)


@pytest.mark.parametrize("fast_one_first", [True, False])
def test_hosts_with_clocks_apart_hold_the_limit_together(
    fast_one_first: bool, hosts: tuple[Site, Site]
) -> None:
    one, other = hosts[::-1] if fast_one_first else hosts
    assert one.python(GUESSES.format(times=2, prefix="one")) == "2 0"
    assert other.python(GUESSES.format(times=30, prefix="other")) == "2 1"
    assert one.python(GUESSES.format(times=30, prefix="again")) == "0 1"


def test_the_check_tells_of_a_clock_that_differs_from_the_databases(
    hosts: tuple[Site, Site],
) -> None:
    said = hosts[0].python(ASK.format(fast=0)), hosts[0].python(ASK.format(fast=90))
    assert said == ("[]", "['lockout_admin.W023']")


#: The check goes by the host's own clock.
ASK = """
import time
from django.core.checks import run_checks
true = time.time
time.time = lambda: true() + {fast}
found = [message.id for message in run_checks(databases=["default"])]
print([name for name in found if name == "lockout_admin.W023"])
"""


def until(condition: Callable[[], bool]) -> float:
    """Return the seconds until a condition holds, at most a minute."""
    started = time.monotonic()
    while not condition() and time.monotonic() < started + 60:
        time.sleep(0.1)
    return time.monotonic() - started
