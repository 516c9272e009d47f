"""A user agent that tells a crowd from honest people: theirs is another."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from ..models import Incident, SuccessfulLogin
from .growing import CAMPAIGN, is_crowd
from .people import WEEK

#: An agent that so many have come in with is no attacker's own.
_OWN: Final = 3


def is_known_by_agent(incident: Incident) -> bool:
    """Tell whether an incident is a crowd with a user agent that honest people have not."""
    if incident.agent is None or not is_crowd(incident) or incident.names < CAMPAIGN:
        return False
    return _is_its_own(incident)


def has_no_other(incident: Incident) -> bool:
    """Tell whether an incident's user agent, if it has one, is not that of honest people."""
    return incident.agent is None or _is_its_own(incident)


def _is_its_own(incident: Incident) -> bool:
    """Tell whether honest people have other user agents than an incident."""
    times = incident.started_at, incident.last_seen_at
    return is_rare(incident.agent, *times, incident.names)


def is_rare(agent: int | None, since: datetime, until: datetime, names: int) -> bool:
    """Tell whether nobody to speak of comes in with a user agent, but who may have guessed right.

    `names`: on how many it was tried. Of a hundred leaked passwords one or two are right.
    """
    if agent is None:
        return False
    rows = SuccessfulLogin.objects.fresh().filter(user_agent=agent)
    rows = rows.filter(timestamp__lte=until, timestamp__gt=since - WEEK)
    most = _OWN + names // 20
    return len(rows.values_list("pk")[: most + 1]) <= most
