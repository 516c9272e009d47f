"""Who sends: a task backend of the site, else the command, else a thread of the process.

All of them do the same, `sender.send_due`, so that what one has left is sent by the next.
"""

from __future__ import annotations

import logging

from ..conf import conf
from . import tasks, threads

logger = logging.getLogger("lockout_admin")


def wake() -> None:
    """Have what is due sent soon, by whoever the site has for it; raise nothing."""
    try:
        if tasks.can_run():
            tasks.enqueue()
        elif conf.notify_in_thread:
            threads.wake()
    except Exception:
        logger.exception("sender_not_woken: messages wait in the outbox for the next sender.")


def kind() -> str:
    """Return who sends: ``task``, ``thread`` or ``command``."""
    if tasks.can_run():
        return "task"
    return "thread" if conf.notify_in_thread else "command"
