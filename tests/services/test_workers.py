"""A worker that is killed while it verifies a password."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

import httpx

from .servers import CacheServer, site

SECS = 6


def test_a_worker_killed_in_verification_costs_its_slot_for_the_interval_only(
    postgres: str, redis: CacheServer, tmp_path: Path
) -> None:
    settings = {
        "DATABASE_URL": postgres,
        "CACHE_URL": redis.url,
        "FAILED_LOGIN_INTERVAL_SECS": str(SECS),
    }
    with site(tmp_path, "gunicorn", 1, 4, **settings) as target:

        def log_in(password: str) -> int:
            body = {"username": "alice", "password": password}
            return httpx.post(f"{target.url}/login/", json=body, timeout=60).status_code

        def die() -> None:
            with suppress(httpx.HTTPError):
                httpx.post(f"{target.url}/slow/", json={"username": "alice"}, timeout=60)

        worker = int(httpx.get(f"{target.url}/worker/").text)
        verifying = [threading.Thread(target=die) for _ in range(3)]
        for thread in verifying:
            thread.start()
        time.sleep(1)
        os.kill(worker, signal.SIGKILL)
        for thread in verifying:
            thread.join()
        killed = time.monotonic()
        assert [log_in("guess"), log_in("right")] == [401, 429]
        time.sleep(max(0.0, killed + SECS + 1 - time.monotonic()))
        assert log_in("right") == 200
