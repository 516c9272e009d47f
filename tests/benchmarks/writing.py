"""Tables that the database itself fills: ``INSERT … SELECT``, in the words of each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from itertools import islice
from typing import Any, Final

from django.core.management.color import no_style
from django.db import connection, transaction
from django.utils import timezone

from lockout_admin.models import FailedLogin, SuccessfulLogin

DAY: Final = 86_400
#: The newest tenth of all came within so many seconds: it is of the last day for as long as pages
#: are asked for, which takes a while.
_NEW: Final = 20 * 60 * 60
_BATCH: Final = 1_000


@dataclass(frozen=True, slots=True)
class Dialect:
    """What databases say in different words."""

    numbers: str
    moment: str
    text_type: str
    divided: str
    analyse: tuple[str, ...]
    has_pipes: bool = True

    def text(self, number: str) -> str:
        """Return a number as text."""
        return f"CAST({number} AS {self.text_type})"

    def joined(self, *texts: str) -> str:
        """Return texts one after the other."""
        return f"({' || '.join(texts)})" if self.has_pipes else f"CONCAT({', '.join(texts)})"


_DIALECTS: Final = {
    "postgresql": Dialect(
        numbers="generate_series(1::bigint, {count}::bigint) AS s(i)",
        moment="TIMESTAMPTZ '{now}+00' - {age} * INTERVAL '1 second'",
        text_type="varchar",
        divided="/",
        analyse=("VACUUM ANALYZE",),
    ),
    "mysql": Dialect(
        numbers="(SELECT CAST(seq AS SIGNED) AS i FROM seq_1_to_{count}) s",
        moment="TIMESTAMP'{now}.000000' - INTERVAL CAST({age} * 1000000 AS SIGNED) MICROSECOND",
        text_type="char",
        divided="DIV",
        analyse=(
            "ANALYZE TABLE lockout_admin_failedlogin, lockout_admin_successfullogin,"
            " lockout_admin_accountlock, lockout_admin_incidentname, auth_user",
        ),
        has_pipes=False,
    ),
    "sqlite": Dialect(
        numbers="(WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < {count})"
        " SELECT i FROM c) s",
        moment="strftime('%Y-%m-%d %H:%M:%f', '{now}', (-{age}) || ' seconds')",
        text_type="text",
        divided="/",
        analyse=("ANALYZE",),
    ),
}


class Writer:
    """Fills tables; the number of a row is ``s.i``."""

    def __init__(self) -> None:
        self.dialect = _DIALECTS[connection.vendor]
        self.now = timezone.now().astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")

    def create(self, name: str, columns: str, rows: Iterator[tuple[Any, ...]]) -> None:
        self.run(f"CREATE TABLE bench_{name} ({columns})")
        with transaction.atomic(), connection.cursor() as cursor:
            while batch := list(islice(rows, _BATCH)):
                marks = ", ".join(["%s"] * len(batch[0]))
                values = ", ".join([f"({marks})"] * len(batch))
                params = [value for row in batch for value in row]
                cursor.execute(f"INSERT INTO bench_{name} VALUES {values}", params)

    def age(self, count: int) -> str:
        """Return how many seconds ago the row of a number was."""
        old = count * 9 // 10 or 1
        new = count - old or 1
        return (
            f"CASE WHEN s.i <= {old} THEN {_NEW} + 89.0 * {DAY} * ({old} - s.i) / {old}"
            f" ELSE 1.0 * {_NEW} * ({count} - s.i) / {new} END"
        )

    def spread(self, count: int) -> str:
        return self.moment(self.age(count))

    def moment(self, age: str) -> str:
        return self.dialect.moment.format(now=self.now, age=f"({age})")

    def insert(self, model: Any, count: int, joined: str = "", **given: str) -> None:
        fields = model._meta.concrete_fields
        columns = {field.column: given.pop(field.attname, None) for field in fields}
        if given:
            raise ValueError(f"{model.__name__} has no {', '.join(given)}")
        params = []
        for field in fields:
            is_counted = field.primary_key and columns[field.column] is None
            if is_counted:
                columns[field.column] = "s.i"
            elif columns[field.column] is None:
                columns[field.column] = "%s"
                params.append(field.get_db_prep_save(field.get_default(), connection))
        quote = connection.ops.quote_name
        names = ", ".join(map(quote, columns))
        source = self.dialect.numbers.format(count=count)
        with self._without_indexes(model):
            self.run(
                f"INSERT INTO {quote(model._meta.db_table)} ({names})"
                f" SELECT {', '.join(map(str, columns.values()))} FROM {source} {joined}",
                params,
            )
        for statement in connection.ops.sequence_reset_sql(no_style(), [model]):
            self.run(statement)

    @contextmanager
    def _without_indexes(self, model: Any) -> Iterator[None]:
        is_big = model in (FailedLogin, SuccessfulLogin)
        indexes = model._meta.indexes if is_big else ()
        with connection.schema_editor() as editor:
            for index in indexes:
                editor.remove_index(model, index)
        yield
        with connection.schema_editor() as editor:
            for index in indexes:
                editor.add_index(model, index)

    def run(self, sql: str, params: Any = None) -> None:
        # A sign of a remainder is none of a parameter.
        escaped = sql.replace("%", "%%").replace("%%s", "%s") if params else sql
        with connection.cursor() as cursor:
            cursor.execute(escaped, params or None)
