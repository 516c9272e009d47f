"""Checks of the cache that holds slots and locks, where the site names one."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.db import DatabaseCache
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.memcached import PyMemcacheCache
from django.core.cache.backends.redis import RedisCache
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as CheckWarning

from ..conf import conf
from ..engine import clients

#: Slots and locks of a site under attack; Django's default of 300 entries forgets them.
_LEAST_ENTRIES = 10_000
#: What a login may wait, once a process, for a cache that hangs.
_LONGEST_WAIT_SECS = 1.0
#: The only one of its OPTIONS that reaches the connections of a cluster's client.
_OF_CLUSTERS = "BASE_CLIENT_KWARGS"


@register(Tags.security, deploy=True)
def cache_keeps_the_promise(**kwargs: Any) -> list[CheckMessage]:
    """E013: some caches do not share, do not keep, or do not add atomically."""
    reason = _unfit()
    if reason is None or (settings.DEBUG and isinstance(_cache(), LocMemCache)):
        return []
    kind = type(_cache()).__name__
    return [
        Error(
            f"The cache {conf.cache!r} ({kind}) cannot hold the limit: {reason}.",
            hint="Set LOCKOUT_ADMIN['CACHE'] to None, which needs nothing but the database,"
            " or to a cache on Redis or memcached.",
            id="lockout_admin.E013",
        )
    ]


@register(Tags.security, deploy=True)
def cache_is_large_enough(**kwargs: Any) -> list[CheckMessage]:
    """E014: a cache that culls forgets slots and locks when strangers make up many names."""
    if not isinstance(_cache(), _CULLING):
        return []
    most = int(_options().get("MAX_ENTRIES", 300))
    if most >= _LEAST_ENTRIES:
        return []
    return [
        Error(
            f"The cache {conf.cache!r} keeps {most} entries:"
            " that many made-up usernames push a lock out.",
            hint=f"Set its OPTIONS['MAX_ENTRIES'] to at least {_LEAST_ENTRIES}.",
            id="lockout_admin.E014",
        )
    ]


@register(Tags.security, deploy=True)
def cache_gives_up_soon(**kwargs: Any) -> list[CheckMessage]:
    """W020: a login waits for a server that hangs as long as the client does."""
    missing = [name for name in _timeouts() if not _is_short(_given(name))]
    if not missing:
        return []
    wanted = "{" + ", ".join(f"{name!r}: 0.5" for name in missing) + "}"
    if clients.is_cluster(_cache()):
        wanted = f"{{{_OF_CLUSTERS!r}: {wanted}}}"
    return [
        CheckWarning(
            f"The client of the cache {conf.cache!r} has no time-out, or one of over a second"
            f" ({', '.join(missing)}): logins wait that long when the server hangs.",
            hint=f"Add to its OPTIONS: {wanted}.",
            id="lockout_admin.W020",
        )
    ]


@register(Tags.security, deploy=True)
def cache_reads_from_the_primary(**kwargs: Any) -> list[CheckMessage]:
    """W021: a replica that is behind says that a slot is free which is not."""
    if conf.cache is None or not clients.reads_copies(_cache(), conf.cache):
        return []
    return [
        CheckWarning(
            f"The cache {conf.cache!r} reads from another server than the one it writes to."
            " Slots and locks are read from the first, which must be the primary.",
            hint="Set LOCKOUT_ADMIN['CACHE'] to a cache with the primary alone in its LOCATION.",
            id="lockout_admin.W021",
        )
    ]


_UNFIT = {
    DummyCache: "it keeps nothing, so that nothing is ever refused",
    FileBasedCache: "its add() is not atomic, so that parallel guesses pass",
    DatabaseCache: "its add() is not atomic on an expired entry, and it culls",
    LocMemCache: "every process has its own, so that each lets as many guesses pass",
}
_CULLING = (LocMemCache, DatabaseCache, FileBasedCache)


def _unfit() -> str | None:
    return next((text for kind, text in _UNFIT.items() if isinstance(_cache(), kind)), None)


def _timeouts() -> tuple[str, ...]:
    """Return the options that bound how long the client waits."""
    cache = _cache()
    if isinstance(cache, PyMemcacheCache):
        return ("timeout", "connect_timeout")
    if isinstance(cache, RedisCache) or (cache and clients.is_cluster(cache)):
        return ("socket_timeout", "socket_connect_timeout")
    return ("SOCKET_TIMEOUT", "SOCKET_CONNECT_TIMEOUT") if cache and clients.is_redis(cache) else ()


def _given(name: str) -> Any:
    """Return an option, from where the client libraries read it: the last that is set counts."""
    options = _options()
    servers = clients.servers(_cache(), str(conf.cache)) or [""]
    query = parse_qs(urlsplit(str(servers[0])).query)
    places = [options.get("CONNECTION_POOL_KWARGS") or {}, options, query]
    if clients.is_cluster(_cache()):
        places = [options.get(_OF_CLUSTERS) or {}, query]
    found = [place[key] for place in places for key in (name, name.lower()) if key in place]
    return found[-1][0] if found and isinstance(found[-1], list) else (found or [None])[-1]


def _is_short(secs: Any) -> bool:
    try:
        return 0 < float(secs) <= _LONGEST_WAIT_SECS
    except (TypeError, ValueError):
        return False


def _cache() -> Any:
    return None if conf.cache is None else caches[conf.cache]


def _options() -> dict[str, Any]:
    return settings.CACHES[str(conf.cache)].get("OPTIONS") or {}
