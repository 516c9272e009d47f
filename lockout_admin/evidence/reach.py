"""What of a column can be searched without reading all of its table.

A part of a name is found by a trigram index (PostgreSQL with the extension ``pg_trgm``; see
``manage.py lockout_search``), or where the table is small. Elsewhere the beginning is, by the index
that is there, and the page says what it needs for more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.db import connections, models, router
from django.db.models import QuerySet

from ..identity.field import is_plain
from ..models import AccountLock, FailedLogin, SuccessfulLogin

#: Tables of at most so many rows are searched row by row: some milliseconds.
SMALL: Final = 10_000
#: Letters that a trigram index needs to find anything by.
TRIGRAM: Final = 3

_TRIGRAMS: Final = """
    SELECT c.relname, a.attname
    FROM pg_index i
    JOIN pg_class c ON c.oid = i.indrelid
    JOIN pg_opclass o ON o.oid = i.indclass[0]
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
    WHERE i.indisvalid AND i.indpred IS NULL AND pg_table_is_visible(c.oid)
      AND o.opcname IN ('gin_trgm_ops', 'gist_trgm_ops') AND c.relname = ANY(%s)
"""


@dataclass(frozen=True, slots=True)
class Column:
    """A column that names are searched in."""

    model: type[models.Model]
    name: str

    @property
    def rows(self) -> Any:
        """All rows, in no order, as attempts see them."""
        return self.model._base_manager.order_by()

    @property
    def database(self) -> str:
        """The alias of the database that is read."""
        return str(router.db_for_read(self.model))

    @property
    def field(self) -> Any:
        """The field."""
        return self.model._meta.get_field(self.name)

    @property
    def place(self) -> tuple[str, str]:
        """The names of the table and of the column."""
        return self.model._meta.db_table, self.field.column

    @property
    def is_username(self) -> bool:
        """Whether accounts are known by it; else it is their address."""
        model: Any = get_user_model()
        username: str = model.USERNAME_FIELD
        return self.model is model and self.name == username

    @property
    def is_small(self) -> bool:
        """Whether its table has few rows."""
        return bool(self.rows.values("pk")[: SMALL + 1].count() <= SMALL)

    @property
    def is_indexed(self) -> bool:
        """Whether an index finds what is spelled out."""
        if self.field.unique or self.field.db_index:
            return True
        connection = connections[self.database]
        with connection.cursor() as cursor:
            known = connection.introspection.get_constraints(cursor, self.place[0])
        return any(one["index"] and one["columns"][:1] == [self.place[1]] for one in known.values())

    def __str__(self) -> str:
        return ".".join(self.place)


def columns() -> list[Column]:
    """Return the columns that a part of a name is searched in, those of accounts first."""
    records = [
        Column(AccountLock, "label"),
        Column(FailedLogin, "username"),
        Column(SuccessfulLogin, "username"),
    ]
    return [*of_accounts(), *records]


def of_accounts() -> list[Column]:
    """Return the columns of accounts that hold plain text: the username, the address."""
    model: Any = get_user_model()
    names = dict.fromkeys([model.USERNAME_FIELD, getattr(model, "EMAIL_FIELD", "")])
    concrete = {field.name: field for field in model._meta.concrete_fields}
    return [
        Column(model, name)
        for name in names
        if name in concrete and not concrete[name].is_relation and is_plain(concrete[name])
    ]


def small(wanted: Iterable[Column]) -> set[Column]:
    """Return the columns of tables that have few rows; each table is counted once."""
    by_model: dict[type[models.Model], list[Column]] = {}
    for column in wanted:
        by_model.setdefault(column.model, []).append(column)
    found = [columns for columns in by_model.values() if columns[0].is_small]
    return {column for columns in found for column in columns}


def sampled(rows: QuerySet[Any], name: str, most: int) -> list[Any]:
    """Return one value of `most` rows at most, in no order.

    PostgreSQL takes a limit as a reason to walk through all rows, in the hope that what is looked
    for comes soon; names that are alike are all at one end. So it plans for all that match, and
    stops at the limit: an index for what is rare, the table for what is everywhere.
    """
    values = rows.order_by().values_list(name, flat=True)
    connection = connections[rows.db]
    if connection.vendor != "postgresql":
        return list(values[:most])
    sql, params = values.query.get_compiler(connection=connection).as_sql()
    # Django's own statement, whose values are parameters.
    part = f"WITH part AS MATERIALIZED ({sql}) SELECT * FROM part LIMIT %s"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM ({part}) sampled", [*params, most])  # noqa: S608
        return [row[0] for row in cursor.fetchall()]


def with_trigrams(wanted: Iterable[Column]) -> set[Column]:
    """Return the columns in which an index finds any part of a text."""
    wanted = list(wanted)
    found: set[Column] = set()
    for database in {column.database for column in wanted}:
        connection = connections[database]
        if connection.vendor != "postgresql":
            continue
        here = [column for column in wanted if column.database == database]
        with connection.cursor() as cursor:
            cursor.execute(_TRIGRAMS, [[column.place[0] for column in here]])
            places = set(cursor.fetchall())
        found |= {column for column in here if column.place in places}
    return found
