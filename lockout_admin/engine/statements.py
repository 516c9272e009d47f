"""The SQL of the table store: one statement a verb, atomic by the database's own means."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from django.apps import apps
from django.db.models import Model


@dataclass(frozen=True, slots=True)
class Statements:
    """The verbs in one database's words; ``{}`` stands for a placeholder for each key."""

    #: With key, value, expires; then now, where it takes an expired entry over itself.
    add: str
    #: With value, expires, key, now: where `add` can't.
    take_over: str
    #: With key, now. Only what is a number is counted up.
    increment: str
    #: With key: where neither RETURNING nor the driver tells what `increment` came to.
    counted: str
    #: With keys, now.
    read: str
    #: With key, value, expires for each entry.
    write: str
    #: With keys.
    delete: str
    #: With now, and how many.
    expired: str
    #: With keys, now.
    purge: str


def entries() -> type[Model]:
    """Return the model `StoreEntry`. Pytest loads the store with its plugins, before any model."""
    return apps.get_registered_model("lockout_admin", "StoreEntry")


@cache
def statements(vendor: str) -> Statements:
    """Return the statements for a kind of database, by Django's name for it."""
    quote = "`" if vendor == "mysql" else '"'
    table = f"{quote}{entries()._meta.db_table}{quote}"
    key, value, expires = (f"{quote}{name}{quote}" for name in ("key", "value", "expires"))
    new = f"INTO {table} ({key}, {value}, {expires}) VALUES"
    replace = (
        f"ON CONFLICT ({key}) DO UPDATE"
        f" SET {value} = excluded.{value}, {expires} = excluded.{expires}"
    )
    live_number = f"WHERE {key} = %s AND {expires} > %s AND {value}"
    own = {
        "add": f"INSERT {new} (%s, %s, %s) {replace} WHERE {table}.{expires} <= %s",
        "take_over": "",
        "increment": f"UPDATE {table} SET {value} = CAST({value} AS bigint) + 1 {live_number}"
        " NOT GLOB '*[^0-9]*'",
        "counted": f"SELECT {value} FROM {table} WHERE {key} = %s",
        "write": f"INSERT {new} {{}} {replace}",
    }
    if vendor == "postgresql":
        own["increment"] = (
            f"UPDATE {table} SET {value} = CAST({value} AS bigint) + 1 {live_number}"
            f" ~ '^[0-9]{{1,18}}$' RETURNING {value}"
        )
        own["counted"] = ""
    if vendor == "mysql":
        own = {
            # Not ON DUPLICATE KEY UPDATE: Django counts rows that were found, so that a row that
            # was made and one that was left alone would look the same.
            "add": f"INSERT IGNORE {new} (%s, %s, %s)",
            "take_over": f"UPDATE {table} SET {value} = %s, {expires} = %s"
            f" WHERE {key} = %s AND {expires} <= %s",
            "increment": f"UPDATE {table}"
            f" SET {value} = LAST_INSERT_ID(CAST({value} AS unsigned) + 1)"
            f" {live_number} REGEXP '^[0-9]{{1,18}}$'",
            "counted": "",
            "write": f"INSERT {new} {{}} ON DUPLICATE KEY UPDATE {value} = VALUES({value}),"
            f" {expires} = VALUES({expires})",
        }
    return Statements(
        **own,
        read=f"SELECT {key}, {value} FROM {table} WHERE {key} IN ({{}}) AND {expires} > %s",
        delete=f"DELETE FROM {table} WHERE {key} IN ({{}})",
        expired=f"SELECT {key} FROM {table} WHERE {expires} <= %s ORDER BY {expires} LIMIT %s",
        purge=f"DELETE FROM {table} WHERE {key} IN ({{}}) AND {expires} <= %s",
    )
