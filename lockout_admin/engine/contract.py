"""What a store's engine does, whatever it is made of."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Protocol


class Unavailable(Exception):  # noqa: N818 - it says what an engine is
    """An engine does not answer."""


class Engine(Protocol):
    """Where entries are kept. A verb raises `Unavailable` when the engine does not answer.

    Values are what JSON can say. An entry lives for whole seconds, at least one.
    """

    #: For log lines.
    name: str

    def get_many(self, keys: Collection[str]) -> dict[str, Any]:
        """Return the entries that exist."""

    def add(self, key: str, value: Any, seconds: int) -> bool:
        """Write an entry if there is none, atomically; tell whether it was written."""

    def increment(self, key: str) -> int:
        """Add one to a counter and return it; 0 where there is none, and none is made."""

    def set_many(self, entries: dict[str, Any], seconds: int) -> None:
        """Write entries that end together."""

    def delete_many(self, keys: Collection[str]) -> None:
        """Delete entries."""

    def keeps(self) -> bool:
        """Tell whether what is written can be read back, and is added once."""
