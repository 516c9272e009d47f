"""What a filtered list of visits comes to, by a bounded sample: names, networks, who got in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any, Final

from django.db.models import QuerySet

from ..engine import tallies
from ..models import AccountLock, SuccessfulLogin, UserAgent
from ..models.accounts import existing

#: Names that are compared with accounts, addresses that logins are looked for from, and locks.
MOST_NAMES: Final = 500
CAP: Final = 1_000
_TOP: Final = 3
#: A lock begins when its last failure has been written.
_SLACK: Final = timedelta(minutes=1)
FIELDS: Final = ("timestamp", "subject", "username", "ip_address", "user_agent_id")


@dataclass(frozen=True, slots=True)
class Summary:
    """What the newest rows of a list come to."""

    #: How many rows these are; fewer than there are: a sample.
    rows: int
    is_sample: bool
    names: int
    #: Of the names, those that an account has; of the first `MOST_NAMES`.
    existing: int
    networks: int
    first: datetime
    last: datetime
    #: The most frequent, each with its rows.
    top_networks: tuple[tuple[str, int], ...]
    top_agents: tuple[tuple[str, int], ...]
    #: Attempts that locks of these names refused in this time; ``None``: not for who looks.
    refused: int | None = None
    #: Logins from these addresses in this time; ``None``: not for who looks, or not asked.
    entered: int | None = None

    @classmethod
    def of(
        cls, rows: list[Any], *, is_sample: bool, with_refused: bool, with_entered: bool
    ) -> Summary | None:
        """Return the summary of rows of `FIELDS`, newest first; ``None`` of nothing."""
        if not rows:
            return None
        last, first = rows[0][0], rows[-1][0]
        names = Counter({subject: 0 for _when, subject, *_rest in rows})
        spelled = {subject: name for _when, subject, name, *_rest in rows}
        networks = Counter(_network(address) for *_rest, address, _agent in rows if address)
        agents = Counter(agent for *_rest, agent in rows if agent)
        addresses = {address for *_rest, address, _agent in rows if address}
        subjects = list(spelled)[:MOST_NAMES]
        return cls(
            rows=len(rows),
            is_sample=is_sample,
            names=len(names),
            existing=len(existing({spelled[subject] for subject in subjects})),
            networks=len(networks),
            first=first,
            last=last,
            top_networks=tuple(networks.most_common(_TOP)),
            top_agents=_told(agents.most_common(_TOP)),
            refused=_refused(subjects, first, last) if with_refused else None,
            entered=_entered(addresses, first, last) if with_entered else None,
        )


def _network(address: str) -> str:
    if ":" in address:
        return str(ip_network(f"{address}/64", strict=False))
    # All rows of a sample have one: a tenth of the time.
    return f"{address.rpartition('.')[0]}.0/24"


def _told(agents: Iterable[tuple[int, int]]) -> tuple[tuple[str, int], ...]:
    counts = dict(agents)
    texts = UserAgent.objects.in_bulk(list(counts)) if counts else {}
    return tuple((texts[pk].text, count) for pk, count in counts.items() if pk in texts)


def _refused(subjects: list[int], first: datetime, last: datetime) -> int:
    within = {"until__gte": first, "started_at__lte": last + _SLACK}
    locks: QuerySet[Any] = AccountLock.objects.filter(subject__in=subjects, **within)
    newest = locks.order_by("-until").only(*tallies.FIELDS)[:MOST_NAMES]
    return sum(tallies.counts(newest).values())


def _entered(addresses: set[str], first: datetime, last: datetime) -> int:
    logins: QuerySet[Any] = SuccessfulLogin.objects.filter(
        ip_address__in=sorted(addresses)[:MOST_NAMES], timestamp__range=(first, last)
    )
    return logins.exclude(event=SuccessfulLogin.Event.LOGOUT).order_by()[:CAP].count()
