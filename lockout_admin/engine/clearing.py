"""What a right password ends: failures of its own account, and the growth of their locks."""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import Error
from django.utils import timezone

from ..identity import names
from ..models import AccountLock, FailedLogin
from ..models.transactions import shielded, tell
from ..signals import failures_cleared
from . import slots
from .decisions import after_success
from .journal import outside_transactions
from .states import Ended, Failure

if TYPE_CHECKING:
    from .attempts import Attempt

logger = logging.getLogger("lockout_admin")


def succeeded(attempt: Attempt, user: Any) -> None:
    """End what a right password ends: failures of its own account, from its own place."""
    states = attempt.standing.states
    if not any(state.failures for state in states.values()):
        return
    fines = names.own_fines(attempt.subject, user)
    ended = after_success(
        attempt.buckets,
        states,
        fines,
        attempt.network,
        attempt.browser_id,
        attempt.started,
    )
    if ended and not names.is_ambiguous(attempt.subject, user, is_of_django=attempt.is_of_django):
        outside_transactions(FailedLogin, lambda: _end(attempt, ended))


def _end(attempt: Attempt, ended: Ended) -> None:
    now: datetime = timezone.now()
    failures = (*ended.failures, *ended.forgiven)
    whens = {failure.when for failure in failures}
    held = [slot for state in attempt.standing.states.values() for slot in state.slots]
    slots.free({slot.key: slot for slot in held if slot.started in whens}, now)
    try:
        with shielded(FailedLogin):
            _mark(ended.failures, FailedLogin.Outcome.CLEARED)
            _mark(ended.forgiven, FailedLogin.Outcome.FORGIVEN)
            if ended.locks:
                pks = [lock.id for lock in ended.locks]
                AccountLock.objects.filter(pk__in=pks).update(grows=False)
    except Error:
        logger.exception("success_not_recorded: the database refused to end a count of failures.")
    if failures:
        tell(
            failures_cleared,
            FailedLogin,
            username=attempt.subject.username,
            failures=len(failures),
            client=attempt.client,
            request=attempt.request,
        )


def _mark(failures: Collection[Failure], outcome: str) -> None:
    if failures:
        rows = FailedLogin.objects.filter(pk__in=[failure.id for failure in failures])
        rows.exclude(outcome__in=_OVER).update(outcome=outcome)


_OVER = (FailedLogin.Outcome.RELEASED, FailedLogin.Outcome.FORGIVEN)
