"""Who took which rows out: an export from its first byte to its end, and the log of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ..evidence import events
from ..identity.client import Client
from .export import Export


@dataclass(frozen=True, slots=True)
class Taking:
    """An export as an auditor asks for it: by whom, from where, selected how."""

    export: Export
    actor: str
    #: The filter, as a query string.
    selection: str
    client: Client

    @property
    def description(self) -> str:
        """One line for the admin's history; stays in English, as evidence does."""
        text = "formulas defused" if self.export.defused else "text as typed"
        columns = ", ".join(self.export.headers)
        title = self.export.format.title
        return f"Export as {title}, {text}. Selected by: {self.selection}. Columns: {columns}."

    def log(self, outcome: str, **counts: int) -> None:
        """Write to the log (OWASP vocabulary, ``authz_admin``)."""
        fields: dict[str, Any] = {
            "event.action": "export",
            "source.ip": self.client.ip_address,
            "export.model": self.export.queryset.model._meta.label_lower,
            "export.format": self.export.format.name,
            "export.raw": not self.export.defused,
            "export.columns": self.export.headers,
            "export.selection": self.selection,
            **{f"export.{name}": count for name, count in counts.items()},
        }
        events.write(logging.WARNING, "authz_admin", outcome, self.actor, category="iam", **fields)


class Watched:
    """The chunks of an export. The log says that it began, before its first row, and how it ended.

    Whoever takes the chunks closes this afterwards: the reader may leave before the first.
    """

    def __init__(self, taking: Taking, when_ended: Callable[[bool], Any] = bool) -> None:
        self.taking = taking
        #: Gets whether it is complete.
        self.when_ended = when_ended
        self.chunks = taking.export.chunks()
        self.ended = False
        taking.log("unknown")

    def __iter__(self) -> Iterator[bytes]:
        yield from self.chunks
        self._end(complete=True)

    def close(self) -> None:
        """End it, wherever it is."""
        self.chunks.close()
        if not self.ended:
            self._end(complete=False)

    def _end(self, *, complete: bool) -> None:
        self.ended = True
        self.taking.log("success" if complete else "failure", rows=self.taking.export.rows)
        self.when_ended(complete)
