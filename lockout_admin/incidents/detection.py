"""What a few minutes of evidence change: incidents grow, others are found, accounts are entered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime

from ..models import Incident
from . import entries, suspicion, taught, tries
from .agents import is_known_by_agent
from .growing import CAMPAIGN, Growth
from .leaving import Apart
from .members import Members, is_by_name
from .reading import Slice
from .suspicion import DAY, Finding
from .thresholds import Thresholds
from .tries import Extent, Try


class Detection:
    """One turn: what is known when it begins, and what is found."""

    def __init__(self, growth: Growth, limits: Thresholds, extent: Extent, since: datetime) -> None:
        self.growth = growth
        self.extent = extent
        self.limits = limits
        self._least = int(min(limits.names_per_network, limits.tries_per_network))
        self.members = Members(since, self._least)
        self.lessons = taught.Lessons.now()
        #: Networks from which names were tried that an incident is known by.
        self._joined: set[int | None] = set()
        #: What happened until then has been looked at once.
        self.end = since

    def look_at(self, part: Slice) -> None:
        """Take in what has happened within a few minutes."""
        found = self.lessons.not_taught(part.tries)
        self.members.as_of(part.end)
        self.end = part.end
        rest = self.grow(found)
        news = suspicion.news(rest, part.end)
        networks = {one.network for one in self._unclaimed(news)} | self._joined
        self._judge_networks(networks, part.end)
        self._judge_names(self._unclaimed(news), part.end)
        entries.mark(self.members, part.logins, self.growth)
        for pk in list(self.growth.new_networks):
            self._take_up(self.members.incidents[pk])

    def grow(self, found: Iterable[Try]) -> list[Try]:
        """Add tries to the incidents that they belong to; return the others."""
        own, rest = self.members.sort(list(found))
        self._joined = set()
        for pk, group in own.items():
            incident = self.members.incidents[pk]
            networks = {one.network for one in group}
            # Of several that come within minutes, nobody goes on by himself.
            if len(networks) == 1 and is_by_name(incident):
                self._joined |= networks
            self.add(incident, group)
        return rest

    def add(self, incident: Incident, found: Iterable[Try]) -> None:
        """Add tries to an incident, and whoever came in from where they come from."""
        self.growth.add(incident, suspicion.strange_in_order(found))
        self._look_back(incident)

    def start(self, finding: Finding) -> Incident:
        """Begin an incident, or have the one grow that a finding is a part of."""
        incident = self.members.alike(finding)
        if incident:
            self.add(incident, finding.tries)
            return incident
        incident = self.growth.begin(finding)
        self.members.join(incident)
        self._look_back(incident)
        return incident

    def _look_back(self, incident: Incident) -> None:
        numbers = self.growth.new_networks.pop(incident.pk, set())
        if numbers:
            entries.look_back(self.members, incident, numbers, self.growth)
            entries.look_back_by_agent(self.members, incident, self.growth)
            self._take_up(incident)

    def _take_up(self, incident: Incident) -> None:
        """Add what came from the networks of those who entered, known by their user agent."""
        numbers = self.growth.new_networks.pop(incident.pk, set())
        if not numbers or not is_known_by_agent(incident):
            return
        found: list[Try] = []
        times = {"timestamp__gte": incident.started_at, "timestamp__lte": self.end}
        for chunk in tries.chunks(numbers):
            where = {"network__in": chunk, "user_agent": incident.agent, **times}
            found += tries.failed(self.extent.failures(**where))
            found += tries.refused(self.extent.refusals(**where))
        names = self.members.names({one.subject for one in found})
        free = [one for one in self.lessons.not_taught(found) if one.subject not in names]
        own, _rest = self.members.sort(free)
        self.growth.add(incident, suspicion.strange_in_order(own.get(incident.pk, ())))

    def _unclaimed(self, found: Iterable[Try]) -> list[Try]:
        found = list(found)
        networks = self.members.holders(one.network for one in found)
        names = self.members.names({one.subject for one in found})
        return [one for one in found if one.network not in networks and one.subject not in names]

    def _judge_networks(self, networks: Collection[int | None], end: datetime) -> None:
        numbers = [number for number in networks if number is not None]
        for number in tries.busy("network", numbers, end - DAY, end, self._least):
            apart = Apart(self.members, self.extent, number)
            found = suspicion.of_network(self.extent, number, end, self.limits, apart.claimed)
            if found and (found := self._not_taught(found)):
                apart.leave(found.tries, self.growth)
                self.start(found)

    def _judge_names(self, rest: Iterable[Try], end: datetime) -> None:
        subjects = {one.subject for one in rest}
        least = int(self.limits.tries_per_name)
        found = []
        for subject in tries.busy("subject", subjects, end - DAY, end, least):
            one = suspicion.of_name(self.extent, subject, end, self.limits, self.members.holders)
            if one and (one := self._not_taught(one)):
                found.append(one)
        for finding in self._campaigns(found, end):
            self.start(finding)

    def _campaigns(self, found: list[Finding], end: datetime) -> list[Finding]:
        """Join what one hand does to several names at once, each from everywhere."""
        by_agent: dict[int | None, list[Finding]] = defaultdict(list)
        for finding in found:
            by_agent[finding.agent].append(finding)
        joined = []
        for agent, group in by_agent.items():
            if agent is None or len(group) < CAMPAIGN:
                joined += group
                continue
            rows = self.extent.newest(end - suspicion.HOUR, end, user_agent=agent)
            rest = self.lessons.not_taught(self._unclaimed(rows))
            homes = tries.Homes({one.subject for one in rest}, end)
            strange = suspicion.counting(rest, homes)
            kept = {(one.is_refused, one.id): one for one in strange}
            kept |= {(one.is_refused, one.id): one for part in group for one in part.tries}
            ordered = suspicion.strange_in_order(kept.values())
            joined.append(Finding(ordered, group[0].reason, is_crowd=True))
        return joined

    def _not_taught(self, finding: Finding) -> Finding | None:
        kept = self.lessons.not_taught(finding.tries)
        return Finding(kept, finding.reason) if kept else None
