"""PostgreSQL's COPY: the database writes the lines of CSV itself, byte for byte as Python would.

Worth it with psycopg 3, which hands out COPY row by row. So many rows a statement, each read to
its end before any of them goes out: whoever reads slowly meets no time-out of the database.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import F, Func, IntegerField, Q, QuerySet, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast
from import_export.fields import Field

from .formulas import STARTS
from .resources import (
    AddressWidget,
    DigestWidget,
    FlagWidget,
    TextWidget,
    TimestampWidget,
    WordWidget,
)

#: Rows of one statement.
PART: Final = 10_000


class _Text(Func):
    # COPY writes an empty text as "", and NULL as nothing, which is what Python writes for both.
    template = "NULLIF(%(expressions)s, '')"
    output_field = TextField()


class _Defused(Func):
    function = "regexp_replace"
    output_field = TextField()


class _Timestamp(Func):
    template = """to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
    output_field = TextField()


class _Address(Func):
    # PostgreSQL ends addresses of ::/96 like IPv4 (::192.0.2.1), Python does not (::c000:201).
    template = (
        "CASE WHEN %(expressions)s << '::/96' AND strpos(host(%(expressions)s), '.') > 0"
        " THEN '::' || to_hex((%(expressions)s - '::'::inet) >> 16)"
        " || ':' || to_hex((%(expressions)s - '::') & 65535)"
        " ELSE host(%(expressions)s) END"
    )
    output_field = TextField()


class _Digest(Func):
    template = "lpad(to_hex(%(expressions)s), 16, '0')"
    output_field = TextField()


def is_possible(queryset: QuerySet[Any], columns: Sequence[Field]) -> bool:
    """Tell whether COPY can write these columns.

    Not a single column: COPY quotes that by other rules than Python.
    """
    driver = getattr(connections[queryset.db], "Database", None)
    return getattr(driver, "__name__", "") == "psycopg" and len(columns) > 1


def estimated_rows(queryset: QuerySet[Any]) -> int:
    """Return the planner's guess, which costs no more than the plan."""
    plan = queryset.explain(format="json")
    return int(json.loads(plan)[0]["Plan"]["Plan Rows"]) if plan else 0


def batches(
    queryset: QuerySet[Any],
    moment: str,
    columns: Sequence[Field],
    delimiter: str,
    size: int,
    *,
    defused: bool,
) -> Iterator[list[bytes]]:
    """Copy a queryset that goes back in time by its field `moment`; yield lists of lines."""
    for part in _parts(queryset, moment):
        try:
            statement = _statement(part, columns, delimiter, defused=defused)
        except EmptyResultSet:
            return
        lines = iter(_copied(connections[queryset.db], statement))
        while some := list(islice(lines, size)):
            yield some


def _parts(queryset: QuerySet[Any], moment: str) -> Iterator[QuerySet[Any]]:
    rest = queryset
    while last := list(rest.values_list(moment, "pk")[PART - 1 : PART]):
        when, pk = last[0]
        newer, older = Q(**{f"{moment}__gt": when}), Q(**{f"{moment}__lt": when})
        # The first condition is redundant, and the one that lets the database seek in its index.
        yield rest.filter(Q(**{f"{moment}__gte": when}), newer | Q(pk__gte=pk))
        rest = queryset.filter(Q(**{f"{moment}__lte": when}), older | Q(pk__lt=pk))
    yield rest


def _copied(connection: Any, statement: str) -> list[bytes]:
    with (
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(statement) as messages,
    ):
        # The server sends a message a row, whatever is in its cells.
        return [bytes(row[:-1]) + b"\r\n" for row in messages]


def _statement(
    queryset: QuerySet[Any], columns: Sequence[Field], delimiter: str, *, defused: bool
) -> str:
    connection: Any = connections[queryset.db]
    cells: dict[str, Any] = {
        f"cell_{number}": _cell(column, defused) for number, column in enumerate(columns)
    }
    query = queryset.annotate(**cells).values_list(*cells).query
    select = connection.ops.compose_sql(*query.get_compiler(connection=connection).as_sql())
    return f"COPY ({select}) TO STDOUT WITH (FORMAT csv, DELIMITER '{delimiter}', ENCODING 'UTF8')"


def _cell(column: Field, defused: bool) -> Combinable:
    cell: Combinable = F(column.attribute)
    match column.widget:
        case TimestampWidget():
            return _Timestamp(cell)
        case AddressWidget():
            return _Address(cell)
        case DigestWidget():
            return _Digest(cell)
        case FlagWidget():
            return Cast(cell, IntegerField())
        case TextWidget() if defused:
            return _Text(_Defused(cell, Value(STARTS.replace("\0", "")), Value("'"), Value("g")))
        case TextWidget() | WordWidget():
            return _Text(cell)
    return cell
