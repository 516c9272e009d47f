"""From a request to the client behind it: address, user agent, gateway."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from .conf import conf
from .text import cleaned

logger = logging.getLogger("lockout_admin")

USER_AGENT_MAX_LENGTH = 1024
GATEWAY_MAX_LENGTH = 255

#: In TRUSTED_PROXIES: a proxy that connects over a Unix socket, and so has no address.
UNIX_SOCKET = "unix"

#: Hops of a forwarded header that are looked at; strangers can make it as long as the server allows.
_MAX_HOPS = 32

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Client:
    """Where an attempt came from. All text is cleaned and cut; `address` is ``None`` when unknown."""

    address: str | None = None
    user_agent: str = ""
    gateway: str = ""

    @classmethod
    def of(cls, request: Any) -> Client:
        """Return the client of a Django request, of a wrapper around one (DRF), or of ``None``."""
        meta: dict[str, Any] = getattr(request, "META", None) or {}
        return cls(
            address=client_address(meta),
            user_agent=cleaned(meta.get("HTTP_USER_AGENT", ""), USER_AGENT_MAX_LENGTH),
            gateway=cleaned(getattr(request, "path", ""), GATEWAY_MAX_LENGTH),
        )


def client_address(meta: dict[str, Any]) -> str | None:
    """Return the address that the last trusted proxy vouches for, or ``None`` when it names none.

    The header is read from the right, and only as far as trusted proxies wrote it: everything to
    the left of that is the stranger's own word (OWASP, "IP Spoofing via HTTP Headers").
    """
    peer = parse_address(str(meta.get("REMOTE_ADDR", "")))
    header = str(meta.get("HTTP_" + conf.forwarded_header.upper().replace("-", "_"), ""))
    trusted = conf.trusted_proxies
    if trusted is None:
        if header and (peer is None or not peer.is_global):  # shared address space (RFC 6598) is neither
            _untold_proxy.warn(peer)
        address = peer
    elif isinstance(trusted, int):
        address = _behind_hops(peer, header, trusted)
    else:
        address = _behind_networks(peer, header, tuple(trusted))
    return None if address is None else str(address)


def parse_address(text: str) -> Address | None:
    """Return the address in `text`, without port, brackets or zone; ``None`` for anything else."""
    text = text.strip().strip('"')[:80]
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _hops_from_the_right(header: str) -> list[str]:
    return header.rsplit(",", _MAX_HOPS)[:0:-1] if header.count(",") >= _MAX_HOPS else header.split(",")[::-1]


def _behind_hops(peer: Address | None, header: str, count: int) -> Address | None:
    if not header.strip() or count < 1:
        return peer
    hops = _hops_from_the_right(header)
    return parse_address(hops[min(count, len(hops)) - 1])


def _behind_networks(peer: Address | None, header: str, trusted: tuple[str, ...]) -> Address | None:
    address = peer
    if not header.strip():
        return address
    for hop in _hops_from_the_right(header):
        if not _is_trusted(address, trusted):
            break
        address = parse_address(hop)
        if address is None:
            break
    return address


def _is_trusted(address: Address | None, trusted: tuple[str, ...]) -> bool:
    if address is None:
        return UNIX_SOCKET in trusted
    return any(address in network for network in _parsed(trusted)[0])


@lru_cache(maxsize=16)
def _parsed(trusted: tuple[str, ...]) -> tuple[list[IPv4Network | IPv6Network], list[str]]:
    networks, garbage = [], []
    for entry in map(str, trusted):  # a number would be an address
        try:
            networks.append(ip_network(entry, strict=False))
        except ValueError:
            if entry != UNIX_SOCKET:
                garbage.append(entry)
    return networks, garbage


class _UntoldProxy:
    """Warns once a process: behind a proxy that was not declared, everybody has the proxy's address."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.warned = False

    def warn(self, peer: Address | None) -> None:
        with self._lock:
            if self.warned:
                return
            self.warned = True
        logger.critical(
            "proxy_not_declared: requests arrive from %s with a forwarded header, so the site is behind a proxy that"
            " it was not told of, and every failure is logged with the proxy's address. Set"
            " LOCKOUT_ADMIN['TRUSTED_PROXIES'] to the proxies' CIDRs or to their number (0: there are none).",
            peer or "a Unix socket",
        )


_untold_proxy = _UntoldProxy()


def not_networks(trusted: Sequence[str]) -> list[str]:
    """Return the entries of TRUSTED_PROXIES that are no network; they are never trusted."""
    return _parsed(tuple(trusted))[1]
