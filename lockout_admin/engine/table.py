"""The engine on the table `StoreEntry`: for sites without a shared cache, or while it is down."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from itertools import count
from typing import Any, Concatenate, ParamSpec, TypeVar
from uuid import uuid4

from django.db import Error, InterfaceError, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from .connections import lent
from .contract import Unavailable
from .statements import Statements, statements

logger = logging.getLogger("lockout_admin")

P = ParamSpec("P")
T = TypeVar("T")

#: Parameters of a statement; SQLite takes 999.
_AT_ONCE = 300
#: One `add` of so many deletes what has expired, four times as much as these have written.
_ADDS_BETWEEN_PURGES = 64
_PURGED_AT_ONCE = 256
#: Hosts' clocks differ: what has expired here may be alive there.
_GRACE_SECS = 60
_TRIES = 3
_PROBE_SECS = 10
#: MariaDB: a deadlock, a lock not given in time. PostgreSQL: a deadlock, a serialization failure.
_TRY_AGAIN: set[int | str] = {1213, 1205, "40P01", "40001"}
_NO_TABLE: set[int | str] = {1146, "42P01"}


class TableEngine:
    """Slots, locks and counters in the database, each verb one statement that all see at once."""

    name = "table"

    def __init__(self) -> None:
        self.start_over()

    def start_over(self) -> None:
        """Forget what was logged and counted."""
        self._told = False
        self._adds = count(1)

    def get_many(self, keys: Collection[str]) -> dict[str, Any]:
        """Return the entries that exist."""
        found: dict[str, Any] = {}
        for some in _parts(keys):
            for key, text in self._run(Session.read, some):
                with suppress(ValueError):  # not of our making
                    found[key] = json.loads(text)
        return found

    def add(self, key: str, value: Any, seconds: int) -> bool:
        """Write an entry if there is none, or only an expired one."""
        added = self._run(Session.add, key, json.dumps(value), seconds)
        if next(self._adds) % _ADDS_BETWEEN_PURGES == 0:
            with suppress(Unavailable):
                self.purge(time.time() - _GRACE_SECS, _PURGED_AT_ONCE)
        return added

    def increment(self, key: str) -> int:
        """Add one to a counter and return it; 0 where there is none."""
        return self._run(Session.increment, key)

    def set_many(self, entries: dict[str, Any], seconds: int) -> None:
        """Write entries that end together."""
        for some in _parts(entries, _AT_ONCE // 3):
            texts = [(key, json.dumps(entries[key])) for key in some]
            self._run(Session.write, texts, seconds)

    def delete_many(self, keys: Collection[str]) -> None:
        """Delete entries."""
        for some in _parts(keys):
            self._run(Session.delete, some)

    def keeps(self) -> bool:
        """Tell whether what is written can be read back, and is added once."""
        key = f"lockout_admin:{{probe:{uuid4().hex}}}"
        try:
            added = [self.add(key, key, _PROBE_SECS) for _ in range(2)]
            kept = self.get_many([key]) == {key: key}
            self.delete_many([key])
        except Unavailable:
            return False
        return added == [True, False] and kept

    def purge(self, now: float, batch: int) -> int:
        """Delete at most `batch` entries that have expired by `now`; tell how many there were."""
        return sum(
            self._run(Session.purge, some, now)
            for some in _parts(self._run(Session.expired, now, batch))
        )

    def _run(
        self, verb: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        try:
            with lent() as connection:
                answer = _tried(connection, lambda session: verb(session, *args, **kwargs))
        except Error as error:
            self._tell(error)
            raise Unavailable(f"the table of the store: {type(error).__name__}") from error
        self._told = False
        return answer

    def _tell(self, error: Error) -> None:
        if self._told:
            return
        self._told = True
        remedy = "run 'manage.py migrate'" if _is_of(error, _NO_TABLE) else "is the database up?"
        logger.error(
            "store_unavailable: the table of the store does not answer (%s): %s.", error, remedy
        )


class Session:
    """One connection and the statements in its database's words."""

    def __init__(self, connection: BaseDatabaseWrapper, cursor: Any) -> None:
        self._vendor = connection.vendor
        self._sql: Statements = statements(connection.vendor)
        self._cursor = cursor

    def read(self, keys: list[str]) -> list[tuple[str, str]]:
        """Return keys and values of what has not expired."""
        self._execute(self._sql.read, [*keys, _micros()], placeholders=_marks(len(keys)))
        rows: list[tuple[str, str]] = self._cursor.fetchall()
        return rows

    def add(self, key: str, value: str, seconds: int) -> bool:
        """Write what is not there; tell whether it was written."""
        now = _micros()
        new = [key, value, _micros(seconds)]
        if not self._sql.take_over:
            return self._execute(self._sql.add, [*new, now]) == 1
        if self._execute(self._sql.add, new) == 1:
            return True
        return self._execute(self._sql.take_over, [*new[1:], key, now]) == 1

    def increment(self, key: str) -> int:
        """Count up; 0 where there is no number."""
        if self._execute(self._sql.increment, [key, _micros()]) != 1:
            return 0
        if self._vendor == "mysql":
            return int(self._cursor.lastrowid)
        if self._sql.counted:
            self._execute(self._sql.counted, [key])
        return int(self._cursor.fetchone()[0])

    def write(self, entries: list[tuple[str, str]], seconds: int) -> None:
        """Write, over whatever is there."""
        expires = _micros(seconds)
        rows = [field for key, text in entries for field in (key, text, expires)]
        self._execute(self._sql.write, rows, placeholders=_marks(len(entries), "(%s, %s, %s)"))

    def delete(self, keys: list[str]) -> None:
        """Delete."""
        self._execute(self._sql.delete, keys, placeholders=_marks(len(keys)))

    def expired(self, now: float, batch: int) -> list[str]:
        """Return keys of what has expired."""
        self._execute(self._sql.expired, [int(now * 1_000_000), batch])
        return [key for (key,) in self._cursor.fetchall()]

    def purge(self, keys: list[str], now: float) -> int:
        """Delete those that nobody has taken over meanwhile; tell how many."""
        parameters = [*keys, int(now * 1_000_000)]
        return self._execute(self._sql.purge, parameters, placeholders=_marks(len(keys)))

    def _execute(self, sql: str, parameters: list[Any], placeholders: str = "") -> int:
        self._cursor.execute(sql.format(placeholders) if placeholders else sql, parameters)
        return int(self._cursor.rowcount)


def _tried(connection: BaseDatabaseWrapper, work: Callable[[Session], T]) -> T:
    for _ in range(_TRIES - 1):
        try:
            return _done(connection, work)
        except Error as error:
            if connection.in_atomic_block or not _may_go_better(connection, error):
                raise
    return _done(connection, work)


def _done(connection: BaseDatabaseWrapper, work: Callable[[Session], T]) -> T:
    with connection.cursor() as cursor:
        return work(Session(connection, cursor))


def _may_go_better(connection: BaseDatabaseWrapper, error: Error) -> bool:
    """Tell whether to try again: after a deadlock, or once the server was restarted."""
    if _is_of(error, _TRY_AGAIN):
        return True
    if connection.vendor == "sqlite":  # several processes that make the file at once
        time.sleep(0.02 if connection.connection is None else 0)
        return connection.connection is None
    if connection.connection is None or not isinstance(error, OperationalError | InterfaceError):
        return False
    if connection.is_usable():
        return False
    connection.close()
    return True


def _is_of(error: Error, codes: set[int | str]) -> bool:
    cause = error.__cause__
    code = getattr(cause, "sqlstate", None) or (error.args[0] if error.args else None)
    return code in codes or (codes is _NO_TABLE and "no such table" in str(error))


def _parts(keys: Collection[str], size: int = _AT_ONCE) -> Iterator[list[str]]:
    # Sorted: two that write the same entries don't wait for one another in a circle.
    ordered = sorted(keys)
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]


def _marks(number: int, one: str = "%s") -> str:
    return ", ".join([one] * number)


def _micros(seconds: int = 0) -> int:
    return int((time.time() + seconds) * 1_000_000)
