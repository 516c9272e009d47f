"""What a write needs to know of the transaction around it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.db import Error, connections, models, router, transaction
from django.dispatch import Signal

logger = logging.getLogger("lockout_admin")


def in_transaction(model: type[models.Model]) -> bool:
    """Tell whether a write to `model` would be rolled back with somebody else's work.

    The transaction that Django's ``TestCase`` puts around a test is nobody's work.
    """
    connection = transaction.get_connection(router.db_for_write(model))
    blocks = connection.atomic_blocks
    is_of_a_test = len(blocks) == 1 and getattr(blocks[0], "_from_testcase", False)
    return bool(connection.in_atomic_block) and not is_of_a_test


def shielded(model: type[models.Model]) -> AbstractContextManager[Any]:
    """Keep a failing statement from breaking the transaction around it."""
    database = router.db_for_write(model)
    if transaction.get_connection(database).in_atomic_block:
        return transaction.atomic(using=database)
    return nullcontext()


def close_idle_connections() -> None:
    """Close what is old or broken, as Django does around a request; not inside a transaction."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()


def on_commit(model: type[models.Model], work: Callable[[], Any]) -> None:
    """Do what must not happen for rows that are rolled back: now, or on commit."""
    if in_transaction(model):
        transaction.on_commit(work, using=router.db_for_write(model), robust=True)
    else:
        work()


def tell(signal: Signal, sender: type[models.Model], **facts: Any) -> None:
    """Send a signal. What receivers raise is logged, and what they break of a transaction undone.

    PostgreSQL refuses all further statements of a transaction in which one has failed.
    """
    try:
        with shielded(sender):
            signal.send_robust(sender, **facts)
    except Error:
        logger.exception("receiver_failed: a receiver of a signal broke the transaction around it.")
