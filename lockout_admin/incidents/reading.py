"""What is new in the records: read by index from where the last turn ended, in bounded batches.

Of parallel transactions, the one with the lower number may commit later. Numbers that are missing
between others are looked for again for a minute.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final, NamedTuple

from ..models import FailedLogin, IncidentCursor, RefusedTries, SuccessfulLogin
from . import tries
from .tries import Login, Try

#: Rows of a kind that are read at once.
BATCH: Final = 5_000
#: A site that has never looked starts so long ago.
FIRST_LOOK: Final = timedelta(days=7)
#: Evidence of one slice is judged together: by what was known at its end.
_SLICE_SECS: Final = 300
_MISSING_SECS: Final = 60
_MOST_MISSING: Final = 200
_MODELS: Final[dict[str, Any]] = {
    "failure": FailedLogin,
    "success": SuccessfulLogin,
    "refusal": RefusedTries,
}


@dataclass(slots=True)
class Batch:
    """Rows that were new."""

    tries: list[Try] = field(default_factory=list)
    logins: list[Login] = field(default_factory=list)
    #: Whether there may be more.
    is_full: bool = False

    def since(self, now: datetime) -> datetime:
        """Return when the first of it happened."""
        rows: list[Try | Login] = [*self.tries, *self.logins]
        return min((row.when for row in rows), default=now)

    def __len__(self) -> int:
        return len(self.tries) + len(self.logins)


class Slice(NamedTuple):
    """What happened within a few minutes."""

    end: datetime
    tries: list[Try]
    logins: list[Login]


def begin(cursor: IncidentCursor, since: datetime) -> None:
    """Put the cursor to a moment, to read from there."""
    for name, model in _MODELS.items():
        rows = model.objects.fresh()
        later = rows.filter(timestamp__gte=since).order_by("timestamp", "pk")
        first = later.values_list("pk", flat=True).first()
        last = rows.order_by("-pk").values_list("pk", flat=True).first()
        setattr(cursor, name, first - 1 if first else last or 0)
    cursor.crowd_failure, cursor.crowd_refusal = cursor.failure, cursor.refusal


def following(cursor: IncidentCursor, now: datetime) -> Batch:
    """Return what comes next, and move the cursor behind it."""
    found = _late(cursor, now)
    failed = tries.failed(_next(cursor, "failure"))
    if failed:
        _miss(cursor, [one.id for one in failed], now)
        cursor.failure = failed[-1].id
    refused = tries.refused(_next(cursor, "refusal"))
    if refused:
        cursor.refusal = refused[-1].id
    is_full = BATCH in (len(failed), len(refused))
    entered = _logins(cursor, failed[-1].when if len(failed) == BATCH else None)
    found += [*failed, *refused]
    kept = [one for one in found if one.device is None]
    return Batch(kept, entered, is_full or len(entered) == BATCH)


def slices(batch: Batch) -> Iterator[Slice]:
    """Yield a batch by what happened when, the oldest first."""
    rows: list[Try | Login] = [*batch.tries, *batch.logins]
    rows.sort(key=lambda row: row.when)
    for _number, group in groupby(rows, lambda row: int(row.when.timestamp() // _SLICE_SECS)):
        found = list(group)
        yield Slice(
            found[-1].when,
            [row for row in found if isinstance(row, Try)],
            [row for row in found if isinstance(row, Login)],
        )


def _next(cursor: IncidentCursor, name: str) -> Any:
    rows = _MODELS[name].objects.fresh().filter(pk__gt=getattr(cursor, name))
    return rows.order_by("pk")[:BATCH]


def _logins(cursor: IncidentCursor, until: datetime | None) -> list[Login]:
    """Return the logins that come next; not beyond the failures that are read with them."""
    found = []
    pks = _next(cursor, "success").values_list("pk", "timestamp")
    for pk, when in pks:
        if until is not None and when > until:
            break
        found.append(pk)
    if not found:
        return []
    rows = SuccessfulLogin.objects.fresh().filter(pk__gt=cursor.success, pk__lte=found[-1])
    cursor.success = found[-1]
    return tries.logins(rows.order_by("pk"))


def _miss(cursor: IncidentCursor, found: Iterable[int], now: datetime) -> None:
    seen = set(found)
    first = cursor.failure + 1 if cursor.failure else min(seen)
    if max(seen) - first + 1 - len(seen) > _MOST_MISSING:
        return  # retention has been there
    due = now.timestamp() + _MISSING_SECS
    for number in range(first, max(seen)):
        if number not in seen and len(cursor.missing) < _MOST_MISSING:
            cursor.missing[str(number)] = due


def _late(cursor: IncidentCursor, now: datetime) -> list[Try]:
    """Return rows that were missing and are there, and forget those that won't come."""
    if not cursor.missing:
        return []
    found = tries.failed(FailedLogin.objects.fresh().filter(pk__in=map(int, cursor.missing)))
    gone = {str(one.id) for one in found}
    cursor.missing = {
        number: due
        for number, due in cursor.missing.items()
        if number not in gone and due > now.timestamp()
    }
    return found
