"""What is to be told: the one place in which a transition of the engine becomes a message."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from ..engine.journal import outside_transactions
from ..engine.rules import ACCOUNT
from ..identity.client import Client
from ..identity.subject import Subject, account_of
from ..models import AccountLock, Outbox, SuccessfulLogin
from ..models.accounts import name_to_store
from ..signals import (
    account_locked,
    alarm_changed,
    engine_changed,
    incident_changed,
    login_succeeded,
    new_device,
    staff_locked,
)
from . import alerts, outbox
from .sieges import FAILURES_TOLD

Kind = Outbox.Kind


def connect() -> None:
    """Listen; called once, when the app is ready."""
    account_locked.connect(name_is_locked, dispatch_uid="lockout_admin.due.locked")
    login_succeeded.connect(somebody_is_in, dispatch_uid="lockout_admin.due.failures")
    new_device.connect(device_is_new, dispatch_uid="lockout_admin.due.device")
    alarm_changed.connect(site_is_attacked, dispatch_uid="lockout_admin.due.alarm")
    engine_changed.connect(alerts.engine_has_changed, dispatch_uid="lockout_admin.due.engine")
    incident_changed.connect(alerts.incident_has_changed, dispatch_uid="lockout_admin.due.incident")
    staff_locked.connect(alerts.staff_is_locked, dispatch_uid="lockout_admin.due.staff")


def name_is_locked(
    lock: AccountLock, request: Any = None, client: Client | None = None, **signal: Any
) -> None:
    """Tell of a lock that a rule put on a name. What staff do, they tell themselves."""
    is_on_a_name = lock.scope == ACCOUNT.name and lock.subject is not None
    if is_on_a_name and not lock.is_by_hand:
        facts = {
            "failures": lock.failures,
            "until": lock.until,
            "timestamp": lock.started_at,
        }
        source = client or Client.of(request)
        outbox.put(Kind.LOCKED, int(lock.subject or 0), lock.label, source, **facts)


def somebody_is_in(
    success: SuccessfulLogin, request: Any = None, failures: int = 0, **signal: Any
) -> None:
    """Tell of a login after failures: the owner knows whether it was the owner."""
    is_over = success.event == SuccessfulLogin.Event.LOGOUT
    if failures >= FAILURES_TOLD and success.account and not is_over:
        facts = {
            "failures": failures,
            "account": success.account,
            "timestamp": success.timestamp,
        }
        client = Client.of(request)
        outbox.put(Kind.AFTER_FAILURES, success.subject, success.username, client, **facts)


def device_is_new(user: Any, request: Any = None, **signal: Any) -> None:
    """Tell of a login with a device that is not among those which the account has."""
    subject = Subject.of(user.get_username())
    facts = {"account": account_of(user)}
    outbox.put(Kind.NEW_DEVICE, subject.key, subject.username, Client.of(request), **facts)


def site_is_attacked(is_on: bool, failures: int, **signal: Any) -> None:
    """Tell that the site as a whole is under attack, or is no longer: nobody's name."""
    kind = Kind.ALARM if is_on else Kind.CALM
    told = partial(outbox.put, kind, 0, "", Client(), failures=failures)
    outside_transactions(Outbox, told)


def account_was_entered(user: Any, when: datetime | None, country: str) -> None:
    """Tell an owner, as staff say, that somebody was in; `country` in two letters, or empty."""
    subject = Subject.of(user.get_username())
    facts = {"account": account_of(user), "happened_at": when, "reason": country}
    outbox.put(Kind.ENTERED, subject.key, subject.username, Client(), **facts)


def help_is_asked_for(typed: str, client: Client) -> str:
    """Have a mail sent to whoever has the name; return the nonce for the browser that asks."""
    subject = Subject.of(typed)
    return outbox.put(Kind.ASKED, subject.key, name_to_store(subject), client)


def help_is_asked_for_again(user: Any, client: Client) -> str:
    """Have a mail sent to an account whose mail somebody has; return the nonce likewise."""
    subject = Subject.of(user.get_username())
    facts = {"account": account_of(user)}
    return outbox.put(Kind.FRESH, subject.key, subject.username, client, **facts)
