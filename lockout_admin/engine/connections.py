"""The connection that the table is reached by.

Outside a transaction it is the thread's own. Inside one it must not be: nobody else would see the
reservation, and a rollback would erase it. Then a small pool lends one that commits by itself.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.core import mail
from django.core.signals import request_finished
from django.db import connections, router
from django.db.backends.base.base import BaseDatabaseWrapper

from . import besides
from .contract import Unavailable
from .statements import entries

#: Connections of a process to one database: statements are short, so that many threads share few.
MOST = 4
#: How long a thread waits for one of them.
WAIT_SECS = 10.0
#: One that nobody has borrowed for so long is closed.
IDLE_SECS = 60.0


@contextmanager
def lent() -> Iterator[BaseDatabaseWrapper]:
    """Lend a connection in which each statement is seen by all at once."""
    main = connections[router.db_for_write(entries())]
    if _will_do(main):
        yield main
        return
    with _pools.of(main.alias).lent(main) as own:
        yield own


def _will_do(main: BaseDatabaseWrapper) -> bool:
    if _in_test_case(main):
        return True
    if main.vendor == "sqlite":  # one writer at a time, and a transaction of the site's may be it
        return besides.is_in_memory(main)
    return not main.in_atomic_block and main.get_autocommit()


def _in_test_case(main: BaseDatabaseWrapper) -> bool:
    """Tell whether Django's TestCase rolls all back in the end: there nobody else is to see it."""
    return bool(main.atomic_blocks) and getattr(main.atomic_blocks[0], "_from_testcase", False)


class Pool:
    """At most `MOST` connections to one database, made when they are needed."""

    def __init__(self) -> None:
        self._places = threading.BoundedSemaphore(MOST)
        self._guard = threading.Lock()
        #: With the time of their return, the latest last.
        self._idle: list[tuple[BaseDatabaseWrapper, float]] = []

    @contextmanager
    def lent(self, main: BaseDatabaseWrapper) -> Iterator[BaseDatabaseWrapper]:
        """Lend a connection to the database that `main` is connected to."""
        if not self._places.acquire(timeout=WAIT_SECS):
            raise Unavailable(f"{MOST} connections are busy")
        try:
            connection = self._take() or _opened(main)
            _follow(main, connection)
            try:
                yield connection
            finally:
                self._put(connection)
        finally:
            self._places.release()

    def close_idle(self, secs: float = IDLE_SECS) -> None:
        """Close what nobody has borrowed for `secs`."""
        if not self._idle:
            return
        latest = time.monotonic() - secs
        with self._guard:
            idle = [connection for connection, since in self._idle if since <= latest]
            self._idle = [(one, since) for one, since in self._idle if since > latest]
        for connection in idle:
            _close(connection)

    def all(self) -> list[BaseDatabaseWrapper]:
        """Return what is not lent."""
        return [connection for connection, _ in self._idle]

    def _take(self) -> BaseDatabaseWrapper | None:
        with self._guard:
            return self._idle.pop()[0] if self._idle else None

    def _put(self, connection: BaseDatabaseWrapper) -> None:
        # Test runners drop the database in the end, which a connection would forbid.
        if hasattr(mail, "outbox"):
            _close(connection)
            return
        with self._guard:
            self._idle.append((connection, time.monotonic()))
        self.close_idle()


class Pools:
    """The pools of this process, one a database."""

    def __init__(self) -> None:
        self._pools: dict[str, Pool] = {}
        #: Of the process that this one was forked from. To close one would end its parent's.
        self._inherited: list[BaseDatabaseWrapper] = []

    def of(self, alias: str) -> Pool:
        """Return the pool of a database."""
        return self._pools.get(alias) or self._pools.setdefault(alias, Pool())

    def close_idle(self, **kwargs: Any) -> None:
        """Close what nobody has borrowed lately."""
        for pool in list(self._pools.values()):
            pool.close_idle()

    def disown(self) -> None:
        """Begin anew in a forked process; locks may have been held by threads that are no more."""
        for pool in self._pools.values():
            self._inherited += pool.all()
        self._pools = {}


def _opened(main: BaseDatabaseWrapper) -> BaseDatabaseWrapper:
    connection = besides.opened(main) if main.vendor == "sqlite" else _copied(main)
    connection.inc_thread_sharing()
    return connection


def _copied(main: BaseDatabaseWrapper) -> BaseDatabaseWrapper:
    # Two from a pool of the site's for each login would let logins wait for one another for ever.
    options = {key: value for key, value in main.settings_dict["OPTIONS"].items() if key != "pool"}
    settings = {
        **main.settings_dict,
        "OPTIONS": options,
        "AUTOCOMMIT": True,
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": False,
    }
    return type(main)(settings, main.alias)


def _follow(main: Any, own: Any) -> None:
    """Turn to the schema of the tenant that `main` works for, as django-tenants has them."""
    if hasattr(main, "set_tenant") and own.schema_name != main.schema_name:
        own.set_tenant(main.tenant, main.include_public_schema)


def _close(connection: BaseDatabaseWrapper) -> None:
    with suppress(Exception):
        connection.close()


_pools = Pools()
request_finished.connect(_pools.close_idle)
if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows does not fork
    os.register_at_fork(after_in_child=_pools.disown)
