"""A database as a site begins, with its tables and Alice: made once, and copied from then on.

To migrate takes longer than most storms.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import environ

#: What neither the tables nor Alice depend on. All else that a site sets makes it another.
_NO_MATTER = frozenset(
    ["DATABASE_URL", "CACHE_URL", "STORE", "BACKEND", "ATOMIC_REQUESTS", "RULES", "HASH_COUNT_FILE"]
)
_SAVE = {"postgresql": ("pg_dump", "--no-owner"), "mysql": ("mariadb-dump",)}
_LOAD = {
    "postgresql": ("psql", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null"),
    "mysql": ("mariadb",),
}


def save(environment: Mapping[str, str]) -> None:
    """Keep what is in a site's database, for all that begin as it does."""
    where = _where(environment)
    if _kind(where) == "sqlite3":
        shutil.copy(where["NAME"], _file(environment))
        return
    with _file(environment).open("wb") as dump:
        subprocess.run(**_command(_SAVE, where), stdout=dump, check=True)


def load(environment: Mapping[str, str]) -> bool:
    """Fill a site's empty database as it was saved; tell whether it was."""
    saved, where = _file(environment), _where(environment)
    if not saved.exists():
        return False
    if _kind(where) == "sqlite3":
        shutil.copy(saved, where["NAME"])
        return True
    with saved.open("rb") as dump:
        subprocess.run(**_command(_LOAD, where), stdin=dump, check=True)
    return True


def _where(environment: Mapping[str, str]) -> dict[str, Any]:
    return environ.Env.db_url_config(environment["DATABASE_URL"])


def _kind(where: Mapping[str, Any]) -> str:
    return str(where["ENGINE"]).rpartition(".")[2]


def _file(environment: Mapping[str, str]) -> Path:
    where = _where(environment)
    own = environment.items() - os.environ.items()
    matters = sorted((name, value) for name, value in own if name not in _NO_MATTER)
    return _folder() / str(hash((_kind(where), where["USER"], *matters)))


@cache
def _folder() -> Path:
    """Return a folder that goes with the process."""
    folder = Path(tempfile.mkdtemp(prefix="lockout-prepared-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _command(programs: Mapping[str, tuple[str, ...]], where: Mapping[str, Any]) -> dict[str, Any]:
    """Return the command of a client of the database, as `subprocess.run` takes it."""
    kind = _kind(where)
    user = "--username" if kind == "postgresql" else "--user"
    port = where["PORT"] or {"postgresql": 5432, "mysql": 3306}[kind]
    options = (f"--host={where['HOST']}", f"--port={port}", f"{user}={where['USER']}")
    password = {"PGPASSWORD": where["PASSWORD"], "MYSQL_PWD": where["PASSWORD"]}
    return {
        "args": [*programs[kind], *options, where["NAME"]],
        "env": {**os.environ, **(password if where["PASSWORD"] else {})},
    }
