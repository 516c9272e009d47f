"""A process beside a database: it asks the console for pages, and tells how long that took."""

from __future__ import annotations

import functools
import json
import sys
import time
from pathlib import Path
from typing import Any, Final

from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils.crypto import get_random_string

from lockout_admin.models import SuccessfulLogin

from .crowd import fill
from .happenings import Size
from .plans import faults

#: Incidents are as many as fill a page with each kind.
SMALL: Final = Size(10_000, 10_000, 10_000, 600, 1_000)
BIG: Final = Size(1_000_000, 1_000_000, 100_000, 1_000, 200_000)
LONG: Final = Size(10_000_000, 5_000_000, 100_000, 1_000, 200_000)


def serve(size: Size) -> None:
    """Answer questions for pages, a line each, until there are no more."""
    tables = connection.introspection.table_names()
    if SuccessfulLogin._meta.db_table not in tables or not SuccessfulLogin.objects.exists():
        fill(size)
    user = User.objects.create_superuser(get_random_string(12))
    client = Client()
    client.force_login(user)
    print(json.dumps("ready"), flush=True)
    try:
        for line in sys.stdin:
            print(json.dumps(_answer(client, **json.loads(line))), flush=True)
    finally:
        user.delete()


def _answer(
    client: Client, url: str, *, is_cold: bool, explain: bool, uses_cpu: bool
) -> dict[str, Any]:
    if explain:
        return _explained(client, url)
    if is_cold:
        cache.clear()
    clock = _processors if uses_cpu else time.perf_counter
    started = clock()
    client.get(url)
    return {"ms": (clock() - started) * 1000}


def _processors() -> float:
    """Return the seconds that this process and that of the database have had of the processors."""
    server = _server()
    return time.process_time() + (int(server.read_text().split()[0]) / 1e9 if server else 0)


@functools.cache
def _server() -> Path | None:
    """Return where the system says how much the database's process has had; SQLite: is this one."""
    asked = {
        "postgresql": "SELECT pg_backend_pid()",
        "mysql": "SELECT tid FROM information_schema.processlist WHERE id = CONNECTION_ID()",
    }.get(connection.vendor)
    if asked is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(asked)
        return Path(f"/proc/{cursor.fetchone()[0]}/schedstat")


def _explained(client: Client, url: str) -> dict[str, Any]:
    seen: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        seen.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        response = client.get(url)
    if response.status_code != 200:
        return {"faults": [f"answered {response.status_code}"], "queries": 0}
    ours = [
        query for query in seen if query[0].startswith("SELECT") and "lockout_admin_" in query[0]
    ]
    wrong = [fault for sql, params in ours for fault in faults(sql, params)]
    return {"faults": wrong, "queries": len(seen)}
