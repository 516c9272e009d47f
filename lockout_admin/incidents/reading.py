"""What is new in the records: read by index from where the last turn ended, in bounded batches.

Numbers that are missing between others are looked for again, see `gaps`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby, takewhile
from typing import Any, Final, NamedTuple

from ..models import FailedLogin, IncidentCursor, RefusedTries, SuccessfulLogin
from . import gaps, tries
from .tries import Login, Try

#: Rows of a kind that are read at once.
BATCH: Final = 5_000
#: A site that has never looked starts so long ago.
FIRST_LOOK: Final = timedelta(days=7)
#: Evidence of one slice is judged together: by what was known at its end.
_SLICE_SECS: Final = 300
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
    #: Tries that committed after others with higher numbers.
    late: list[Try] = field(default_factory=list)

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
    late = tries.failed(_late(cursor, "failure", now))
    late += tries.refused(_late(cursor, "refusal", now))
    entered = tries.logins(_late(cursor, "success", now))
    failed = tries.failed(_next(cursor, "failure"))
    _move(cursor, "failure", [one.id for one in failed], now)
    refused = tries.refused(_next(cursor, "refusal"))
    _move(cursor, "refusal", [one.id for one in refused], now)
    is_full = BATCH in (len(failed), len(refused))
    entered += _logins(cursor, failed[-1].when if len(failed) == BATCH else None, now)
    found = [one for one in (*late, *failed, *refused) if one.device is None]
    return Batch(found, entered, is_full or len(entered) >= BATCH, late)


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


def _next(cursor: IncidentCursor, kind: str) -> Any:
    rows = _MODELS[kind].objects.fresh().filter(pk__gt=getattr(cursor, kind))
    return rows.order_by("pk")[:BATCH]


def _late(cursor: IncidentCursor, kind: str, now: datetime) -> Any:
    """Return the rows that were missing and are there."""
    rows = _MODELS[kind].objects.fresh().filter(gaps.of(cursor, kind))
    found = list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])
    gaps.fill(cursor, kind, found, now)
    return _MODELS[kind].objects.fresh().filter(pk__in=found).order_by("pk")


def _move(cursor: IncidentCursor, kind: str, found: Sequence[int], now: datetime) -> None:
    gaps.note(cursor, kind, found, now)
    if found:
        setattr(cursor, kind, found[-1])


def _logins(cursor: IncidentCursor, until: datetime | None, now: datetime) -> list[Login]:
    """Return the logins that come next; not beyond the failures that are read with them."""
    pks = _next(cursor, "success").values_list("pk", "timestamp")
    found = [pk for pk, _when in takewhile(lambda row: until is None or row[1] <= until, pks)]
    _move(cursor, "success", found, now)
    return tries.logins(SuccessfulLogin.objects.fresh().filter(pk__in=found).order_by("pk"))
