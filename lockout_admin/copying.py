"""PostgreSQL's COPY: the database writes the lines of CSV itself, byte for byte as Python would.

Worth it with psycopg 3, which hands out COPY row by row and in constant memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import F, Func, QuerySet, TextField, Value
from django.db.models.expressions import Combinable
from import_export.fields import Field

from .formulas import STARTS
from .resources import AddressWidget, TextWidget, TimestampWidget, WordWidget


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
        " THEN '::' || to_hex((%(expressions)s - '::'::inet) >> 16) || ':' || to_hex((%(expressions)s - '::') & 65535)"
        " ELSE host(%(expressions)s) END"
    )
    output_field = TextField()


def is_possible(queryset: QuerySet[Any], columns: Sequence[Field]) -> bool:
    """Tell whether COPY can write these columns.

    Not a single one: COPY then quotes by other rules than Python.
    """
    driver = getattr(connections[queryset.db], "Database", None)
    return getattr(driver, "__name__", "") == "psycopg" and len(columns) > 1


def estimated_rows(queryset: QuerySet[Any]) -> int:
    """Return the planner's guess, which costs no more than the plan."""
    plan = queryset.explain(format="json")
    return int(json.loads(plan)[0]["Plan"]["Plan Rows"]) if plan else 0


def batches(
    queryset: QuerySet[Any], columns: Sequence[Field], delimiter: str, size: int, *, defused: bool
) -> Iterator[list[bytes]]:
    """Run the COPY of a queryset; yield lists of lines. The server sends a row a message, whatever is in its cells."""
    connection: Any = connections[queryset.db]
    try:
        statement = _statement(queryset, columns, delimiter, defused=defused)
    except EmptyResultSet:
        return
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(statement) as messages:
        rows = iter(messages)
        while lines := [bytes(row[:-1]) + b"\r\n" for row in islice(rows, size)]:
            yield lines


def _statement(queryset: QuerySet[Any], columns: Sequence[Field], delimiter: str, *, defused: bool) -> str:
    connection: Any = connections[queryset.db]
    cells: dict[str, Any] = {f"cell_{number}": _cell(column, defused) for number, column in enumerate(columns)}
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
        case TextWidget() if defused:
            return _Text(_Defused(cell, Value(STARTS.replace("\0", "")), Value("'"), Value("g")))
        case TextWidget() | WordWidget():
            return _Text(cell)
    return cell
