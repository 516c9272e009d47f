"""Blocked networks on a site of several processes: all of them hear of a change."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import pytest

from .servers import CacheServer, Site, site

#: Two seconds to the next look, and what a busy machine needs.
SOON = 6.0
BLOCK = "from lockout_admin.models import *; NetworkRule.objects.create(cidr='127.0.0.1')"
UNBLOCK = "from lockout_admin.models import *; NetworkRule.objects.all().delete()"


def answers(target: Site) -> set[int]:
    """Return the statuses of many right logins, by connections that reach all processes."""

    def log_in() -> int:
        body = {"username": "alice", "password": "right"}
        return httpx.post(f"{target.url}/login/", json=body, timeout=60).status_code

    return {log_in() for _ in range(40)}


def settled(target: Site) -> set[int]:
    time.sleep(SOON)
    return answers(target)


@pytest.mark.parametrize("store", ["cache", "table"])
@pytest.mark.parametrize("atomic", ["", "1"])
def test_every_process_hears_of_a_change_within_seconds(
    postgres: str, redis: CacheServer, tmp_path: Path, store: str, atomic: str
) -> None:
    settings = {"STORE": store, "FAST_HASHER": "1", "ATOMIC_REQUESTS": atomic or "0"}
    with site(
        tmp_path, "gunicorn", 3, 2, DATABASE_URL=postgres, CACHE_URL=redis.url, **settings
    ) as target:
        assert answers(target) == {200}
        target.python(BLOCK)
        assert settled(target) == {429}
        target.python(UNBLOCK)
        assert settled(target) == {200}


def test_a_cache_that_dies_and_comes_back_hides_no_change(
    postgres: str, redis: CacheServer, tmp_path: Path
) -> None:
    settings = {"DATABASE_URL": postgres, "CACHE_URL": redis.url, "FAST_HASHER": "1"}
    with site(tmp_path, "gunicorn", 2, 2, **settings) as target:
        assert answers(target) == {200}
        redis.kill()
        target.python(BLOCK)
        assert settled(target) == {429}
        redis.start()
        assert settled(target) == {429}
        target.python(UNBLOCK)
        assert settled(target) == {200}
