"""The cache, as the lockout sees it: typed keys, and an answer even when it is down."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.cache import BaseCache, caches

from .conf import conf

logger = logging.getLogger("lockout_admin")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Keys:
    """The cache keys of one subject. The braces keep them on one node of a Redis cluster."""

    subject: str

    @property
    def lock(self) -> str:
        """The lock entry."""
        return f"lockout_admin:{{{self.subject}}}:lock"

    @property
    def refused(self) -> str:
        """How many attempts the lock refused."""
        return f"lockout_admin:{{{self.subject}}}:refused"

    def slots(self, limit: int) -> list[str]:
        """The slots, in the order in which they are taken."""
        return [f"lockout_admin:{{{self.subject}}}:slot:{number}" for number in range(1, limit + 1)]


class Store:
    """Each call answers ``None`` when the cache is down. The database then decides; see `lockout`."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._down = False

    def get_many(self, keys: Iterable[str]) -> dict[str, Any] | None:
        """Return the entries that exist."""
        return self._call(lambda cache: cache.get_many(list(keys)), reads=True)

    def add(self, key: str, value: Any, timeout: int) -> bool | None:
        """Write an entry if there is none, atomically; tell whether it was written."""
        return self._call(lambda cache: cache.add(key, value, timeout))

    def set_many(self, entries: dict[str, Any], timeout: int) -> bool | None:
        """Write entries that end together."""
        return self._call(lambda cache: not cache.set_many(entries, timeout))

    def delete_many(self, keys: Iterable[str]) -> bool | None:
        """Delete entries."""
        return self._call(lambda cache: _deleted(cache, list(keys)))

    def increment(self, key: str) -> int | None:
        """Add one to a counter; 0 when there is none."""
        return self._call(lambda cache: _increment(cache, key))

    def start_over(self) -> None:
        """Take the cache to answer, as a new process does: the next outage is logged again."""
        self._down = False

    def _call(self, work: Callable[[BaseCache], T], *, reads: bool = False) -> T | None:
        try:
            answer = work(caches[conf.cache])
        except Exception as error:  # noqa: BLE001 - each client library has its own for a server that is gone
            self._turn(down=True, error=error)
            return None
        if self._down and not reads:  # a cache that is full or read-only can still be read
            self._turn(down=False)
        return answer

    def _turn(self, *, down: bool, error: Exception | None = None) -> None:
        with self._guard:
            if self._down == down:
                return
            self._down = down
        if down:
            logger.warning(
                "cache_unavailable: the cache %r does not answer (%s). Locks are read from the database and failures"
                " counted there until it is back.",
                conf.cache,
                type(error).__name__,
            )
        else:
            logger.warning("cache_available: the cache %r answers again.", conf.cache)


def _deleted(cache: BaseCache, keys: list[str]) -> bool:
    cache.delete_many(keys)
    return True


def _increment(cache: BaseCache, key: str) -> int:
    try:
        return cache.incr(key)
    except ValueError:
        return 0


store = Store()
