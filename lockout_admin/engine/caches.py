"""The engine on Django's cache. What a client library answers is not taken on trust."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar
from uuid import uuid4

from django.core.cache import BaseCache

from . import clients, clusters
from .breaker import Breaker
from .contract import Unavailable

T = TypeVar("T")

#: What a server says of a counter that is no number: an answer, though not the one hoped for.
_NO_NUMBER = {"ResponseError", "MemcacheClientError", "MemcachedError"}
#: Of one call with keys of several names: Redis Cluster; the libraries redis and valkey.
_APART = ("crossslot", "same slot", "same key slot")
_PROBE_SECS = 10


class _WantsApartError(Unavailable):
    """The server wants one call for each hash tag."""


class CacheEngine:
    """Slots, locks and counters in one of ``settings.CACHES``."""

    name = "cache"

    def __init__(self, alias: str, breaker: Breaker | None = None) -> None:
        self.alias = alias
        #: Without one, it asks whatever happens.
        self.breaker = breaker
        #: A cluster wants a call for each hash tag.
        self._apart = False

    def get_many(self, keys: Collection[str]) -> dict[str, Any]:
        """Return the entries that exist."""
        found: dict[str, Any] = {}
        for answer in self._together(keys, lambda cache, some: cache.get_many(some)):
            if not isinstance(answer, Mapping):
                raise Unavailable(f"get_many() answered {answer!r}")
            found |= answer
        return found

    def add(self, key: str, value: Any, seconds: int) -> bool:
        """Write an entry if there is none. Some clients say ``None`` for "there is one"."""
        return bool(self._ask(lambda cache: cache.add(key, value, seconds)))

    def increment(self, key: str) -> int:
        """Add one to a counter and return it; 0 where there is none.

        Redis' INCR on a key that ends between Django's EXISTS and INCR makes one that never ends:
        callers leave out the last second.
        """
        count = self._ask(lambda cache: _incremented(cache, key))
        return count if isinstance(count, int) else 0

    def set_many(self, entries: dict[str, Any], seconds: int) -> None:
        """Write entries that end together."""

        def write(cache: BaseCache, keys: list[str]) -> Any:
            some = {key: entries[key] for key in keys}
            if clients.is_cluster(cache):
                return clusters.set_many(cache, some, seconds)
            return cache.set_many(some, seconds)

        if any(self._together(entries, write)):
            raise Unavailable("set_many() failed")

    def delete_many(self, keys: Collection[str]) -> None:
        """Delete entries."""
        self._together(keys, lambda cache, some: cache.delete_many(some))

    def keeps(self, times: int = 1) -> bool:
        """Tell whether what is written can be read back, and is added once."""
        try:
            return all(self._keeps() for _ in range(times))
        except Unavailable:
            return False

    def _keeps(self) -> bool:
        key = f"lockout_admin:{{probe:{uuid4().hex}}}"
        added = [self.add(key, key, _PROBE_SECS) for _ in range(2)]
        kept = self.get_many([key]) == {key: key}
        self.set_many({key: key[::-1]}, _PROBE_SECS)
        replaced = self.get_many([key]) == {key: key[::-1]}
        self.delete_many([key])
        return added == [True, False] and kept and replaced

    def _together(
        self, keys: Collection[str], call: Callable[[BaseCache, list[str]], T]
    ) -> list[T]:
        """Make a call for all keys, or one for each hash tag where the server wants that."""
        if not keys:
            return []
        if not self._apart:
            try:
                return [self._ask(lambda cache: call(cache, list(keys)))]
            except _WantsApartError:
                self._apart = True
        return self._ask(lambda cache: [call(cache, some) for some in _by_tag(keys)])

    def _ask(self, question: Callable[[BaseCache], T]) -> T:
        if self.breaker and self.breaker.is_open:
            raise Unavailable("it did not answer before")
        try:
            return clients.ask(self.alias, question)
        except Exception as error:  # each client library has its own for a server that is gone
            if any(words in str(error).lower() for words in _APART):
                raise _WantsApartError from error
            if self.breaker:
                self.breaker.trip(type(error).__name__)
            raise Unavailable(type(error).__name__) from error


def _incremented(cache: BaseCache, key: str) -> Any:
    try:
        return clusters.incr(cache, key) if clients.is_cluster(cache) else cache.incr(key)
    except (ValueError, TypeError):
        return 0
    except Exception as error:
        if type(error).__name__ in _NO_NUMBER:
            return 0
        raise


def _by_tag(keys: Collection[str]) -> list[list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        groups[key.partition("{")[2].partition("}")[0] or key].append(key)
    return list(groups.values())
