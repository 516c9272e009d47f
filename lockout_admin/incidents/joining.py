"""Incidents that turn out to be one: the same names at the same time, with the same user agent.

Of a list that is tried from several networks at once, each has other names first, so that each is
found by itself. Once they have had most of the list, they have the same names.
"""

from __future__ import annotations

from typing import Final

from ..models import Incident, IncidentName
from . import verbs
from .detection import Detection
from .members import CAMPAIGN

#: Of the names of the smaller one, so many are in both.
_SHARE: Final = 0.8
#: Of fewer names, two may be after the same.
_LEAST: Final = max(10, CAMPAIGN)


def look(detection: Detection) -> None:
    """Join what has grown in this turn to what began before it."""
    known = detection.members.incidents
    for pk in sorted(detection.growth.grown, reverse=True):
        incident = known.get(pk)
        if incident is None or incident.is_closed or incident.agent is None:
            continue
        earlier = (one for one in known.values() if one.pk < pk and _are_one(one, incident))
        if (into := next(earlier, None)) is not None:
            del known[pk]
            verbs.merge(into, [incident], by="")
            detection.growth.judge(into)


def _are_one(one: Incident, other: Incident) -> bool:
    is_at_once = one.started_at <= other.last_seen_at and other.started_at <= one.last_seen_at
    least = min(one.names, other.names)
    if one.is_closed or one.agent != other.agent or not is_at_once or least < _LEAST:
        return False
    own = IncidentName.objects.filter(incident=one).values("subject")
    common = IncidentName.objects.filter(incident=other, subject__in=own).count()
    return bool(common >= _SHARE * least)
