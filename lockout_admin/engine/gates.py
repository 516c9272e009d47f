"""Gates: what an attempt passes before anything is counted.

Defences stand above the engine and know it; it knows none of them. So each that may refuse an
attempt out of hand registers a gate when the app is ready, and `attempts.begin` goes through them
before it touches the store or the database. A refusal there leaves no row, no slot and no count,
and looks like a lock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from . import refusals

if TYPE_CHECKING:
    from .attempts import Attempt

#: Answers for how many seconds it refuses; ``None``: it lets the attempt pass. It raises nothing.
Gate = Callable[["Attempt"], float | None]

_gates: dict[str, Gate] = {}


def register(name: str, gate: Gate) -> None:
    """Put up a gate, in place of the one that had this name."""
    _gates[name] = gate


def pass_all(attempt: Attempt) -> None:
    """Go through all gates; raise `AccountLocked` at the first that refuses."""
    for gate in _gates.values():
        if (seconds := gate(attempt)) is not None:
            refusals.by_gate(seconds)
