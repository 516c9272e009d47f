"""The end of an incident: nothing of it has come for a while."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from ..models import Incident, IncidentEvent, RefusedTries
from .growing import Growth

#: Nobody is patient enough to call it over sooner, …
LEAST: Final = timedelta(minutes=30)
#: … nor to wait longer.
MOST: Final = timedelta(hours=6)
#: So many times its usual pause is a long one.
_PAUSES: Final = 4
_AT_ONCE: Final = 500
#: So long a refusal may be of an incident that begins later.
KEPT: Final = timedelta(days=2)


def silence_of(incident: Incident) -> timedelta:
    """Return after what silence an incident is over: slow ones pause."""
    lasted = incident.last_seen_at - incident.started_at
    pause = lasted / max(1, incident.evaluated + incident.refused)
    return min(MOST, max(LEAST, _PAUSES * pause))


def end_quiet(growth: Growth, now: datetime) -> int:
    """Say of incidents that they are over; return of how many."""
    rows = Incident.objects.going_on().fresh().filter(last_seen_at__lt=now - LEAST)
    quiet = [
        row
        for row in rows.order_by("last_seen_at")[:_AT_ONCE]
        if now - row.last_seen_at > silence_of(row)
    ]
    for incident in quiet:
        incident.over_at = incident.last_seen_at + silence_of(incident)
        incident.save(update_fields=["over_at"])
        growth.tell(incident, IncidentEvent.What.OVER)
    return len(quiet)


def forget_refusals(now: datetime) -> int:
    """Delete what was refused so long ago that nothing begins with it; return how much.

    Incidents have counted it, and locks keep how much they refused.
    """
    rows = RefusedTries.objects.fresh()
    old = rows.filter(timestamp__lt=now - KEPT).order_by("timestamp")
    pks = list(old.values_list("pk", flat=True)[: 10 * _AT_ONCE])
    if pks:
        rows.filter(pk__in=pks)._raw_delete(rows.db)
    return len(pks)
