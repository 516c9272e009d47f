"""The target of an attack: this machine, and nothing else."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

FORM: Final = "/login/"
API: Final = "/api/login/"


class TargetError(Exception):
    """A target that is refused; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Site:
    """A site that has answered."""

    base_url: str
    #: The value of the Host header.
    authority: str


@dataclass(frozen=True, slots=True)
class Target:
    """A site on this machine, by address: a name could lead elsewhere a moment later."""

    #: As it was asked for.
    host: str
    addresses: tuple[str, ...]
    port: int

    @classmethod
    def of(cls, url: str) -> Target:
        """Return the target that `url` names; raise `TargetError` unless it is on this machine."""
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
            port = parts.port or 80
        except ValueError:
            host = ""
            port = 0
        if not host or parts.scheme != "http" or parts.username is not None:
            raise TargetError(
                f"{url!r} is no address of a demo site, such as http://127.0.0.1:8000."
            )
        addresses = _resolve(host, port)
        if not addresses or not all(map(_is_loopback, addresses)):
            raise TargetError(
                f"{host} is not this machine ({', '.join(addresses) or 'no address'})."
                " Attacks go to a loopback address only, such as http://127.0.0.1:8000."
            )
        return cls(f"[{host}]" if ":" in host else host, addresses, port)

    @property
    def authority(self) -> str:
        """Return the value of the Host header."""
        return self.host if self.port == 80 else f"{self.host}:{self.port}"

    def base_urls(self) -> Iterable[str]:
        """Return the URLs to try, by address."""
        for address in self.addresses:
            yield (
                f"http://[{address}]:{self.port}"
                if ":" in address
                else f"http://{address}:{self.port}"
            )


def _resolve(host: str, port: int) -> tuple[str, ...]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False
