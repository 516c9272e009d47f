"""What staff have taught: our own scanner, a broken client."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from ..models import Exemption
from ..models.fields import Network, parse_network
from ..models.querysets import UserAgentManager
from .tries import Try

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
