"""Numbers that are missing between those that were read: what commits later may have them.

Of parallel transactions, the one with the lower number may commit later; a process that writes
thousands of rows at once has thousands of them. They are looked for again for a minute.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from django.db.models import Q

from ..models import IncidentCursor

#: Seconds that a transaction may take after one with a higher number.
_SECS: Final = 60
#: Gaps of a kind that are kept.
_MOST: Final = 200


def note(cursor: IncidentCursor, kind: str, found: Sequence[int], now: datetime) -> None:
    """Remember which numbers are missing up to the last one that was found, from the cursor on."""
    if not found:
        return
    due = now.timestamp() + _SECS
    last = getattr(cursor, kind) or found[0] - 1
    gaps = _of(cursor, kind)
    cursor.missing[kind] = [*gaps, *([*gap, due] for gap in _between(last, found))][:_MOST]


def of(cursor: IncidentCursor, kind: str) -> Q:
    """Return the condition that a row is in a gap; none is where there is no gap."""
    condition = Q(pk__in=())
    for first, last, _due in _of(cursor, kind):
        condition |= Q(pk__gte=first, pk__lte=last)
    return condition


def fill(cursor: IncidentCursor, kind: str, found: Iterable[int], now: datetime) -> None:
    """Forget the numbers that were found, and those that won't come."""
    ids = sorted(found)
    kept: list[list[float]] = []
    for first, last, due in _of(cursor, kind):
        own = [one for one in ids if first <= one <= last]
        if due > now.timestamp():
            kept += [[*gap, due] for gap in _between(first - 1, [*own, last + 1])]
    cursor.missing[kind] = kept


def _between(last: int, found: Sequence[int]) -> Iterable[tuple[int, int]]:
    for one in found:
        if one > last + 1:
            yield last + 1, one - 1
        last = one


def _of(cursor: IncidentCursor, kind: str) -> list[Any]:
    gaps: list[Any] = cursor.missing.get(kind, [])
    return gaps
