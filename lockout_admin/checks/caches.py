"""Checks of the cache that holds slots and locks."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.db import DatabaseCache
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.checks import CheckMessage, Error, Tags, register

from ..conf import conf

#: Slots and locks of a site under attack; Django's default of 300 entries forgets them.
_LEAST_ENTRIES = 10_000


@register(Tags.security)
def cache_exists(**kwargs: Any) -> list[CheckMessage]:
    """E008: the cache that holds the locks is one of CACHES."""
    if _is_known():
        return []
    return [
        Error(
            f"LOCKOUT_ADMIN['CACHE'] is {conf.cache!r}, which is not in CACHES.",
            hint=f"Set it to one of: {', '.join(settings.CACHES)}.",
            id="lockout_admin.E008",
        )
    ]


@register(Tags.security, deploy=True)
def cache_keeps_the_promise(**kwargs: Any) -> list[CheckMessage]:
    """E013: some caches do not share, do not keep, or do not add atomically."""
    reason = next((text for kind, text in _UNFIT.items() if isinstance(_cache(), kind)), None)
    if reason is None or (settings.DEBUG and isinstance(_cache(), LocMemCache)):
        return []
    return [
        Error(
            f"The cache {conf.cache!r} ({type(_cache()).__name__}) cannot hold the limit: {reason}.",
            hint="Point LOCKOUT_ADMIN['CACHE'] to a cache on Redis or memcached.",
            id="lockout_admin.E013",
        )
    ]


@register(Tags.security, deploy=True)
def cache_is_large_enough(**kwargs: Any) -> list[CheckMessage]:
    """E014: a cache that culls forgets slots and locks when strangers fill it with made-up names."""
    if not isinstance(_cache(), _CULLING):
        return []
    most = int((settings.CACHES[conf.cache].get("OPTIONS") or {}).get("MAX_ENTRIES", 300))
    if most >= _LEAST_ENTRIES:
        return []
    return [
        Error(
            f"The cache {conf.cache!r} keeps {most} entries: that many made-up usernames push a lock out.",
            hint=f"Set its OPTIONS['MAX_ENTRIES'] to at least {_LEAST_ENTRIES}.",
            id="lockout_admin.E014",
        )
    ]


_UNFIT = {
    DummyCache: "it keeps nothing, so that nothing is ever refused",
    FileBasedCache: "its add() is not atomic, so that parallel guesses pass",
    DatabaseCache: "its add() is not atomic on an expired entry, and it culls",
    LocMemCache: "every process has its own, so that each lets as many guesses pass",
}
_CULLING = (LocMemCache, DatabaseCache, FileBasedCache)


def _is_known() -> bool:
    return isinstance(conf.cache, str) and conf.cache in settings.CACHES


def _cache() -> Any:
    return caches[conf.cache] if _is_known() else None
