"""The store's engines have one contract, and one takes over from the other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.db import connection
from django.db.transaction import atomic, set_rollback
from django.test import override_settings
from freezegun.api import FrozenDateTimeFactory

from lockout_admin.engine import breaker
from lockout_admin.engine.caches import CacheEngine
from lockout_admin.engine.contract import Engine, Unavailable
from lockout_admin.engine.statements import statements
from lockout_admin.engine.store import Keys, Store, _begin_anew
from lockout_admin.engine.store import store as the_store
from lockout_admin.engine.table import TableEngine
from lockout_admin.models import StoreEntry

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["cache", "table"])
def engine(request: pytest.FixtureRequest) -> Engine:
    engine: Engine = CacheEngine("default") if request.param == "cache" else TableEngine()
    engine.delete_many([KEY, OTHER])
    return engine


KEY, OTHER = Keys("account", 0xA11CE).slots(2)


# -- The contract -------------------------------------------------------------------------------


def test_keys_of_one_bucket_share_a_hash_tag() -> None:
    keys = Keys("account", 0xA11CE)
    assert keys.lock == "lockout_admin:{account:a11ce}:lock"
    assert keys.refused == "lockout_admin:{account:a11ce}:refused"
    assert keys.slots(1) == ["lockout_admin:{account:a11ce}:slot:1"]
    assert keys.tried("1f") == "lockout_admin:{account:a11ce}:tried:1f"


def test_an_entry_is_added_once(engine: Engine) -> None:
    assert [engine.add(KEY, 1, 60), engine.add(KEY, 2, 60)] == [True, False]
    assert engine.get_many([KEY]) == {KEY: 1}


@pytest.mark.parametrize("value", [7, 1767268800.123456, "text 'é' %s", [1, "a", 2.5, None]])
def test_values_come_back_as_they_were(engine: Engine, value: Any) -> None:
    engine.set_many({KEY: value, OTHER: value}, 60)
    assert engine.get_many([KEY, OTHER, "none"]) == {KEY: value, OTHER: value}


def test_writing_replaces(engine: Engine) -> None:
    engine.add(KEY, 1, 60)
    engine.set_many({KEY: 2}, 60)
    assert engine.get_many([KEY]) == {KEY: 2}


def test_what_is_deleted_can_be_added(engine: Engine) -> None:
    engine.set_many({KEY: 1, OTHER: 1}, 60)
    engine.delete_many([KEY])
    assert engine.get_many([KEY, OTHER]) == {OTHER: 1}
    assert engine.add(KEY, 2, 60)


def test_a_counter_counts(engine: Engine) -> None:
    engine.set_many({KEY: 0}, 60)
    assert [engine.increment(KEY), engine.increment(KEY)] == [1, 2]
    assert engine.get_many([KEY]) == {KEY: 2}


def test_a_counter_that_is_gone_is_not_made(engine: Engine) -> None:
    assert engine.increment(KEY) == 0
    assert engine.get_many([KEY]) == {}


@pytest.mark.parametrize("value", ["text", [1]])
def test_what_is_no_number_is_not_counted(engine: Engine, value: Any) -> None:
    engine.set_many({KEY: value}, 60)
    assert engine.increment(KEY) == 0
    assert engine.get_many([KEY]) == {KEY: value}


def test_nothing_is_asked_about_nothing(engine: Engine) -> None:
    assert engine.get_many([]) == {}
    engine.set_many({}, 60)
    engine.delete_many([])


def test_many_entries_fit(engine: Engine) -> None:
    entries = {f"{KEY}:{number}": number for number in range(701)}
    engine.set_many(entries, 60)
    assert engine.get_many(entries) == entries
    engine.delete_many(entries)
    assert engine.get_many(entries) == {}


def test_a_live_engine_keeps(engine: Engine) -> None:
    assert engine.keeps()


def test_an_entry_ends_in_its_second(clock: FrozenDateTimeFactory, engine: Engine) -> None:
    engine.delete_many([KEY])
    engine.add(KEY, 1, 60)
    clock.tick(59.9)
    assert not engine.add(KEY, 2, 60)
    clock.tick(0.1)
    assert engine.get_many([KEY]) == {}
    assert engine.increment(KEY) == 0
    assert engine.add(KEY, 3, 60)


# -- One takes over from the other --------------------------------------------------------------


class Down(LocMemCache):
    """A server that is gone."""

    def get_many(self, *args: Any, **kwargs: Any) -> Any:
        raise ConnectionRefusedError

    add = set_many = delete_many = incr = get_many


class ReadOnly(LocMemCache):
    """A server that can be read and not written to."""

    def add(self, *args: Any, **kwargs: Any) -> bool:
        raise ConnectionResetError

    set_many = add  # type: ignore[assignment]


def on(backend: type | str) -> Any:
    path = backend if isinstance(backend, str) else f"{__name__}.{backend.__qualname__}"
    cache = {"BACKEND": path, "LOCATION": "store"}
    return override_settings(CACHES={"default": cache}, LOCKOUT_ADMIN={"CACHE": "default"})


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture(autouse=True)
def _entries_are_those_of_this_test() -> None:
    """Forget what another test left in memory or on a server."""
    for cache in (LocMemCache("", {}), LocMemCache("store", {}), caches["default"]):
        cache.delete_many([KEY, OTHER])


def in_force(store: Store) -> str:
    return store.run(lambda engine: engine.name)


def test_without_a_cache_there_is_the_table(store: Store) -> None:
    with override_settings(LOCKOUT_ADMIN={"CACHE": None}):
        assert in_force(store) == "table"
        assert store.add(KEY, 1, 60)
        assert StoreEntry.objects.get().key == KEY


def test_with_a_cache_the_table_is_left_alone(store: Store) -> None:
    assert in_force(store) == "cache"
    assert store.add(KEY, 1, 60)
    assert store.increment(OTHER) == 0
    assert not StoreEntry.objects.exists()


UNFIT = [f"django.core.cache.backends.{name}" for name in ("dummy.DummyCache", "db.DatabaseCache")]


@pytest.mark.parametrize("backend", [Down, "no.such.Cache", *UNFIT])
def test_the_table_takes_over_from_a_cache_that_does_not_answer(
    backend: type | str, store: Store
) -> None:
    with on(backend):
        assert store.get_many([KEY]) == {}
        assert [store.add(KEY, 1, 60), store.add(KEY, 1, 60)] == [True, False]
        assert store.set_many({OTHER: 4}, 60)
        assert store.increment(OTHER) == 5
        assert store.delete_many([OTHER])
        assert store.get_many([KEY, OTHER]) == {KEY: 1}
        assert in_force(store) == "table"


def test_work_that_fails_halfway_is_done_again_as_a_whole(store: Store) -> None:
    asked: list[str] = []

    def work(engine: Engine) -> bool:
        asked.append(engine.name)
        engine.get_many([KEY])
        return engine.add(KEY, 1, 60)

    with on(ReadOnly):
        assert store.run(work)
        assert not store.run(work)
    assert asked == ["cache", "table", "table"]


def test_a_cache_that_was_caught_out_is_not_asked(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    with on(LocMemCache):
        cache = store.run(lambda engine: engine)
        store.distrust(cache)
        assert in_force(store) == "table"
        with pytest.raises(Unavailable):
            cache.get_many([KEY])
    assert [message.partition(":")[0] for message in caplog.messages] == ["cache_unavailable"]


def test_the_table_is_believed_whatever_is_said_of_it(store: Store) -> None:
    with override_settings(LOCKOUT_ADMIN={"CACHE": None}):
        store.distrust(TableEngine())
        assert in_force(store) == "table"


@pytest.fixture
def no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the table be another one, which is not there."""
    ours = statements(connection.vendor)
    elsewhere = replace(ours, add=ours.add.replace("lockout_admin_storeentry", "gone"))
    monkeypatch.setattr("lockout_admin.engine.table.statements", lambda vendor: elsewhere)


@pytest.mark.usefixtures("no_table")
def test_a_table_that_is_not_there_is_told_of_once(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    with override_settings(LOCKOUT_ADMIN={"CACHE": None}):
        for _ in range(3):
            with atomic():
                assert store.add(KEY, 1, 60) is None
                set_rollback(True)
    assert len(caplog.messages) == 1
    assert "manage.py migrate" in caplog.messages[0]


def test_where_nothing_answers_there_is_no_answer(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store._table, "_run", _unavailable)
    with on(Down):
        assert store.get_many([KEY]) is None
        assert store.increment(KEY) is None
        assert store.delete_many([KEY]) is None
        assert not store.clear([KEY])
        with pytest.raises(Unavailable):
            store.run(lambda engine: engine.get_many([KEY]))


def test_a_cache_that_is_well_again_is_asked_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker, "LOOK_SECS", 0.0)
    with on(LocMemCache):
        store.distrust(store.run(lambda engine: engine))
        assert in_force(store) == "table"
        finish_look()
        assert in_force(store) == "cache"


def finish_look() -> None:
    for thread in threading.enumerate():
        if thread.name == breaker.LOOK:
            thread.join()  # pragma: no cover - it may have ended


@pytest.mark.parametrize("begin_anew", [the_store.start_over, _begin_anew])
def test_a_new_process_believes_again(begin_anew: Callable[[], None]) -> None:
    with on(LocMemCache):
        the_store.distrust(the_store.run(lambda engine: engine))
        begin_anew()
        assert in_force(the_store) == "cache"


@pytest.mark.parametrize(("backend", "expected"), [(LocMemCache, True), (Down, False)])
def test_clearing_tells_whether_every_engine_was_reached(
    backend: type, expected: bool, store: Store
) -> None:
    TableEngine().add(KEY, 1, 60)
    path = f"{backend.__module__}.{backend.__qualname__}"
    with on(path):
        assert [store.clear([KEY]), store.clear([KEY])] == [expected, expected]
    assert TableEngine().get_many([KEY]) == {}


# -- What the table forgets ---------------------------------------------------------------------


def test_expired_entries_are_purged_in_batches() -> None:
    engine = TableEngine()
    engine.set_many({f"old:{number}": 1 for number in range(5)}, 60)
    engine.add(KEY, 1, 3600)
    later = time.time() + 60
    assert [engine.purge(later, 3), engine.purge(later, 3), engine.purge(later, 3)] == [3, 2, 0]
    assert engine.get_many([KEY]) == {KEY: 1}


def test_names_without_end_do_not_fill_the_table(clock: FrozenDateTimeFactory) -> None:
    engine = TableEngine()
    for number in range(1000):
        engine.add(f"made-up:{number}", 1, 60)
        clock.tick(1)
    assert StoreEntry.objects.count() < 200


def test_an_entry_that_is_no_json_is_not_there() -> None:
    StoreEntry.objects.create(key=KEY, value="<", expires=2**62)
    engine = TableEngine()
    assert engine.get_many([KEY]) == {}
    assert not engine.add(KEY, 1, 60)


# -- What a cache may answer --------------------------------------------------------------------


class SaysNone(LocMemCache):
    """A client that says ``None`` for all that it did not do."""

    def add(self, *args: Any, **kwargs: Any) -> Any:
        return super().add(*args, **kwargs) or None

    def incr(self, *args: Any, **kwargs: Any) -> Any:
        return None


class ForgetsAtOnce(LocMemCache):
    """A client that was told to ignore errors, of a server that is gone."""

    def get_many(self, *args: Any, **kwargs: Any) -> Any:
        return {}


class AnswersNone(ForgetsAtOnce):
    """The same, of another library."""

    def get_many(self, *args: Any, **kwargs: Any) -> Any:
        return None


class DropsWrites(LocMemCache):
    """A server that is full."""

    def set_many(self, data: Any, *args: Any, **kwargs: Any) -> Any:
        return list(data)


class AddsAlways(LocMemCache):
    """A client that does not wait for the answer."""

    def add(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> bool:
        self.set(key, value, *args, **kwargs)
        return True


def test_nothing_said_of_an_entry_means_that_there_is_one() -> None:
    with on(SaysNone):
        engine = CacheEngine("default")
        assert [engine.add(KEY, 1, 60), engine.add(KEY, 1, 60)] == [True, False]
        assert engine.increment(KEY) == 0
        assert engine.keeps()


@pytest.mark.parametrize("backend", [AnswersNone, ForgetsAtOnce, DropsWrites, AddsAlways, Down])
def test_a_cache_that_keeps_nothing_is_found_out(backend: type) -> None:
    with on(backend):
        assert not CacheEngine("default").keeps()


def test_an_answer_that_is_none_is_an_outage() -> None:
    with on(AnswersNone), pytest.raises(Unavailable):
        CacheEngine("default").get_many([KEY])


class Errs(LocMemCache):
    """A server that says what is wrong with a counter; libraries have a class for that."""

    def incr(self, *args: Any, **kwargs: Any) -> Any:
        raise type("ResponseError", (Exception,), {})("value is not an integer")


def test_a_counter_that_the_server_refuses_is_none_and_no_outage() -> None:
    with on(Errs):
        assert CacheEngine("default").increment(KEY) == 0
    with on(Down), pytest.raises(Unavailable):
        CacheEngine("default").increment(KEY)


def test_a_table_that_keeps_nothing_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = TableEngine()
    monkeypatch.setattr(engine, "get_many", lambda keys: {})
    assert not engine.keeps()
    monkeypatch.setattr(engine, "get_many", Down.get_many)
    monkeypatch.setattr(engine, "_run", _unavailable)
    assert not engine.keeps()


def _unavailable(*args: Any) -> Any:
    raise Unavailable


class OneNodeACall(LocMemCache):
    """A cluster: keys of one call share a hash tag."""

    calls = 0

    def get_many(self, keys: Any, *args: Any, **kwargs: Any) -> Any:
        self._one_node(keys)
        return super().get_many(keys, *args, **kwargs)

    def set_many(self, data: Any, *args: Any, **kwargs: Any) -> Any:
        self._one_node(data)
        return super().set_many(data, *args, **kwargs)

    def _one_node(self, keys: Any) -> None:
        type(self).calls += 1
        if len({key.partition("}")[0] for key in keys}) > 1:
            raise OSError("CROSSSLOT Keys in request don't hash to the same slot")


def test_a_cluster_is_asked_once_for_each_name_and_remembered(store: Store) -> None:
    entries = {KEY: 1, OTHER: 2, Keys("account", 0xB0B).lock: 3}
    with on(OneNodeACall):
        OneNodeACall.calls = 0
        assert store.set_many(entries, 60)  # one call that fails, then two
        assert store.get_many(entries) == entries  # two
        assert OneNodeACall.calls == 5
        assert in_force(store) == "cache"


class ClusterClient:
    """Knows the nodes of a cluster, as django-valkey's does."""

    def __init__(self, cache: LocMemCache) -> None:
        self.cache = cache
        self.waiting: list[Any] = []

    def get_client(self, write: bool) -> ClusterClient:
        return self

    def pipeline(self) -> ClusterClient:
        return ClusterClient(self.cache)

    def execute(self) -> None:
        for entry in self.waiting:
            LocMemCache.set(self.cache, *entry)

    def eval(self, script: str, number: int, key: str) -> int:
        name = key.removeprefix(":1:")
        return LocMemCache.incr(self.cache, name) if self.cache.has_key(name) else 0


class Cluster(LocMemCache):
    """Has no verb of its own for many entries that end, nor one that counts."""

    __module__ = "django_valkey.cluster_cache.cache"

    @property
    def client(self) -> ClusterClient:
        return ClusterClient(self)

    def set(self, key: Any, value: Any, timeout: Any = 0, version: Any = None, **to: Any) -> None:
        to["client"].waiting.append((key, value, timeout))

    def set_many(self, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError

    incr = set_many


def test_the_client_of_a_cluster_is_told_in_commands(
    store: Store, clock: FrozenDateTimeFactory
) -> None:
    with on(Cluster):
        assert store.set_many({KEY: 1, OTHER: 2}, 60)
        assert [store.increment(KEY), store.increment("none")] == [2, 0]
        assert store.get_many([KEY, OTHER, "none"]) == {KEY: 2, OTHER: 2}
        assert in_force(store) == "cache"
        clock.tick(61)
        assert store.get_many([KEY, OTHER]) == {}


def test_what_can_not_be_read_back_is_not_cleared(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.set_many({KEY: 1}, 60)
    assert store.clear([KEY], proof=[KEY])
    with monkeypatch.context() as hanging:
        hanging.setattr(CacheEngine, "delete_many", lambda engine, keys: None)
        hanging.setattr(TableEngine, "delete_many", lambda engine, keys: None)
        store.set_many({KEY: 1}, 60)
        assert not store.clear([KEY], proof=[KEY])
    with monkeypatch.context() as hanging:
        hanging.setattr(TableEngine, "get_many", _unavailable)
        assert not store.clear([KEY], proof=[KEY])
    with monkeypatch.context() as swallowing:
        swallowing.setattr(CacheEngine, "keeps", lambda engine: False)
        swallowing.setattr(TableEngine, "keeps", lambda engine: False)
        assert not store.clear([KEY], proof=[KEY])
