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
