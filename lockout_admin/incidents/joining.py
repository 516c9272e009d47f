"""Incidents that turn out to be one: the same names at the same time, or lists one after the other.

Of a list that is tried from several networks at once, each has other names first, so that each is
found by itself. Once they have had most of the list, they have the same names. Whoever has a new
network, and a new tool's name, for each part of a list is found as often; of so many within an hour
nobody believes that they have nothing to do with each other.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from ..models import Incident
from . import agents, hands
from .detection import Detection
from .growing import CAMPAIGN
from .hands import is_on_few
from .kinds import MANY_NETWORKS
from .suspicion import HOUR


def look(detection: Detection) -> None:
    """Join what has grown in this turn to what began before it."""
    _join_lists(detection)
    known = detection.members.incidents
    for pk in sorted(detection.growth.grown, reverse=True):
        incident = known.get(pk)
        if incident is None or incident.is_closed or incident.agent is None:
            continue
        earlier = (one for one in known.values() if one.pk < pk and hands.are_one(one, incident))
        if (into := next(earlier, None)) is not None:
            detection.merge(into, [incident])


def _join_lists(detection: Detection) -> None:
    """Join lists that came from a network each, within an hour.

    Of three with a tool that nobody else has, or of five with whatever tools.
    """
    since = detection.growth.now - HOUR
    lists = [one for one in detection.members.incidents.values() if _is_a_list(one, since)]
    if not detection.growth.grown & {one.pk for one in lists}:
        return
    by_kind: dict[bool, list[Incident]] = defaultdict(list)
    for one in lists:
        by_kind[one.names_existing > one.names / 2].append(one)
    for alike in by_kind.values():
        if len(alike) >= MANY_NETWORKS:
            _join_all(alike, detection)
            continue
        for agent in {one.agent for one in alike}:
            same = [one for one in alike if one.agent == agent]
            if len(same) >= CAMPAIGN and agents.has_no_other(same[0]) and agent is not None:
                _join_all(same, detection)


def _join_all(alike: list[Incident], detection: Detection) -> None:
    into, *others = alike
    if any(one.agent != into.agent for one in others):
        into.agent = None
    detection.merge(into, others)


def _is_a_list(incident: Incident, since: datetime) -> bool:
    return (
        incident.started_at > since
        and incident.networks == 1
        and incident.state == Incident.State.OPEN
        and not is_on_few(incident)
    )
