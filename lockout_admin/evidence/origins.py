"""All that is known of a network: what holds for it, whom it tried, who honestly logs in from it.

An address, and a network that attempts are counted for, has an index of its own. Any other range is
read from its first address on; one that has more rows than a page reads is seen through the newest
rows of the whole site, and the page says since when.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from operator import attrgetter
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.utils import timezone

from ..identity.network import network_of, number_of, wide_network_of
from ..models import AccountLock, FailedLogin, NetworkRule, SuccessfulLogin
from ..models.accounts import existing
from ..models.fields import Network, parse_network
from ..models.networks import about
from . import days
from .days import Days
from .sight import Sight
from .slices import span_of_newest

#: Rows of a kind that are looked at, of a network without an index of its own …
SAMPLE: Final = 5_000
#: … and the newest of the site among which those of a busy range are found.
NEWEST: Final = 15_000
#: Rows of a network with an index of its own that names are taken from.
ROWS: Final = 1_000
LINES: Final = 20
#: Rules that are looked at.
RULES: Final = 500
#: Networks whose locks are looked for.
_LOCKABLE: Final = 500
_DAYS: Final = timedelta(days=days.DAYS)
_FIELDS: Final = ("timestamp", "username", "ip_address")


@dataclass(frozen=True, slots=True)
class Seen:
    """Rows of one kind from a network, newest first: when, under which name, from which address."""

    rows: list[Any]
    #: Whether there are more than these.
    is_cut: bool
    #: Since when all of them are here; ``None``: there are no others.
    since: datetime | None

    @property
    def said(self) -> tuple[int, bool]:
        """How many there are, and whether that is the least there may be."""
        return len(self.rows), self.is_cut

    def by_name(self) -> list[tuple[str, int]]:
        """The names that come most often, and how often."""
        return Counter(row.username for row in self.rows).most_common(LINES)

    @property
    def names(self) -> int:
        """How many names there are."""
        return len({row.username for row in self.rows})

    def by_day(self, moments: list[datetime]) -> list[int]:
        """How many there were on each day."""
        return days.summed(((row.timestamp, 1) for row in self.rows), moments)


class NetworkDossier:
    """One network, as somebody with a sight sees it."""

    def __init__(self, network: Network, sight: Sight) -> None:
        self.network = network
        self.sight = sight
        self.now = timezone.now()

    @property
    def cidr(self) -> str:
        """The network as rules have it."""
        return str(self.network)

    @property
    def is_address(self) -> bool:
        """Whether it is one address."""
        return bool(self.network.num_addresses == 1)

    @property
    def text(self) -> str:
        """The network as people write it: an address without its prefix."""
        return str(self.network.network_address) if self.is_address else self.cidr

    # -- What holds for it ----------------------------------------------------------------------

    @cached_property
    def rules(self) -> list[NetworkRule]:
        """The rules for all of it or a part of it, `RULES` at most; those that hold first."""
        if not self.sight.rules:
            return []
        # By the first address: networks around it come before its parts, and none is left out.
        found = NetworkRule.objects.fresh().filter(about(self.network)).order_by("first", "id")
        rows = sorted(found[:RULES], key=lambda rule: rule.created_at, reverse=True)
        rows.sort(key=lambda rule: (rule.has_ended, not self._is_inside(rule), -_prefix(rule)))
        return rows

    @property
    def rule(self) -> NetworkRule | None:
        """The rule that holds for all of it now: by hand before lists, the narrowest, to allow."""
        holding = [rule for rule in self.rules if self._is_inside(rule) and not rule.has_ended]
        return max(holding, key=_weight, default=None)

    def _is_inside(self, rule: NetworkRule) -> bool:
        return _prefix(rule) <= self.network.prefixlen

    @cached_property
    def locks(self) -> list[AccountLock]:
        """The last locks of it, of what is around it, of its parts that failed lately."""
        if not self.sight.locks:
            return []
        # Not "subject is null", for which SQLite has an index, and all of these rows in it.
        of_networks = AccountLock.objects.fresh().exclude(subject__isnull=False)
        rows = of_networks.filter(label__in=self._labels)
        return list(rows.order_by("-started_at")[:LINES])

    @property
    def open_locks(self) -> list[AccountLock]:
        """Those of the locks that refuse now."""
        return [row for row in self.locks if row.state == AccountLock.State.OPEN]

    def is_held_by(self, row: AccountLock) -> bool:
        """Tell whether a lock holds for all of it."""
        try:
            locked = parse_network(row.label)
        except ValidationError:
            return False
        is_alike = locked.version == self.network.version
        return is_alike and self.network.subnet_of(locked)  # type: ignore[arg-type]

    @property
    def _labels(self) -> set[str]:
        address = str(self.network.network_address)
        own = {self.cidr, network_of(address), wide_network_of(address)}
        parts: set[str | None] = set()
        for row in self.failures.rows if self.sight.failures else []:
            if len(parts) >= _LOCKABLE:
                break
            parts |= {network_of(row.ip_address), wide_network_of(row.ip_address)}
        return {label for label in own | parts if label}

    # -- Who came from there --------------------------------------------------------------------

    @cached_property
    def failures(self) -> Seen:
        """The failures of thirty days."""
        return self._seen(FailedLogin, FailedLogin.objects.all())

    @cached_property
    def logins(self) -> Seen:
        """The logins of thirty days."""
        entries = SuccessfulLogin.objects.exclude(event=SuccessfulLogin.Event.LOGOUT)
        return self._seen(SuccessfulLogin, entries)

    @cached_property
    def known_names(self) -> set[str]:
        """Those of the names tried most that an account has."""
        return existing([name for name, _count in self.failures.by_name()])

    @cached_property
    def days(self) -> Days:
        """Thirty days, day by day; what somebody may not see is nothing there."""
        moments = days.edges(self.now)
        series: dict[str, list[int]] = {}
        if self.sight.failures:
            series["failures"] = self._by_day(FailedLogin.objects.all(), self.failures, moments)
        if self.sight.logins:
            rows = SuccessfulLogin.objects.all()
            series["logins"] = self._by_day(rows, self.logins, moments)
        return Days.of(moments, since=self._since(), **series)

    def _since(self) -> datetime | None:
        """Return since when the days are counted: a busy range is not read back for thirty."""
        if self._condition is not None:
            return None
        seen = [self.failures] * self.sight.failures + [self.logins] * self.sight.logins
        return max((one.since for one in seen if one.since), default=None)

    def _by_day(self, rows: Any, seen: Seen, moments: list[datetime]) -> list[int]:
        if seen.is_cut and self._condition is not None:
            count = days.entries if rows.model is SuccessfulLogin else days.counts
            return count(rows.filter(**self._condition), moments)
        return seen.by_day(moments)

    @cached_property
    def _condition(self) -> dict[str, Any] | None:
        """The condition that an index serves in the order of time, if there is one."""
        address = str(self.network.network_address)
        if self.is_address:
            return {"ip_address": address}
        if network_of(address) == self.cidr:
            return {"network": number_of(self.cidr)}
        if wide_network_of(address) == self.cidr:
            return {"wide_network": number_of(self.cidr)}
        return None

    def _seen(self, model: Any, rows: Any) -> Seen:
        start = self.now - _DAYS
        if not self.is_address:
            # By address: a row that came before TRUSTED_PROXIES was declared has no network.
            inside = rows.filter(ip_address__net=self.network)
            # In the order of an index that has all that counts, logouts among it: no row is read.
            every = model.objects.filter(ip_address__net=self.network)
            if every.order_by("ip_address", "timestamp")[:SAMPLE].count() < SAMPLE:
                found = _read(inside.order_by("ip_address", "timestamp"), SAMPLE)
                recent = [row for row in found if row.timestamp >= start]
                newest_first = sorted(recent, key=attrgetter("timestamp"), reverse=True)
                return Seen(newest_first, False, None)
            if self._condition is None:
                return _newest_of_site(model, inside, start)
        own = rows.filter(**(self._condition or {}), timestamp__gte=start)
        newest = _read(own.order_by("-timestamp"), ROWS)
        return Seen(newest, len(newest) == ROWS, None)


def _newest_of_site(model: Any, inside: Any, start: datetime) -> Seen:
    span = span_of_newest(model.objects.all(), "timestamp", NEWEST)
    since = max(start, span[0]) if span else start
    inside = inside.filter(timestamp__range=(since, span[1])) if span else inside
    newest = _read(inside.filter(timestamp__gte=since).order_by("-timestamp"), SAMPLE)
    if len(newest) == SAMPLE:
        since = newest[-1].timestamp
    is_cut = since > start
    return Seen(newest, is_cut, since if is_cut else None)


def _read(rows: Any, most: int) -> list[Any]:
    return list(rows.values_list(*_FIELDS, named=True)[:most])


def _weight(rule: NetworkRule) -> tuple[bool, int, bool]:
    return not rule.source, _prefix(rule), rule.action == NetworkRule.Action.ALLOW


def _prefix(rule: NetworkRule) -> int:
    return int(rule.cidr.rpartition("/")[2])
