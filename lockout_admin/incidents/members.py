"""Which tries belong to an incident that is there already: by network, by name, by its guess."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from django.db.models import F

from ..models import Incident, IncidentName, IncidentNetwork
from ..models.lessons import TEACHING
from . import people
from .growing import is_crowd
from .hands import is_by_name
from .suspicion import DAY
from .tries import Homes, Login, Try, chunks

#: An attack that pauses for longer is another one.
RESUMES: Final = DAY
#: Asked for the tries of the day before a moment that have some properties.
OfADay = Callable[..., Sequence[Try]]
Tool = tuple[int, int | None]
Place = tuple[int | None, int | None]


class Members:
    """The incidents that may still grow, and what they hold."""

    def __init__(self, moment: datetime, least: int, of_a_day: OfADay) -> None:
        """`least`: tries from one network that may make it suspicious by itself."""
        self._least = least
        self._of_a_day = of_a_day
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

    def holders(self, found: Iterable[Try | Login]) -> dict[Place, int]:
        """Return the incidents that tries belong to by network, whatever name is tried from there.

        One that is known by its names holds a network once enough is from there to be suspicious:
        of less, the name alone tells. Of a crowd each network has little: it is told by its tool.
        """
        places = {(one.network, one.agent) for one in found}
        networks = self.networks(network for network, _agent in places)
        by_name = [pk for pk in set(networks.values()) if is_by_name(self.incidents[pk])]
        weak: set[tuple[int, int]] = set()
        if by_name:
            rows = IncidentNetwork.objects.filter(incident__in=by_name)
            rows = rows.filter(evaluated__lt=self._least - F("refused"))
            for chunk in chunks(set(networks)):
                own = rows.filter(number__in=chunk)
                weak.update(own.values_list("number", "incident"))
        return {
            (network, agent): pk
            for network, agent in places
            if (pk := networks.get(network or 0))
            and ((network, pk) not in weak or self._is_crowd_with(agent, pk))
        }

    def _is_crowd_with(self, agent: int | None, pk: int) -> bool:
        incident = self.incidents[pk]
        return agent is not None and incident.agent == agent and is_crowd(incident)

    def loud(self, sources: Any) -> int:
        """Return how many of an incident's networks would be suspicious by themselves."""
        return int(sources.filter(evaluated__gte=self._least - F("refused")).count())

    def names(self, found: Iterable[Try]) -> dict[Tool, int]:
        """Return the incidents that tries belong to by their names, by name and user agent.

        Who is after a name with a tool of his own is not who was after it with another one.
        """
        tools = {(one.subject, one.agent) for one in found}
        holders = self._by_name({subject for subject, _agent in tools})
        own = {tool: self._with(tool[1], holders.get(tool[0], ())) for tool in tools}
        return {tool: pk for tool, pk in own.items() if pk is not None}

    def on_names(self, subjects: Iterable[int]) -> dict[int, int]:
        """Return the latest incidents that are after names, whatever the tool."""
        return {subject: pks[-1] for subject, pks in self._by_name(subjects).items()}

    def _by_name(self, subjects: Iterable[int]) -> dict[int, list[int]]:
        own = [pk for pk, incident in self.incidents.items() if is_by_name(incident)]
        found: dict[int, list[int]] = defaultdict(list)
        for chunk in chunks(set(subjects)) if own else ():
            rows = IncidentName.objects.filter(incident__in=own, subject__in=chunk)
            for subject, pk in rows.order_by("incident").values_list("subject", "incident"):
                found[subject].append(pk)
        return found

    def _with(self, agent: int | None, pks: Sequence[int]) -> int | None:
        """Return the latest of incidents that has a user agent; else, that has many."""
        same = [pk for pk in pks if self.incidents[pk].agent == agent]
        many = [pk for pk in pks if self.incidents[pk].agent is None]
        return next(reversed([*many, *same]), None)

    def unclaimed(self, found: Iterable[Try]) -> list[Try]:
        """Return the tries that belong to none."""
        found = list(found)
        places, names = self.holders(found), self.names(found)
        return [
            one
            for one in found
            if (one.network, one.agent) not in places and (one.subject, one.agent) not in names
        ]

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
        places, names = self.holders(found), self.names(found)
        own: dict[int, list[Try]] = defaultdict(list)
        rest = []
        for one in found:
            pk = places.get((one.network, one.agent)) or names.get((one.subject, one.agent))
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
        kept += self._without_owners(incident, by_name, homes, end)
        return kept, list(set(found) - set(kept))

    def _without_owners(
        self, incident: Incident, found: Sequence[Try], homes: Homes, end: datetime
    ) -> list[Try]:
        """Leave out owners who come from new places; take in who was thought to be one before.

        A few at a time, what comes from everywhere with an owner's user agent looks like owners.
        """
        kept = people.without_owners(found, homes)
        owners = {(one.subject, one.agent) for one in found if homes.has_come_with(one)}
        if not owners:
            return kept
        subjects, agents = ({one[place] for one in owners} for place in (0, 1))
        alike = {
            one
            for one in self._of_a_day(end, subject__in=subjects, user_agent__in=agents)
            if (one.subject, one.agent) in owners
            and one.when >= incident.started_at
            and homes.is_strange(one)
        }
        taken = people.without_owners_of_a_day({*found, *alike}, homes, end) - set(kept)
        return kept + self._not_counted(incident, taken, set(found))

    def _not_counted(self, incident: Incident, found: set[Try], fresh: set[Try]) -> list[Try]:
        """Return tries that are `fresh`, or were left out so far and are of no other attack."""
        earlier = found - fresh
        numbers = {one.network for one in earlier} - {None}
        counted = self._of(IncidentNetwork, "number", numbers, [incident.pk])
        places = self.holders(earlier)
        missed = [
            one
            for one in earlier
            if one.network in numbers - set(counted) and (one.network, one.agent) not in places
        ]
        return [*(found & fresh), *missed]
