"""A connection to the outside world only: what a site posts to must not be its own inside."""

from __future__ import annotations

import io
import socket
import time
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any, Final

Address = IPv4Address | IPv6Address

#: All that the internet gives out (RFC 4291). What else there is in IPv6 stays inside of networks,
#: or leads to an IPv4 address in a way that is given up: ``fec0::``, ``::10.0.0.1``.
_GLOBAL: Final = IPv6Network("2000::/3")
#: Stands for IPv4 addresses where a network has only IPv6 (RFC 6052).
_NAT64: Final = IPv6Network("64:ff9b::/96")


class Deadline:
    """One for a whole exchange: a time-out of each read is none, whoever drips is waited for."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left; raise `TimeoutError` where none are."""
        seconds = self._end - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("The deadline of the whole exchange is over.")
        return seconds


class TimedSocket:
    """As much of a socket as a client of HTTP needs, with a deadline for all of it."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline

    def sendall(self, data: bytes) -> None:
        """Send all of it, in the time that is left."""
        self._sock.settimeout(self._deadline.left())
        self._sock.sendall(data)

    def makefile(self, *mode: str) -> io.BufferedReader:
        """Return what is read from."""
        return io.BufferedReader(_Reader(self._sock, self._deadline))

    def close(self) -> None:
        """Close it."""
        self._sock.close()


class _Reader(io.RawIOBase):
    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(self._deadline.left())
        return self._sock.recv_into(buffer)


class PrivateAddressError(OSError):
    """A name leads to no public address."""


def connected(host: str, port: int, deadline: Deadline, *, to_private: bool) -> socket.socket:
    """Return a socket that is connected to one of the addresses of a host, as they are now.

    Raises `PrivateAddressError` where none of them is public, unless `to_private`; else `OSError`.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    allowed = [one for one in found if to_private or is_public(str(one[4][0]))]
    if not allowed:
        raise PrivateAddressError(f"{host} has no public address; see WEBHOOK_TO_PRIVATE.")
    return _first_that_answers(allowed, deadline)


def is_public(text: str) -> bool:
    """Tell whether an address is one of the internet's, whichever way it is written."""
    address = ip_address(text.partition("%")[0])
    if address.is_multicast or not address.is_global:
        return False
    inner = _inner(address)
    if inner is not None:
        return is_public(str(inner))
    return isinstance(address, IPv4Address) or address in _GLOBAL


def _inner(address: Address) -> Address | None:
    """Return the IPv4 address that an IPv6 address leads to."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo


def _first_that_answers(found: list[Any], deadline: Deadline) -> socket.socket:
    errors: list[OSError] = []
    for family, kind, protocol, _name, place in found:
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(deadline.left())
            sock.connect(place)
        except OSError as error:
            sock.close()
            errors.append(error)
        else:
            return sock
    raise errors[0]
