"""What comes of an attempt whose password has been verified: rows, locks, counts that end."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import Error, router
from django.utils import timezone

from ..models import FailedLogin, UserAgent, accounts
from ..models.transactions import in_transaction, shielded, tell
from ..signals import login_failed
from . import credit, dues, fingerprints, recording, sightings, slots
from .decisions import after_failure, binding
from .journal import current_journal, outside_transactions
from .rules import Bucket
from .standing import Standing
from .states import Failure, States

if TYPE_CHECKING:
    from .attempts import Attempt

logger = logging.getLogger("lockout_admin")


def failed(attempt: Attempt) -> bool:
    """Record a wrong password, and begin the locks that are due. True: now locked."""
    repeated = fingerprints.is_repeated(attempt)
    reserving = [one.rule for one in attempt.buckets if one.rule.scope.reserves]
    if repeated and not any(rule.counts_repeats for rule in reserving):
        # What no rule counts holds up nobody.
        slots.give_back(attempt.slots, timezone.now())
    journal = current_journal.get()
    if journal is None or not in_transaction(FailedLogin):
        return _record(attempt, repeated)
    # It counts within the request already: a batch of logins is no way around the limit.
    foreseen = _failure(attempt, 0, repeated)
    attempt.foreseen = foreseen
    journal.pending.append((attempt.matters.keys(), foreseen))
    journal.after_view.append(lambda: _record(attempt, repeated))
    due = after_failure(
        attempt.buckets, _with_failure(attempt, foreseen), foreseen, attempt.started
    )
    return any(one.bucket.rule.enforces for one in due)


def take_back(attempt: Attempt) -> None:
    """Make a failure none: its password was right. One that led to a lock stays with the lock."""
    row = attempt.row
    if row is not None and row.outcome == FailedLogin.Outcome.LOCKED:
        return
    attempt.is_taken_back = True
    slots.give_back(attempt.slots, timezone.now())
    if row is not None:
        outside_transactions(FailedLogin, lambda: _delete(row))
    elif journal := current_journal.get():
        journal.pending = [one for one in journal.pending if one[1] is not attempt.foreseen]


# -- A failure ----------------------------------------------------------------------------------


def _record(attempt: Attempt, repeated: bool) -> bool:
    if attempt.is_taken_back:
        return False
    sightings.guessed(attempt)
    row = FailedLogin.objects.build(
        attempt.subject,
        attempt.client,
        timestamp=attempt.started,
        username=accounts.name_to_store(attempt.subject),
        repeated=repeated,
        common=attempt.common,
        browser=attempt.browser_id,
        device=attempt.device,
    )
    others = 0
    try:
        with shielded(FailedLogin):
            if attempt.client.user_agent and not attempt.standing.knows_user_agent:
                UserAgent.objects.remember(attempt.client.user_agent)
            recorded = recording.record(
                row, _shortest(attempt), attempt.started, _others_if_alone(attempt)
            )
            row.pk = recorded.id
            attempt.row = row
            others = recorded.others
    except Error:
        # The slot stays taken: the failure counts in the store.
        logger.exception("failed_login_not_recorded: the database refused a record; it counts.")
    tell(
        login_failed,
        FailedLogin,
        failure=row,
        request=attempt.request,
        client=attempt.client,
    )
    return row.pk is not None and _lock(attempt, row, others)


def _lock(attempt: Attempt, row: FailedLogin, others: int) -> bool:
    failure = _failure(attempt, row.pk, row.repeated)
    states = _with_failure(attempt, failure)
    due = after_failure(attempt.buckets, states, failure, attempt.started)
    if due and credit.raise_limits(attempt, [one.bucket for one in due]):
        due = after_failure(attempt.buckets, states, failure, attempt.started)
    if not due and _others_may_have_reached_it(attempt, others):
        # Decide anew: others have failed since this attempt came in.
        states = _states_now(attempt) or states
        due = after_failure(attempt.buckets, states, failure, timezone.now())
    begun = [lock for one in due if (lock := dues.begin(attempt, one))]
    if any(lock.enforced for lock in begun):
        _mark(row)
    refuses = any(one.bucket.rule.enforces and not one.bucket.rule.ends_trust for one in due)
    return refuses or bool(binding(attempt.buckets, states, attempt.started))


def _mark(row: FailedLogin) -> None:
    """Say that a failure led to a lock, now that it has."""
    row.outcome = FailedLogin.Outcome.LOCKED
    try:
        with shielded(FailedLogin):
            FailedLogin.objects.filter(pk=row.pk).update(outcome=row.outcome)
    except Error:
        logger.exception("outcome_not_recorded: the database refused to mark a failure.")


def _with_failure(attempt: Attempt, failure: Failure) -> States:
    states = attempt.standing.states
    return {key: state.with_failure(failure) for key, state in states.items()}


def _states_now(attempt: Attempt) -> States:
    try:
        with shielded(FailedLogin):
            return Standing.of(attempt.matters, None, None, timezone.now()).states
    except Error:
        return {}


def _others_may_have_reached_it(attempt: Attempt, others: int) -> bool:
    bucket = _shortest(attempt)
    if bucket is None or others + 1 < bucket.rule.limit:
        return False
    return others > _others_known(attempt, bucket)


def _others_if_alone(attempt: Attempt) -> int | None:
    """Return how many have failed, if nobody else was seen under way."""
    bucket = _shortest(attempt)
    if bucket is None:
        return None
    state = attempt.standing.states[bucket.matter.key]
    known = {attempt.started, *(failure.when for failure in state.failures)}
    if any(slot.is_contended for slot in attempt.slots):
        return None
    if any(slot.started not in known for slot in state.slots):
        return None
    return _others_known(attempt, bucket)


def _others_known(attempt: Attempt, bucket: Bucket) -> int:
    # Those that a success has ended are among the others, and known as well.
    since = attempt.started - timedelta(seconds=bucket.rule.interval)
    state = attempt.standing.states[bucket.matter.key]
    return sum(failure.when > since for failure in state.failures)


def _failure(attempt: Attempt, pk: int, repeated: bool) -> Failure:
    return Failure(
        pk,
        attempt.started,
        attempt.subject.fine,
        attempt.network,
        repeated,
        attempt.subject.key,
        attempt.browser_id,
    )


def _shortest(attempt: Attempt) -> Bucket | None:
    """Return the rule on the name with the shortest interval: there, several may fail at once."""
    own = [
        bucket
        for bucket in attempt.buckets
        if bucket.matter.subject == attempt.subject.key and not bucket.rule.delays
    ]
    return min(own, key=lambda bucket: bucket.rule.interval, default=None)


def _delete(row: FailedLogin) -> None:
    rows = FailedLogin.objects.filter(pk=row.pk)
    try:
        with shielded(FailedLogin):
            rows._raw_delete(router.db_for_write(FailedLogin))
    except Error:
        logger.exception("failure_not_taken_back: the database refused; it counts.")
