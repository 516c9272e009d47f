"""The records that an incident is made of: its failures, and what was refused of it."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import F, Q

from ..models import Incident, IncidentName, IncidentNetwork
from ..models.incidents import MOST_PARTS

#: Names, or networks, that a statement lists; of more, a subquery tells.
_LISTED: Final = 500
_TRIED: Final = ~Q(evaluated=0, refused=0)


def of_incident(rows: Any, incident: Incident, most: int = _LISTED) -> Any:
    """Return failures, or refusals, on an incident's names, from its networks, while it went on.

    A record does not name the incident that it belongs to. What people mistyped from these
    networks on these names is among them.
    """
    span = {"timestamp__range": (incident.started_at, incident.last_seen_at), "device": None}
    return rows.filter(_of(incident, most), **span)


def _of(incident: Incident, most: int) -> Q:
    names = IncidentName.objects.filter(_TRIED, incident=incident)
    networks = IncidentNetwork.objects.filter(_TRIED, incident=incident)
    if not incident.networks:
        return Q(subject__in=_busiest(names, "subject", most))
    if incident.names <= incident.networks:
        found = Q(subject__in=_busiest(names, "subject", most))
        # Of those that were not kept, nobody knows which they are.
        is_whole = incident.networks <= MOST_PARTS
        return found & Q(network__in=networks.values("number")) if is_whole else found
    found = Q(network__in=_busiest(networks, "number", most))
    is_whole = incident.names <= MOST_PARTS
    return found & Q(subject__in=names.values("subject")) if is_whole else found


def _busiest(parts: Any, column: str, most: int) -> list[int]:
    """Return what most of it is about, as a list: the database sees how rare each is."""
    ranked = parts.order_by((F("evaluated") + F("refused")).desc(), "pk")
    return list(ranked.values_list(column, flat=True)[:most])
