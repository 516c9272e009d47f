"""The table store over real databases: many threads and processes, in transactions and outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .servers import database

PROCESSES = 4
THREADS = 16
ROUNDS = 20


@pytest.fixture(params=["sqlite", "postgres", "mariadb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield migrated(f"sqlite:///{tmp_path / 'db.sqlite3'}")
        return
    with database(request.param, f"lockout_table_{os.getpid()}") as url:
        yield migrated(url)


def migrated(url: str) -> str:
    finish(begin(url, "-m", "django", "migrate", "-v0", "--skip-checks"))
    return url


def begin(url: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *arguments],
        env={
            **{key: value for key, value in os.environ.items() if not key.startswith("COV")},
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": "tests.services.site",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> Any:
    answer, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert not errors
    return json.loads(answer or "null")


def together(url: str, **arguments: Any) -> list[Any]:
    """Run `adding` in several processes that begin at the same time."""
    what = json.dumps({"start": time.time() + 3, **arguments})
    workers = [begin(url, "-m", "tests.services.adding", what) for _ in range(PROCESSES)]
    return [finish(worker) for worker in workers]


@pytest.mark.parametrize("atomic", [False, True])
def test_of_64_threads_in_4_processes_one_adds(atomic: bool, url: str) -> None:
    answers = together(url, rounds=ROUNDS, threads=THREADS, atomic=atomic)
    winners = Counter(won for answer in answers for won in answer["won"])
    assert winners == dict.fromkeys(range(ROUNDS), 1)


def python(url: str, code: str) -> Any:
    """Run code with Django set up; it prints JSON."""
    return finish(begin(url, "-c", f"import django; django.setup()\n{code}"))


IN_A_TRANSACTION = """
import json, os, signal, sys
from django.db import connection, transaction
from lockout_admin.engine.connections import _pools
from lockout_admin.engine.table import TableEngine
engine = TableEngine()
pool = _pools.of("default")
"""


def test_a_rollback_takes_no_reservation_with_it(url: str) -> None:
    code = """
with transaction.atomic():
    engine.add("key", 1, 60)
    transaction.set_rollback(True)
print(json.dumps(engine.get_many(["key"])))
"""
    assert python(url, IN_A_TRANSACTION + code) == {"key": 1}


def test_a_forked_process_leaves_its_parents_connections_alone(url: str) -> None:
    code = """
with transaction.atomic():
    connection.cursor().execute("SELECT 1")
    engine.add("parent", 1, 60)
    mine = pool.all()
    child = os.fork()
    if not child:
        connection.connection = None
        assert engine.add("child", 1, 60) and not engine.add("parent", 2, 60)
        assert _pools.of("default").all() != mine
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    before = mine[0].connection
    assert not engine.add("child", 2, 60)
    print(json.dumps([mine == pool.all(), mine[0].connection is before]))
    sys.stdout.flush()
    os._exit(0)
"""
    assert python(url, IN_A_TRANSACTION + code) == [True, True]


@pytest.mark.parametrize("url", ["postgres", "mariadb"], indirect=True)
def test_a_restarted_server_is_connected_to_again(url: str) -> None:
    code = """
kill = "SELECT pg_terminate_backend({})" if connection.vendor == "postgresql" else "KILL {}"
tell = "SELECT pg_backend_pid()" if connection.vendor == "postgresql" else "SELECT connection_id()"
def number(of):
    with of.cursor() as cursor:
        cursor.execute(tell)
        return cursor.fetchone()[0]
with transaction.atomic():
    engine.add("one", 1, 60)
    connection.cursor().execute(kill.format(number(pool.all()[0])))
    added = engine.add("two", 1, 60)
print(json.dumps([added, engine.get_many(["one", "two"])]))
"""
    assert python(url, IN_A_TRANSACTION + code) == [True, {"one": 1, "two": 1}]


@pytest.mark.parametrize("url", ["postgres"], indirect=True)
def test_a_process_holds_few_connections_for_the_store(url: str) -> None:
    answers = together(url, rounds=5, threads=THREADS, atomic=True, count=True)
    most = max(answer["connections"] for answer in answers)
    # Each thread has one of its own, and the counter has one.
    assert most <= PROCESSES * (THREADS + 4 + 1)
    assert all(answer["pooled"] <= 4 for answer in answers)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_the_sites_file_may_be_busy_and_the_stores_is_not(url: str) -> None:
    code = """
from pathlib import Path
from threading import Thread
with transaction.atomic():
    connection.cursor().execute("DELETE FROM lockout_admin_accountlock")
    added = []
    thread = Thread(target=lambda: added.append(engine.add("key", 1, 60)))
    thread.start()
    thread.join(5)
path = Path(connection.settings_dict["NAME"])
print(json.dumps([added, path.with_name(path.name + ".lockout").exists()]))
"""
    assert python(url, IN_A_TRANSACTION + code) == [[True], True]


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
def test_a_table_that_is_missing_is_told_of_once(kind: str) -> None:
    code = "print(json.dumps([engine.keeps(), engine.keeps()]))"
    with database(kind, f"lockout_table_{os.getpid()}") as url:
        process = begin(url, "-c", f"import django; django.setup()\n{IN_A_TRANSACTION}{code}")
        answer, errors = process.communicate(timeout=60)
    assert json.loads(answer) == [False, False]
    assert errors.count("store_unavailable") == 1
    assert "manage.py migrate" in errors
