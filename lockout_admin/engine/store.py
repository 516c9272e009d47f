"""The store: what `get_many`, `add`, `increment`, `set_many` and `delete_many` go to.

Django's cache first where the site names one, and the table while that is down; else the table.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from ..conf import conf
from . import clients
from .breaker import Breaker
from .caches import CacheEngine
from .contract import Engine, Unavailable
from .table import TableEngine

__all__ = ["Engine", "Keys", "Store", "Unavailable", "store"]

T = TypeVar("T")

#: Keys that a look writes and reads back: enough to meet a dead one of a few servers.
_LOOKS = 8


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one bucket. The braces keep them on one node of a Redis cluster."""

    scope: str
    key: int

    @property
    def tag(self) -> str:
        """What all keys of the bucket begin with."""
        return f"lockout_admin:{{{self.scope}:{self.key:x}}}"

    @property
    def lock(self) -> str:
        """The lock entry."""
        return f"{self.tag}:lock"

    @property
    def refused(self) -> str:
        """When the lock last noted where a refused attempt came from."""
        return f"{self.tag}:refused"

    def slots(self, limit: int) -> list[str]:
        """The slots, in the order in which they are taken."""
        tag = self.tag
        return [f"{tag}:slot:{number}" for number in range(1, limit + 1)]

    def tried(self, fingerprint: str) -> str:
        """The mark of a password that was wrong."""
        return f"{self.tag}:tried:{fingerprint}"


class Store:
    """The engines in their order, and which of them this process believes in.

    A verb answers ``None`` when no engine does; `run` raises `Unavailable`.
    """

    def __init__(self) -> None:
        self._table = TableEngine()
        self._caches: dict[str, CacheEngine] = {}

    def run(self, work: Callable[[Engine], T]) -> T:
        """Do work with the engine in force; if it does not answer, all of it with the next one."""
        for engine in self._in_force():
            try:
                return work(engine)
            except Unavailable as error:
                _trip(engine, str(error))
        raise Unavailable("no engine answers")

    @property
    def is_degraded(self) -> bool:
        """Whether this process has given the cache up for now, and the table stands in for it."""
        return any(breaker.is_open for engine in self._all() if (breaker := _breaker_of(engine)))

    def distrust(self, engine: Engine) -> None:
        """Stop asking an engine that was found dead though it raised nothing."""
        _trip(engine, "it says so little that it must be gone")

    def get_many(self, keys: Collection[str]) -> dict[str, Any] | None:
        """Return the entries that exist."""
        return self._answer(lambda engine: engine.get_many(keys))

    def add(self, key: str, value: Any, seconds: int) -> bool | None:
        """Write an entry if there is none, atomically; tell whether it was written."""
        return self._answer(lambda engine: engine.add(key, value, seconds))

    def increment(self, key: str) -> int | None:
        """Add one to a counter; 0 when there is none."""
        return self._answer(lambda engine: engine.increment(key))

    def set_many(self, entries: dict[str, Any], seconds: int) -> bool | None:
        """Write entries that end together."""
        return self._done(lambda engine: engine.set_many(entries, seconds))

    def delete_many(self, keys: Collection[str]) -> bool | None:
        """Delete entries."""
        return self._done(lambda engine: engine.delete_many(keys))

    def gather(self, keys: Collection[str]) -> list[dict[str, Any]] | None:
        """Return the entries that exist in each engine; ``None`` when one does not answer."""
        answers = [_read(engine, keys) for engine in self._all()] if keys else []
        found = [answer for answer in answers if answer is not None]
        return found if len(found) == len(answers) else None

    def clear(self, keys: Collection[str], proof: Collection[str] = ()) -> bool:
        """Delete entries from every engine; False when one may hold them still.

        What staff end must not come back with an engine that was down, or was in force before. Some
        clients swallow errors: `proof`, those that nobody writes meanwhile, are read back.
        """
        cleared = [_cleared(engine, keys, proof) for engine in self._all()]
        return all(cleared)

    def start_over(self) -> None:
        """Believe in every engine, as a new process does: the next outage is logged again."""
        self._caches.clear()
        self._table.start_over()

    def _answer(self, verb: Callable[[Engine], T]) -> T | None:
        try:
            return self.run(verb)
        except Unavailable:
            return None

    def _done(self, verb: Callable[[Engine], None]) -> bool | None:
        try:
            self.run(verb)
        except Unavailable:
            return None
        return True

    def _in_force(self) -> Iterator[Engine]:
        return (engine for engine in self._all() if _may_be_asked(engine))

    def _all(self) -> list[Engine]:
        if not isinstance(conf.cache, str):
            return [self._table]
        if conf.cache not in self._caches:
            self._caches.setdefault(conf.cache, _with_breaker(conf.cache))
        return [self._caches[conf.cache], self._table]


def _with_breaker(alias: str) -> CacheEngine:
    looking = CacheEngine(alias)

    def is_well() -> bool:
        try:
            return looking.keeps(times=_LOOKS)
        finally:
            clients.close()

    return CacheEngine(alias, Breaker(alias, is_well))


def _may_be_asked(engine: Engine) -> bool:
    breaker = _breaker_of(engine)
    return breaker is None or breaker.allows()


def _breaker_of(engine: Engine) -> Breaker | None:
    return getattr(engine, "breaker", None)


def _trip(engine: Engine, reason: str) -> None:
    if breaker := _breaker_of(engine):
        breaker.trip(reason)


def _cleared(engine: Engine, keys: Collection[str], proof: Collection[str]) -> bool:
    if not _may_be_asked(engine):
        return False
    try:
        engine.delete_many(keys)
    except Unavailable as error:
        _trip(engine, str(error))
        return False
    if not proof:
        return True
    left = _read(engine, proof)
    # Of a server that hangs, such a client says that nothing is left.
    return left == {} and engine.keeps()


def _read(engine: Engine, keys: Collection[str]) -> dict[str, Any] | None:
    if not _may_be_asked(engine):
        return None
    try:
        return engine.get_many(keys)
    except Unavailable as error:
        _trip(engine, str(error))
        return None


def _begin_anew() -> None:
    """Share neither sockets nor locks with the process that this one was forked from."""
    clients.disown()
    store.start_over()


store = Store()
if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows does not fork
    os.register_at_fork(after_in_child=_begin_anew)
