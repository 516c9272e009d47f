"""Questions about values that a site wrote into its settings: anything may stand there."""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Final
from urllib.parse import urlsplit

DAY: Final = 24 * 60 * 60
#: Ten years: what calendars and caches can reckon with.
LONGEST: Final = 3650 * DAY
#: In TRUSTED_PROXIES: a proxy that connects over a Unix socket, and so has no address.
UNIX_SOCKET: Final = "unix"


class _Repr(reprlib.Repr):
    def repr_int(self, x: int, level: int) -> str:
        try:
            return super().repr_int(x, level)
        except ValueError:  # more digits than Python writes
            return f"a number of {x.bit_length()} bits"


#: Returns the beginning of a value, whatever it is, for a message.
shown: Final = _Repr().repr


def is_whole(value: Any, least: int, most: int) -> bool:
    """Tell whether it is a whole number in the range; True and False are none."""
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def is_number(value: Any, least: float, most: float) -> bool:
    """Tell whether it is a number in the range; NaN is in no range."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return least <= value <= most


def is_list(value: Any) -> bool:
    """Tell whether it is a list or a tuple of things; text is none."""
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def is_dotted_path(value: Any) -> bool:
    """Tell whether it may be the path of something in a Python module."""
    if not isinstance(value, str):
        return False
    names = value.split(".")
    return len(names) > 1 and all(name.isidentifier() for name in names)


def is_network(value: Any) -> bool:
    """Tell whether it is an address, a CIDR, or the word for a Unix socket."""
    if isinstance(value, IPv4Network | IPv6Network):
        return True
    return isinstance(value, str) and (value == UNIX_SOCKET or _is_cidr(value))


def is_web_address(text: str) -> bool:
    """Tell whether it is http or https, a host, and at most a path."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    is_bare = not (parts.query or parts.fragment or parts.username or parts.password)
    is_printable = text.isprintable() and " " not in text
    return (
        parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and is_bare
        and (is_printable and port != 0)
    )


@lru_cache(maxsize=1024)
def _is_cidr(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True
