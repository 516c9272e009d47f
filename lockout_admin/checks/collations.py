"""Checks of what the database takes for one username."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Tags, register
from django.core.checks import Warning as CheckWarning
from django.db import connections

from ..identity.field import username_field
from .backends import nameless

_COLLATION = """
    SELECT collname FROM pg_attribute JOIN pg_collation ON pg_collation.oid = attcollation
    WHERE attrelid = to_regclass(%s) AND attname = %s AND NOT collisdeterministic
"""


@register(Tags.database)
def a_collation_makes_no_budgets(
    databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """W027: to some collations of ICU, ``a-lice`` and ``a.lice`` are ``alice``; not to our fold."""
    alias = get_user_model()._default_manager.db
    collation = _collation(alias) if alias in (databases or ()) and nameless() else None
    if collation is None:
        return []
    return [
        CheckWarning(
            f"The usernames have the collation {collation!r}, which takes several spellings for"
            f" one, and {way.label} does not say by which names it finds an account: spellings"
            " that are not counted together have guesses of their own.",
            hint="Say it, as in @apply_account_lock(names='username'), or give the column a"
            " collation that is deterministic.",
            id="lockout_admin.W027",
        )
        for way in nameless()
    ]


def _collation(alias: str) -> str | None:
    """Return the collation of the usernames, if it is one that is not deterministic."""
    connection = connections[alias]
    if connection.vendor != "postgresql":
        return None
    field = username_field()
    with connection.cursor() as cursor:
        table = connection.ops.quote_name(field.model._meta.db_table)
        cursor.execute(_COLLATION, [table, field.column])
        found = cursor.fetchone()
    return found[0] if found else None
