"""Clients that hang up after their POST: what is held is recorded, and the owner gets in."""

from __future__ import annotations

import json
import random
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from .servers import CacheServer, Site, site

pytestmark = pytest.mark.race

TRIES = 1000
NAMES = 200
#: Seconds after which a client is gone: some before their attempt begins, some while it goes on.
LATEST = (0.050, 0.500)
IN = 200

HELD_AND_RECORDED = f"""
from lockout_admin.engine.rules import matter_of
from lockout_admin.engine.ruleset import rules_in_force
from lockout_admin.engine.slots import Place
from lockout_admin.engine.store import store
from lockout_admin.identity.subject import Subject
from lockout_admin.models import FailedLogin
found = []
for number in range({NAMES}):
    subject = Subject.of(f"user{{number}}")
    place = Place.of(matter_of(subject), rules_in_force())
    held = len(place.held(store.get_many(place.keys)))
    rows = FailedLogin.objects.filter(subject=subject.key).count()
    found.append((held, rows))
print([list(pair) for pair in found])
"""


def post(port: int, path: str, username: str) -> socket.socket:
    body = json.dumps({"username": username, "password": f"wrong {random.random()}"}).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: site\r\nContent-Type: application/json\r\n"
    client = socket.create_connection(("127.0.0.1", port))
    client.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    return client


def hang_up(port: int, path: str, username: str) -> None:
    with post(port, path, username):
        time.sleep(random.uniform(0.001, random.choice(LATEST)))


def settled(target: Site) -> list[tuple[int, int]]:
    """Return slots held and failures recorded of each name, once they no longer change."""
    before: list[tuple[int, int]] = []
    for _ in range(30):
        found = [(held, rows) for held, rows in json.loads(target.python(HELD_AND_RECORDED))]
        if found == before:
            return found
        before = found
        time.sleep(1)
    raise AssertionError(before)


def log_in(target: Site, path: str) -> int:
    body = {"username": "alice", "password": "right"}
    return httpx.post(f"{target.url}{path}", json=body, timeout=60).status_code


@pytest.mark.parametrize("path", ["/alogin/", "/login/"])
def test_slots_and_failures_are_the_same_when_clients_hang_up(
    path: str, postgres: str, redis: CacheServer, tmp_path: Path
) -> None:
    settings = {"DATABASE_URL": postgres, "CACHE_URL": redis.url, "HASH_ITERATIONS": "20000"}
    with site(tmp_path, "uvicorn", 2, 1, **settings) as target:
        port = int(target.url.rpartition(":")[2])
        # More would have the server open more connections than PostgreSQL takes.
        with ThreadPoolExecutor(6) as clients:
            for number in range(TRIES):
                clients.submit(hang_up, port, path, f"user{number % NAMES}")
        found = settled(target)
    assert sum(rows for _, rows in found) > 0
    assert [held for held, _ in found] == [rows for _, rows in found]


@pytest.mark.parametrize("path", ["/alogin/", "/login/"])
def test_the_owner_gets_in_once_the_interval_is_over(
    path: str, postgres: str, redis: CacheServer, tmp_path: Path
) -> None:
    settings = {
        "DATABASE_URL": postgres,
        "CACHE_URL": redis.url,
        "FAILED_LOGIN_INTERVAL_SECS": "5",
        "ACCOUNT_LOCKED_TIMEOUT_SECS": "5",
    }
    with site(tmp_path, "uvicorn", 1, 1, **settings) as target:
        port = int(target.url.rpartition(":")[2])
        for _ in range(20):
            hang_up(port, path, "alice")
        time.sleep(8)
        assert log_in(target, path) == IN
