"""The log's word on exports: who took which rows out (OWASP logging vocabulary, ``authz_admin``)."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import Any

from .client import Client
from .exports import Export

logger = logging.getLogger("lockout_admin")


@dataclass(frozen=True, slots=True)
class Taking:
    """An export as an auditor asks for it: by whom, from where, selected how."""

    export: Export
    actor: str
    #: The filter, as a query string.
    selection: str
    client: Client

    def begun(self) -> None:
        """Log that rows are about to go out: before the first, so that none goes unseen."""
        self._log("unknown")

    def ended(self, *, complete: bool) -> None:
        """Log how many went."""
        self._log("success" if complete else "failure", rows=self.export.rows)

    @property
    def description(self) -> str:
        """One line for the admin's history; stays in English, as evidence does."""
        text = "formulas defused" if self.export.defused else "text as typed"
        columns = ", ".join(self.export.headers)
        return f"Export as {self.export.format.title}, {text}. Selected by: {self.selection}. Columns: {columns}."

    def _log(self, outcome: str, **counts: int) -> None:
        record: dict[str, Any] = {
            "event.category": "iam",
            "event.code": "authz_admin",
            "event.action": "export",
            "event.outcome": outcome,
            "user.name": self.actor,
            "source.ip": self.client.address,
            "export.model": self.export.queryset.model._meta.label_lower,
            "export.format": self.export.format.extension,
            "export.raw": not self.export.defused,
            "export.columns": self.export.headers,
            "export.selection": self.selection,
            **{f"export.{name}": count for name, count in counts.items()},
        }
        extra = {"event": "authz_admin", "ecs": record}
        logger.warning("%s %s", "authz_admin", json.dumps(record), extra=extra)
