"""A connection to the outside world only: what a site posts to must not be its own inside."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any, Final

Address = IPv4Address | IPv6Address

#: Stands for IPv4 addresses where a network has only IPv6 (RFC 6052).
_NAT64: Final = IPv6Network("64:ff9b::/96")


class PrivateAddressError(OSError):
    """A name leads to no public address."""


def connected(host: str, port: int, seconds: float, *, to_private: bool) -> socket.socket:
    """Return a socket that is connected to one of the addresses of a host, as they are now.

    Raises `PrivateAddressError` where none of them is public, unless `to_private`; else `OSError`.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    allowed = [one for one in found if to_private or is_public(str(one[4][0]))]
    if not allowed:
        raise PrivateAddressError(f"{host} has no public address; see WEBHOOK_TO_PRIVATE.")
    return _first_that_answers(allowed, seconds)


def is_public(text: str) -> bool:
    """Tell whether an address is one of the internet's, whichever way it is written."""
    address = ip_address(text.partition("%")[0])
    if address.is_multicast or not address.is_global:
        return False
    inner = _inner(address)
    return inner is None or is_public(str(inner))


def _inner(address: Address) -> Address | None:
    """Return the IPv4 address that an IPv6 address leads to."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo


def _first_that_answers(found: list[Any], seconds: float) -> socket.socket:
    errors: list[OSError] = []
    for family, kind, protocol, _name, place in found:
        sock = socket.socket(family, kind, protocol)
        sock.settimeout(seconds)
        try:
            sock.connect(place)
        except OSError as error:
            sock.close()
            errors.append(error)
        else:
            return sock
    raise errors[0]
