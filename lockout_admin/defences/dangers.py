"""What blocking a network may do to people who are meant to get in: facts, before it is done."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from ipaddress import ip_address, ip_network
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ..conf import conf
from ..declarations.values import UNIX_SOCKET
from ..identity.client import parse_address
from ..identity.network import LOCAL
from ..models import NetworkRule, SuccessfulLogin
from ..models.fields import Network
from .matching import Networks

#: Logins of so many days are looked at, …
DAYS: Final = 7
#: … and of these the newest, where a whole list is asked about …
_NEWEST: Final = 100_000
#: … and so many of one network.
_MOST: Final = 1_000
#: Shorter prefixes are more than any one provider has (IPv4), and all of what a registry hands out.
_WIDE: Final = {4: 8, 6: 19}
_LOCAL_RANGES: Final = {
    version: [
        (int(local.network_address), int(local.broadcast_address))
        for local in LOCAL
        if local.version == version
    ]
    for version in (4, 6)
}


class Kind(Enum):
    """Why it may not be what was meant."""

    WIDE = "wide"
    OWN = "own"
    PRIVATE = "private"
    PROXY = "proxy"
    ENTERED = "entered"


@dataclass(frozen=True, slots=True)
class Danger:
    """One of these, of one network or of several."""

    kind: Kind
    network: str
    #: Accounts that logged in from there lately, `_MOST` logins at most are counted.
    accounts: int = 0
    last: datetime | None = None

    def __str__(self) -> str:
        """Return a sentence, in the language active when it is asked for."""
        said = _SENTENCES[self.kind](self.accounts)
        if self.kind is Kind.PRIVATE and conf.trusted_proxies is None:
            said = f"{said} {_NOT_DECLARED}"
        return said % {
            "network": self.network,
            "count": self.accounts,
            "days": DAYS,
            "last": self.last and _local(self.last),
        }


_NOT_DECLARED: Final = gettext_lazy(
    "And as TRUSTED_PROXIES was never set, nobody is refused by a private address: it may be a"
    " proxy's."
)
_SENTENCES: Final[dict[Kind, Callable[[int], str]]] = {
    Kind.WIDE: lambda _count: _("%(network)s is a good part of all addresses there are."),
    Kind.OWN: lambda _count: _(
        "You are in %(network)s yourself: you could not log in from here again."
    ),
    Kind.PRIVATE: lambda _count: _(
        "%(network)s is private: your own hosts, offices and proxies live there."
    ),
    Kind.PROXY: lambda _count: _(
        "%(network)s has proxies of this site in it: everybody behind one of them may be refused."
    ),
    Kind.ENTERED: lambda count: ngettext(
        "%(count)d account logged in from %(network)s in the last %(days)d days, most recently on"
        " %(last)s.",
        "%(count)d accounts logged in from %(network)s in the last %(days)d days, most recently on"
        " %(last)s.",
        count,
    ),
}


def _local(moment: datetime) -> str:
    local = timezone.localtime(moment) if timezone.is_aware(moment) else moment
    return f"{local:%Y-%m-%d %H:%M}"


def of_one(network: Network, own: str | None) -> list[Danger]:
    """Return what blocking one network may do; `own` is the address of who asks."""
    found = list(_at_sight([network], own))
    newest = list(
        _logins()
        .filter(ip_address__net=network)
        .values_list("account", "subject", "timestamp")[:_MOST]
    )
    if newest:
        accounts = {account or subject for account, subject, _when in newest}
        found.append(Danger(Kind.ENTERED, str(network), len(accounts), newest[0][2]))
    return found


def of_many(networks: Collection[Network], own: str | None) -> list[Danger]:
    """Return what blocking a whole list may do, each network with dangers of its own once."""
    found = list(_at_sight(networks, own))
    block = NetworkRule.Action.BLOCK
    compiled = Networks((str(network), block, None, "") for network in networks)
    newest = _logins().filter(ip_address__isnull=False)
    accounts: dict[str, set[Any]] = {}
    last: dict[str, datetime] = {}
    for address, account, subject, when in newest.values_list(
        "ip_address", "account", "subject", "timestamp"
    )[:_NEWEST]:
        if match := compiled.find(ip_address(address), 0):
            accounts.setdefault(match.cidr, set()).add(account or subject)
            last.setdefault(match.cidr, when)
    entered = (Danger(Kind.ENTERED, one, len(accounts[one]), last[one]) for one in accounts)
    return [*found, *entered]


def _at_sight(networks: Iterable[Network], own: str | None) -> Iterable[Danger]:
    own_address = parse_address(own or "")
    proxies = _proxies()
    for network in networks:
        if network.prefixlen < _WIDE[network.version]:
            yield Danger(Kind.WIDE, str(network))
        if own_address is not None and own_address in network:
            yield Danger(Kind.OWN, str(network))
        first, last = int(network.network_address), int(network.broadcast_address)
        if any(start <= last and first <= end for start, end in _LOCAL_RANGES[network.version]):
            yield Danger(Kind.PRIVATE, str(network))
        if any(one.version == network.version and one.overlaps(network) for one in proxies):
            yield Danger(Kind.PROXY, str(network))


def _proxies() -> list[Any]:
    """Return the networks of the site's proxies, if it named them."""
    trusted = conf.trusted_proxies
    if trusted is None or isinstance(trusted, int):
        return []
    return [ip_network(str(one), strict=False) for one in trusted if one != UNIX_SOCKET]


def _logins() -> Any:
    """Return the logins of late, newest first."""
    since = timezone.now() - timedelta(days=DAYS)
    logins = SuccessfulLogin.objects.filter(timestamp__gte=since)
    return logins.exclude(event=SuccessfulLogin.Event.LOGOUT).order_by("-timestamp")
