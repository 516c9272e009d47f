"""An index that leaves out what most rows have, where the database can."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models.sql.query import Query


class RareIndex(models.Index):
    """An index of the rows whose first column has another value than the usual one.

    MySQL and MariaDB know no partial index: there it has all rows. Django's ``condition`` does the
    same and warns each site on these databases (models.W037). SQLite takes a partial index only
    for what is not null: that one value is not another, it does not see.
    """

    def __init__(self, *expressions: Any, usual: str | bool | None, **kwargs: Any) -> None:
        self.usual = usual
        super().__init__(*expressions, **kwargs)

    def deconstruct(self) -> tuple[str, Any, dict[str, Any]]:
        """Add what is left out."""
        path, expressions, kwargs = super().deconstruct()
        return path, expressions, {**kwargs, "usual": self.usual}

    def _get_condition_sql(
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor
    ) -> Any:
        connection = schema_editor.connection
        if not connection.features.supports_partial_indexes:
            return None
        if connection.vendor == "sqlite" and self.usual is not None:
            return None
        query = Query(model=model, alias_cols=False)
        first = self.fields[0]
        # SQLite takes NOT (… IS NULL) for another condition than IS NOT NULL.
        is_rare = {f"{first}__isnull": False} if self.usual is None else {first: self.usual}
        where = query.build_where(models.Q(**is_rare, _negated=self.usual is not None))
        compiler = query.get_compiler(connection=connection)
        sql, params = where.as_sql(compiler, connection)
        return sql % tuple(schema_editor.quote_value(param) for param in params)
