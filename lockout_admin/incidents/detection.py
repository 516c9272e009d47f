"""What a few minutes of evidence change: incidents grow, others are found, accounts are entered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from ..models import Incident, IncidentName
from . import entries, hands, leaving, people, suspicion, taught, tries, verbs
from .agents import is_known_by_agent, may_be_known_by_agent
from .growing import CAMPAIGN, Growth
from .hands import is_by_name
from .kinds import MANY_NETWORKS
from .members import Members
from .parts import missing
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
        self.members = Members(since, self._least, self._of_a_day)
        self.lessons = taught.Lessons.now()
        #: Networks from which names were tried that an incident is known by.
        self._joined: set[int | None] = set()
        #: Known by their names, and looked back at by them.
        self._by_name = {pk for pk, one in self.members.incidents.items() if is_by_name(one)}
        #: Known by their user agents, and looked back at by them.
        self._by_tool = {
            pk for pk, one in self.members.incidents.items() if may_be_known_by_agent(one)
        }
        #: What happened until then has been looked at once.
        self.end = since

    def look_at(self, part: Slice) -> None:
        """Take in what has happened within a few minutes."""
        found = self.lessons.not_taught(part.tries)
        self.members.as_of(part.end)
        self.end = part.end
        rest = self.grow(found)
        news = suspicion.news(rest, part.end)
        networks = {one.network for one in self.members.unclaimed(news)} | self._joined
        self._judge_networks(networks, part.end)
        self._judge_names(self.members.unclaimed(news), part.end)
        entries.mark(self.members, part.logins, self.growth)
        # One that has become a part of another by now has nothing to take up.
        for pk in sorted(self.members.incidents.keys() & self.growth.new_networks.keys()):
            self._take_up(self.members.incidents[pk])

    def grow(self, found: Iterable[Try]) -> list[Try]:
        """Add tries to the incidents that they belong to; return the others."""
        own, rest = self.members.sort(list(found))
        self._joined = set()
        for pk, group in own.items():
            incident = self.members.incidents[pk]
            if is_by_name(incident):
                self._joined |= _with_own_tools(group)
            self.add(incident, group)
        return rest

    def _of_a_day(self, end: datetime, **where: Any) -> list[Try]:
        return self.lessons.not_taught(self.extent.newest(end - DAY, end, **where))

    def add(self, incident: Incident, found: Iterable[Try]) -> None:
        """Add tries to an incident, and whoever came in from where they come from."""
        self.growth.add(incident, suspicion.strange_in_order(found))
        self._look_back(incident)

    def start(self, finding: Finding) -> Incident:
        """Begin an incident, or have the one grow that a finding is a part of."""
        incident = hands.alike(self.members.incidents.values(), finding)
        if incident:
            if is_by_name(incident) and finding.agent is None:
                incident.agent = None
            self.add(incident, finding.tries)
            return incident
        incident = self.growth.begin(finding)
        self.members.join(incident)
        self._look_back(incident)
        return incident

    def merge(self, into: Incident, others: Sequence[Incident]) -> None:
        """Make incidents a part of one: it was one hand."""
        if not others:
            return
        for one in others:
            self.members.leave(one)
        verbs.take_over(into, others)
        self.growth.judge(into)

    def _look_back(self, incident: Incident) -> None:
        numbers = self.growth.new_networks.pop(incident.pk, set())
        if numbers:
            entries.look_back(self.members, incident, numbers, self.growth)
            entries.look_back_by_agent(self.members, incident, self.growth)
            self._take_up(incident)
        if is_by_name(incident) and incident.pk not in self._by_name:
            self._by_name.add(incident.pk)
            self._look_back_on_names(incident)
        if may_be_known_by_agent(incident) and incident.pk not in self._by_tool:
            self._by_tool.add(incident.pk)
            if is_known_by_agent(incident):
                self._look_back_by_tool(incident)

    def _look_back_on_names(self, incident: Incident) -> None:
        """Add what was tried on its names from elsewhere, before the names were what tells."""
        rows = IncidentName.objects.filter(incident=incident)
        where = {"subject__in": list(rows.values_list("subject", flat=True))}
        found = self.extent.newest(incident.started_at, self.end, **where)
        networks = self.members.networks(one.network for one in found)
        found = [one for one in found if one.network not in networks]
        own, _rest = self.members.sort(self.lessons.not_taught(found))
        self.growth.add(incident, own.get(incident.pk, ()))

    def _look_back_by_tool(self, incident: Incident) -> None:
        """Add what came with its tool, before that was what tells."""
        span = min(self.end - incident.started_at + suspicion.HOUR, DAY)
        found = self._with_tool(incident.agent, self.end - span, self.end, incident)
        self.growth.add(incident, suspicion.strange_in_order(found))

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
        own, _rest = self.members.sort(self._unnamed(self.lessons.not_taught(found)))
        self.growth.add(incident, suspicion.strange_in_order(own.get(incident.pk, ())))

    def _unnamed(self, found: Sequence[Try]) -> list[Try]:
        names = self.members.names(found)
        return [one for one in found if (one.subject, one.agent) not in names]

    def _judge_networks(self, networks: Collection[int | None], end: datetime) -> None:
        numbers = [number for number in networks if number is not None]
        for number in tries.busy("network", numbers, end - DAY, end, self._least):
            apart = leaving.Apart(self.members, self.extent, number)
            found = suspicion.of_network(self.extent, number, end, self.limits, apart.free)
            if found and (found := self._not_taught(found)):
                apart.leave(found.tries, self.growth)
                self.start(found)

    def _judge_names(self, rest: Iterable[Try], end: datetime) -> None:
        subjects = {one.subject for one in rest}
        least = int(self.limits.tries_per_name)
        by_agent: dict[int | None, list[Finding]] = defaultdict(list)
        free = self.members.unclaimed
        for subject in tries.busy("subject", subjects, end - DAY, end, least):
            one = suspicion.of_name(self.extent, subject, end, self.limits, free)
            if one and (one := self._not_taught(one)):
                by_agent[one.agent].append(one)
        # What has many tools first: who has one takes his own out of it.
        for agent in sorted(by_agent, key=lambda agent: agent is not None):
            self._start_on_names(by_agent[agent], end)

    def _start_on_names(self, group: Sequence[Finding], end: datetime) -> None:
        """Begin what is found on names, each from everywhere: one hand's, if it is on several.

        On three with a tool that nobody else has, or on five within an hour with whatever tools.
        """
        agent, first = group[0].agent, min(one.tries[0].when for one in group)
        has_tool = people.is_rare(agent, first, end, len(group))
        known = self._on_names(agent, end - suspicion.HOUR, has_tool=has_tool)
        names = len(group) + sum(one.names for one in known)
        if names < (CAMPAIGN if has_tool else MANY_NETWORKS):
            for one in group:
                self.start(one)
            return
        found = {(one.is_refused, one.id): one for part in group for one in part.tries}
        if has_tool:
            into = known[0] if known else None
            more = self._with_tool(agent, end - suspicion.HOUR, end, into)
            found |= {(one.is_refused, one.id): one for one in more}
        ordered = suspicion.strange_in_order(found.values())
        if known:
            self.add(known[0], ordered)
            self.merge(known[0], known[1:])
        else:
            self.start(Finding(ordered, group[0].reason, is_crowd=True))

    def _on_names(self, agent: int | None, since: datetime, *, has_tool: bool) -> list[Incident]:
        """Return the incidents that are known by names, of one user agent, or of many."""
        return [
            one
            for one in self.members.incidents.values()
            if is_by_name(one)
            and one.agent == agent
            and not one.is_closed
            and (one.last_seen_at if has_tool else one.started_at) > since
        ]

    def _with_tool(
        self, agent: int | None, since: datetime, end: datetime, into: Incident | None
    ) -> list[Try]:
        """Return what else came with a tool; it leaves what is known by its names alone."""
        rows = self.lessons.not_taught(self.extent.newest(since, end, user_agent=agent))
        places, names = self.members.holders(rows), self.members.names(rows)
        known = self.members.incidents
        mixed = {pk for pk, one in known.items() if one.agent is None and is_by_name(one)}
        own = {None, into.pk if into else None}
        free = [
            one
            for one in rows
            if (place := places.get((one.network, one.agent))) in own
            and (place is not None or names.get((one.subject, one.agent)) in own | mixed)
        ]
        found = suspicion.counting(free, tries.Homes({one.subject for one in free}, end))
        found = missing(into, found) if into else found
        for pk in mixed - own:
            leaving.take_out(known[pk], found, self.extent, self.growth)
        return found

    def _not_taught(self, finding: Finding) -> Finding | None:
        kept = self.lessons.not_taught(finding.tries)
        return Finding(kept, finding.reason) if kept else None


def _with_own_tools(found: Sequence[Try]) -> set[int | None]:
    """Return the networks with user agents that no other has: somebody may go on by himself."""
    tools: dict[int | None, set[int | None]] = defaultdict(set)
    networks: dict[int | None, set[int | None]] = defaultdict(set)
    for one in found:
        tools[one.network].add(one.agent)
        networks[one.agent].add(one.network)
    return {
        network
        for network, own in tools.items()
        if len(tools) == 1 or all(len(networks[agent]) == 1 for agent in own)
    }
