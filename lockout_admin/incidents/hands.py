"""Is it one hand? Whether an incident, and what was found or another incident, are one attack."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from django.db.models import Max, Min

from ..models import Incident, IncidentName, IncidentNetwork
from . import people
from .growing import CAMPAIGN, is_crowd
from .kinds import FEW, MANY_NETWORKS, Kind
from .suspicion import Finding, exist

#: Whoever takes another network does so without a break.
MOVES: Final = timedelta(minutes=10)
#: Of the names of two attacks, so many in common make them one.
_OVERLAP: Final = 0.3
#: Of the names of the smaller of two incidents, so many are in both.
_SHARE: Final = 0.8
#: Of fewer names, two may be after the same.
_LEAST: Final = max(10, CAMPAIGN)
#: Shares of names that somebody has, which are so far apart, are those of two lists.
_OTHER_NAMES: Final = 0.5
#: Names are looked up by so many.
_COMPARED: Final = 500
#: More names are a list, and not what tells an attack.
_KNOWN_BY: Final = 50
_ON_FEW: Final = (Kind.BRUTE_FORCE, Kind.DISTRIBUTED, Kind.DICTIONARY)


def is_by_name(incident: Incident) -> bool:
    """Tell whether its names tell an incident from others, wherever tries come from."""
    return (
        incident.kind in (Kind.DISTRIBUTED, Kind.KEEPING_OUT)
        or (incident.kind in _ON_FEW and incident.networks > 2)
    ) and incident.names <= _KNOWN_BY


def is_on_few(incident: Incident) -> bool:
    """Tell whether it is after a few names, and not after a list of them."""
    return incident.kind in _ON_FEW or incident.names <= FEW


def block_of(number: int) -> tuple[int, int]:
    """Return the first and the last network of the block of one, see `number_of`.

    A /24, or a /48 of IPv6.
    """
    bits = 8 if number >> 32 == 0xFFFF else 16
    first = number >> bits << bits
    return first, first + (1 << bits) - 1


def block_of_all(incident: Incident) -> tuple[int, int] | None:
    """Return the block that all networks of an incident are in; ``None``: in more than one."""
    sources = IncidentNetwork.objects.filter(incident=incident)
    ends = sources.aggregate(first=Min("number"), last=Max("number"))
    first, last = block_of(ends["first"]), block_of(ends["last"])
    return first if first == last else None


# -- An incident, and what was found --------------------------------------------------------------


def alike(incidents: Iterable[Incident], finding: Finding) -> Incident | None:
    """Return the latest incident that a finding is a part of."""
    for incident in reversed(list(incidents)):
        if _is_part(incident, finding):
            return incident
    return None


def _is_part(incident: Incident, finding: Finding) -> bool:
    subjects = {one.subject for one in finding.tries}
    if finding.is_crowd and is_crowd(incident) and incident.names >= CAMPAIGN:
        return incident.agent == finding.agent and _is_at_once(incident, finding)
    if is_on_few(incident) or len(subjects) <= FEW:
        return _has_moved(incident, finding, subjects)
    if _is_at_once(incident, finding) and _goes_through_lists(incident, finding):
        return True
    own = IncidentName.objects.filter(incident=incident, subject__in=_some(subjects))
    common = int(own.count())
    if _are_two_tools(incident, finding):
        # The list itself is the same, and not only some of its names.
        is_alike = is_crowd(incident) or not finding.is_crowd
        return is_alike and common >= _SHARE * min(_COMPARED, max(len(subjects), incident.names))
    return common >= max(3, _OVERLAP * min(len(subjects), _COMPARED, incident.names))


def _goes_through_lists(incident: Incident, finding: Finding) -> bool:
    """Tell whether a list is gone through by who goes through another one just now.

    From next door; or as the next of some networks, each of which would be an attack by itself:
    with the same tool, which nobody else has, or of many, each with a tool of its own.
    """
    if _is_next_door(incident, finding):
        return True
    if finding.is_crowd or not _is_of_such_names(incident, finding):
        return False
    if incident.agent is None:
        return _has_lists_of(incident, MANY_NETWORKS)
    if incident.agent != finding.agent or not _has_lists_of(incident, CAMPAIGN):
        return False
    last, names = finding.tries[-1].when, incident.names + len(finding.tries)
    return people.is_rare(finding.agent, incident.started_at, last, names)


def _is_next_door(incident: Incident, finding: Finding) -> bool:
    """Tell whether both come from one block of addresses: a /24, or a /48 of IPv6."""
    blocks = {block_of(number) for number in finding.networks}
    if len(blocks) != 1 or _are_two_tools(incident, finding):
        return False
    ((first, last),) = blocks
    sources = IncidentNetwork.objects.filter(incident=incident)
    return bool(sources.filter(number__gte=first, number__lte=last).exists())


def _has_moved(incident: Incident, finding: Finding, subjects: set[int]) -> bool:
    """Tell whether somebody has gone on with the same name from another network.

    With the same tool; or with many by now.
    """
    has_its_tool = finding.agent == incident.agent or (
        finding.agent is None and is_by_name(incident)
    )
    if not _is_at_once(incident, finding) or not has_its_tool:
        return False
    own = IncidentName.objects.filter(incident=incident, subject__in=_some(subjects))
    return is_on_few(incident) and len(subjects) <= FEW and bool(own.exists())


def _has_lists_of(incident: Incident, networks: int) -> bool:
    """Tell whether it goes through lists from so many networks, a list each."""
    per_network = (incident.evaluated + incident.refused) / max(1, incident.networks)
    return not is_on_few(incident) and incident.networks >= networks and per_network > FEW


def _is_of_such_names(incident: Incident, finding: Finding) -> bool:
    """Tell whether both are on accounts, or both on a list of which most are nobody's."""
    names = {one.subject for one in finding.tries}
    existing = len(exist(finding.tries)) / max(1, len(names))
    return abs(existing - incident.names_existing / max(1, incident.names)) < _OTHER_NAMES


def _are_two_tools(incident: Incident, finding: Finding) -> bool:
    return None not in (incident.agent, finding.agent) and incident.agent != finding.agent


def _is_at_once(incident: Incident, finding: Finding) -> bool:
    first = finding.tries[0].when
    return incident.started_at - MOVES <= first <= incident.last_seen_at + MOVES


def _some(subjects: set[int]) -> list[int]:
    return list(subjects)[:_COMPARED]


# -- Two incidents --------------------------------------------------------------------------------


def are_one(one: Incident, other: Incident) -> bool:
    """Tell whether two go through the same names with the same tool at the same time."""
    is_at_once = one.started_at <= other.last_seen_at and other.started_at <= one.last_seen_at
    least = min(one.names, other.names)
    if one.is_closed or one.agent != other.agent or not is_at_once or least < _LEAST:
        return False
    own = IncidentName.objects.filter(incident=one).values("subject")
    common = IncidentName.objects.filter(incident=other, subject__in=own).count()
    return bool(common >= _SHARE * least)
