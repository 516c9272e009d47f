"""From a request to the client behind it: address, user agent, path."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, NamedTuple

from ..conf import conf
from ..declarations.values import UNIX_SOCKET
from .text import cleaned
from .visit import scope_of

logger = logging.getLogger("lockout_admin")

USER_AGENT_MAX_LENGTH = 1024
PATH_MAX_LENGTH = 255

#: Hops of a forwarded header that are looked at; strangers make it as long as the server allows.
_MAX_HOPS = 32

#: Headers whose one address always has a port behind it, an IPv6 address without brackets, too.
_WITH_PORT = frozenset(["cloudfront-viewer-address"])

Address = IPv4Address | IPv6Address


class Client(NamedTuple):
    """Where an attempt came from. All text is cleaned and cut. A replay makes millions."""

    #: ``None`` when it is unknown.
    ip_address: str | None = None
    user_agent: str = ""
    path: str = ""

    @classmethod
    def of(cls, request: Any) -> Client:
        """Return the client of a request of Django, DRF or Starlette, an ASGI scope or ``None``."""
        meta: dict[str, Any] | None = getattr(request, "META", None)
        path = getattr(request, "path", "")
        if meta is None:
            scope = scope_of(request)
            meta = meta_of_scope(scope)
            path = scope.get("path", "")
        return cls.told(client_address(meta), meta.get("HTTP_USER_AGENT", ""), path)

    @classmethod
    def told(cls, ip_address: str | None, user_agent: object = "", path: object = "") -> Client:
        """Return a client of whom somebody else has read the request."""
        return cls(
            ip_address,
            cleaned(user_agent, USER_AGENT_MAX_LENGTH),
            cleaned(path, PATH_MAX_LENGTH),
        )


def meta_of_scope(scope: Mapping[str, Any]) -> dict[str, Any]:
    """Return what Django would have in ``request.META``, of an ASGI scope.

    As in Django, headers with an underscore are left out: they would pass for those with a dash.
    """
    host, _port = scope.get("client") or ("", 0)
    headers: dict[str, list[str]] = {}
    for raw_name, raw_value in scope.get("headers") or ():
        name = raw_name.decode("latin-1")
        if "_" not in name:
            key = "HTTP_" + name.upper().replace("-", "_")
            headers.setdefault(key, []).append(raw_value.decode("latin-1"))
    return {**{key: ",".join(values) for key, values in headers.items()}, "REMOTE_ADDR": host}


def client_address(meta: dict[str, Any]) -> str | None:
    """Return the address that the last trusted proxy vouches for, or ``None`` when it names none.

    The header is read from the right, and only as far as trusted proxies wrote it: everything to
    the left of that is the stranger's own word (OWASP, "IP Spoofing via HTTP Headers").
    """
    peer = parse_address(str(meta.get("REMOTE_ADDR", "")))
    name = conf.forwarded_header
    header = str(meta.get(_meta_key(name), ""))
    if name.lower() in _WITH_PORT:
        header = header.rpartition(":")[0] or header
    trusted = conf.trusted_proxies
    if trusted is None:
        if header and _may_be_a_proxy(peer):
            _untold_proxy.warn(peer)
        address = peer
    elif isinstance(trusted, int):
        address = _behind_hops(peer, header, trusted)
    else:
        address = _behind_networks(peer, header, tuple(map(str, trusted)))
    return None if address is None else str(address)


@lru_cache(maxsize=16)
def _meta_key(header: str) -> str:
    return "HTTP_" + header.upper().replace("-", "_")


def _may_be_a_proxy(peer: Address | None) -> bool:
    # Not `is_private`: shared address space (RFC 6598) is neither private nor global.
    return peer is None or not peer.is_global


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
    hops = header.rsplit(",", _MAX_HOPS)
    if len(hops) > _MAX_HOPS:
        hops = hops[1:]  # the first is all that was not split
    return hops[::-1]


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
    return any(address in network for network in _parsed(trusted))


@lru_cache(maxsize=16)
def _parsed(trusted: tuple[str, ...]) -> list[IPv4Network | IPv6Network]:
    return [ip_network(entry, strict=False) for entry in trusted if entry != UNIX_SOCKET]


class _UntoldProxy:
    """Warns once a process: everybody behind a proxy that is not declared has its address."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.warned = False

    def warn(self, peer: Address | None) -> None:
        with self._lock:
            if self.warned:
                return
            self.warned = True
        logger.critical(
            "proxy_not_declared: requests arrive from %s with a forwarded header, so the site is"
            " behind a proxy that it was not told of, and every failure is logged with the proxy's"
            " address. Set LOCKOUT_ADMIN['TRUSTED_PROXIES'] to the proxies' CIDRs or to their"
            " number (0: there are none).",
            peer or "a Unix socket",
        )


_untold_proxy = _UntoldProxy()
