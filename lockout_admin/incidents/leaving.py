"""What leaves an incident that is known by its names: a network that is an attack by itself.

Whoever tries a name that others were after before him joins them by it, until it is seen that he
goes on by himself: none of the others is at it when he is, or none has his tool.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from ..models import Incident, IncidentName, IncidentNetwork
from . import varieties
from .growing import Growth
from .hands import MOVES
from .kinds import MANY_NETWORKS
from .members import Members
from .parts import has, is_empty, keep, rows_of, uncount
from .suspicion import strange_in_order
from .tries import MOST, Extent, Try, agent_of, chunks


class Apart:
    """Of one network: the tries that no other attack claims, and those that it may take along."""

    def __init__(self, members: Members, extent: Extent, number: int) -> None:
        self._members = members
        self._extent = extent
        self._number = number
        #: The incidents that it leaves, where it is an attack.
        self.left: list[Incident] = []

    def free(self, found: Sequence[Try]) -> list[Try]:
        """Return its tries without those on names of attacks which go on at once with it."""
        names = self._members.names(found)
        own: dict[int | None, list[Try]] = defaultdict(list)
        for one in found:
            own[names.get((one.subject, one.agent))].append(one)
        kept = own.pop(None, [])
        for pk in sorted(pk for pk in own if pk is not None):
            incident = self._members.incidents[pk]
            if self._is_alone(incident, own[pk]):
                self.left.append(incident)
                kept += own[pk]
        return strange_in_order(kept)

    def leave(self, found: Sequence[Try], growth: Growth) -> None:
        """Take tries out of the incidents that have counted them."""
        for incident in self.left:
            take_out(incident, found, self._extent, growth)

    def _is_alone(self, incident: Incident, found: Sequence[Try]) -> bool:
        """Tell whether nobody else of an incident was at it while, and before, tries came.

        Whoever has a tool of his own is alone among others, unless all of them have.
        """
        sources = IncidentNetwork.objects.filter(incident=incident)
        others = sources.exclude(number=self._number)
        if not others.exists():
            return False
        if sources.filter(number=self._number, entered__gt=0).exists():
            return False  # what was entered is told where it was found
        run = _latest_run(found)
        near: dict[str, Any] = {
            "timestamp__gte": run[0].when - MOVES,
            "timestamp__lte": run[-1].when + MOVES,
        }
        if not self._are_at_it(incident, near):
            return True
        tool = agent_of(run)
        if tool is None or self._members.loud(others) >= MANY_NETWORKS:
            return False
        return not self._are_at_it(incident, {**near, "user_agent": tool})

    def _are_at_it(self, incident: Incident, near: dict[str, Any]) -> bool:
        """Tell whether other networks of an incident were after its names."""
        subjects = _subjects(incident)
        for rows in (self._extent.failures, self._extent.refusals):
            others = rows(subject__in=subjects, **near).exclude(network=self._number).order_by()
            numbers = list(others.values_list("network", flat=True).distinct()[:MOST])
            for chunk in chunks(numbers):
                if IncidentNetwork.objects.filter(incident=incident, number__in=chunk).exists():
                    return True
        return False


def _latest_run(found: Sequence[Try]) -> Sequence[Try]:
    """Return the latest tries, back to a pause."""
    ordered = strange_in_order(found)
    breaks = [
        n for n, (one, later) in enumerate(pairwise(ordered), 1) if later.when - one.when > MOVES
    ]
    return ordered[breaks[-1] :] if breaks else ordered


def _subjects(incident: Incident) -> list[int]:
    rows = IncidentName.objects.filter(incident=incident)
    return list(rows.values_list("subject", flat=True))


def take_out(incident: Incident, found: Sequence[Try], extent: Extent, growth: Growth) -> list[Try]:
    """Take tries out of an incident, as far as it has counted them; return those."""
    names = {one.subject: one for one in IncidentName.objects.filter(incident=incident)}
    networks = rows_of(IncidentNetwork, incident, "number", {one.network for one in found})
    taken = []
    # The latest first: of its first ones, some may not have been counted.
    for one in reversed(found):
        name, source = names.get(one.subject), networks.get(one.network)
        if name is None or source is None or not has(source, one):
            continue
        for part in (name, source, incident):
            uncount(part, one)
        incident.common -= bool(one.common)
        incident.repeated -= one.repeated
        taken.append(one)
    if not taken:
        return []
    incident.networks -= keep(networks[number] for number in {one.network for one in taken})
    gone = [names[subject] for subject in {one.subject for one in taken}]
    incident.names_existing -= sum(row.exists for row in gone if is_empty(row))
    incident.names -= keep(gone)
    incident.last_seen_at = _last_seen(incident, extent, taken)
    varieties.take_out(incident, growth.notes.take_back(taken))
    growth.judge(incident)
    return taken[::-1]


def _last_seen(incident: Incident, extent: Extent, taken: Sequence[Try]) -> datetime:
    """Return when the latest of what is left was tried; `taken`: what is not."""
    gone = {(one.is_refused, one.id) for one in taken}
    last = incident.started_at
    numbers = IncidentNetwork.objects.filter(incident=incident).values_list("number", flat=True)
    where = {"subject__in": _subjects(incident), "timestamp__lte": incident.last_seen_at}
    for chunk in chunks(list(numbers)):
        for is_refused, rows in ((False, extent.failures), (True, extent.refusals)):
            found = rows(network__in=chunk, **where).order_by("-timestamp")
            left = found.values_list("pk", "timestamp")[: len(taken) + 1]
            times = (when for pk, when in left if (is_refused, pk) not in gone)
            last = max(last, next(times, last))
    return last
