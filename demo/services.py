"""The services that DATABASE_URL and CACHE_URL name. Known before Django is installed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final
from urllib.parse import urlsplit

#: Scheme -> the extra that it calls for, if any, in the two variables that name services.
SERVICES: Final[dict[str, dict[str, str]]] = {
    "DATABASE_URL": {
        "postgres": "postgres",
        "postgresql": "postgres",
        "psql": "postgres",
        "mysql": "mysql",
        "sqlite": "",
    },
    "CACHE_URL": {
        "rediscache": "redis",
        "redis": "redis",
        "rediss": "redis",
        "pymemcache": "memcached",
        "locmemcache": "",
    },
}


def extras_of(environ: Mapping[str, str]) -> list[str]:
    """Return the extras that the services named in the environment need."""
    extras = {
        schemes.get(environ.get(name, "").partition(":")[0]) for name, schemes in SERVICES.items()
    }
    return sorted(extra for extra in extras if extra)


def misspelt(environ: Mapping[str, str]) -> tuple[str, str] | None:
    """Return what is wrong with a service that the environment names, and the remedy."""
    for name, schemes in SERVICES.items():
        url = environ.get(name, "")
        if url and not _is_url(url, schemes):
            wrong = f"{name} is no address of a service that this site can use."
            remedy = "write it as scheme://user:password@host:port/name; schemes: "
            return wrong, remedy + ", ".join(schemes)
    return None


def _is_url(url: str, schemes: Collection[str]) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in schemes and (parts.port is None or parts.port > 0)
    except ValueError:  # a port that is no number
        return False
