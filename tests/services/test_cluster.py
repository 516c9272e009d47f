"""A Redis Cluster of three nodes, with a client that knows them: django-valkey's."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches
from django.test import override_settings

from lockout_admin.engine.caches import CacheEngine
from lockout_admin.engine.store import Keys

from .attack import Guess, storm
from .recipes import code_of
from .servers import CacheServer, Site, is_ready, site, within
from .test_cost import LOCKED, RIGHT, WRONG

pytestmark = pytest.mark.race

N = 4
#: Names whose keys lie on all three nodes.
NAMES = [f"owner {number}" for number in range(12)]
#: Of each attempt: what is sent to nodes (a pipeline is one call to each node that has keys of it),
#: how often the store asks, and for how many hash tags in all.
CALLS = """
import json
from django.contrib.auth import authenticate
from django.core.exceptions import PermissionDenied
from django.test import RequestFactory
from valkey.connection import Connection
from lockout_admin.engine.caches import CacheEngine
from lockout_admin.incidents import turns
from tests.services.chores import do_now

# The thread that looks for incidents has its own calls.
turns._worker = turns.Worker(pause=3600)
tags, sent = [], []
send = Connection.send_packed_command

def noted(name):
    verb = getattr(CacheEngine, name)
    def note(engine, keys, *rest):
        of_call = [keys] if isinstance(keys, str) else keys
        tags.append(len({key.partition("}")[0] for key in of_call}))
        return verb(engine, keys, *rest)
    return note

def counted(connection, command, **kwargs):
    sent.append(command)
    return send(connection, command, **kwargs)

def attempt(password):
    do_now()
    tags.clear()
    sent.clear()
    request = RequestFactory(REMOTE_ADDR="203.0.113.7").post("/login/")
    try:
        authenticate(request, username="alice", password=password)
    except PermissionDenied:
        pass
    return [len(sent), len(tags), sum(tags)]

for _ in range(20):  # a connection to each node
    CacheEngine("default").keeps()
attempt("warm up")
for name in ("get_many", "add", "increment", "set_many", "delete_many"):
    setattr(CacheEngine, name, noted(name))
Connection.send_packed_command = counted
steps = ["right", "wrong 1", "wrong 2", "wrong 3", "wrong 4", "refused 1", "refused 2"]
print(json.dumps({step: attempt(step) for step in steps}))
"""


def cache_on(nodes: list[CacheServer]) -> dict[str, Any]:
    """Return ``CACHES`` as the recipe has it, on nodes of the test."""
    recipe: dict[str, Any] = {}
    exec(code_of("A Redis Cluster"), recipe)
    location = [f"valkey://127.0.0.1:{server.port}" for server in nodes]
    recipe["CACHES"]["default"]["LOCATION"] = location
    return dict(recipe["CACHES"])


@contextmanager
def site_on(nodes: list[CacheServer], postgres: str, folder: Path, **more: Any) -> Iterator[Site]:
    settings = json.dumps({"CACHES": cache_on(nodes)})
    with site(folder, DATABASE_URL=postgres, SETTINGS=settings, **more) as target:
        yield target


@pytest.fixture
def engine(three_nodes: list[CacheServer]) -> Iterator[CacheEngine]:
    with override_settings(CACHES=cache_on(three_nodes), LOCKOUT_ADMIN={"CACHE": "default"}):
        yield CacheEngine("default")


# -- The contract -------------------------------------------------------------------------------


def test_the_client_keeps_the_contract_over_all_nodes(
    engine: CacheEngine, three_nodes: list[CacheServer]
) -> None:
    keys = [Keys("account", number).lock for number in range(12)]
    engine.set_many({key: [1.5, "a"] for key in keys}, 60)
    assert engine.get_many(keys) == {key: [1.5, "a"] for key in keys}
    assert [engine.add(key, 2, 60) for key in keys] == [False] * 12
    engine.delete_many(keys)
    assert engine.get_many(keys) == {}
    assert [engine.add(key, 0, 60) for key in keys] == [True] * 12
    assert [engine.increment(key) for key in keys] == [1] * 12
    assert engine.increment(Keys("account", 12).lock) == 0
    assert engine.keeps()
    # All of them took part.
    assert all(int(server.tell("dbsize")) > 0 for server in three_nodes)


def test_every_entry_ends(engine: CacheEngine, three_nodes: list[CacheServer]) -> None:
    keys = [Keys("account", number).refused for number in range(12)]
    engine.set_many(dict.fromkeys(keys, 0), 60)
    for key in keys:
        engine.increment(key)
    assert engine.add(Keys("account", 1).lock, 1, 60)
    cache = caches["default"]
    left = [cache.ttl(key) for key in (*keys, Keys("account", 1).lock)]  # type: ignore[attr-defined]
    assert all(50 < seconds <= 60 for seconds in left)
    assert sum(int(server.tell("dbsize")) for server in three_nodes) == 13


# -- Attempts -----------------------------------------------------------------------------------


def test_of_guesses_at_once_on_many_names_n_are_evaluated_of_each(
    three_nodes: list[CacheServer], postgres: str, tmp_path: Path
) -> None:
    guesses = [Guess(name) for _ in range(50) for name in ("alice", *NAMES)]
    with site_on(three_nodes, postgres, tmp_path, RULES="first", HASH_ITERATIONS="1000") as target:
        before = target.passwords_hashed
        statuses = storm(f"{target.url}/login/", guesses)
        wrong = N * (len(NAMES) + 1)
        assert target.passwords_hashed - before == wrong
        assert statuses == {401: wrong, 429: len(guesses) - wrong}
        assert all(int(server.tell("dbsize")) > 0 for server in three_nodes)
        # The locks hold for the right password too, also without their entries.
        assert storm(f"{target.url}/login/", [Guess(password="right")]) == {429: 1}
        for server in three_nodes:
            server.tell("flushall")
        assert storm(f"{target.url}/login/", [Guess(password="right")]) == {429: 1}
        target.run("-m", "django", "lockout_unlock", "alice", "--reason", "it was me")
        assert storm(f"{target.url}/login/", [Guess(password="right")]) == {200: 1}
        # It was the cluster that held them.
        assert "cache_unavailable" not in (tmp_path / "server.log").read_text()


def test_an_attempt_costs_what_it_costs_elsewhere(
    three_nodes: list[CacheServer], postgres: str, tmp_path: Path
) -> None:
    with site_on(three_nodes, postgres, tmp_path, workers=1, threads=1) as target:
        report = json.loads(target.run("-m", "tests.services.cost"))
    for success in ("success", "success after a release", "success of a device"):
        assert report[success] == {"sql": 2, "cache": RIGHT}
    for failure in ("first failure", "failure 1", "failure 3", "failure of a device"):
        assert report[failure] == {"sql": 2, "cache": WRONG}
    # A refusal is counted, and the entries of a lock are written, past the verbs of the client.
    assert report["refusal"] == {"sql": 0, "cache": {"get_many": 1}}
    adding = {**WRONG, "add": WRONG["add"] + 1}
    assert {**adding, "set": 0} == {**report["failure that locks"]["cache"], "set": 0}


def test_the_nodes_are_asked_at_most_once_for_each_hash_tag(
    three_nodes: list[CacheServer], postgres: str, tmp_path: Path
) -> None:
    with site_on(three_nodes, postgres, tmp_path, workers=1, threads=1) as target:
        report = json.loads(target.python(CALLS))
    # The counts of every cache; the end of a count and the beginning of a lock have two more.
    documented = {
        "right": sum(RIGHT.values()) + 2,
        **dict.fromkeys(["wrong 1", "wrong 2", "wrong 3"], sum(WRONG.values())),
        "wrong 4": sum(WRONG.values()) + 2,
        "refused 1": sum(LOCKED.values()) + 1,
        "refused 2": sum(LOCKED.values()),
    }
    assert {step: asked for step, (_, asked, _) in report.items()} == documented
    for step, (sent, asked, tags) in report.items():
        assert asked <= sent <= tags, step


# -- Outages ------------------------------------------------------------------------------------


def test_a_node_that_dies_or_hangs_costs_neither_the_limit_nor_a_login(
    three_nodes: list[CacheServer], postgres: str, tmp_path: Path
) -> None:
    names = iter(NAMES)

    def hold(target: Site) -> None:
        name = next(names)
        assert storm(f"{target.url}/login/", [Guess(name)] * 50) == {401: N, 429: 50 - N}
        assert storm(f"{target.url}/login/", [Guess(password="right")]) == {200: 1}

    more = {"workers": 1, "RULES": "first", "HASH_ITERATIONS": "1000"}
    with site_on(three_nodes, postgres, tmp_path, **more) as target:
        hold(target)
        three_nodes[1].kill()
        hold(target)
        hold(target)
        three_nodes[1].start()
        assert within(20, lambda: all(map(is_ready, three_nodes)))
        told = tmp_path / "server.log"
        assert within(90, lambda: _is_back(target, told, 1))
        three_nodes[2].hang()
        begun = time.monotonic()
        hold(target)
        assert time.monotonic() - begun < 10
        three_nodes[2].go_on()


def _is_back(target: Site, log: Path, times: int) -> bool:
    """Ask for the cluster, so that a look for it begins; tell whether one has found it well."""
    storm(f"{target.url}/login/", [Guess("somebody")])
    time.sleep(0.5)
    return log.read_text().count("cache_available") >= times
