"""Networks compiled for matching: a few look-ups for an address, however many networks there are.

One dict a prefix length that occurs, from the first bits of an address to the two ends of what is
said of that network; for rules by hand, and for those of lists. IPv4 has 33 lengths and IPv6 has
129; lists that are published use some 20, hands a few.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address
from socket import AF_INET, AF_INET6, inet_pton
from typing import Final

from ..models import NetworkRule
from ..models.fields import Network

Address = IPv4Address | IPv6Address
#: A CIDR in its one spelling, a value of `NetworkRule.Action`, until when (``None``: for ever), and
#: the list that brought it (empty: made by hand).
Row = tuple[str, str, datetime | None, str]
#: Until when a network is allowed, and until when it is blocked: seconds since 1970.
_Ends = tuple[float, float]

FOR_EVER: Final = math.inf
_NEVER: Final = -math.inf
_NOTHING: Final[_Ends] = (_NEVER, _NEVER)
_BITS: Final = {4: 32, 6: 128}
#: By version: length of a prefix, bits behind it, and what is said of the networks of that length.
_Compiled = dict[int, list[tuple[int, int, dict[int, _Ends]]]]


@dataclass(frozen=True, slots=True)
class Match:
    """What holds for an address."""

    is_allowed: bool
    #: Seconds since 1970; `FOR_EVER` has no end.
    until: float
    version: int
    prefix: int
    first_bits: int

    @property
    def cidr(self) -> str:
        """The network of the rule."""
        number = self.first_bits << (_BITS[self.version] - self.prefix)
        address = IPv4Address(number) if self.version == 4 else IPv6Address(number)
        return f"{address}/{self.prefix}"


class Networks:
    """Networks that never change; the most specific one that has not ended decides.

    Those by hand are looked at first, and lists only where none of them holds: no list that is
    published takes back what somebody allowed, or frees what somebody blocked. Of two rules for the
    same network the one that allows it decides.
    """

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        by_hand, of_lists = _Table(), _Table()
        self.size = self.unreadable = 0
        for cidr, action, until, source in rows:
            try:
                (of_lists if source else by_hand).add(_read(cidr), action, until)
                self.size += 1
            except (ValueError, OSError):
                self.unreadable += 1
        self._by_hand, self._of_lists = by_hand.compiled(), of_lists.compiled()

    def find(self, address: Address, now: float) -> Match | None:
        """Return what holds for an address at a time, in seconds since 1970."""
        return _find(self._by_hand, address, now) or _find(self._of_lists, address, now)

    def by_hand(self, network: Network, now: float) -> Match | None:
        """Return the rule by hand that holds for all of a network."""
        return _find(self._by_hand, network.network_address, now, network.prefixlen)


class _Table:
    """Rules of one kind, while they are read."""

    def __init__(self) -> None:
        self.found: dict[int, dict[int, dict[int, _Ends]]] = {
            version: defaultdict(dict) for version in _BITS
        }
        # The same pair of ends once: most rows have no end.
        self.pairs: dict[_Ends, _Ends] = {}

    def add(self, network: tuple[int, int, int], action: str, until: datetime | None) -> None:
        """Add a rule; of two that say the same of a network the later end holds."""
        version, prefix, bits = network
        allowed, blocked = self.found[version][prefix].get(bits, _NOTHING)
        end = FOR_EVER if until is None else until.timestamp()
        if action == NetworkRule.Action.ALLOW:
            ends = (max(end, allowed), blocked)
        else:
            ends = (allowed, max(end, blocked))
        self.found[version][prefix][bits] = self.pairs.setdefault(ends, ends)

    def compiled(self) -> _Compiled:
        """Return the rules, longest prefix first."""
        return {
            version: [
                (prefix, _BITS[version] - prefix, by_length[prefix])
                for prefix in sorted(by_length, reverse=True)
            ]
            for version, by_length in self.found.items()
        }


def _find(
    compiled: _Compiled, address: Address, now: float, longest: int = _BITS[6]
) -> Match | None:
    number = int(address)
    for prefix, shift, networks in compiled[address.version]:
        ends = networks.get(number >> shift)
        if ends is not None and max(ends) > now and prefix <= longest:
            is_allowed = ends[0] > now
            until = ends[0] if is_allowed else ends[1]
            return Match(is_allowed, until, address.version, prefix, number >> shift)
    return None


def _read(cidr: str) -> tuple[int, int, int]:
    """Return version, length of the prefix and first bits; four times as fast as `ipaddress`."""
    first, _slash, length = cidr.partition("/")
    version = 6 if ":" in first else 4
    packed = inet_pton(AF_INET6 if version == 6 else AF_INET, first)
    prefix = int(length)
    return version, prefix, int.from_bytes(packed) >> (_BITS[version] - prefix)
