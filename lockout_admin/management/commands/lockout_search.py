"""``manage.py lockout_search``: what a search for a part of a name needs, and a way to make it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error, connections

from ...evidence import reach
from ...evidence.reach import Column

_EXTENSION: Final = "CREATE EXTENSION IF NOT EXISTS pg_trgm"


class Command(BaseCommand):
    """Say which columns have a trigram index; create or drop those of this app."""

    help = (
        "Say in which columns the console's search finds a part of a name. With --create a trigram"
        " index is made for each that has none (PostgreSQL with the extension pg_trgm), without"
        " keeping writers waiting; --drop takes those back, and --sql prints what --create would"
        " run. On other databases small tables are searched row by row, big ones by the beginning."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--create", action="store_true", help="make the indexes that are missing")
        what.add_argument("--drop", action="store_true", help="drop the indexes made by --create")
        what.add_argument("--sql", action="store_true", help="print the statements of --create")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it, and say how things stand."""
        columns = reach.columns()
        missing = [column for column in columns if column not in reach.with_trigrams(columns)]
        if options["sql"]:
            self.stdout.write("\n".join(f"{sql};" for _one, sql in _creating(missing)))
            return
        if options["create"]:
            self._run(_creating(missing))
            if missing and not _possible(missing):
                self.stderr.write("Only PostgreSQL has trigram indexes: none was made.")
        if options["drop"]:
            self._run((column, _dropping(column)) for column in _possible(columns))
        self._tell(columns)

    def _run(self, statements: Iterable[tuple[Column, str]]) -> None:
        for column, sql in statements:
            try:
                with connections[column.database].cursor() as cursor:
                    cursor.execute(sql)
            except Error as error:
                raise CommandError(f"{sql}: {str(error).strip()}") from error

    def _tell(self, columns: list[Column]) -> None:
        indexed = reach.with_trigrams(columns)
        for column in columns:
            if column in indexed:
                state = "any part is found, by a trigram index"
            elif column.is_small:
                state = f"any part is found: it has at most {reach.SMALL:,} rows"
            elif column.is_indexed:
                state = "only the beginning is found"
            else:
                state = "nothing is looked for: no index has it"
            self.stdout.write(f"{column}: {state}.")


def _possible(columns: Iterable[Column]) -> list[Column]:
    return [one for one in columns if connections[one.database].vendor == "postgresql"]


def _creating(columns: Iterable[Column]) -> list[tuple[Column, str]]:
    possible = _possible(columns)
    databases = {column.database: column for column in possible}
    statements = [(column, _EXTENSION) for column in databases.values()]
    for column in possible:
        quote = connections[column.database].ops.quote_name
        table, name = map(quote, column.place)
        # One that was broken off is there, and serves nobody.
        statements.append((column, _dropping(column)))
        made = f"CREATE INDEX CONCURRENTLY {quote(_name(column))} ON {table}"
        statements.append((column, f"{made} USING gin ({name} gin_trgm_ops)"))
    return statements


def _dropping(column: Column) -> str:
    quote = connections[column.database].ops.quote_name
    return f"DROP INDEX CONCURRENTLY IF EXISTS {quote(_name(column))}"


def _name(column: Column) -> str:
    table, name = column.place
    return f"{table}_{name}"[:50] + "_part"
