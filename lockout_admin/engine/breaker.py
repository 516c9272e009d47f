"""A circuit breaker: a dead engine is not asked until a look in the background finds it well."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable

from django.db import connections

from ..signals import engine_changed

logger = logging.getLogger("lockout_admin")

#: From one look at a dead engine to the next.
LOOK_SECS = 5.0
#: Longest, for one that keeps failing soon after it was found well.
LONGEST_LOOK_SECS = 60.0
#: The name of the thread that looks.
LOOK = "lockout_admin look"


class Breaker:
    """Tells whether an engine may be asked; one process, all threads.

    ``closed`` (asked) -> ``open`` by `trip`; back by a look: `well` writes, reads back and says so.
    No login waits for a look, and nobody looks while nobody asks.
    """

    def __init__(self, name: str, well: Callable[[], bool]) -> None:
        self.name = name
        self._well = well
        #: Read without a lock.
        self.is_open = False
        self._guard = threading.Lock()
        self._looking = False
        self._wait = LOOK_SECS
        self._due = 0.0
        self._looked_at = -math.inf

    def allows(self) -> bool:
        """Tell whether to ask the engine; begin a look when one is due."""
        if not self.is_open:
            return True
        if self._claim_look():
            self._begin_look()
        return False

    def trip(self, reason: str) -> None:
        """Stop asking the engine."""
        with self._guard:
            if self.is_open:
                return
            self.is_open = True
            now = time.monotonic()
            soon = now - self._looked_at < LONGEST_LOOK_SECS
            # Of several servers one may be dead: a look finds the others, the next login does not.
            self._wait = min(LONGEST_LOOK_SECS, self._wait * 2) if soon else LOOK_SECS
            self._due = now + self._wait
        logger.warning(
            "cache_unavailable: the cache %r does not answer (%s)."
            " The table of the store takes over until it is back.",
            self.name,
            reason,
        )
        engine_changed.send_robust(Breaker, name=self.name, is_well=False, reason=reason)

    def _claim_look(self) -> bool:
        with self._guard:
            now = time.monotonic()
            if self._looking or now < self._due:
                return False
            self._looking = True
            self._looked_at = now
            self._due = now + self._wait
            return True

    def _begin_look(self) -> None:
        try:
            threading.Thread(target=self._look, name=LOOK, daemon=True).start()
        except RuntimeError:  # no more threads can be had, or the process ends
            self._looking = False

    def _look(self) -> None:
        well = False
        try:
            well = self._well()
        finally:
            with self._guard:
                self._looking = False
                self.is_open = not well
        if well:
            logger.warning("cache_available: the cache %r answers again.", self.name)
            try:
                engine_changed.send_robust(Breaker, name=self.name, is_well=True, reason="")
            finally:
                # Nothing else closes what a thread has opened.
                connections.close_all()
