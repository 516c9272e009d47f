"""Parts of a time: how many rows there are in each, and where the newest rows are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import QuerySet
from django.db.models.expressions import Col
from django.db.models.lookups import In
from django.db.models.sql.where import OR, WhereNode
from django.utils import timezone

from ..engine.moments import microseconds
from ..engine.moments import moment as as_moment
from ..engine.store import store
from ..identity.subject import Subject
from ..models import SuccessfulLogin

#: Slices of one statement: a database has a limit to its columns and parameters.
_AT_ONCE = 100
#: Orders that an index has together with a filter.
_BY_TIME: Final = frozenset(["-timestamp", "timestamp", "-started_at", "started_at"])
#: For how long it is remembered where the newest rows of a table begin.
_NEWEST_SECS: Final = 60
_NONE: Final = -1
_LAST: Final = microseconds(datetime(9998, 1, 1))
#: A host's clock may be ahead.
_CLOCKS_APART: Final = timedelta(days=1)


def at_most(rows: QuerySet[Any], most: int) -> int:
    """Return how many rows there are, at most so many.

    PostgreSQL would read a table from its beginning where it believes that many rows match; asked
    for the times of the first of them, it walks along an index that has these, as the others do.
    """
    if any(_at_most(part, most) == most for part in _parts(rows)):
        return most
    return _at_most(rows, most)


def _at_most(rows: QuerySet[Any], most: int) -> int:
    order: Any = next(iter(rows.query.order_by), None)
    has_order = order in _BY_TIME and not _is_of_addresses(rows)
    is_walked = has_order and connections[rows.db].vendor == "postgresql"
    times = rows.order_by(order).values(order.lstrip("-")) if is_walked else rows.order_by()
    return int(times[:most].count())


def _is_of_addresses(rows: QuerySet[Any]) -> bool:
    """Tell whether rows are those of a list of addresses, of any time.

    PostgreSQL knows how many match then, and an index has all that counts.
    """
    conditions = rows.query.where.children
    columns = [getattr(getattr(one, "lhs", None), "target", None) for one in conditions]
    has_list = any(isinstance(one, In) for one in conditions)
    return has_list and {getattr(one, "name", "") for one in columns} == {"ip_address"}


def _parts(rows: QuerySet[Any]) -> Iterator[QuerySet[Any]]:
    """Yield what each of some columns selects that OR joins: an index serves each, and not all."""
    for number, node in enumerate(rows.query.where.children):
        if isinstance(node, WhereNode) and node.connector == OR and not node.negated:
            for condition in node.children:
                if isinstance(getattr(condition, "lhs", None), Col):
                    part = rows.all()
                    part.query.where.children[number] = condition
                    yield part


def count_slices(
    rows: QuerySet[Any],
    moment: str,
    edges: Sequence[tuple[datetime, datetime]],
    cap: int,
    of: str = "",
) -> list[int]:
    """Return how many rows there are from each start to before each end, at most `cap`.

    With `of`, a column of numbers, what these come to instead.
    """
    found: list[int] = []
    for first in range(0, len(edges), _AT_ONCE):
        found += _count(rows, moment, edges[first : first + _AT_ONCE], cap, of)
    return found


def count_entries(
    rows: QuerySet[Any], edges: Sequence[tuple[datetime, datetime]], cap: int
) -> list[int]:
    """Return how many of some logins there are likewise, without those that were ended.

    Not by a condition, for which each row would be read: each of two indexes has all that counts.
    """
    every = count_slices(rows, "timestamp", edges, 2 * cap)
    ended = rows.filter(event=SuccessfulLogin.Event.LOGOUT)
    ends = count_slices(ended, "timestamp", edges, 2 * cap)
    pairs = zip(every, ends, strict=True)
    return [min(cap, max(0, count - without)) for count, without in pairs]


def span_of_newest(rows: QuerySet[Any], moment: str, most: int) -> tuple[datetime, datetime] | None:
    """Return a span with the newest rows of a table in it; ``None``: it has no more than these.

    SQLite and MariaDB do not see that a filter selects much, and would sort all that it selects. A
    range of the index that has the order makes each walk along it, and bounds the walk.
    """
    now = timezone.now()
    # The subject of nobody keeps the namespaces apart.
    key = f"lockout_admin:{{newest:{Subject.of('').key:x}}}:{rows.model.__name__}:{most}"
    known = (store.get_many([key]) or {}).get(key)
    if type(known) is not int or not _NONE <= known <= _LAST:
        moments = rows.order_by(f"-{moment}").values_list(moment, flat=True)
        last = list(moments[most : most + 1])
        known = microseconds(last[0]) if last else _NONE
        store.set_many({key: known}, _NEWEST_SECS)
    if known == _NONE:
        return None
    return as_moment(known), now + _CLOCKS_APART


def _count(
    rows: QuerySet[Any],
    moment: str,
    edges: Sequence[tuple[datetime, datetime]],
    cap: int,
    of: str,
) -> list[int]:
    connection = connections[rows.db]
    # Put together once, as slices have but their edges of their own: the last two parameters.
    start, end = edges[0]
    some = rows.filter(**{f"{moment}__gte": start, f"{moment}__lt": end}).order_by()
    some = some.values(of or "pk")
    try:
        sql, (*given, _start, _end) = some[:cap].query.get_compiler(using=rows.db).as_sql()
    except EmptyResultSet:  # filters that nothing passes
        return [0] * len(edges)
    total = f"COALESCE(SUM({connection.ops.quote_name(of)}), 0)" if of else "COUNT(*)"
    column = f"(SELECT {total} FROM ({sql}) slice)"  # noqa: S608
    as_stored = connection.ops.adapt_datetimefield_value
    params = [value for edge in edges for value in (*given, *map(as_stored, edge))]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join([column] * len(edges))}", params)
        return [int(count) for count in cursor.fetchone()]
