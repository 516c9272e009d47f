"""Who logged in from networks lately: facts, before one of them is blocked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any, Final

from django.utils import timezone

from ..models import NetworkRule, SuccessfulLogin
from ..models.fields import Network
from .matching import Networks

#: Logins of so many days are looked at, …
DAYS: Final = 7
#: … and of these the newest, where a whole list is asked about …
_NEWEST: Final = 100_000
#: … and the newest of each network, where few are: so many of one, and so many of all.
_MOST: Final = 1_000
_MOST_OF_ALL: Final = 50_000
#: More networks than these are a whole list: as many as are blocked for an incident are few.
FEW: Final = 500


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Those who came in from one network."""

    network: str
    accounts: int
    last: datetime
    #: Whether there were more logins than were looked at.
    is_cut: bool = False


def of(networks: Collection[Network], guests: Collection[str] = ()) -> Iterable[Arrivals]:
    """Return who came in from networks, but for some accounts: guests of theirs.

    Few are asked about one by one, by an index. For a whole list the newest logins are read once,
    and each counts for the narrowest network that it came from.
    """
    logins = _logins().exclude(account__in=guests) if guests else _logins()
    return _of_few(networks, logins) if len(networks) <= FEW else _of_many(networks, logins)


def _of_few(networks: Collection[Network], logins: Any) -> Iterator[Arrivals]:
    most = min(_MOST, _MOST_OF_ALL // max(1, len(networks)))
    for network in networks:
        newest = logins.filter(ip_address__net=network)
        newest = list(newest.values_list("account", "subject", "timestamp")[: most + 1])
        if newest:
            accounts = {account or subject for account, subject, _when in newest[:most]}
            yield Arrivals(str(network), len(accounts), newest[0][2], len(newest) > most)


def _of_many(networks: Iterable[Network], logins: Any) -> Iterator[Arrivals]:
    compiled = Networks((str(one), NetworkRule.Action.BLOCK, None, "") for one in networks)
    newest = logins.filter(ip_address__isnull=False)
    accounts: dict[str, set[Any]] = {}
    last: dict[str, datetime] = {}
    for address, account, subject, when in newest.values_list(
        "ip_address", "account", "subject", "timestamp"
    )[:_NEWEST]:
        if match := compiled.find(ip_address(address), 0):
            accounts.setdefault(match.cidr, set()).add(account or subject)
            last.setdefault(match.cidr, when)
    return (Arrivals(one, len(accounts[one]), last[one]) for one in accounts)


def _logins() -> Any:
    """Return the logins of late, newest first."""
    since = timezone.now() - timedelta(days=DAYS)
    logins = SuccessfulLogin.objects.fresh().filter(timestamp__gte=since)
    return logins.exclude(event=SuccessfulLogin.Event.LOGOUT).order_by("-timestamp")
