"""Gates: what an attempt passes before anything is counted.

Defences stand above the engine and know it; it knows none of them. So each that may refuse an
attempt out of hand registers a gate when the app is ready, and `attempts.begin` goes through them
before it touches the store or the database. A refusal there leaves no row, no slot and no count,
and looks like a lock. A site that only watches asks the gates, so that each tells what it would
have done, and refuses nobody.

Some need to know what was read of the attempt: which failures there are, and whether its device is
trusted. Those come after the reading, and before anything is reserved.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..conf import conf
from . import refusals

if TYPE_CHECKING:
    from ..exceptions import AccountLocked
    from .attempts import Attempt

#: Answers for how many seconds it refuses; ``None``: it lets the attempt pass. It raises nothing.
Gate = Callable[["Attempt"], float | None]

#: Answers with the refusal; ``None``: it lets the attempt pass. It raises nothing.
InnerGate = Callable[["Attempt"], "AccountLocked | None"]

_gates: dict[str, Gate] = {}
_inner_gates: dict[str, InnerGate] = {}


def register(name: str, gate: Gate) -> None:
    """Put up a gate, in place of the one that had this name."""
    _gates[name] = gate


def pass_all(attempt: Attempt) -> None:
    """Go through all gates; raise `AccountLocked` at the first that refuses."""
    for gate in _gates.values():
        if (seconds := gate(attempt)) is not None and not conf.only_watches:
            refusals.by_gate(seconds)


def register_inner(name: str, gate: InnerGate) -> None:
    """Likewise, one that comes after the reading."""
    _inner_gates[name] = gate


def pass_inner(attempt: Attempt) -> None:
    """Go through those; raise what the first that refuses answers."""
    for gate in _inner_gates.values():
        if (refusal := gate(attempt)) is not None and not conf.only_watches:
            refusals.as_told(refusal)
