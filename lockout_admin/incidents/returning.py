"""People who failed, and came in after all: of an attack few names do, of a bad day most of them.

Whoever guesses gets one name of some dozens, and a list of leaked pairs is right at once or not at
all. Where half of the names of accounts come in from where they failed, with what they failed with,
it was they themselves: passwords have expired, an app has stored a wrong one, a directory was down.

Whoever has accounts of his own can have these fail and come in beside an attack. So it is nothing
but people only where they say so of everybody: most names are somebody's, and whoever came in had
failed there first, and no more often than people do.
"""

from __future__ import annotations

from typing import Any, Final

from django.db.models import F

from ..models import Incident, IncidentEvent, IncidentName, IncidentNetwork
from . import entries
from .detection import Detection
from .entries import RETURNED
from .people import TOO_MANY

What, State, Verdict = IncidentEvent.What, Incident.State, Incident.Verdict

#: Of fewer names, somebody may have guessed them all.
LEAST: Final = 5
#: Of the names of accounts, so many are most.
_MOST: Final = 0.5


def look(detection: Detection) -> None:
    """Close what was people, and open again what is none of theirs after all."""
    told = {one.incident.pk for one in detection.growth.told if one.what == What.ENTERED}
    for pk in sorted(told | detection.growth.grown):
        if incident := detection.members.incidents.get(pk):
            _judge(incident, detection)


def _judge(incident: Incident, detection: Detection) -> None:
    returned = _returned(incident).count()
    is_of_accounts = incident.names_existing >= _MOST * incident.names
    are_most = returned >= max(LEAST, _MOST * incident.names_existing)
    are_people = is_of_accounts and are_most and not _are_others_in(incident)
    if are_people and incident.verdict == Verdict.NONE:
        _close(incident, returned, detection)
    elif not are_people and incident.verdict == Verdict.PEOPLE and not _said_by(incident):
        _open(incident, returned, detection)


def _close(incident: Incident, returned: int, detection: Detection) -> None:
    marked = _returned(incident).filter(entered_at__isnull=False)
    incident.entered -= marked.update(entered_at=None)
    incident.state, incident.verdict = State.CLOSED, Verdict.PEOPLE
    incident.closed_at = detection.growth.now
    detection.growth.judge(incident)
    share = f"{returned} / {incident.names_existing}"
    detection.growth.tell(incident, What.CLOSED, share, Verdict.PEOPLE)


def _open(incident: Incident, returned: int, detection: Detection) -> None:
    """Open it again, and mark all who came in: of so few that they may have been guessed."""
    incident.state, incident.verdict, incident.closed_at = State.OPEN, Verdict.NONE, None
    detection.growth.judge(incident)
    detection.growth.tell(incident, What.REOPENED, f"{returned} / {incident.names_existing}")
    numbers = IncidentNetwork.objects.filter(incident=incident).values_list("number", flat=True)
    entries.look_back(detection.members, incident, numbers, detection.growth)


def _returned(incident: Incident) -> Any:
    """Return the names that came in as people do: whoever tries too often is none of them."""
    names = IncidentName.objects.filter(incident=incident, how=RETURNED)
    return names.annotate(tries=F("evaluated") + F("refused")).filter(tries__lt=TOO_MANY)


def _are_others_in(incident: Incident) -> bool:
    people = _returned(incident).values("pk")
    entered = IncidentName.objects.filter(incident=incident, entered_at__isnull=False)
    return bool(entered.exclude(pk__in=people).exists())


def _said_by(incident: Incident) -> str:
    """Return who closed it last; empty: nobody did but the site."""
    closed = IncidentEvent.objects.filter(incident=incident, what=What.CLOSED)
    return str(closed.order_by("-when", "-pk").values_list("by", flat=True).first() or "")
