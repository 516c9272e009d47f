"""Carries out what is due: a lock begins, or a device is trusted no more."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from django.db import Error, IntegrityError

from ..models import AccountLock, TrustedDevice, accounts
from ..models.transactions import in_transaction, shielded
from . import locks, tallies
from .journal import current_journal
from .states import LockDue

if TYPE_CHECKING:
    from .attempt import Attempt

logger = logging.getLogger("lockout_admin")

#: Two for each lock that begins would do; more catch up.
_SETTLED_AT_ONCE = 20


def begin(attempt: Attempt, due: LockDue) -> AccountLock | None:
    """Put a lock on; ``None`` where the database refused it, or a racer was first.

    Or trust a device no more, and let its owner be one of the strangers.
    """
    rule = due.bucket.rule
    if rule.ends_trust:
        if rule.enforces:
            _end_trust(attempt)
        return None
    matter = due.bucket.matter
    if matter.subject is not None:
        # What was typed may be a password: see MASK_UNKNOWN_USERNAMES.
        matter = replace(matter, label=accounts.name_to_store(attempt.subject))
    try:
        row = locks.begin(
            matter,
            due.seconds,
            request=attempt.request,
            client=attempt.client,
            rule=rule.name,
            failures=due.failures,
            first_failure=due.first_failure,
            grows=due.grows,
            enforced=rule.enforces,
        )
    except IntegrityError:
        return None
    except Error:
        logger.exception("lock_not_recorded: the database refused a lock; slots refuse meanwhile.")
        return None
    _settle_others()
    return row


def _end_trust(attempt: Attempt) -> None:
    try:
        with shielded(TrustedDevice):
            device = TrustedDevice.objects.fresh().filter(pk=attempt.device)
            device.end(TrustedDevice.End.USED_UP)
    except Error:
        logger.exception("device_not_ended: the database refused to end the trust in a device.")


def _settle_others() -> None:
    """Keep what earlier locks refused, whichever they were on: no site needs a cron job for it."""
    try:
        with shielded(AccountLock):
            tallies.settle(_SETTLED_AT_ONCE)
    except Error:
        logger.exception("refusals_not_recorded: the database refused the counts of ended locks.")


def begin_overdue(attempt: Attempt, due: LockDue) -> AccountLock | None:
    """Put a lock on that is overdue; ``None`` where that is put off, too.

    What refuses the attempt may roll its transaction back, as Django REST framework does.
    """
    journal = current_journal.get()
    if journal is None or not in_transaction(AccountLock):
        return begin(attempt, due)
    journal.after_view.append(lambda: begin(attempt, due))
    return None
