"""What leaves an incident that is known by its names: a network that is an attack by itself.

Whoever tries a name that others were after before him joins them by it, until it is seen that he
goes on by himself: none of the others is at it when he is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import pairwise

from django.db.models import Max

from ..models import Incident, IncidentName, IncidentNetwork
from .growing import Growth
from .members import MOVES, Members
from .suspicion import strange_in_order
from .tries import MOST, Extent, Try, chunks


class Apart:
    """Of one network: the names that other attacks claim, and those that it may take along."""

    def __init__(self, members: Members, extent: Extent, number: int) -> None:
        self._members = members
        self._extent = extent
        self._number = number
        #: The incidents that it leaves, where it is an attack.
        self.left: list[Incident] = []

    def claimed(self, found: Sequence[Try]) -> set[int]:
        """Return those names of its tries that attacks which go on at once with it claim."""
        names = self._members.names({one.subject for one in found})
        by_pk = {pk: self._members.incidents[pk] for pk in sorted(set(names.values()))}
        on_names = {pk: [one for one in found if names.get(one.subject) == pk] for pk in by_pk}
        self.left = [one for pk, one in by_pk.items() if self._is_alone(one, on_names[pk])]
        left = {one.pk for one in self.left}
        return {subject for subject, pk in names.items() if pk not in left}

    def leave(self, found: Sequence[Try], growth: Growth) -> None:
        """Take tries out of the incidents that have counted them."""
        for incident in self.left:
            _take_out(incident, self._number, found, self._extent, growth)

    def _is_alone(self, incident: Incident, found: Sequence[Try]) -> bool:
        """Tell whether nobody else of an incident was at it while, and before, tries came."""
        run = _latest_run(found)
        sources = IncidentNetwork.objects.filter(incident=incident)
        if not sources.exclude(number=self._number).exists():
            return False  # there are no others
        row = sources.filter(number=self._number).first()
        if row is not None and row.entered:
            return False  # what was entered is told where it was found
        since, until = run[0].when - MOVES, run[-1].when + MOVES
        subjects = _subjects(incident)
        for rows in (self._extent.failures, self._extent.refusals):
            near = rows(subject__in=subjects, timestamp__gte=since, timestamp__lte=until)
            others = near.exclude(network=self._number).order_by()
            numbers = list(others.values_list("network", flat=True).distinct()[:MOST])
            for chunk in chunks(numbers):
                if IncidentNetwork.objects.filter(incident=incident, number__in=chunk).exists():
                    return False
        return True


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


def _take_out(
    incident: Incident, number: int, found: Sequence[Try], extent: Extent, growth: Growth
) -> None:
    row = IncidentNetwork.objects.filter(incident=incident, number=number).first()
    if row is None:
        return
    names = {one.subject: one for one in IncidentName.objects.filter(incident=incident)}
    room = {True: row.refused, False: row.evaluated}
    taken = []
    # The latest first: of its first ones, some may not have been counted.
    for one in reversed(found):
        if one.subject in names and room[one.is_refused] >= one.times:
            room[one.is_refused] -= one.times
            taken.append(one)
    if not taken:
        return
    for one in taken:
        _uncount(names[one.subject], one)
        _uncount(incident, one)
        incident.common -= bool(one.common)
        incident.repeated -= one.repeated
    row.refused, row.evaluated = room[True], room[False]
    if row.refused or row.evaluated:
        row.save(update_fields=["evaluated", "refused"])
    else:
        row.delete()
        incident.networks -= 1
    _keep_names(incident, [names[subject] for subject in {one.subject for one in taken}])
    incident.last_seen_at = _last_seen(incident, extent, taken)
    growth.judge(incident)


def _uncount(row: Incident | IncidentName, one: Try) -> None:
    if one.is_refused:
        row.refused = max(0, row.refused - one.times)
    else:
        row.evaluated = max(0, row.evaluated - 1)


def _keep_names(incident: Incident, rows: Collection[IncidentName]) -> None:
    """Save names that have lost tries, and forget those that have none."""
    for row in rows:
        if row.evaluated or row.refused or row.entered_at:
            row.save(update_fields=["evaluated", "refused"])
        else:
            row.delete()
            incident.names -= 1
            incident.names_existing -= row.exists


def _last_seen(incident: Incident, extent: Extent, taken: Sequence[Try]) -> datetime:
    """Return when the latest of what is left was tried; `taken`: what is not, the latest first."""
    first = taken[-1]
    gone = {"network": first.network, "timestamp__gte": first.when}
    last = incident.started_at
    numbers = IncidentNetwork.objects.filter(incident=incident).values_list("number", flat=True)
    where = {"subject__in": _subjects(incident), "timestamp__lte": incident.last_seen_at}
    for chunk in chunks(list(numbers)):
        for rows in (extent.failures, extent.refusals):
            found = rows(network__in=chunk, **where).exclude(**gone).order_by()
            last = max(last, found.aggregate(last=Max("timestamp"))["last"] or last)
    return last
