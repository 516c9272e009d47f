"""Where our tables are."""

from __future__ import annotations

from typing import Any

APP = "lockout_admin"


class Records:
    """In a database of their own, which has nothing else."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "records" if model._meta.app_label == APP else "default"

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return (db == "records") == (app_label == APP)


class Replica:
    """They are read from a replica that never catches up."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "replica" if model._meta.app_label == APP else "default"

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "default"

    def allow_relation(self, *objects: Any, **hints: Any) -> bool:
        return True
