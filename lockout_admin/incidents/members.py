"""Which tries belong to an incident that is there already: by network, by name, by its guess."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db.models import F, Max, Min

from ..models import Incident, IncidentName, IncidentNetwork
from ..models.lessons import TEACHING
from . import people
from .growing import CAMPAIGN, is_crowd
from .kinds import FEW, MANY_NETWORKS, Kind
from .suspicion import DAY, Finding, exist
from .tries import Homes, Try, chunks

#: An attack that pauses for longer is another one.
RESUMES: Final = DAY
#: Whoever takes another network does so without a break.
MOVES: Final = timedelta(minutes=10)
#: Of the names of two attacks, so many in common make them one.
_OVERLAP: Final = 0.3
#: Shares of names that somebody has, which are so far apart, are those of two lists.
_OTHER_NAMES: Final = 0.5
_ON_FEW: Final = (Kind.BRUTE_FORCE, Kind.DISTRIBUTED, Kind.DICTIONARY)


class Members:
    """The incidents that may still grow, and what they hold."""

    def __init__(self, moment: datetime, least: int) -> None:
        """`least`: tries from one network that may make it suspicious by itself."""
        self._least = least
        rows = Incident.objects.unmerged().fresh().filter(last_seen_at__gt=moment - RESUMES)
        # What else comes from where a scanner is, is something else.
        rows = rows.exclude(verdict__in=TEACHING)
        self._all: dict[int, Incident] = {row.pk: row for row in rows.order_by("pk")}
        self.incidents: dict[int, Incident] = {}
        self.as_of(moment)

    def as_of(self, moment: datetime) -> None:
        """Have those that may grow at a moment."""
        self.incidents = {
            pk: one for pk, one in self._all.items() if one.last_seen_at > moment - RESUMES
        }

    def join(self, incident: Incident) -> None:
        """Take in one that has begun."""
        self._all[incident.pk] = self.incidents[incident.pk] = incident

    def leave(self, incident: Incident) -> None:
        """Take out one that is a part of another by now."""
        del self._all[incident.pk], self.incidents[incident.pk]

    def networks(self, numbers: Iterable[int | None]) -> dict[int, int]:
        """Return the incidents that networks belong to."""
        return self._of(IncidentNetwork, "number", set(numbers) - {None}, self.incidents)

    def holders(self, numbers: Iterable[int | None]) -> dict[int, int]:
        """Return the incidents that hold networks, whatever name is tried from there.

        One that is known by its names holds a network once enough is from there to be suspicious:
        of less, the name alone tells. Of a crowd each network has little.
        """
        found = self.networks(numbers)
        by_name = [
            pk
            for pk in set(found.values())
            if is_by_name(self.incidents[pk]) and not is_crowd(self.incidents[pk])
        ]
        if not by_name:
            return found
        rows = IncidentNetwork.objects.filter(incident__in=by_name)
        rows = rows.filter(evaluated__lt=self._least - F("refused"))
        weak = set(rows.values_list("number", "incident"))
        return {number: pk for number, pk in found.items() if (number, pk) not in weak}

    def names(self, subjects: Iterable[int]) -> dict[int, int]:
        """Return the incidents that names belong to, where the names are what tells."""
        by_name = [pk for pk, incident in self.incidents.items() if is_by_name(incident)]
        return self._of(IncidentName, "subject", subjects, by_name)

    def _of(
        self, model: type, column: str, values: Iterable[int | None], own: Iterable[int]
    ) -> dict[int, int]:
        own = list(own)
        if not own:
            return {}
        found: dict[int, int] = {}
        rows = model._default_manager.filter(incident__in=own).order_by("incident")  # type: ignore[attr-defined]
        for chunk in chunks(values):
            pairs = rows.filter(**{f"{column}__in": chunk}).values_list(column, "incident")
            found |= dict(pairs)
        return found

    def sort(self, found: Sequence[Try]) -> tuple[dict[int, list[Try]], list[Try]]:
        """Return tries by the incident that they belong to, and the rest."""
        if not self.incidents:
            return {}, list(found)
        networks = self.holders(one.network for one in found)
        names = self.names({one.subject for one in found})
        own: dict[int, list[Try]] = defaultdict(list)
        rest = []
        for one in found:
            pk = networks.get(one.network or 0) or names.get(one.subject)
            if pk is None:
                rest.append(one)
            else:
                own[pk].append(one)
        for pk in list(own):
            own[pk], honest = self._strange(self.incidents[pk], own[pk])
            rest += honest
        return own, rest

    def _strange(self, incident: Incident, found: Sequence[Try]) -> tuple[list[Try], list[Try]]:
        """Tell the attack's tries from those of owners, and of people who share its networks.

        Where the attack has come from before, no owner is who comes from a new place.
        """
        numbers = {one.network for one in found} - {None}
        networks = self._of(IncidentNetwork, "number", numbers, [incident.pk])
        homes = Homes({one.subject for one in found}, incident.started_at)
        strange = [one for one in found if homes.is_strange(one)]
        from_there = [one for one in strange if one.network in networks]
        by_name = [one for one in strange if one.network not in networks]
        end = max(one.when for one in found)
        kept = people.without_neighbours(from_there, incident.agent, end)
        kept += people.without_owners(by_name, homes)
        return kept, list(set(found) - set(kept))

    # -- The same attack from elsewhere -----------------------------------------------------------

    def alike(self, finding: Finding) -> Incident | None:
        """Return the incident that a finding is a part of."""
        for incident in reversed(self.incidents.values()):
            if self._is_part(incident, finding):
                return incident
        return None

    def _is_part(self, incident: Incident, finding: Finding) -> bool:
        subjects = {one.subject for one in finding.tries}
        if finding.is_crowd and is_crowd(incident) and incident.names >= CAMPAIGN:
            return incident.agent == finding.agent and _is_at_once(incident, finding)
        if is_on_few(incident) or len(subjects) <= FEW:
            return self._has_moved(incident, finding, subjects)
        if _is_at_once(incident, finding) and self._is_the_same_hand(incident, finding):
            return True
        if finding.is_crowd and not is_crowd(incident) and _are_two_tools(incident, finding):
            return False
        common = IncidentName.objects.filter(incident=incident, subject__in=list(subjects)[:500])
        least = min(len(subjects), 500, incident.names)
        return int(common.count()) >= max(3, _OVERLAP * least)

    def _is_the_same_hand(self, incident: Incident, finding: Finding) -> bool:
        """Tell whether a list is gone through by who goes through another one just now.

        From next door; or as the next of some networks, each of which would be an attack by itself:
        with the same tool, which nobody else has, or of many, each with a tool of its own.
        """
        if self._is_next_door(incident, finding):
            return True
        if finding.is_crowd or not _is_of_such_names(incident, finding):
            return False
        if incident.agent is None:
            return _has_lists_of(incident, MANY_NETWORKS)
        if incident.agent != finding.agent or not _has_lists_of(incident, CAMPAIGN):
            return False
        last, names = finding.tries[-1].when, incident.names + len(finding.tries)
        return people.is_rare(finding.agent, incident.started_at, last, names)

    def _is_next_door(self, incident: Incident, finding: Finding) -> bool:
        """Tell whether both come from one block of addresses: a /24, or a /48 of IPv6."""
        blocks = {block_of(number) for number in finding.networks}
        if len(blocks) != 1 or _are_two_tools(incident, finding):
            return False
        ((first, last),) = blocks
        sources = IncidentNetwork.objects.filter(incident=incident)
        return bool(sources.filter(number__gte=first, number__lte=last).exists())

    def block_of(self, incident: Incident) -> tuple[int, int] | None:
        """Return the block that all networks of an incident are in; ``None``: in more than one."""
        sources = IncidentNetwork.objects.filter(incident=incident)
        ends = sources.aggregate(first=Min("number"), last=Max("number"))
        first, last = block_of(ends["first"]), block_of(ends["last"])
        return first if first == last else None

    def _has_moved(self, incident: Incident, finding: Finding, subjects: set[int]) -> bool:
        """Tell whether somebody has gone on with the same name from another network."""
        if not _is_at_once(incident, finding) or incident.agent != finding.agent:
            return False
        own = IncidentName.objects.filter(incident=incident, subject__in=list(subjects)[:500])
        return is_on_few(incident) and len(subjects) <= FEW and bool(own.exists())


def block_of(number: int) -> tuple[int, int]:
    """Return the first and the last network of the block of one, see `number_of`.

    A /24, or a /48 of IPv6.
    """
    bits = 8 if number >> 32 == 0xFFFF else 16
    first = number >> bits << bits
    return first, first + (1 << bits) - 1


def is_by_name(incident: Incident) -> bool:
    """Tell whether its names tell an incident from others, wherever tries come from."""
    return (
        incident.kind in (Kind.DISTRIBUTED, Kind.KEEPING_OUT)
        or (incident.kind in _ON_FEW and incident.networks > 2)
    ) and incident.names <= 50


def is_on_few(incident: Incident) -> bool:
    """Tell whether it is after a few names, and not after a list of them."""
    return incident.kind in _ON_FEW or incident.names <= FEW


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
