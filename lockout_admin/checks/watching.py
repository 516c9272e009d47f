"""The check that reminds of what only watches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Tags, register
from django.core.checks import Warning as CheckWarning
from django.db import Error, router

from ..engine import watching
from ..models import AuditEntry
from ..models.transactions import shielded


@register(Tags.database)
def watching_comes_to_an_end(
    databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """W041: what has only watched for thirty days protects nobody, and may be forgotten."""
    if router.db_for_write(AuditEntry) not in (databases or ()):
        return []
    try:
        with shielded(AuditEntry):
            found = watching.too_long()
    except Error:
        # `migrate` asks before there are tables.
        return []
    return [
        CheckWarning(
            f"{_said(name)} only watches since {began:%Y-%m-%d}: nobody is refused.",
            hint=f"Look at what would have been locked, and set {_setting(name)} to 'enforce'.",
            id="lockout_admin.W041",
        )
        for name, began in found
    ]


def _said(name: str) -> str:
    return "The site" if name == watching.SITE else f"The rule {name!r}"


def _setting(name: str) -> str:
    if name == watching.SITE:
        return "LOCKOUT_ADMIN['MODE']"
    return f"LOCKOUT_ADMIN['RULES'][{name!r}]['mode']"
