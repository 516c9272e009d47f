"""Writes failures and logins: one INSERT that is put together once, and run with new parameters.

Receivers of ``pre_save`` and ``post_save`` are not asked: other apps' code breaks no login.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar

from django.db import DataError, OperationalError, connections, router

from ..models import FailedLogin, SuccessfulLogin
from .rules import Bucket

T = TypeVar("T")

_VISIT = (
    *("timestamp", "username", "subject", "ip_address", "network", "wide_network"),
    *("browser", "device", "user_agent", "path"),
)
_FAILURE = (*_VISIT, "fine", "outcome", "repeated", "common")
_SUCCESS = (*_VISIT, "account", "event")
#: What two successes have in common of which one says nothing new.
_ALIKE = ("subject", "account", "event", "ip_address", "user_agent")
#: Databases that tell in the INSERT itself how many others have failed meanwhile, and the new key.
_RETURNING = ("postgresql", "sqlite")
_SAME = {"postgresql": "IS NOT DISTINCT FROM", "sqlite": "IS", "mysql": "<=>"}


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of an INSERT."""

    id: int
    #: Failures on the name within the rule's interval, this one left out.
    others: int


def record(
    failure: FailedLogin, bucket: Bucket | None, now: datetime, known: int | None
) -> Recorded:
    """Write a failure; tell how many others there are in the interval of `bucket`'s rule.

    `known` is how many the attempt knew of; ``None``: others were under way. Of several who fail
    at once, whoever writes last finds the limit reached.
    """
    return _in_any_character_set(failure, lambda: _record(failure, bucket, now, known))


def record_success(success: SuccessfulLogin, quiet_since: datetime | None = None) -> int | None:
    """Write a success; return its key. ``None``: there is one like it since `quiet_since`."""
    return _in_any_character_set(success, lambda: _record_success(success, quiet_since))


def _in_any_character_set(row: Any, write: Callable[[], T]) -> T:
    try:
        return write()
    except (DataError, OperationalError):
        if row.username.isascii() and row.path.isascii():
            raise
        # A column of an older character set: what it does not know is spelt out.
        row.username = _in_ascii(row, "username")
        row.path = _in_ascii(row, "path")
        return write()


def _in_ascii(row: Any, name: str) -> str:
    text: str = getattr(row, name)
    return ascii(text)[1:-1][: row._meta.get_field(name).max_length]


# -- A failure ----------------------------------------------------------------------------------


def _record(
    failure: FailedLogin, bucket: Bucket | None, now: datetime, known: int | None
) -> Recorded:
    connection = connections[router.db_for_write(FailedLogin)]
    since = now - timedelta(seconds=bucket.rule.interval if bucket else 0)
    values = _prepared(failure, _FAILURE, connection)
    counting = [
        failure.subject,
        failure.device,
        connection.ops.adapt_datetimefield_value(since),
    ]
    returning = connection.vendor in _RETURNING
    with connection.cursor() as cursor:
        cursor.execute(_insert(connection.alias), [*values, *(counting if returning else [])])
        if returning:
            pk, others = cursor.fetchone()
            if others == known:
                return Recorded(pk, others)
            # Others write in this moment, and an INSERT does not see what they have not committed.
        else:
            pk = cursor.lastrowid
        cursor.execute(_count(connection.alias), counting)
        return Recorded(pk, cursor.fetchone()[0] - 1)


@lru_cache(maxsize=8)
def _insert(alias: str) -> str:
    connection = connections[alias]
    values = ", ".join(["%s"] * len(_FAILURE))
    insert = f"{_into(connection, FailedLogin, _FAILURE)} VALUES ({values})"
    if connection.vendor not in _RETURNING:
        return insert
    return f"{insert} RETURNING {connection.ops.quote_name('id')}, ({_count(alias)})"


@lru_cache(maxsize=8)
def _count(alias: str) -> str:
    quote = connections[alias].ops.quote_name
    same = _SAME[connections[alias].vendor]
    return (
        f"SELECT COUNT(*) FROM {quote(FailedLogin._meta.db_table)} c"
        f" WHERE c.{quote('subject')} = %s AND c.{quote('device')} {same} %s"
        f" AND c.{quote('timestamp')} > %s"
    )


# -- A success ----------------------------------------------------------------------------------


def _record_success(success: SuccessfulLogin, quiet_since: datetime | None) -> int | None:
    connection = connections[router.db_for_write(SuccessfulLogin)]
    values = _prepared(success, _SUCCESS, connection)
    if quiet_since is not None:
        values += _prepared(success, _ALIKE, connection)
        values.append(connection.ops.adapt_datetimefield_value(quiet_since))
    with connection.cursor() as cursor:
        cursor.execute(_insert_success(connection.alias, quiet_since is not None), values)
        if connection.vendor in _RETURNING:
            row = cursor.fetchone()
            return row[0] if row else None
        return cursor.lastrowid if cursor.rowcount else None


@lru_cache(maxsize=16)
def _insert_success(alias: str, is_quiet: bool) -> str:
    connection = connections[alias]
    quote = connection.ops.quote_name
    select = ", ".join(["%s"] * len(_SUCCESS))
    insert = f"{_into(connection, SuccessfulLogin, _SUCCESS)} SELECT {select}"
    if is_quiet:
        table = quote(SuccessfulLogin._meta.db_table)
        same = _SAME[connection.vendor]
        alike = [f"{column} {same} %s" for column in _columns(connection, SuccessfulLogin, _ALIKE)]
        where = " AND ".join([*alike, f"{quote('timestamp')} > %s"])
        # In the one statement: an API whose clients log in with each request reads nothing more.
        dual = " FROM DUAL" if connection.vendor == "mysql" else ""
        insert += f"{dual} WHERE NOT EXISTS (SELECT 1 FROM {table} WHERE {where})"
    return f"{insert} RETURNING {quote('id')}" if connection.vendor in _RETURNING else insert


# -- Both ---------------------------------------------------------------------------------------


def _into(connection: Any, model: Any, names: Sequence[str]) -> str:
    table = connection.ops.quote_name(model._meta.db_table)
    return f"INSERT INTO {table} ({', '.join(_columns(connection, model, names))})"


def _columns(connection: Any, model: Any, names: Sequence[str]) -> list[str]:
    return [connection.ops.quote_name(model._meta.get_field(name).column) for name in names]


def _prepared(row: Any, names: Sequence[str], connection: Any) -> list[Any]:
    fields = [row._meta.get_field(name) for name in names]
    return [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
