"""A prefix that each database serves from a plain B-tree."""

from __future__ import annotations

from typing import Any

from django.db.models import Lookup
from django.db.models.sql.compiler import SQLCompiler


class StartsWith(Lookup):
    """``filter(StartsWith(F("username"), "ali"))``, letter case and all."""

    lookup_name = "starts_with"
    prepare_rhs = False

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Return a range: no stored text has the last code point in it."""
        lhs, params = self.process_lhs(compiler, connection)
        return f"({lhs} >= %s AND {lhs} < %s)", (
            *params,
            self.rhs,
            *params,
            f"{self.rhs}\U0010ffff",
        )

    def as_postgresql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Return a LIKE, which the index's operator class serves in any collation."""
        lhs, params = self.process_lhs(compiler, connection)
        return f"{lhs} LIKE %s", (*params, self._pattern(connection))

    def as_mysql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Return a LIKE for the index, and a binary one for letter case."""
        lhs, params = self.process_lhs(compiler, connection)
        pattern = self._pattern(connection)
        return f"({lhs} LIKE %s AND {lhs} LIKE BINARY %s)", (*params, pattern, *params, pattern)

    def _pattern(self, connection: Any) -> str:
        return f"{connection.ops.prep_for_like_query(self.rhs)}%"


class AmongThemStartsWith(StartsWith):
    """The same, of rows that another index finds: SQLite would leave that for the one of names."""

    lookup_name = "among_them_starts_with"

    def as_sqlite(self, compiler: SQLCompiler, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Return the range of a term, which no index serves (sqlite.org/optoverview, 2)."""
        lhs, params = self.process_lhs(compiler, connection)
        end = f"{self.rhs}\U0010ffff"
        return f"(+{lhs} >= %s AND +{lhs} < %s)", (*params, self.rhs, *params, end)


class PartOf(StartsWith):
    """``filter(PartOf(F("username"), "garcia"))``, in any letter case of ASCII.

    On PostgreSQL a plain trigram index serves it, which Django's ``icontains`` would need on UPPER.
    """

    lookup_name = "part_of"

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Return a LIKE, which takes no notice of letter case in ASCII on SQLite."""
        lhs, params = self.process_lhs(compiler, connection)
        return f"{lhs} LIKE %s ESCAPE '\\'", (*params, self._part(connection))

    def as_postgresql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Return an ILIKE."""
        lhs, params = self.process_lhs(compiler, connection)
        return f"{lhs} ILIKE %s", (*params, self._part(connection))

    def as_mysql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Return a LIKE; the collation of the column takes no notice of letter case."""
        lhs, params = self.process_lhs(compiler, connection)
        return f"{lhs} LIKE %s", (*params, self._part(connection))

    def _part(self, connection: Any) -> str:
        return f"%{self._pattern(connection)}"


class AnyCase(PartOf):
    """``filter(AnyCase(F("email"), "alice@example.com"))``: all of it, in any case of ASCII."""

    lookup_name = "any_case"

    def _part(self, connection: Any) -> str:
        return str(connection.ops.prep_for_like_query(self.rhs))
