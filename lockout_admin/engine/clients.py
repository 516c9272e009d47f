"""The site's cache client, or one of our own where the site's would not tell the truth.

Reads come from the primary: a replica that is 30 ms behind lets guesses through that are over the
limit. An outage is an error: a client that hides it says "not there" of what is there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from django.core.cache import BaseCache, caches
from django.core.cache.backends.db import DatabaseCache
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.memcached import PyMemcacheCache
from django.core.cache.backends.redis import RedisCache
from django.core.signals import request_finished

T = TypeVar("T")

#: Caches that keep nothing or whose ``add`` is two steps: whatever the settings say, never asked.
UNFIT = (DummyCache, FileBasedCache, DatabaseCache)
#: Packages whose clients read from a random one of the servers after the first.
_REDIS_PACKAGES = ("django_redis", "django_valkey")
#: Clients of those packages that spread keys over all servers; none of these is a copy.
_CLUSTER = "ClusterClient"
_SPREADING = ("ShardClient", _CLUSTER)

#: pymemcache answers "not there" for a second after an error, forgets a server for a minute, and
#: says of what it has not waited for that it was written.
_MEMCACHED_OPTIONS = {
    "ignore_exc": False,
    "default_noreply": False,
    "retry_attempts": 2**31,
    "retry_timeout": -1,
}


@dataclass(frozen=True, slots=True)
class Own:
    """A client of our own, and who is at it.

    A request that is over closes it, while a thread that its view has left behind may still ask.
    """

    cache: BaseCache
    busy: Lock = field(default_factory=Lock)

    def close(self) -> None:
        """Close it, unless somebody is at it: then the next request that is over does."""
        if self.busy.acquire(blocking=False):
            try:
                self.cache.close()
            finally:
                self.busy.release()


#: For each of the site's caches the one of our own; ``None`` where the site's will do.
_ours: WeakKeyDictionary[BaseCache, Own | None] = WeakKeyDictionary()


class UnfitCacheError(Exception):
    """The cache can't hold the limit; see check E013."""


def client(alias: str) -> BaseCache:
    """Return the cache to ask, for this thread or task; one for each object in ``caches``."""
    own = _own(caches[alias], alias)
    return own.cache if own else caches[alias]


def ask(alias: str, question: Callable[[BaseCache], T]) -> T:
    """Ask a cache; nobody closes it meanwhile."""
    cache = caches[alias]
    own = _own(cache, alias)
    if own is None:
        return question(cache)
    with own.busy:
        return question(own.cache)


def _own(cache: BaseCache, alias: str) -> Own | None:
    try:
        return _ours[cache]
    except KeyError:
        if type(cache) in UNFIT:
            raise UnfitCacheError(type(cache).__name__) from None
        truthful = _truthful(cache, alias)
        own = _ours[cache] = Own(truthful) if truthful else None
        return own


def is_of_one_process(alias: str | None) -> bool:
    """Tell whether a cache is memory that other processes do not see."""
    return isinstance(alias, str) and isinstance(caches[alias], LocMemCache)


def servers(cache: BaseCache, alias: str) -> list[str]:
    """Return the LOCATION of a cache as a list."""
    location = caches.settings[alias].get("LOCATION") or []
    if not isinstance(location, str):
        return list(location)
    # Elsewhere a semicolon may be part of a password.
    return re.split("[;,]" if isinstance(cache, RedisCache) else ",", location)


def is_redis(cache: BaseCache) -> bool:
    """Tell whether a cache is a client of Redis or one of its kin."""
    packages = {kind.__module__.partition(".")[0] for kind in type(cache).__mro__}
    return isinstance(cache, RedisCache) or not packages.isdisjoint(_REDIS_PACKAGES)


def reads_copies(cache: BaseCache, alias: str) -> bool:
    """Tell whether a cache reads from another server than the one it writes to."""
    kinds = _kinds_of_client(cache)
    if not is_redis(cache) or any(name.endswith(_SPREADING) for name in kinds):
        return False
    return len(servers(cache, alias)) > 1 or "SentinelClient" in kinds


def is_cluster(cache: BaseCache) -> bool:
    """Tell whether a cache is a client that knows the nodes of a cluster."""
    return is_redis(cache) and any(name.endswith(_CLUSTER) for name in _kinds_of_client(cache))


def _kinds_of_client(cache: BaseCache) -> set[str]:
    return {kind.__name__ for kind in type(getattr(cache, "client", None)).__mro__}


def _truthful(cache: BaseCache, alias: str) -> BaseCache | None:
    params: dict[str, Any] = {**caches.settings[alias]}
    del params["BACKEND"]
    location = params.pop("LOCATION", "")
    options = dict(params.get("OPTIONS") or {})
    if isinstance(cache, PyMemcacheCache):
        options |= _MEMCACHED_OPTIONS
    if getattr(cache, "_ignore_exceptions", False):
        options["IGNORE_EXCEPTIONS"] = False
    if reads_copies(cache, alias):
        location = servers(cache, alias)[:1]
    elif options == (params.get("OPTIONS") or {}):
        return None
    kind: Any = type(cache)
    ours: BaseCache = kind(location, {**params, "OPTIONS": options})
    return ours


def disown() -> None:
    """Forget our own, in a forked process: its parent reads from the same sockets."""
    _ours.clear()


def close() -> None:
    """Close the clients of this thread or task, the site's and ours."""
    for cache in caches.all(initialized_only=True):
        with suppress(Exception):
            cache.close()
    close_ours()


def close_ours(**kwargs: Any) -> None:
    """Close ours of this thread or task, as Django does with the site's when a request ends."""
    for cache in caches.all(initialized_only=True):
        if own := _ours.get(cache):
            own.close()


request_finished.connect(close_ours)
