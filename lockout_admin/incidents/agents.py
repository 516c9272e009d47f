"""A user agent that tells a crowd from honest people: theirs is another."""

from __future__ import annotations

from ..models import Incident
from .growing import CAMPAIGN, is_crowd
from .people import is_rare


def is_known_by_agent(incident: Incident) -> bool:
    """Tell whether an incident is a crowd with a user agent that honest people have not."""
    return may_be_known_by_agent(incident) and _is_its_own(incident)


def may_be_known_by_agent(incident: Incident) -> bool:
    """Tell whether an incident is a crowd with a user agent, whoever else has that."""
    return incident.agent is not None and is_crowd(incident) and incident.names >= CAMPAIGN


def has_no_other(incident: Incident) -> bool:
    """Tell whether an incident's user agent, if it has one, is not that of honest people."""
    return incident.agent is None or _is_its_own(incident)


def _is_its_own(incident: Incident) -> bool:
    """Tell whether honest people have other user agents than an incident."""
    times = incident.started_at, incident.last_seen_at
    return is_rare(incident.agent, *times, incident.names)
