"""What a rule on a network may do that nobody means: facts, before it is made.

Every way in asks here: the form, the import of a file, and the commands that block, allow and load.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from ipaddress import ip_network
from itertools import chain
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ..conf import conf
from ..declarations.values import UNIX_SOCKET
from ..identity.client import parse_address
from ..identity.network import LOCAL
from ..models import NetworkRule
from ..models.fields import Network
from . import arrivals
from .matching import Networks

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


Action = NetworkRule.Action


@dataclass(frozen=True, slots=True)
class Planned:
    """A rule that somebody is about to make."""

    network: Network
    action: str
    #: The list that brings it; empty: by hand.
    source: str = ""
    until: datetime | None = None


class Kind(Enum):
    """Why it may not be what was meant."""

    WIDE = "wide"
    OWN = "own"
    PRIVATE = "private"
    PROXY = "proxy"
    ENTERED = "entered"
    SHRUNK = "shrunk"
    STAYS_ALLOWED = "stays allowed"
    STAYS_BLOCKED = "stays blocked"


#: What does nothing is said, and needs no consent: so a network is taken out of a list.
_REMARKS: Final = frozenset({Kind.STAYS_ALLOWED, Kind.STAYS_BLOCKED})


@dataclass(frozen=True, slots=True)
class Danger:
    """One of these, of one network or of several."""

    kind: Kind
    #: Which one; or which list, of one that shrinks.
    network: str
    #: Accounts that logged in from there lately, or networks that a list has now.
    count: int = 0
    last: datetime | None = None
    #: The rule that goes before, or how many networks the list had.
    before: str | int = ""
    #: Whether there were more logins than were looked at.
    is_cut: bool = False

    @property
    def asks(self) -> bool:
        """Whether somebody has to consent to it."""
        return self.kind not in _REMARKS

    def told(self, *, logins: bool) -> str:
        """Return the sentence for who may see `logins` or may not: not how many, nor when."""
        if self.kind is not Kind.ENTERED or logins:
            return str(self)
        said = _("People logged in from %(network)s in the last %(days)d days.")
        return said % {"network": self.network, "days": arrivals.DAYS}

    def __str__(self) -> str:
        """Return a sentence, in the language active when it is asked for."""
        said = _at_least(self.count) if self.is_cut else _SENTENCES[self.kind](self.count)
        if self.kind is Kind.PRIVATE and conf.trusted_proxies is None:
            said = f"{said} {_NOT_DECLARED}"
        return said % {
            "network": self.network,
            "count": self.count,
            "before": self.before,
            "days": arrivals.DAYS,
            "last": self.last and _local(self.last),
        }


def _at_least(count: int) -> str:
    return ngettext(
        "At least %(count)d account logged in from %(network)s in the last %(days)d days, most"
        " recently on %(last)s.",
        "At least %(count)d accounts logged in from %(network)s in the last %(days)d days, most"
        " recently on %(last)s.",
        count,
    )


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
    Kind.SHRUNK: lambda _count: _(
        "%(network)s had %(before)s networks and has %(count)d now: it may be half of a download."
    ),
    Kind.STAYS_ALLOWED: lambda _count: _(
        "%(network)s stays allowed: the rule by hand for %(before)s is stronger."
    ),
    Kind.STAYS_BLOCKED: lambda _count: _(
        "%(network)s stays blocked: the rule by hand for %(before)s is stronger."
    ),
}


def _local(moment: datetime) -> str:
    local = timezone.localtime(moment) if timezone.is_aware(moment) else moment
    return f"{local:%Y-%m-%d %H:%M}"


def of(planned: Collection[Planned], own: str | None, guests: Collection[str] = ()) -> list[Danger]:
    """Return what these rules may do.

    `own` is the address of who makes them; `guests` are accounts whose logins do not count.
    """
    now = timezone.now()
    lasting = [one for one in planned if one.until is None or one.until > now]
    allowed = [one.network for one in lasting if one.action == Action.ALLOW]
    blocked = [one.network for one in lasting if one.action == Action.BLOCK]
    return [
        *(danger for danger in _at_sight(allowed, None) if danger.kind is Kind.WIDE),
        *_at_sight(blocked, own),
        *(
            Danger(Kind.ENTERED, one.network, one.accounts, one.last, is_cut=one.is_cut)
            for one in arrivals.of(blocked, guests)
        ),
        *_idle(lasting, now.timestamp()),
    ]


def of_size(source: str, count: int) -> list[Danger]:
    """Return whether a list that is loaded anew has less than half of what it had."""
    before = NetworkRule.objects.fresh().filter(source=source).count()
    return [Danger(Kind.SHRUNK, source, count, before=before)] if 2 * count < before else []


def _idle(planned: Collection[Planned], now: float) -> Iterator[Danger]:
    """Yield the rules that do nothing, for a rule by hand goes before; see `matching`."""
    by_hand = NetworkRule.objects.fresh().filter(source="")
    there = (
        by_hand.holding(one.network for one in planned)
        if len(planned) <= arrivals.FEW
        else by_hand.open().values_list("cidr", "action", "until", "source")
    )
    beside = ((str(one.network), one.action, one.until, "") for one in planned if not one.source)
    networks = Networks(chain(there, beside))
    for one in planned:
        match = networks.by_hand(one.network, now)
        # By hand, a narrower rule beats a wider one.
        if match is None or not (one.source or match.prefix == one.network.prefixlen):
            continue
        if match.is_allowed and one.action == Action.BLOCK:
            yield Danger(Kind.STAYS_ALLOWED, str(one.network), before=match.cidr)
        elif one.source and not match.is_allowed and one.action == Action.ALLOW:
            yield Danger(Kind.STAYS_BLOCKED, str(one.network), before=match.cidr)


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
