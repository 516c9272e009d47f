"""The story of one login attempt, from top to bottom.

`begin` refuses it or reserves a slot; the password is verified elsewhere; `fail`, `succeed` or
`abandon` ends it. `guard` puts these steps around a backend. Whether and for how long an attempt
is refused is decided in `decisions`; how rows are written is in `recording`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.db import Error
from django.utils import timezone

from ..conf import conf
from ..identity import names
from ..identity.client import Client
from ..identity.subject import account_of
from ..models import FailedLogin
from ..models.querysets import UserAgentManager
from ..models.transactions import shielded
from . import (
    clearing,
    credit,
    gates,
    locks,
    outcomes,
    refusals,
    sightings,
    slots,
    submissions,
    successes,
    watching,
)
from .attempt import Attempt, prepared, sort_into
from .buckets import refuse
from .decisions import decide, fits, is_close
from .journal import let_in, pending_of
from .locks import Lock
from .pacing import behind
from .slots import NoSlot
from .standing import Standing
from .states import Admission, Refusal
from .store import Engine, Unavailable, store

__all__ = ["Attempt", "abandon", "begin", "begin_verified", "fail", "look", "prepared", "succeed"]

logger = logging.getLogger("lockout_admin")


# -- The steps ----------------------------------------------------------------------------------


def begin(
    username: object,
    request: Any = None,
    password: Any = "",
    client: Client | None = None,
    beside: Mapping[str, Any] | None = None,
) -> Attempt:
    """Let an attempt in, with a slot for one password; raise `AccountLocked` otherwise.

    Of `password`, and of what the backend is given `beside` it and the names, nothing is kept but
    a fingerprint of 16 bits, see `fingerprints`.
    """
    attempt = prepared(username, request, password, client, beside)
    watching.note(attempt.buckets)
    gates.pass_all(attempt)
    try:
        store.run(lambda engine: _enter(engine, attempt))
    except Unavailable:
        if conf.only_watches:
            # It reserves nothing. What staff have locked, the database knows.
            _look_outside(attempt)
            _admitted(attempt, {})
            return attempt
        # Parallel guesses can't be counted, so nobody may try.
        logger.error("store_unavailable: neither cache nor database holds slots; logins wait.")
        refusals.until(attempt, attempt.started)
    return attempt


def begin_verified(username: object, request: Any = None, client: Client | None = None) -> Attempt:
    """Take in an attempt whose password has been verified already: too late to refuse it."""
    attempt = prepared(username, request, client=client)
    _look_outside(attempt)
    if attempt.device and attempt.standing.account_of_device is None:
        sort_into(attempt, None)
        _look_outside(attempt)
    return attempt


def fail(attempt: Attempt) -> bool:
    """End an attempt whose password was wrong: record it, lock at the limit. True: now locked.

    In a transaction the record is put off until the middleware can write it outside; the answer
    is then what is foreseen.
    """
    if attempt.browser:
        # It trusts nothing yet, but "the same browser" is known from now on.
        attempt.browser.known()
    submissions.remember(attempt)
    return _count(attempt)


def _count(attempt: Attempt) -> bool:
    if not attempt.slots:
        attempt.slots = slots.late(attempt.places, attempt.started)
    return outcomes.failed(attempt)


def succeed(attempt: Attempt, user: Any = None) -> None:
    """End an attempt whose password was right: give back what it took, record it.

    The counts of all names of the account are ended, and what the same submission failed under
    another of them is none. Under a name that finds others too, it is a guess at their passwords.
    """
    let_in()
    if names.finds_others(attempt.subject, user, is_of_django=attempt.is_of_django):
        _count(attempt)
    else:
        slots.give_back(attempt.slots, timezone.now())
    if attempt.digest:
        submissions.take_back(attempt.request, user, attempt.digest)
    clearing.succeeded(attempt, user)
    for name in names.others(attempt.subject, user):
        clearing.succeeded(begin_verified(name, attempt.request, attempt.client), user)
    sightings.came_in(attempt, account_of(user))
    successes.verified(attempt, user)


def abandon(attempt: Attempt) -> None:
    """End an attempt whose password was not evaluated."""
    slots.give_back(attempt.slots, timezone.now())


# -- Letting in ---------------------------------------------------------------------------------


def _enter(engine: Engine, attempt: Attempt) -> None:
    keys = [key for place in attempt.places for key in place.keys]
    for matter, _ in attempt.matters.values():
        keys += locks.keys_of_lock(matter.scope, matter.keys)
    entries = engine.get_many(keys)
    for matter, rules in attempt.matters.values():
        lock = Lock.cached(matter.scope, matter.keys, entries)
        # What strangers did to the name does not bind the owner's device; what staff did, does.
        if lock and (lock.is_by_hand or refuse(rules)):
            refusals.by_lock(attempt, matter.scope, matter.key, lock)
    look(attempt, entries)
    if attempt.device and attempt.standing.account_of_device is None:
        sort_into(attempt, None)
        return _enter(engine, attempt)
    gates.pass_inner(attempt)
    admission = _admitted(attempt, entries)
    reserved = slots.reserve(engine, attempt.places, admission.allowed, entries, attempt.started)
    if isinstance(reserved, NoSlot):
        sooner = behind(attempt.buckets, attempt.standing.states, attempt.started)
        refusals.until(attempt, min(reserved.until, sooner or reserved.until))
    attempt.slots = reserved
    if is_close(attempt.matters, admission):
        _look_again(engine, attempt)
    return None


def look(attempt: Attempt, entries: dict[str, Any]) -> None:
    """Read what the database knows, and put what the store has beside it."""
    user_agent = UserAgentManager.key_of(attempt.client.user_agent)
    try:
        with shielded(FailedLogin):
            standing = Standing.of(attempt.matters, user_agent, attempt.device, attempt.started)
    except Error:
        # The slots still hold the limit.
        logger.exception(
            "lockout_records_unreadable: if tables are missing, run 'manage.py migrate'."
        )
        standing = Standing.unknown(attempt.matters)
    states = standing.states
    for key, state in states.items():
        if pending := pending_of(key):
            states[key] = replace(state, failures=(*state.failures, *pending))
    for place in attempt.places:
        if held := place.held(entries):
            key = place.matter.key
            states[key] = replace(states[key], slots=tuple(held.values()))
    attempt.standing = replace(standing, states=states)


def _look_outside(attempt: Attempt) -> None:
    keys = [key for place in attempt.places for key in place.keys]
    look(attempt, store.get_many(keys) or {})


def _admitted(attempt: Attempt, entries: dict[str, Any]) -> Admission:
    decision = decide(attempt.buckets, attempt.standing.states, attempt.started)
    if isinstance(decision, Refusal):
        overdue = [due.bucket for due in decision.overdue]
        if overdue and credit.raise_limits(attempt, overdue):
            look(attempt, entries)
            return _admitted(attempt, entries)
        refusals.carry_out(attempt, decision)
    return decision


def _look_again(engine: Engine, attempt: Attempt) -> None:
    """Refuse after all where more attempts are under way than the rows leave.

    A slot that ended while its row was being read would let one too many in. Whoever reserves
    first and looks then is seen by all who come later.
    """
    entries = engine.get_many([key for place in attempt.places for key in place.keys])
    look(attempt, entries)
    if not fits(attempt.buckets, attempt.standing.states, attempt.started):
        abandon(attempt)
        attempt.slots = ()
        refusals.until(attempt, attempt.started)
