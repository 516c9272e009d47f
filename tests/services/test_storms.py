"""A storm over the moment at which a lock or the slots end, or in which the cache goes and comes.

One round of what is repeated; ``LONG=1`` does twenty.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from .attack import Guess, storm
from .servers import CacheServer, Site, execute, site

pytestmark = pytest.mark.race

N = 4
ROUNDS = 20 if os.environ.get("LONG") else 1
SECS = 4


def storm_for(
    target: Site, seconds: float, username: str = "alice", connections: int = 12
) -> list[float]:
    """Guess without a pause over some connections; return when passwords were found wrong."""
    url = f"{target.url}/login/"
    end = time.monotonic() + seconds
    wrong: list[float] = []

    def guess(connection: int) -> None:
        number = 0
        with httpx.Client(timeout=60) as client:
            while time.monotonic() < end:
                body = {"username": username, "password": f"guess {connection}-{number}"}
                if client.post(url, json=body).status_code == 401:
                    wrong.append(time.monotonic())
                number += 1

    threads = [threading.Thread(target=guess, args=(number,)) for number in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(wrong)


def most_within(moments: list[float], seconds: float) -> int:
    """Return the most moments in any window of so many seconds."""
    windows = [[m for m in moments if start <= m < start + seconds] for start in moments]
    return max(map(len, windows), default=0)


REFUSE_LOCKS = (
    "CREATE FUNCTION refuse() RETURNS trigger AS $$BEGIN RAISE 'no locks'; END$$ LANGUAGE plpgsql",
    "CREATE TRIGGER refuse BEFORE INSERT ON lockout_admin_accountlock"
    " FOR EACH ROW EXECUTE FUNCTION refuse()",
)
FIRST_RULE = {"FAILED_LOGIN_INTERVAL_SECS": str(SECS), "FAST_HASHER": "1", "RULES": "first"}


@pytest.mark.parametrize("store", ["redis", "memcached", "table"])
@pytest.mark.parametrize("lock_secs", ["2", "60"], ids=["a lock ends", "slots end"])
def test_the_end_of_a_lock_or_of_the_slots_lets_n_in(
    store: str, lock_secs: str, postgres: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    settings: dict[str, Any] = {
        **FIRST_RULE,
        "DATABASE_URL": postgres,
        "ACCOUNT_LOCKED_TIMEOUT_SECS": lock_secs,
    }
    if store == "table":
        settings["STORE"] = "table"
    else:
        settings["CACHE_URL"] = request.getfixturevalue(store).url
    with site(tmp_path, workers=2, threads=8, **settings) as target:
        if lock_secs == "60":
            # No lock can begin, so that slots and rows alone hold the limit.
            execute("postgres", postgres, *REFUSE_LOCKS)
        for number in range(ROUNDS):
            # Each on a name of its own: locks grow.
            name = f"name-{number}"
            assert storm_for(target, 3 * SECS, name), "nobody was let in"
            # By the server's clock: on a busy machine an answer takes a while to come in. The rest
            # is for what lies between the moment of an attempt and its look at the lock.
            assert most_within(let_in(target, name), (2 if lock_secs == "2" else SECS) - 0.5) <= N


def let_in(target: Site, username: str) -> list[float]:
    """Return when attempts that were evaluated came in, by the server's clock, in seconds."""
    said = target.python(
        "from lockout_admin.models import FailedLogin\n"
        f"rows = FailedLogin.objects.filter(username='{username}').order_by('timestamp')\n"
        "print(*(row.timestamp.timestamp() for row in rows))"
    )
    return [float(moment) for moment in said.split()]


def during(seconds: float, work: Callable[[], object]) -> threading.Timer:
    """Do work while a storm is on."""
    timer = threading.Timer(seconds, work)
    timer.start()
    return timer


@pytest.mark.parametrize("fault", ["stopped", "hung"])
def test_the_cache_goes_and_comes_back_in_the_middle(
    fault: str, postgres: str, redis: CacheServer, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {
        "DATABASE_URL": postgres,
        "CACHE_URL": redis.url,
        "FAST_HASHER": "1",
    }
    go, come = (redis.kill, redis.start) if fault == "stopped" else (redis.hang, redis.go_on)
    with site(tmp_path, **settings) as target:
        timers = [during(0.3, go), during(6, come)]
        wrong = storm_for(target, 9)
        for timer in timers:
            timer.join()
        assert len(wrong) <= 2 * N
        assert storm(f"{target.url}/login/", [Guess()] * 100)[401] == 0


def test_a_cache_that_hangs_costs_a_process_one_time_out(
    postgres: str, redis: CacheServer, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {
        "DATABASE_URL": postgres,
        "CACHE_URL": redis.url,
        "FAST_HASHER": "1",
    }
    with site(tmp_path, workers=1, threads=1, **settings) as target:
        redis.hang()
        spent = []
        for number in range(20):
            started = time.monotonic()
            body = {"username": f"name-{number}", "password": "wrong"}
            httpx.post(f"{target.url}/login/", json=body, timeout=60)
            spent.append(time.monotonic() - started)
        redis.go_on()
    print("first", round(spent[0], 2), "others at most", round(max(spent[1:]), 2))
    assert max(spent[1:]) < 0.5
