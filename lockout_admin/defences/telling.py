"""Tells of what happens often once a minute: how many times it was, and no line for each."""

from __future__ import annotations

import threading
import time
from typing import Final

#: So often a process tells of one thing, …
TELL_SECS: Final = 60
#: … and of so many in that time: a siege may come from everywhere.
MOST_TOLD: Final = 100


class Telling:
    """What a process has told of."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[float, int]] = {}
        self._lock = threading.Lock()

    def count(self, what: str) -> int | None:
        """Count something; return how many times it was when it is time to tell."""
        with self._lock:
            if what not in self._told and not self._has_room():
                return None
            told, times = self._told.get(what, (float("-inf"), 0))
            is_due = is_over(told, TELL_SECS)
            self._told[what] = (time.monotonic(), 0) if is_due else (told, times + 1)
        return times + 1 if is_due else None

    def _has_room(self) -> bool:
        if len(self._told) >= MOST_TOLD:
            recent = [one for one in self._told.items() if not is_over(one[1][0], TELL_SECS)]
            self._told = dict(recent)
        return len(self._told) < MOST_TOLD


def is_over(since: float, seconds: float) -> bool:
    """Tell whether so much time has passed since a moment of this process's clock."""
    # A clock that was set back, too: tests stop it.
    return not 0 <= time.monotonic() - since < seconds
