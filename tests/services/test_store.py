"""The store over real caches: some hang, lie, lag or spread their keys."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches
from django.test import override_settings

from lockout_admin import lockout
from lockout_admin.backends import LockoutBackend
from lockout_admin.engine import breaker
from lockout_admin.engine.caches import CacheEngine
from lockout_admin.engine.contract import Engine, Unavailable
from lockout_admin.engine.releases import LockSelection, release_all
from lockout_admin.engine.store import Keys, Store
from lockout_admin.engine.store import store as the_store
from lockout_admin.exceptions import AccountLocked
from lockout_admin.models import AccountLock

from .servers import CacheServer, cache_server, cluster_node, is_ready, within

ALICE = Keys("account", 0xA11CE)
BOB = Keys("account", 0xB0B)
KEY, OTHER = ALICE.slots(2)
TIME_OUT = 0.3

DJANGO = "django.core.cache.backends.redis.RedisCache"
DJANGO_REDIS = "django_redis.cache.RedisCache"
DJANGO_VALKEY = "django_valkey.cache.ValkeyCache"
PYMEMCACHE = "django.core.cache.backends.memcached.PyMemcacheCache"

SHORT = {
    DJANGO: {"socket_timeout": TIME_OUT, "socket_connect_timeout": TIME_OUT},
    DJANGO_REDIS: {"SOCKET_TIMEOUT": TIME_OUT, "SOCKET_CONNECT_TIMEOUT": TIME_OUT},
    DJANGO_VALKEY: {"SOCKET_TIMEOUT": TIME_OUT, "SOCKET_CONNECT_TIMEOUT": TIME_OUT},
    PYMEMCACHE: {"timeout": TIME_OUT, "connect_timeout": TIME_OUT},
}


def on(client: str, *servers: CacheServer, **options: Any) -> Any:
    scheme = "valkey" if client == DJANGO_VALKEY else "redis"
    urls = [f"{scheme}://127.0.0.1:{server.port}" for server in servers]
    if client == PYMEMCACHE:
        urls = [f"127.0.0.1:{server.port}" for server in servers]
    cache = {"BACKEND": client, "LOCATION": urls, "OPTIONS": {**SHORT[client], **options}}
    return override_settings(CACHES={"default": cache}, LOCKOUT_ADMIN={"CACHE": "default"})


@pytest.fixture
def engine() -> CacheEngine:
    return CacheEngine("default")


@pytest.fixture
def store(db: None, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(breaker, "LOOK_SECS", 0.2)
    return Store()


@pytest.fixture(params=[DJANGO, DJANGO_REDIS, DJANGO_VALKEY, PYMEMCACHE])
def client(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server(client: str) -> Iterator[CacheServer]:
    with cache_server("memcached" if client == PYMEMCACHE else "redis") as server:
        yield server


def seconds(work: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def engine_in_force(store: Store) -> str:
    def name(engine: Engine) -> str:
        engine.get_many([KEY])
        return engine.name

    return store.run(name)


# -- Clients ------------------------------------------------------------------------------------


def test_each_client_keeps_the_contract(
    client: str, server: CacheServer, engine: CacheEngine
) -> None:
    with on(client, server):
        assert [engine.add(KEY, [1.5, "a"], 60), engine.add(KEY, 2, 60)] == [True, False]
        engine.set_many({ALICE.refused: 0, ALICE.lock: "text"}, 60)
        assert [engine.increment(key) for key in (ALICE.refused, ALICE.lock, OTHER)] == [1, 0, 0]
        assert engine.get_many([KEY, OTHER, ALICE.refused]) == {KEY: [1.5, "a"], ALICE.refused: 1}
        engine.delete_many([KEY])
        assert engine.get_many([KEY]) == {}
        assert engine.keeps()


@pytest.mark.parametrize(
    ("client", "options"),
    [
        (DJANGO_REDIS, {"IGNORE_EXCEPTIONS": True}),
        (DJANGO_VALKEY, {"IGNORE_EXCEPTIONS": True}),
        (PYMEMCACHE, {"ignore_exc": True}),
        (PYMEMCACHE, {}),
    ],
)
def test_an_outage_that_the_client_hides_is_seen(
    options: dict[str, Any], client: str, server: CacheServer, engine: CacheEngine
) -> None:
    with on(client, server, **options):
        engine.add(KEY, 1, 60)
        server.kill()
        for _ in range(5):
            with pytest.raises(Unavailable):
                engine.get_many([KEY])
            with pytest.raises(Unavailable):
                engine.add(KEY, 1, 60)
        assert not engine.keeps()


@pytest.mark.parametrize("client", [PYMEMCACHE])
def test_an_add_that_nobody_answers_is_none(
    client: str, server: CacheServer, engine: CacheEngine
) -> None:
    with on(client, server, default_noreply=True):
        assert [engine.add(KEY, 1, 60), engine.add(KEY, 1, 60)] == [True, False]


# -- Outages ------------------------------------------------------------------------------------


def test_a_server_that_hangs_costs_one_time_out(
    client: str, server: CacheServer, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    with on(client, server):
        assert store.add(KEY, 1, 60)
        server.hang()
        # The client may try twice.
        assert seconds(lambda: store.get_many([KEY])) < 2 * TIME_OUT + 0.3
        assert seconds(lambda: [store.get_many([KEY]) for _ in range(100)]) < TIME_OUT
        assert engine_in_force(store) == "table"
        server.go_on()
        assert within(5, lambda: engine_in_force(store) == "cache")
        assert store.get_many([KEY]) == {KEY: 1}
    told = [message.partition(":")[0] for message in caplog.messages]
    assert told == ["cache_unavailable", "cache_available"]


def test_a_server_that_dies_is_back_when_it_is(
    client: str, server: CacheServer, store: Store
) -> None:
    with on(client, server):
        for _ in range(3):
            assert engine_in_force(store) == "cache"
            server.kill()
            assert store.add(KEY, 1, 60) is True
            assert engine_in_force(store) == "table"
            assert store.delete_many([KEY])
            server.start()
            assert within(5, lambda: engine_in_force(store) == "cache")


def test_what_staff_end_is_ended_in_both_engines(redis: CacheServer, store: Store) -> None:
    with on(DJANGO, redis):
        store.add(KEY, 1, 60)
        redis.hang()
        assert store.get_many([KEY]) == {}
        store.add(KEY, 1, 60)
        assert not store.clear([KEY])
        redis.go_on()
        assert within(5, lambda: store.clear([KEY]))
        assert store.get_many([KEY]) == {}


@pytest.fixture
def replica(redis: CacheServer) -> Iterator[CacheServer]:
    with cache_server("redis", "--replicaof", "127.0.0.1", str(redis.port)) as server:
        assert within(10, lambda: "master_link_status:up" in server.tell("info", "replication"))
        yield server


def test_a_cache_that_can_only_be_read_stays_distrusted(replica: CacheServer, store: Store) -> None:
    with on(DJANGO, replica):
        assert engine_in_force(store) == "cache"
        assert store.add(KEY, 1, 60)
        assert not within(1.5, lambda: engine_in_force(store) == "cache")


# -- Replicas and clusters ----------------------------------------------------------------------


@pytest.mark.parametrize("client", [DJANGO, DJANGO_REDIS, DJANGO_VALKEY])
def test_what_decides_is_read_from_the_primary(
    client: str, redis: CacheServer, replica: CacheServer, engine: CacheEngine
) -> None:
    replica.tell("replicaof", "127.0.0.1", "1")  # behind, and ever more so
    with on(client, redis, replica):
        assert engine.add(KEY, 1, 60)
        assert caches["default"].get_many([KEY]) == {}
        assert engine.get_many([KEY]) == {KEY: 1}
        replica.hang()
        assert seconds(lambda: engine.get_many([KEY])) < TIME_OUT


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[CacheServer]:
    with cluster_node(tmp_path) as server:
        server.tell("cluster", "addslotsrange", "0", "16383")
        assert within(10, lambda: is_ready(server))
        yield server


@pytest.fixture
def _new_process() -> Iterator[None]:
    the_store.start_over()
    yield
    the_store.start_over()


def guesses(username: str, times: int) -> list[str]:
    answers = []
    for number in range(times):
        try:
            LockoutBackend().authenticate(None, username, f"guess {number}")
            answers.append("wrong")
        except AccountLocked as refusal:
            answers.append(refusal.reason)
    return answers


@pytest.mark.parametrize("client", [DJANGO, DJANGO_REDIS, DJANGO_VALKEY])
def test_a_cluster_gets_a_call_for_each_name(
    client: str, cluster: CacheServer, store: Store
) -> None:
    entries = {**dict.fromkeys(ALICE.slots(4), 1), **dict.fromkeys(BOB.slots(4), 2)}
    with on(client, cluster):
        for _ in range(2):
            assert store.set_many(entries, 60)
            assert store.get_many(entries) == entries
            assert store.delete_many(entries)
            assert store.get_many(entries) == {}
        assert engine_in_force(store) == "cache"


@pytest.mark.django_db
@pytest.mark.usefixtures("_new_process")
@pytest.mark.parametrize("client", [DJANGO, DJANGO_REDIS, DJANGO_VALKEY])
def test_names_of_a_cluster_are_unlocked_together(client: str, cluster: CacheServer) -> None:
    names = ["alice", "bob", "carol"]
    with on(client, cluster):
        for name in names:
            assert guesses(name, 5) == ["wrong"] * 4 + ["locked"]
            assert lockout.get_lock(name)
        outcome = release_all(LockSelection(AccountLock.objects.open()), 2**31, "sam", "")
        assert (outcome.unlocked, outcome.cache_cleared) == (3, True)
        assert [guesses(name, 1) for name in names] == [["wrong"]] * 3
        assert engine_in_force(the_store) == "cache"


@pytest.mark.django_db
@pytest.mark.usefixtures("_new_process")
@pytest.mark.parametrize("client", [DJANGO, DJANGO_REDIS, DJANGO_VALKEY])
def test_where_a_client_cannot_go_from_node_to_node_the_table_takes_over(
    client: str, three_nodes: list[CacheServer]
) -> None:
    with on(client, three_nodes[0]):
        for name in ("a", "b", "c", "d", "e"):
            assert guesses(name, 6) == ["wrong"] * 4 + ["locked"] * 2
            assert lockout.unlock_account(name)
            assert guesses(name, 1) == ["wrong"]
        assert engine_in_force(the_store) == "table"
