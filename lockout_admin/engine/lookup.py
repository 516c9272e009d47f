"""The one SELECT of an attempt: put together once for a set of rules, run with new parameters.

It reads no more rows than the rules can count: the newest so many, from an index each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import connections, router

from ..models import AccountLock, FailedLogin, TrustedDevice, UserAgent
from .buckets import Matters
from .parts import MOST_LOCKS, Part, parts_of

_USER_AGENT = 0
_DEVICE = -1
_LOCK = 1


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows, each with the part of the statement that it belongs to."""

    connection: Any
    parts: Sequence[Part]
    rows: Sequence[Sequence[Any]]

    @property
    def knows_user_agent(self) -> bool:
        """Whether the user agent has been seen before."""
        return any(row[0] == _USER_AGENT for row in self.rows)

    @property
    def account_of_device(self) -> str | None:
        """Whose the device is, if it is trusted still."""
        return next((str(row[5]) for row in self.rows if row[0] == _DEVICE), None)

    def sorted_by_part(self) -> Iterable[tuple[Part, Sequence[Any]]]:
        """Return the rows that are not the user agent, without their number."""
        return ((self.parts[row[0] - _LOCK], row[1:]) for row in self.rows if row[0] >= _LOCK)


def read(matters: Matters, user_agent: int | None, device: int | None, now: datetime) -> Answer:
    """Ask the database that is written to: a replica would not know of the last failure."""
    parts = parts_of(matters)
    connection = connections[router.db_for_write(FailedLogin)]
    params: list[Any] = [user_agent]
    if device is not None:
        params += [device, connection.ops.adapt_datetimefield_value(now)]
    for part in parts:
        params += part.parameters(connection, now)
    shape = tuple(part.shape for part in parts)
    with connection.cursor() as cursor:
        cursor.execute(_statement(connection.alias, shape, device is not None), params)
        return Answer(connection, parts, cursor.fetchall())


# -- The statement ------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _statement(alias: str, shape: tuple[tuple[Any, ...], ...], has_device: bool) -> str:
    connection = connections[alias]
    selects = [_user_agents(connection), *([_devices(connection)] if has_device else [])]
    for number, (kind, *details) in enumerate(shape):
        select = _locks if kind == "locks" else _failures
        selects.append(select(connection, number + _LOCK, *details))
    if connection.vendor == "sqlite":  # takes no LIMIT inside a UNION
        return " UNION ALL ".join(f"SELECT * FROM ({sql}) t{n}" for n, sql in enumerate(selects))
    return " UNION ALL ".join(f"({sql})" for sql in selects)


def _failures(
    connection: Any,
    number: int,
    conditions: Sequence[tuple[str, int | None]],
    counts_repeats: bool,
    ends: Sequence[str],
    most: int,
    by_name: int,
) -> str:
    column = _columns(connection, FailedLogin)
    where = [_condition(column(name), values) for name, values in conditions]
    where.append(f"{column('timestamp')} > %s")
    where += [f"{column('outcome')} <> '{outcome}'" for outcome in ends]
    where += [] if counts_repeats else [f"NOT {column('repeated')}"]
    when = column("timestamp")
    values = (
        *(str(number), column("id"), when, when, column("fine")),
        *(column("outcome"), column("ip_address"), column("repeated"), column("subject")),
        column("browser"),
    )
    newest = (
        f"SELECT {_named(values)} FROM {_table(connection, FailedLogin)}"
        f" WHERE {' AND '.join(where)} ORDER BY {when} DESC LIMIT {max(most, by_name)}"
    )
    return _newest_of_names(newest, len(values), most) if by_name else newest


def _newest_of_names(newest: str, columns: int, most: int) -> str:
    """Of each name the newest row, whatever the others failed meanwhile; and the newest of all."""
    order = "ORDER BY c2 DESC, c1 DESC"
    return (
        f"SELECT {', '.join(f'c{number}' for number in range(columns))} FROM (SELECT recent.*,"
        f" ROW_NUMBER() OVER (PARTITION BY c8 {order}) AS of_name,"
        f" ROW_NUMBER() OVER ({order}) AS place FROM ({newest}) recent) numbered"
        f" WHERE of_name = 1 OR place <= {most}"
    )


def _locks(connection: Any, number: int, keys: int) -> str:
    column = _columns(connection, AccountLock)
    until = column("until")
    grows = f"CASE WHEN {column('grows')} THEN 1 ELSE 0 END"
    # What its owner ended has its end in `until`: it is over, and starts no count of others anew.
    released = (
        f"CASE WHEN {column('ended_at')} IS NULL OR {until} <= {column('ended_at')}"
        " THEN 0 ELSE 2 END"
    )
    values = (
        *(str(number), column("id"), column("started_at")),
        *(f"COALESCE({column('ended_at')}, {until})", f"{grows} + {released}"),
        *(column("rule"), _no_address(connection), column("enforced"), column("key")),
        column("key"),
    )
    return (
        f"SELECT {_named(values)} FROM {_table(connection, AccountLock)}"
        f" WHERE {_condition(column('key'), keys)} AND {column('rule')} = %s AND {until} > %s"
        # One that was released may have a late end: it must push no other out.
        f" ORDER BY CASE WHEN {column('ended_at')} IS NULL THEN 0 ELSE 1 END, {until} DESC"
        f" LIMIT {MOST_LOCKS}"
    )


def _user_agents(connection: Any) -> str:
    column = _columns(connection, UserAgent)
    pk = column("id")
    seen = column("first_seen")
    values = (
        *(str(_USER_AGENT), pk, seen, seen, pk),
        *("''", _no_address(connection), f"{pk} = 0", pk, pk),
    )
    return f"SELECT {_named(values)} FROM {_table(connection, UserAgent)} WHERE {pk} = %s"


def _devices(connection: Any) -> str:
    column = _columns(connection, TrustedDevice)
    pk, seen = column("id"), column("first_seen")
    values = (
        *(str(_DEVICE), pk, seen, seen, pk),
        *(column("account"), _no_address(connection), f"{pk} = 0", pk, pk),
    )
    return (
        f"SELECT {_named(values)} FROM {_table(connection, TrustedDevice)}"
        f" WHERE {pk} = %s AND {column('ended_at')} IS NULL AND {column('until')} > %s"
    )


def _named(values: Sequence[str]) -> str:
    return ", ".join(f"{value} AS c{number}" for number, value in enumerate(values))


def _no_address(connection: Any) -> str:
    # PostgreSQL wants the columns of a union to be of one type.
    return "NULL::inet" if connection.vendor == "postgresql" else "NULL"


def _condition(column: str, values: int | None) -> str:
    if values is None:
        return f"{column} IS NULL"
    if not values:
        return f"{column} BETWEEN %s AND %s"
    return f"{column} IN ({', '.join(['%s'] * values)})"


def _table(connection: Any, model: Any) -> str:
    return str(connection.ops.quote_name(model._meta.db_table))


def _columns(connection: Any, model: Any) -> Any:
    def column(name: str) -> str:
        return str(connection.ops.quote_name(model._meta.get_field(name).column))

    return column
