"""Who got in: one row a login, whoever says so.

The guard says that a password was right, Django that a session has begun. Within one request both
are one login: what the guard says waits for the session, or for the end of the request. Whoever
logs in with each request, as HTTP Basic does, leaves one row in `QUIET_SECS`.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import Error
from django.utils import timezone

from ..conf import conf
from ..identity.browser import Browser
from ..identity.client import Client
from ..identity.subject import Subject, account_of
from ..models import SuccessfulLogin, UserAgent
from ..models.transactions import shielded, tell
from ..signals import login_succeeded
from . import recording
from .journal import keep_open, left_open, outside_transactions

if TYPE_CHECKING:
    from .attempts import Attempt

logger = logging.getLogger("lockout_admin")

Event = SuccessfulLogin.Event

#: A right password without a session is not recorded again so soon, for the same name, account,
#: address and user agent.
QUIET_SECS = 15 * 60

#: Where a user who came in without the middleware has the key of the row.
_MARK = "_lockout_admin_success"


@dataclass(slots=True, eq=False)
class Success:
    """Somebody who got in, and whether a session has begun."""

    row: SuccessfulLogin
    client: Client
    request: Any
    knows_user_agent: bool = False
    is_recorded: bool = False
    #: Failures on the name in the day before that no success has ended.
    failures: int = 0

    def is_of(self, user: Any) -> bool:
        """Tell whether this is how `user` got in."""
        return self.row.account in ("", account_of(user))

    def session_begins(self, user: Any) -> None:
        """Record a login, unless it is recorded."""
        if not self.is_recorded:
            self.row.event = Event.LOGIN
            self.row.account = account_of(user)
            self._record()

    def request_is_over(self) -> None:
        """Record that the password was right, and that no session has begun."""
        if not self.is_recorded:
            self._record()

    def _record(self) -> None:
        self.is_recorded = True
        outside_transactions(SuccessfulLogin, self._write)

    def _write(self) -> None:
        new_user_agent = "" if self.knows_user_agent else self.client.user_agent
        _write(self.row, self.request, self.client, new_user_agent, self.failures)


def verified(attempt: Attempt, user: Any) -> None:
    """Take note of a right password: it is recorded with the session, or with the request's end."""
    if not conf.log_successes:
        return
    row = SuccessfulLogin.objects.build(
        attempt.subject,
        attempt.client,
        timestamp=attempt.started,
        account=account_of(user),
        event=Event.VERIFIED,
        browser=attempt.browser_id,
        device=attempt.device,
    )
    success = Success(row, attempt.client, attempt.request, attempt.standing.knows_user_agent)
    success.failures = _failures_before(attempt)
    if not keep_open(attempt.request, success):
        success.request_is_over()
        with suppress(Exception):  # what backends call a user may be anything
            setattr(user, _MARK, row.pk)


def _failures_before(attempt: Attempt) -> int:
    since = attempt.started - timedelta(days=1)
    state = attempt.standing.states.get(attempt.subject.key)
    failures = state.failures if state else ()
    return sum(failure.when > since and not failure.cleared for failure in failures)


def logged_in(request: Any, user: Any) -> None:
    """Record that a session has begun, whatever let the user in; once a request."""
    if not conf.log_successes or _turned_into_login(user):
        return
    own = [one for one in left_open(request) if isinstance(one, Success) and one.is_of(user)]
    success = own[-1] if own else _anew(request, user, Event.LOGIN)
    if not own:
        keep_open(request, success)
    success.session_begins(user)


def logged_out(request: Any, user: Any) -> None:
    """Record that a session has ended."""
    if conf.log_logouts and user is not None:
        outside_transactions(SuccessfulLogin, _anew(request, user, Event.LOGOUT)._write)


def _anew(request: Any, user: Any, event: SuccessfulLogin.Event) -> Success:
    client = Client.of(request)
    browser = Browser.of(request)
    row = SuccessfulLogin.objects.build(
        Subject.of(user.get_username()),
        client,
        account=account_of(user),
        event=event,
        browser=(browser.id or None) if browser else None,
    )
    return Success(row, client, request)


def _turned_into_login(user: Any) -> bool:
    """Tell whether the row of a login that came without the middleware was there already."""
    pk = getattr(user, _MARK, None)
    if pk is None:
        return False
    delattr(user, _MARK)
    try:
        with shielded(SuccessfulLogin):
            rows = SuccessfulLogin.objects.filter(pk=pk, event=Event.VERIFIED)
            return bool(rows.update(event=Event.LOGIN))
    except Error:
        logger.exception("success_not_recorded: the database refused to mark a login.")
        return True


def _write(
    row: SuccessfulLogin, request: Any, client: Client, new_user_agent: str, failures: int = 0
) -> None:
    since = None
    if row.event == Event.VERIFIED:
        since = timezone.now() - timedelta(seconds=QUIET_SECS)
    try:
        with shielded(SuccessfulLogin):
            if new_user_agent:
                UserAgent.objects.remember(new_user_agent)
            row.pk = recording.record_success(row, since)
            if row.pk is None:
                return
    except Error:
        logger.exception("success_not_recorded: the database refused a login; it goes on.")
    told = {"request": request, "client": client, "failures": failures}
    tell(login_succeeded, SuccessfulLogin, success=row, **told)
