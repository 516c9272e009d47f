"""Writes incidents: begins one, adds to it, says what happened. Each try is added once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, F, Max

from ..models import (
    Incident,
    IncidentEvent,
    IncidentName,
    IncidentNetwork,
    SuccessfulLogin,
)
from ..models.incidents import MOST_PARTS
from . import varieties
from .kinds import Facts, kind_of
from .parts import count, rows_of, seen, update
from .suspicion import Finding, exist
from .tries import Try, chunks
from .varieties import Notes

What = IncidentEvent.What

#: From so many networks on, each with its few tries, where it comes from says little.
_CROWD: Final = 20
#: Names that one hand is after at once, each from everywhere.
CAMPAIGN: Final = 3


@dataclass(slots=True)
class Told:
    """What has changed and is to be told after the commit."""

    incident: Incident
    what: str


class Growth:
    """What one turn has written."""

    def __init__(self, now: datetime, notes: Notes) -> None:
        self.now = now
        self.notes = notes
        self.told: list[Told] = []
        self.grown: set[int] = set()
        #: Networks that were not known before, by incident.
        self.new_networks: dict[int, set[int]] = defaultdict(set)

    def begin(self, finding: Finding) -> Incident:
        """Begin an incident with what was found."""
        first, last = finding.tries[0], finding.tries[-1]
        reason = finding.reason
        incident: Incident = Incident.objects.create(
            kind=Incident.Kind.BRUTE_FORCE,
            started_at=first.when,
            last_seen_at=last.when,
            found_at=self.now,
            sign=reason.sign,
            counted=reason.counted,
            least=reason.least,
            agent=finding.agent,
        )
        varieties.add(incident, self.notes.take_with_earlier(finding.tries))
        self.add(incident, finding.tries)
        self.tell(incident, What.FOUND)
        return incident

    def add(self, incident: Incident, found: Sequence[Try]) -> None:
        """Add tries to an incident."""
        found = _not_counted(incident, found)
        if not found:
            return
        self._resume(incident, found)
        self._add_names(incident, found)
        self._add_networks(incident, found)
        refused = sum(one.times for one in found if one.is_refused)
        compared = [one for one in found if not one.is_refused]
        incident.refused += refused
        incident.evaluated += len(compared)
        incident.common += sum(bool(one.common) for one in compared)
        incident.repeated += sum(one.repeated for one in compared)
        incident.started_at = min(incident.started_at, *(one.when for one in found))
        incident.last_seen_at = max(incident.last_seen_at, *(one.when for one in found))
        varieties.add(incident, self.notes.take(found))
        self.judge(incident)
        self.grown.add(incident.pk)

    def judge(self, incident: Incident) -> None:
        """Say of which kind an incident is by now, and save it."""
        tried = IncidentName.objects.filter(incident=incident)
        top = tried.order_by().aggregate(top=Max(F("evaluated") + F("refused")))["top"] or 0
        facts = Facts(
            *(incident.names, incident.names_existing, incident.networks),
            *(incident.evaluated, incident.refused, incident.common, incident.repeated),
            *(incident.entered, top, varieties.of(incident)),
        )
        incident.kind = kind_of(facts)
        incident.about = self._about(incident, facts)
        incident.save()

    def tell(self, incident: Incident, what: str, text: str = "", verdict: str = "") -> None:
        """Write a line of the time line, and send the signal after the commit."""
        IncidentEvent.objects.create(
            incident=incident, what=what, when=self.now, text=text, verdict=verdict
        )
        self.told.append(Told(incident, what))

    def _about(self, incident: Incident, facts: Facts) -> str:
        if facts.top >= 0.5 * max(1, facts.tries):
            tried = IncidentName.objects.filter(incident=incident)
            name = tried.order_by((F("evaluated") + F("refused")).desc(), "pk").first()
            return name.username if name else ""
        if incident.networks == 1:
            source = IncidentNetwork.objects.filter(incident=incident).first()
            return source.network if source else ""
        return ""

    def _resume(self, incident: Incident, found: Sequence[Try]) -> None:
        if incident.over_at is None or found[-1].when <= incident.last_seen_at:
            return
        incident.over_at = None
        if incident.verdict == Incident.Verdict.PEOPLE:
            return
        if incident.is_closed:
            incident.state = Incident.State.OPEN
            incident.closed_at = None
        self.tell(incident, What.RESUMED)

    # -- Names ------------------------------------------------------------------------------------

    def _add_names(self, incident: Incident, found: Sequence[Try]) -> None:
        known = rows_of(IncidentName, incident, "subject", {one.subject for one in found})
        names = exist([one for one in found if one.subject not in known])
        fresh: dict[int, IncidentName] = {}
        for one in found:
            row = known.get(one.subject) or fresh.get(one.subject)
            if row is None:
                row = fresh[one.subject] = IncidentName(
                    incident=incident,
                    subject=one.subject,
                    username=one.username,
                    exists=one.username in names,
                    first_seen_at=one.when,
                )
            count(row, one)
        room = max(0, MOST_PARTS - incident.names)
        new = list(fresh.values())
        IncidentName.objects.bulk_create(new[:room], batch_size=500)
        old = seen(incident, "subject", [row.subject for row in new[room:]], found[0].when)
        counted = [row for row in new if row.subject not in old]
        incident.names += len(counted)
        incident.names_existing += sum(row.exists for row in counted)
        update(known.values())

    # -- Networks ---------------------------------------------------------------------------------

    def _add_networks(self, incident: Incident, found: Sequence[Try]) -> None:
        cidrs = {one.network: one.cidr for one in found if one.network is not None}
        known = self.networks_of(incident, cidrs, found[0].when)
        for one in found:
            if row := known.get(one.network):
                count(row, one)
        update(known.values())

    def networks_of(
        self, incident: Incident, cidrs: dict[Any, str], before: datetime
    ) -> dict[Any, IncidentNetwork]:
        """Return the rows of networks; those that are new are made, and counted."""
        known = rows_of(IncidentNetwork, incident, "number", cidrs)
        new = [number for number in cidrs if number not in known]
        if not new:
            return known
        honest = _honest(new, max(before, incident.started_at))
        fresh = [
            IncidentNetwork(
                incident=incident,
                number=number,
                network=cidrs[number],
                honest=honest.get(number, 0),
            )
            for number in new
        ]
        room = max(0, MOST_PARTS - incident.networks)
        incident.networks += len(fresh) - len(seen(incident, "network", new[room:], before))
        self.new_networks[incident.pk] |= set(new)
        IncidentNetwork.objects.bulk_create(fresh[:room], batch_size=500)
        return known | rows_of(IncidentNetwork, incident, "number", new)


def is_crowd(incident: Incident) -> bool:
    """Tell whether an incident comes from so many networks that each says little."""
    return incident.networks >= _CROWD


def _honest(numbers: Iterable[int], before: datetime) -> dict[int, int]:
    """Return how many accounts came in from networks in the week before: up to their first try."""
    rows = SuccessfulLogin.objects.fresh().exclude(event=SuccessfulLogin.Event.LOGOUT)
    rows = rows.filter(timestamp__lt=before, timestamp__gt=before - timedelta(days=7))
    found: dict[int, int] = {}
    for chunk in chunks(numbers):
        counted = rows.filter(network__in=chunk).order_by().values_list("network")
        found.update(counted.annotate(people=Count("subject", distinct=True)))
    return found


def _not_counted(incident: Incident, found: Sequence[Try]) -> Sequence[Try]:
    """Leave out what may have been counted: of networks that are not kept, all but the newest."""
    if incident.networks < MOST_PARTS:
        return found
    kept = rows_of(IncidentNetwork, incident, "number", {one.network for one in found})
    return [one for one in found if one.network in kept or one.when > incident.last_seen_at]
