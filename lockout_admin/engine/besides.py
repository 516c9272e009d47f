"""SQLite has one writer at a time for a file: the store has one of its own beside the site's."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import load_backend

from .statements import entries

#: How long a writer waits for the others, each of which takes less than a millisecond.
_BUSY_SECS = 30
_PAUSE_SECS = 0.02


def is_in_memory(main: Any) -> bool:
    """Tell whether a database has no file."""
    return bool(main.is_in_memory_db())


def path_of(main: BaseDatabaseWrapper) -> Path:
    """Return the path of the store's file."""
    name = str(main.settings_dict["NAME"])
    if name.startswith("file:"):
        name = unquote(name.removeprefix("file:").partition("?")[0])
        name = name.removeprefix("//localhost").replace("///", "/", 1)
    return Path(f"{name}.lockout").absolute()


def opened(main: BaseDatabaseWrapper) -> BaseDatabaseWrapper:
    """Return a connection to the file, which is made where it is missing."""
    path = path_of(main)
    # Windows has no owners; and whoever is not root is the owner already.
    with suppress(OSError, AttributeError):
        _make_alike(path, path.with_name(path.name.removesuffix(".lockout")))
    _prepare(path)
    settings = {
        **main.settings_dict,
        "NAME": str(path),
        "OPTIONS": {"timeout": _BUSY_SECS, "init_command": ";".join(_preparations())},
        "AUTOCOMMIT": True,
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": False,
    }
    wrapper: Any = load_backend("django.db.backends.sqlite3").DatabaseWrapper
    connection: BaseDatabaseWrapper = wrapper(settings, main.alias)
    return connection


def _make_alike(path: Path, like: Path) -> None:
    """Make the file with the database's owner and mode: root may make it, and not serve."""
    if path.exists():
        return
    stat = like.stat()
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, stat.st_mode & 0o777)
    os.close(descriptor)
    os.chown(path, stat.st_uid, stat.st_gid)


def _prepare(path: Path) -> None:
    """Switch the file to WAL. Whoever does so keeps the others out, who do not wait for it."""
    deadline = time.monotonic() + _BUSY_SECS
    while True:
        try:
            with closing(sqlite3.connect(path, timeout=_BUSY_SECS)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.Error as error:  # pragma: no cover - two that begin in the same moment
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise OperationalError(*error.args) from error
            time.sleep(_PAUSE_SECS)


def _preparations() -> list[str]:
    table = entries()._meta.db_table
    return [
        "PRAGMA synchronous = NORMAL",
        f'CREATE TABLE IF NOT EXISTS "{table}" ("key" varchar(128) PRIMARY KEY,'
        ' "value" text NOT NULL, "expires" bigint NOT NULL) WITHOUT ROWID',
        f'CREATE INDEX IF NOT EXISTS "{table}_expires" ON "{table}" ("expires")',
    ]
