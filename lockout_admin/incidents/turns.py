"""Whose turn it is to look: at most once in ten seconds for the site, never within a request.

A process in which something has failed, or was refused, has a thread look: a daemon, one at most,
which ends when there is nothing more to see.
"""

from __future__ import annotations

import logging
import os
import threading
from typing import Any, Final

from django.core import mail
from django.db import connections

from ..conf import conf
from ..engine import clients, sightings
from ..engine.store import store
from ..identity.subject import Subject
from ..signals import login_failed, login_succeeded
from . import seen
from .grouping import Summary, group

logger = logging.getLogger("lockout_admin")

#: Seconds between two turns.
TURN_SECS: Final = 10
#: Batches of a turn that a page waits for, or a thread takes.
_BATCHES: Final = 10


def connect() -> None:
    """Listen; called once, when the app is ready."""
    sightings.when_seen(wake)
    login_failed.connect(_something_happened, dispatch_uid="lockout_admin.incidents.failed")
    login_succeeded.connect(_something_happened, dispatch_uid="lockout_admin.incidents.in")


def group_if_due(batches: int = _BATCHES) -> Summary:
    """Bring incidents up to date, if nobody has for ten seconds. Raises nothing."""
    try:
        seen.hand_over()
        # The subject of nobody keeps the namespaces apart.
        key = f"lockout_admin:{{incidents:{conf.isolation}{Subject.of('').key:x}}}:turn"
        if store.add(key, 1, TURN_SECS):
            return group(batches=batches)
    except Exception:
        logger.exception("incidents_not_grouped: the next turn goes on where this one began.")
    return Summary()


class Worker:
    """The thread of this process, while there is one."""

    def __init__(self, pause: float = TURN_SECS) -> None:
        self._pause = pause
        self._lock = threading.Lock()
        self._is_wanted = False
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()

    def wake(self) -> None:
        """Have it look once more, or start it."""
        if self._is_wanted:
            return
        with self._lock:
            self._is_wanted = True
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="lockout_admin.incidents", daemon=True
                )
                self._thread.start()

    def join(self, seconds: float) -> bool:
        """Wait until it has ended; tell whether it has."""
        thread = self._thread
        if thread is not None:
            thread.join(seconds)
        return thread is None or not thread.is_alive()

    def _work(self) -> None:
        while self._go_on():
            # What comes in the meantime is looked at together.
            self._ended.wait(self._pause)
            try:
                group_if_due()
            finally:
                # Nothing else closes what a thread has opened.
                connections.close_all()
                clients.close()

    def _go_on(self) -> bool:
        with self._lock:
            if not self._is_wanted:
                self._thread = None
                return False
            self._is_wanted = False
            return True


_worker = Worker()


def wake() -> None:
    """Have a thread look soon. Not while tests run: they would meet it in their database."""
    if not hasattr(mail, "outbox"):
        _worker.wake()


def _something_happened(**signal: Any) -> None:
    wake()


def _begin_anew() -> None:
    global _worker  # noqa: PLW0603 - threads of the parent are not here
    _worker = Worker()


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows does not fork
    os.register_at_fork(after_in_child=_begin_anew)
