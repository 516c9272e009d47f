"""How many rows there are in each slice of a time: one statement, no slice read to its end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import QuerySet

from ..models import SuccessfulLogin

#: Slices of one statement: a database has a limit to its columns and parameters.
_AT_ONCE = 100


def count_slices(
    rows: QuerySet[Any], moment: str, edges: Sequence[tuple[datetime, datetime]], cap: int
) -> list[int]:
    """Return how many rows there are from each start to before each end, at most `cap`."""
    found: list[int] = []
    for first in range(0, len(edges), _AT_ONCE):
        found += _count(rows, moment, edges[first : first + _AT_ONCE], cap)
    return found


def count_entries(
    rows: QuerySet[Any], edges: Sequence[tuple[datetime, datetime]], cap: int
) -> list[int]:
    """Return how many of some logins there are likewise, without those that were ended.

    Not by a condition, for which each row would be read: each of two indexes has all that counts.
    """
    every = count_slices(rows, "timestamp", edges, 2 * cap)
    ended = rows.filter(event=SuccessfulLogin.Event.LOGOUT)
    ends = count_slices(ended, "timestamp", edges, cap)
    pairs = zip(every, ends, strict=True)
    return [min(cap, max(0, count - without)) for count, without in pairs]


def _count(
    rows: QuerySet[Any], moment: str, edges: Sequence[tuple[datetime, datetime]], cap: int
) -> list[int]:
    connection = connections[rows.db]
    columns: list[str] = []
    params: list[Any] = []
    for number, (start, end) in enumerate(edges):
        within = {f"{moment}__gte": start, f"{moment}__lt": end}
        some = rows.filter(**within).order_by().values("pk")[:cap]
        try:
            sql, given = some.query.get_compiler(using=rows.db).as_sql()
        except EmptyResultSet:  # filters that nothing passes
            columns.append("0")
            continue
        columns.append(f"(SELECT COUNT(*) FROM ({sql}) slice{number})")  # noqa: S608
        params += given
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(columns)}", params)
        return [int(count) for count in cursor.fetchone()]
