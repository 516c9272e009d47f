"""A thread of the process that sends, where the site has nobody else for it.

At most one a process, a daemon, and only while there is something to send. It leaves fresh
messages to a `lockout_notify --watch` for a moment, which is what sites with one are there for.
"""

from __future__ import annotations

import logging
import os
import threading
from typing import Final

from django.core import mail
from django.db import connections

from . import claims, sender

logger = logging.getLogger("lockout_admin")

#: Seconds that a message is left to others.
HEAD_START_SECS: Final = 3.0
#: Longest sleep while something waits.
_MOST_SECS: Final = 60.0
_RETRY_SECS: Final = 10.0


class Worker:
    """The thread of this process, while there is one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Have it look, or start it."""
        with self._lock:
            self._woken.set()
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._work, name="lockout_admin.sender", daemon=True
                )
                self._thread.start()

    def join(self, seconds: float) -> bool:
        """Wait until it has ended; tell whether it has."""
        thread = self._thread
        if thread is not None:
            thread.join(seconds)
        return thread is None or not thread.is_alive()

    def _work(self) -> None:
        while True:
            self._woken.clear()
            wait = self._look()
            if self._is_over(wait):
                return
            self._woken.wait(min(wait or 0.0, _MOST_SECS))

    def _is_over(self, wait: float | None) -> bool:
        """End where nothing waits; whoever wakes it from now on starts another."""
        with self._lock:
            if wait is not None or self._woken.is_set():
                return False
            self._thread = None
            return True

    def _look(self) -> float | None:
        """Send what is due; return in how many seconds to look again, ``None``: nothing waits."""
        try:
            sender.send_due(older_than=HEAD_START_SECS)
            return claims.next_in(older_than=HEAD_START_SECS)
        except Exception:
            logger.exception("sender_failed: messages wait in the outbox.")
            return _RETRY_SECS
        finally:
            # Nothing else closes what a thread has opened.
            connections.close_all()


_worker = Worker()


def wake() -> None:
    """Have a thread send soon. Not while tests run: they would meet it in their database."""
    if not hasattr(mail, "outbox"):
        _worker.wake()


def _begin_anew() -> None:
    global _worker  # noqa: PLW0603 - threads of the parent are not here
    _worker = Worker()


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows does not fork
    os.register_at_fork(after_in_child=_begin_anew)
