"""Reads what is new in the records, and makes incidents of it: the story of a turn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from django.db import router, transaction
from django.utils import timezone

from ..models import Incident, IncidentCursor, IncidentEvent
from ..models.transactions import on_commit, tell
from ..signals import incident_changed
from . import crowds, entries, guesses, joining, reading, returning, same, seen, thresholds
from .detection import Detection
from .endings import end_quiet, forget_refusals
from .growing import Growth, Told
from .tries import Extent
from .varieties import Notes

#: Batches of a turn; who is further behind goes on with the next.
MOST_BATCHES: Final = 40


@dataclass(frozen=True, slots=True)
class Summary:
    """What one turn has done. All zero: nothing was new."""

    #: Tries, refusals and logins that were read.
    read: int = 0
    #: Incidents that were found, that have grown, and that are over since.
    found: int = 0
    grown: int = 0
    over: int = 0
    #: Accounts that were entered.
    entered: int = 0
    #: Whether everything is read that there was.
    is_caught_up: bool = True


def group(
    now: datetime | None = None, *, batches: int = MOST_BATCHES, since: datetime | None = None
) -> Summary:
    """Bring the incidents up to date with the records.

    May be called at any time and by several at once: each record counts once. `now`: the present
    moment; `since`: start over from there, where nothing has been read yet.
    """
    now = now or timezone.now()
    seen.hand_over()
    total = Summary()
    for _ in range(batches):
        summary, told = _turn(now, since)
        _tell(told)
        total = _sum(total, summary)
        if summary.is_caught_up:
            break
    return total


def _turn(now: datetime, since: datetime | None) -> tuple[Summary, list[Told]]:
    """Read one batch, in one transaction."""
    with transaction.atomic(using=router.db_for_write(IncidentCursor)):
        cursor = _cursor(now, since)
        thresholds.reckon(cursor, now)
        batch = reading.following(cursor, now)
        notes, hits = guesses.taken()
        growth = Growth(now, Notes(notes))
        limits = thresholds.Thresholds.of(cursor)
        detection = Detection(growth, limits, Extent(cursor), batch.since(now))
        for part in reading.slices(batch):
            detection.look_at(part)
        crowds.look(cursor, detection, now, batch.late)
        same.look(notes, hits, detection)
        joining.look(detection)
        returning.look(detection)
        over = 0 if batch.is_full else end_quiet(growth, now)
        forget_refusals(now)
        cursor.read_at = now
        cursor.save()
    return _summary(len(batch), growth, over, is_caught_up=not batch.is_full), growth.told


def _cursor(now: datetime, since: datetime | None) -> IncidentCursor:
    """Return the cursor, which nobody else has until the commit."""
    rows = IncidentCursor.objects.using(router.db_for_write(IncidentCursor))
    if not rows.hold():
        fresh = IncidentCursor(pk=1)
        reading.begin(fresh, since or now - reading.FIRST_LOOK)
        rows.bulk_create([fresh], ignore_conflicts=True)
        rows.hold()
    cursor: IncidentCursor = rows.get(pk=1)
    return cursor


def _summary(read: int, growth: Growth, over: int, *, is_caught_up: bool) -> Summary:
    found = sum(told.what == IncidentEvent.What.FOUND for told in growth.told)
    grown = len(growth.grown) - found
    return Summary(read, found, max(0, grown), over, entries.entered_by(growth), is_caught_up)


def _sum(one: Summary, other: Summary) -> Summary:
    return Summary(
        one.read + other.read,
        one.found + other.found,
        one.grown + other.grown,
        one.over + other.over,
        one.entered + other.entered,
        other.is_caught_up,
    )


def _tell(told: list[Told]) -> None:
    for one in told:
        facts = {"incident": one.incident, "what": str(one.what)}
        on_commit(Incident, partial(tell, incident_changed, Incident, **facts))
