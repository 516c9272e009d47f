"""What staff have taught: our own scanner, a broken client."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from django.db.models import Count, Exists, OuterRef

from ..models import (
    Exemption,
    FailedLogin,
    Incident,
    IncidentName,
    IncidentNetwork,
    RefusedTries,
    UserAgent,
)
from ..models.fields import Network, parse_network
from ..models.querysets import UserAgentManager
from .tries import Try

#: Networks that a verdict teaches of.
MOST_TAUGHT: Final = 20
#: Lessons that are in force at once; the oldest of more are forgotten.
MOST: Final = 1_000


@dataclass(frozen=True, slots=True)
class Lesson:
    """A network and user agent that raise no incident; ``None``: any."""

    network: Network | None
    agents: tuple[int, ...] | None

    def holds_for(self, one: Try) -> bool:
        """Tell whether a try is of what was taught."""
        if self.agents is not None and one.agent not in self.agents:
            return False
        return self.network is None or (
            one.address is not None and ip_address(one.address) in self.network
        )


def teach(incident: Incident, verdict: str, by: str) -> None:
    """Have what an incident came from, and with, raise none again: each network with its agents."""
    networks = list(
        IncidentNetwork.objects.filter(incident=incident).order_by("number")[: MOST_TAUGHT + 1]
    )
    if len(networks) > MOST_TAUGHT:
        raise ValueError("It comes from too many networks to be a scanner or a client of ours.")
    if not networks:
        raise ValueError("Nobody knows where it comes from.")
    texts = dict(UserAgent.objects.values_list("pk", "text").filter(pk=incident.agent))
    known = {row: _agents_of(incident, row) or list(texts.values()) or [""] for row in networks}
    Exemption.objects.bulk_create(
        Exemption(network=row.network, user_agent=text, verdict=verdict, incident=incident, by=by)
        for row, agents in known.items()
        for text in agents
    )


def _agents_of(incident: Incident, source: IncidentNetwork) -> list[str]:
    """Return the user agents of an incident's tries from a network; none of those that are few.

    Not any agent: others live there as well.
    """
    times: Counter[str] = Counter()
    tried = IncidentName.objects.filter(incident=incident, subject=OuterRef("subject"))
    span = (incident.started_at, incident.last_seen_at)
    for model in (FailedLogin, RefusedTries):
        rows = model.objects.fresh().filter(network=source.number, timestamp__range=span)
        rows = rows.filter(Exists(tried), user_agent__isnull=False).order_by()
        for text, count in rows.values_list("user_agent__text").annotate(Count("pk")):
            times[text or ""] += count
    return [text for text, count in times.items() if text and 10 * count >= times.total()]


class Lessons:
    """All that are in force."""

    def __init__(self, lessons: Iterable[Lesson]) -> None:
        self.lessons = list(lessons)

    @classmethod
    def now(cls) -> Lessons:
        """Return those in force."""
        rows = Exemption.objects.filter(ended_at=None).order_by("-created_at")[:MOST]
        return cls(_lesson(row) for row in rows if row.network or row.user_agent)

    def not_taught(self, found: Iterable[Try]) -> list[Try]:
        """Return the tries that may be of an attack."""
        return [one for one in found if not any(own.holds_for(one) for own in self.lessons)]


def _lesson(row: Exemption) -> Lesson:
    network = parse_network(row.network) if row.network else None
    agents = UserAgentManager.keys_of(row.user_agent) if row.user_agent else None
    return Lesson(network, agents)
