"""In a transaction the table is reached by a connection of a small pool."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.db import (
    Error,
    InterfaceError,
    OperationalError,
    ProgrammingError,
    connection,
    transaction,
)
from django.db import connections as sites
from django.db.backends.sqlite3.base import DatabaseWrapper
from freezegun.api import FrozenDateTimeFactory

from lockout_admin.engine import besides, connections, table
from lockout_admin.engine.connections import MOST, Pools
from lockout_admin.engine.contract import Unavailable
from lockout_admin.engine.table import TableEngine

needs_a_server = pytest.mark.skipif(
    connection.vendor == "sqlite", reason="a database in memory has one connection"
)


@pytest.fixture
def in_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not under a test runner, which wants connections closed."""
    monkeypatch.delattr(mail, "outbox")


@pytest.fixture
def site(
    db: None, tmp_path: Path, in_service: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """Return the connection of a site on an SQLite file."""
    settings = {**connection.settings_dict, "NAME": tmp_path / "db.sqlite3", "OPTIONS": {}}
    main = DatabaseWrapper(settings, "default")
    main.ensure_connection()
    pools = Pools()
    monkeypatch.setattr(connections, "_pools", pools)
    monkeypatch.setattr(connections, "connections", {"default": main})
    yield main
    for one in [*pools.of("default").all(), *pools._inherited]:
        one.close()
    main.close()


# -- Which one ----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_test_case_sees_what_it_wrote_and_rolls_it_back() -> None:
    with connections.lent() as lent:
        assert lent is sites["default"]


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_it_is_the_threads_own() -> None:
    with connections.lent() as lent:
        assert lent is sites["default"]


@needs_a_server
@pytest.mark.django_db(transaction=True)
def test_a_rollback_takes_no_reservation_with_it() -> None:
    engine = TableEngine()
    with transaction.atomic():
        assert engine.add("key", 1, 60)
        transaction.set_rollback(True)
    assert engine.get_many(["key"]) == {"key": 1}


@needs_a_server
@pytest.mark.django_db(transaction=True)
def test_without_autocommit_it_is_none_of_the_threads() -> None:
    transaction.set_autocommit(False)
    try:
        with connections.lent() as lent:
            assert lent is not sites["default"]
            assert lent.get_autocommit()
    finally:
        transaction.rollback()
        transaction.set_autocommit(True)


# -- The pool -----------------------------------------------------------------------------------


def test_a_connection_is_used_again(site: Any) -> None:
    engine = TableEngine()
    engine.add("key", 1, 60)
    pooled = connections._pools.of("default").all()
    assert engine.get_many(["key"]) == {"key": 1}
    assert connections._pools.of("default").all() == pooled
    assert len(pooled) == 1


class Tenants(DatabaseWrapper):
    """A connection with a schema for each tenant, as django-tenants has them."""

    schema_name, tenant, include_public_schema = "public", "the public", True

    def set_tenant(self, tenant: Any, include_public: bool) -> None:
        self.tenant = self.schema_name = tenant
        self.include_public_schema = include_public


def test_a_connection_follows_the_tenant(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    main = Tenants(site.settings_dict, "default")
    monkeypatch.setattr(connections, "_opened", lambda main: Tenants(main.settings_dict, "x"))
    seen = []
    for tenant in ("red", "red", "blue"):
        main.set_tenant(tenant, tenant == "red")
        borrowed: Any = connections._pools.of("default").lent(main)
        with borrowed as lent:
            seen.append((lent.schema_name, lent.include_public_schema))
    assert seen == [("red", True), ("red", True), ("blue", False)]
    assert len(connections._pools.of("default").all()) == 1


def test_more_than_a_few_are_never_lent(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "WAIT_SECS", 0.01)
    pool = connections._pools.of("default")
    lent = [pool.lent(site) for _ in range(MOST)]
    for one in lent:
        one.__enter__()
    with pytest.raises(Unavailable):
        TableEngine().get_many(["key"])
    for one in lent:
        one.__exit__(None, None, None)
    assert TableEngine().get_many(["key"]) == {}


def test_what_fails_is_given_back(site: Any) -> None:
    pool = connections._pools.of("default")
    for _ in range(2 * MOST):
        with pytest.raises(OperationalError), pool.lent(site) as one:
            one.cursor().execute("SELECT nothing FROM nowhere")
    assert len(pool.all()) == 1


def test_idle_ones_are_closed(site: Any, clock: FrozenDateTimeFactory) -> None:
    pools = connections._pools
    TableEngine().add("key", 1, 60)
    clock.tick(59)
    pools.close_idle()
    (pooled,) = pools.of("default").all()
    clock.tick(1)
    pools.close_idle()
    pools.close_idle()
    assert pools.of("default").all() == []
    assert pooled.connection is None


def test_a_test_runner_finds_none_open(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "outbox", [], raising=False)
    TableEngine().add("key", 1, 60)
    assert connections._pools.of("default").all() == []


def test_a_forked_process_begins_with_none_and_closes_none(site: Any) -> None:
    TableEngine().add("key", 1, 60)
    (inherited,) = connections._pools.of("default").all()
    connections._pools.disown()
    assert connections._pools.of("default").all() == []
    assert inherited.connection is not None


def test_the_sites_own_pool_is_left_to_the_site() -> None:
    options = {"pool": True, "application_name": "site"}
    settings = {**connection.settings_dict, "OPTIONS": options, "AUTOCOMMIT": False}
    copied = connections._copied(type(sites["default"])(settings, "default"))
    assert copied.settings_dict["OPTIONS"] == {"application_name": "site"}
    assert copied.settings_dict["AUTOCOMMIT"] is True


# -- Trying again -------------------------------------------------------------------------------


class Failing:
    """A verb that fails so often, and then does not."""

    def __init__(self, error: Exception, times: int) -> None:
        self.errors = [error] * times

    def __call__(self, session: Any) -> str:
        if self.errors:
            raise self.errors.pop()
        return "done"


DEADLOCK = OperationalError(1213, "Deadlock found")


def test_a_deadlock_is_tried_again(site: Any) -> None:
    assert TableEngine()._run(Failing(DEADLOCK, times=2)) == "done"


def test_but_not_for_ever(site: Any) -> None:
    with pytest.raises(Unavailable):
        TableEngine()._run(Failing(DEADLOCK, times=3))


def test_and_not_in_the_transaction_of_a_test_case(db: None) -> None:
    with pytest.raises(Unavailable):
        TableEngine()._run(Failing(DEADLOCK, times=1))


class Server:
    """A connection to a server."""

    vendor = "postgresql"
    in_atomic_block = False

    def __init__(self, connected: bool, usable: bool) -> None:
        self.connection = object() if connected else None
        self.usable = usable

    def is_usable(self) -> bool:
        return self.usable

    def close(self) -> None:
        self.connection = None


@pytest.mark.parametrize(
    ("connected", "usable", "error", "expected"),
    [
        (True, False, OperationalError("gone"), True),
        (True, False, InterfaceError("gone"), True),
        (True, True, OperationalError("out of memory"), False),
        (True, False, ProgrammingError("no such column"), False),
        (False, False, OperationalError("refused"), False),
    ],
)
def test_a_connection_that_a_restart_cut_is_made_anew(
    connected: bool, usable: bool, error: Error, expected: bool
) -> None:
    server: Any = Server(connected, usable)
    assert table._may_go_better(server, error) is expected
    assert (server.connection is None) is (expected or not connected)


@pytest.mark.parametrize("connected", [True, False])
def test_a_file_that_others_make_just_now_is_opened_again(connected: bool) -> None:
    server: Any = Server(connected, usable=True)
    server.vendor = "sqlite"
    assert table._may_go_better(server, OperationalError("database is locked")) is not connected


# -- A file of its own --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("/srv/db.sqlite3", "/srv/db.sqlite3.lockout"),
        (Path("/srv/db"), "/srv/db.lockout"),
        ("file:/srv/db?mode=rw", "/srv/db.lockout"),
        ("file:///srv/a%20b", "/srv/a b.lockout"),
        ("file://localhost/srv/db", "/srv/db.lockout"),
    ],
)
def test_the_file_lies_beside_the_sites(name: Any, path: str) -> None:
    main = DatabaseWrapper({**connection.settings_dict, "NAME": name}, "default")
    assert str(besides.path_of(main)) == path


def test_the_file_belongs_to_whom_the_sites_belongs(site: Any, tmp_path: Path) -> None:
    database = tmp_path / "db.sqlite3"
    database.chmod(0o640)
    TableEngine().add("key", 1, 60)
    made = (tmp_path / "db.sqlite3.lockout").stat()
    assert (made.st_mode & 0o777, made.st_uid) == (0o640, database.stat().st_uid)
    connections._pools.disown()
    assert not TableEngine().add("key", 1, 60)


def test_a_busy_site_does_not_keep_the_store_waiting(site: Any) -> None:
    site.cursor().execute("BEGIN EXCLUSIVE")
    assert TableEngine().add("key", 1, 60)
    site.cursor().execute("ROLLBACK")


def test_threads_that_make_the_file_at_once_all_find_it(site: Any) -> None:
    barrier = threading.Barrier(MOST)
    added: list[bool] = []

    def add() -> None:
        with connections._pools.of("default").lent(site) as one:
            barrier.wait()
            one.ensure_connection()
        added.append(TableEngine().add("key", 1, 60))

    threads = [threading.Thread(target=add) for _ in range(MOST)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(added) == [False] * (MOST - 1) + [True]
