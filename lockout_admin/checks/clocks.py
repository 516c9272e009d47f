"""Checks of the clocks: the host's, which times failures and locks, beside the database's."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Tags, register
from django.core.checks import Warning as CheckWarning
from django.db import connections, router

from ..models import FailedLogin

#: How far apart they may be.
_MOST_SECS = 5
#: Seconds since 1970 by the server's clock. SQLite has no other clock than the host's.
_NOW = {
    "postgresql": "SELECT extract(epoch FROM clock_timestamp())",
    "mysql": "SELECT UNIX_TIMESTAMP(NOW(6))",
}


@register(Tags.database)
def clocks_agree(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """W023: hosts whose clocks differ do not agree when a lock ends."""
    alias = router.db_for_write(FailedLogin)
    if alias not in (databases or ()):
        return []
    apart = _seconds_apart(alias)
    if abs(apart) <= _MOST_SECS:
        return []
    return [
        CheckWarning(
            f"The clock of this host is {abs(apart):.0f} s {'fast' if apart > 0 else 'slow'}"
            f" compared with that of the database {alias!r}: locks end so much too early or late"
            " here, and where the database holds the slots, each clock has guesses of its own.",
            hint="Keep the clocks of all hosts by NTP, then run 'manage.py check --database"
            f" {alias}' on each.",
            id="lockout_admin.W023",
        )
    ]


def _seconds_apart(alias: str) -> float:
    connection = connections[alias]
    if connection.vendor not in _NOW:
        return 0.0
    with connection.cursor() as cursor:
        cursor.execute(_NOW[connection.vendor])
        (now,) = cursor.fetchone()
    return time.time() - float(now)
