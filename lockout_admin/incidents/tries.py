"""One try as incidents see it: a wrong password that was compared, or some that were refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final, NamedTuple

from django.db.models import Count, Min

from ..identity.network import network_of
from ..models import FailedLogin, IncidentCursor, RefusedTries, SuccessfulLogin
from . import gaps

#: Values of one statement.
_CHUNK: Final = 500
#: Of one network, or one name, so many of the newest tries are looked at.
MOST: Final = 2_000
_COLUMNS: Final = (
    *("id", "timestamp", "subject", "username", "network", "ip_address"),
    *("user_agent_id", "device"),
)


class Try(NamedTuple):
    """One wrong password, or some refusals of one name from one network."""

    id: int
    when: datetime
    subject: int
    username: str
    network: int | None
    address: str | None
    agent: int | None
    device: int | None
    repeated: bool
    common: bool | None
    times: int
    is_refused: bool

    @property
    def cidr(self) -> str:
        """The network as text."""
        return network_of(self.address) or ""


class Login(NamedTuple):
    """One right password."""

    id: int
    when: datetime
    subject: int
    username: str
    network: int | None
    address: str | None
    agent: int | None
    device: int | None
    account: str

    @property
    def cidr(self) -> str:
        """The network as text."""
        return network_of(self.address) or ""


def failed(rows: Any) -> list[Try]:
    """Return the tries that a queryset of failures has."""
    found = rows.values_list(*_COLUMNS, "repeated", "common")
    return [Try._make([*row, 1, False]) for row in found]


def refused(rows: Any) -> list[Try]:
    """Return the tries that a queryset of refusals has."""
    found = rows.values_list(*_COLUMNS, "times")
    return [Try._make([*row[:-1], False, None, row[-1], True]) for row in found]


def logins(rows: Any) -> list[Login]:
    """Return the logins that a queryset has; the logouts not."""
    found = rows.values_list(*_COLUMNS, "account", "event")
    return [Login(*row[:-1]) for row in found if row[-1] != SuccessfulLogin.Event.LOGOUT]


class Extent:
    """What has been read: a try beyond comes with a later batch, and must not count twice."""

    def __init__(self, cursor: IncidentCursor) -> None:
        self._cursor = cursor
        self._gaps = {kind: gaps.of(cursor, kind) for kind in ("failure", "refusal")}

    def failures(self, **where: Any) -> Any:
        """Return failures of strangers."""
        rows = FailedLogin.objects.fresh().filter(**where, device=None)
        return rows.filter(pk__lte=self._cursor.failure).exclude(self._gaps["failure"])

    def refusals(self, **where: Any) -> Any:
        """Return what was refused to strangers."""
        rows = RefusedTries.objects.fresh().filter(**where, device=None)
        return rows.filter(pk__lte=self._cursor.refusal).exclude(self._gaps["refusal"])

    def newest(self, since: datetime, end: datetime, **where: Any) -> list[Try]:
        """Return the newest tries of a span of time, of each kind so many, the oldest first."""
        where |= {"timestamp__gt": since, "timestamp__lte": end}
        found = failed(self.failures(**where).order_by("-timestamp")[:MOST])
        found += refused(self.refusals(**where).order_by("-timestamp")[:MOST])
        return sorted(found, key=lambda one: (one.when, one.id))


def busy(
    column: str, values: Iterable[int], since: datetime, end: datetime, least: int
) -> list[int]:
    """Return those of many names, or networks, that have so many tries; one statement for 500."""
    counts: dict[int, int] = {}
    for chunk in chunks(values):
        where = {f"{column}__in": chunk, "timestamp__gt": since, "timestamp__lte": end}
        for model in (FailedLogin, RefusedTries):
            rows = model.objects.fresh().filter(**where).order_by().values_list(column)
            for value, times in rows.annotate(times=Count("pk")):
                counts[value] = counts.get(value, 0) + times
            if model is RefusedTries:
                for value, times in rows.filter(times__gt=1).values_list(column, "times"):
                    counts[value] += times - 1
    return [value for value, times in counts.items() if times >= least]


def agent_of(found: Sequence[Try]) -> int | None:
    """Return the user agent of nearly all of some tries; ``None``: they have several."""
    agent, times = Counter(one.agent for one in found).most_common(1)[0]
    return agent if times >= 0.9 * len(found) else None


def chunks(values: Iterable[Any]) -> Iterator[Sequence[Any]]:
    """Yield values by so many as a statement takes."""
    rest = iter(values)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk


class Homes:
    """From where names came in, and with what: what an attacker has not."""

    def __init__(self, subjects: Iterable[int], end: datetime) -> None:
        self.end = end
        #: When a name came in from a network first.
        self._places: dict[tuple[int, int | None], datetime] = {}
        #: When a name came in with a user agent first.
        self._agents: dict[tuple[int, int | None], datetime] = {}
        self.people: set[int] = set()
        rows = SuccessfulLogin.objects.fresh().exclude(event=SuccessfulLogin.Event.LOGOUT)
        rows = rows.filter(timestamp__gt=end - timedelta(days=30), timestamp__lte=end).order_by()
        for chunk in chunks(subjects):
            found = rows.filter(subject__in=chunk).values_list("subject", "network", "user_agent")
            for subject, network, agent, first in found.annotate(first=Min("timestamp")):
                known = self._places.get((subject, network), first)
                self._places[subject, network] = min(known, first)
                known = self._agents.get((subject, agent), first)
                self._agents[subject, agent] = min(known, first)
                self.people.add(subject)

    def is_strange(self, one: Try | Login) -> bool:
        """Tell whether a name has never come in from where a try comes from."""
        return (one.subject, one.network) not in self._places

    def is_new(self, one: Try) -> bool:
        """Tell whether a name has come in from there within a day, and not before."""
        first = self._places[one.subject, one.network]
        return first > self.end - timedelta(days=1)

    def is_own_agent(self, one: Try | Login) -> bool:
        """Tell whether a try comes with what its name's owner comes in with, or did."""
        return (one.subject, one.agent) in self._agents

    def has_come_with(self, one: Try) -> bool:
        """Tell whether a name had come in with a user agent before a try with it."""
        first = self._agents.get((one.subject, one.agent))
        return one.agent is not None and first is not None and first < one.when
