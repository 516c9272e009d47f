"""From an address to its network: the part that one customer of a provider has."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address, ip_network
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import Final

from ..conf import conf

#: Where proxies of one's own live: RFC 1918, RFC 6598, RFC 4193, loopback and link-local.
LOCAL: Final = tuple(
    map(
        ip_network,
        (
            *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"),
            *("127.0.0.0/8", "169.254.0.0/16", "fc00::/7", "fe80::/10", "::1/128"),
        ),
    )
)

_LOCAL: Final = {
    version: [
        (int(network[0]), int(network[-1])) for network in LOCAL if network.version == version
    ]
    for version in (4, 6)
}


def network_of(address: str | None) -> str | None:
    """Return the network of an address as a CIDR; ``None`` where it says nothing.

    By default the /32 (IPv4) or /64 (IPv6), see IPV4_NETWORK_PREFIX and IPV6_NETWORK_PREFIX. An
    address that may be a proxy's says nothing: an unknown one, and a private one on a site
    that never declared its proxies. Everybody would share it.
    """
    if address is None:
        return None
    network, is_local = _network(address, conf.ipv4_network_prefix, conf.ipv6_network_prefix)
    return None if is_local and conf.trusted_proxies is None else network


def wide_network_of(address: str | None) -> str | None:
    """Return the IPv6 network that one customer may have in all, by default the /48 (RFC 6177).

    ``None`` for IPv4, and where `network_of` is.
    """
    if address is None or ":" not in address or network_of(address) is None:
        return None
    return _network(address, 32, conf.ipv6_wide_prefix)[0]


def number_of(network: str | None) -> int | None:
    """Return a network as a number for the records: its first 64 bits.

    Those of IPv4 come behind ``0:ffff``, where no IPv6 network is: 0000::/8 is reserved (RFC 4291).
    """
    return None if network is None else _number(network)


@lru_cache(maxsize=4096)
def _number(network: str) -> int:
    address, _, _prefix = network.partition("/")
    number, version = _parsed(address)
    if version == 4:
        return 0xFFFF << 32 | number
    # The database's numbers have a sign.
    return (number >> 64) - (1 << 64 if number >> 127 else 0)


@lru_cache(maxsize=4096)
def _network(address: str, ipv4_prefix: int, ipv6_prefix: int) -> tuple[str, bool]:
    number, version = _parsed(address)
    family, size, prefix = (
        (AF_INET, 4, ipv4_prefix) if version == 4 else (AF_INET6, 16, ipv6_prefix)
    )
    host_bits = 8 * size - prefix
    first = number >> host_bits << host_bits
    is_local = any(low <= number <= high for low, high in _LOCAL[version])
    return f"{inet_ntop(family, first.to_bytes(size))}/{prefix}", is_local


def _parsed(address: str) -> tuple[int, int]:
    """Return an address as a number, and its version; raise `ValueError` for what is none."""
    family, version = (AF_INET6, 6) if ":" in address else (AF_INET, 4)
    try:
        # A fifth of the time that `ip_address` takes, which all rows of a log need.
        return int.from_bytes(inet_pton(family, address)), version
    except (OSError, ValueError):
        parsed = ip_address(address)  # with a zone, or none at all
        return int(parsed), parsed.version
