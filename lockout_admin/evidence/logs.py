"""What is logged: one record a signal."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from django.dispatch import receiver
from django.utils import translation

from ..identity.client import Client
from ..models import AccountLock, FailedLogin, Incident, Outbox, SuccessfulLogin
from ..signals import (
    account_locked,
    account_unlocked,
    alarm_changed,
    failures_cleared,
    incident_changed,
    login_failed,
    login_succeeded,
    network_refused,
    staff_locked,
    would_challenge,
    would_lock,
    would_refuse,
)
from .events import write


@receiver(login_failed, dispatch_uid="lockout_admin.logs")
def log_login_failed(
    failure: FailedLogin, request: Any, client: Client | None = None, **signal: Any
) -> None:
    """Log a wrong password."""
    client = client or Client.of(request)
    write(logging.WARNING, "authn_login_fail", "failure", failure.username, **_source(client))


@receiver(login_succeeded, dispatch_uid="lockout_admin.logs")
def log_login_succeeded(
    success: SuccessfulLogin, request: Any, client: Client | None = None, **signal: Any
) -> None:
    """Log a login, or its end."""
    is_over = success.event == SuccessfulLogin.Event.LOGOUT
    code = "session_expired" if is_over else "authn_login_success"
    fields = {"user.id": success.account, "event.action": success.event}
    client = client or Client.of(request)
    write(logging.INFO, code, "success", success.username, **fields, **_source(client))


@receiver(account_locked, dispatch_uid="lockout_admin.logs")
def log_account_locked(
    lock: AccountLock, request: Any, client: Client | None = None, **signal: Any
) -> None:
    """Log a lock."""
    if lock.reason == AccountLock.Reason.LIMIT:
        write(
            logging.WARNING,
            "authn_login_fail_max",
            "failure",
            _name(lock),
            failures=lock.failures,
        )
    _log_lock(logging.WARNING, "authn_login_lock", lock, client or Client.of(request))


@receiver(would_lock, dispatch_uid="lockout_admin.logs")
def log_would_lock(
    lock: AccountLock, request: Any, client: Client | None = None, **signal: Any
) -> None:
    """Log what a monitored rule would have done: no alarm, for nobody is refused."""
    _log_lock(logging.INFO, "authn_login_lock_monitored", lock, client or Client.of(request))


def _log_lock(level: int, code: str, lock: AccountLock, client: Client) -> None:
    # Staff lock from a page of the console, commands from nowhere: who did it is told.
    source = {} if lock.is_by_hand else _source(client)
    details = {
        "lock.reason": lock.reason,
        "lock.rule": lock.rule,
        "lock.scope": lock.scope,
        "lock.until": lock.until.isoformat(),
        "lock.by": lock.locked_by,
        "lock.label": lock.label,
    }
    write(level, code, "failure", _name(lock), **details, **source)


@receiver(account_unlocked, dispatch_uid="lockout_admin.logs")
def log_account_unlocked(lock: AccountLock, **signal: Any) -> None:
    """Log the early end of a lock: an administrative act."""
    write(
        logging.WARNING,
        "authz_admin",
        "success",
        _name(lock),
        **{
            "event.action": "unlock",
            "lock.label": lock.label,
            "lock.ended_by": lock.ended_by,
            "lock.end_note": lock.end_note,
            **({"lock.confirmed": lock.confirmed} if lock.confirmed else {}),
        },
    )


@receiver(failures_cleared, dispatch_uid="lockout_admin.logs")
def log_failures_cleared(username: str, failures: int, client: Client, **signal: Any) -> None:
    """Log a success after failures: the one event of a stuffing attack that matters most."""
    write(
        logging.INFO,
        "authn_login_successafterfail",
        "success",
        username,
        failures=failures,
        **_source(client),
    )


def _name(lock: AccountLock) -> str:
    """Return the name that is locked; empty where it is no name, but a network."""
    return lock.label if lock.subject is not None else ""


def _source(client: Client) -> dict[str, Any]:
    return {
        "source.ip": client.ip_address,
        "user_agent.original": client.user_agent,
        "url.path": client.path,
    }


@receiver(network_refused, dispatch_uid="lockout_admin.logs")
def log_network_refused(
    network: str, refused: int, client: Client, request: Any, **signal: Any
) -> None:
    """Log that a blocked network came; nobody's name, for none was looked at."""
    _log_network(logging.WARNING, "authn_login_block", network, refused, client)


@receiver(would_refuse, dispatch_uid="lockout_admin.logs")
def log_would_refuse(
    network: str, refused: int, client: Client, request: Any, **signal: Any
) -> None:
    """Log that a blocked network was let in: no alarm, for nobody is refused."""
    _log_network(logging.INFO, "authn_login_block_monitored", network, refused, client)


@receiver(would_challenge, dispatch_uid="lockout_admin.logs")
def log_would_challenge(asked: int, client: Client, request: Any, **signal: Any) -> None:
    """Log that strangers were asked nothing: no alarm, for nobody is refused."""
    write(
        logging.INFO,
        "authn_challenge_monitored",
        "unknown",
        "",
        asked=asked,
        **_source(client),
    )


def _log_network(level: int, code: str, network: str, refused: int, client: Client) -> None:
    fields = {"lock.network": network, "refused": refused, **_source(client)}
    write(level, code, "failure", "", **fields)


@receiver(alarm_changed, dispatch_uid="lockout_admin.logs")
def log_alarm_changed(
    is_on: bool, failures: int, usual: float, since: datetime, **signal: Any
) -> None:
    """Log that the site as a whole is under attack, or is no longer; nobody's name."""
    fields = {
        "event.action": "begin" if is_on else "end",
        "failures": failures,
        "usual": round(usual, 1),
        "alarm.since": since.isoformat(),
    }
    write(
        logging.WARNING, "attack_detected", "unknown", "", category="intrusion_detection", **fields
    )


@receiver(incident_changed, dispatch_uid="lockout_admin.logs")
def log_incident(incident: Incident, what: str, **signal: Any) -> None:
    """Log a step in the life of an incident."""
    with translation.override("en"):
        because = incident.because
    fields: dict[str, Any] = {
        "event.action": str(what),
        "incident.id": incident.pk,
        "incident.kind": incident.kind,
        "incident.because": because,
        "incident.names": incident.names,
        "incident.networks": incident.networks,
        "incident.evaluated": incident.evaluated,
        "incident.refused": incident.refused,
        "incident.entered": incident.entered,
    }
    write(
        logging.WARNING,
        "attack_detected",
        "success" if incident.entered else "unknown",
        "",
        category="intrusion_detection",
        **fields,
    )


@receiver(staff_locked, dispatch_uid="lockout_admin.logs")
def log_staff_locked(user: Any, message: Outbox, **signal: Any) -> None:
    """Log that a rule has locked the account of a member of staff."""
    fields: dict[str, Any] = {"event.action": "staff_locked", "failures": message.failures}
    write(logging.WARNING, "authn_login_lock", "failure", user.get_username(), **fields)
