"""Where an address is, and whose network: from the site's own files. Told to people, to no rule."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from ..conf import conf

logger = logging.getLogger("lockout_admin")

_OPEN_FILES: Final = 8


@dataclass(frozen=True, slots=True)
class Place:
    """What is known of the network of an address; each part may be empty."""

    #: ISO 3166, two letters.
    country: str = ""
    #: Such as ``AS64500``.
    number: str = ""
    owner: str = ""

    def __str__(self) -> str:
        return ", ".join(filter(None, [self.country, f"{self.number} {self.owner}".strip()]))

    def matches(self, term: str) -> bool:
        """Tell whether it is this country, this number, or has this in its owner's name."""
        asked = term.strip().casefold()
        if asked in (self.country.casefold(), self.number.casefold()):
            return True
        return len(asked) > 2 and asked in self.owner.casefold()


class Places:
    """The files of the site as they are now: for a page, or a question."""

    def __init__(self) -> None:
        readers = [_reader(str(path)) for path in conf.geo_databases]
        self._readers: Sequence[Any] = [reader for reader in readers if reader is not None]

    def __bool__(self) -> bool:
        return bool(self._readers)

    def of(self, address: str | None) -> Place:
        """Return what the files say of an address."""
        found: dict[str, Any] = {}
        for reader in self._readers if address else ():
            # A file of IPv4 addresses raises for those of IPv6.
            if ":" not in str(address) or reader.metadata().ip_version == 6:
                found |= reader.get(address) or {}
        return _place(found)


def _place(record: dict[str, Any]) -> Place:
    """Read the layouts of MaxMind, DB-IP and IPinfo."""
    country = record.get("country", "")
    if isinstance(country, dict):
        country = country.get("iso_code", "")
    number = record.get("autonomous_system_number") or record.get("asn") or ""
    owner = record.get("autonomous_system_organization") or record.get("as_name") or ""
    named = f"AS{number}" if isinstance(number, int) else str(number)
    return Place(str(record.get("country_code") or country)[:2], named[:16], str(owner)[:80])


def _reader(path: str) -> Any:
    """Return what reads a file; ``None`` where it is not there, and a line in the log."""
    try:
        changed = Path(path).stat().st_mtime_ns
    except OSError:
        changed = 0
    return _opened(path, changed)


@lru_cache(_OPEN_FILES)
def _opened(path: str, changed: int) -> Any:
    try:
        return import_module("maxminddb").open_database(path)
    except ImportError:
        logger.warning("geo_databases: install lockout-admin[geo] to read %s.", path)
    except (OSError, ValueError, RuntimeError) as error:
        logger.warning("geo_databases: %s can't be read: %s", path, error)
    return None
