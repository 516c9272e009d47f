"""The picture of an incident: what was compared, and what was refused, over its time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _

from ..evidence.composition import of_incident
from ..evidence.pictures import Picture, Row
from ..evidence.slices import count_slices
from ..incidents.endings import KEPT
from ..models import FailedLogin, Incident, RefusedTries

#: Slices of the picture, and records of each that are counted.
_SLICES: Final = 48
_CAP: Final = 2_000
#: Names, or networks, whose failures are drawn.
_DRAWN: Final = 200
#: So many are read one by one; more are counted by slice.
_READ: Final = 5_000

#: When each slice begins and ends.
Edges = Sequence[tuple[datetime, datetime]]


def picture_of(incident: Incident) -> Picture:
    """Return it; until now, where the incident goes on."""
    until = timezone.now() if not incident.is_over else incident.last_seen_at
    length = (until - incident.started_at) / _SLICES
    starts = [incident.started_at + length * number for number in range(_SLICES)]
    # The last slice has the last of all in it.
    ends = [*starts[1:], until + timedelta(microseconds=1)]
    edges = list(zip(starts, ends, strict=True))
    return Picture.of(starts, [_failures(incident, edges), _refused(incident, edges)])


def _failures(incident: Incident, edges: Edges) -> Row:
    said = _failures_said(incident)
    rows = of_incident(FailedLogin.objects.all(), incident, _DRAWN)
    newest = rows.order_by("-timestamp").values_list("timestamp", flat=True)
    moments = list(newest[: _READ + 1])
    if len(moments) <= _READ:
        return Row("failures", said, _by_slice(edges, ((moment, 1) for moment in moments)))
    return Row("failures", said, count_slices(rows, "timestamp", edges, _CAP), _CAP)


def _refused(incident: Incident, edges: Edges) -> Row:
    rows = of_incident(RefusedTries.objects.fresh(), incident, _DRAWN)
    newest = list(rows.order_by("-timestamp").values_list("timestamp", "times")[: _READ + 1])
    if len(newest) <= _READ:
        counts = _by_slice(edges, newest)
    else:
        counts = count_slices(rows, "timestamp", edges, _CAP, of="times")
    return Row("refused", _refused_said(incident, sum(counts)), counts)


def _by_slice(edges: Edges, events: Iterable[tuple[datetime, int]]) -> list[int]:
    starts = [start for start, _end in edges]
    counts = [0] * len(starts)
    for moment, times in events:
        counts[bisect_right(starts, moment) - 1] += times
    return counts


def _refused_said(incident: Incident, drawn: int) -> str:
    if drawn >= incident.refused:
        return _("refused")
    # Each is kept for some days, their number for ever.
    if incident.started_at < timezone.now() - KEPT:
        return _("refused, of the last %(days)d days") % {"days": KEPT.days}
    return _("refused, in part")


def _failures_said(incident: Incident) -> str:
    """Return what the failures are: those of all names and networks, or of some."""
    if min(incident.names, incident.networks or incident.names) <= _DRAWN:
        return _("failures")
    if not incident.networks or incident.names <= incident.networks:
        said = _("failures on the %(count)d names with the most")
    else:
        said = _("failures from the %(count)d networks with the most")
    return said % {"count": _DRAWN}
