"""The log: one record an event, in the OWASP vocabulary, with ECS fields.

Everything a stranger typed is JSON with ASCII escapes, so that no line can be forged (CWE-117,
ASVS 5.0 16.4.1).
"""

from __future__ import annotations

import json
import logging
from typing import Any

from django.dispatch import receiver

from .client import Client
from .models import AccountLock, FailedLogin
from .signals import account_locked, account_unlocked, failures_cleared, login_failed

logger = logging.getLogger("lockout_admin")


@receiver(login_failed, dispatch_uid="lockout_admin.logs")
def log_login_failed(failure: FailedLogin, request: Any, **signal: Any) -> None:
    """Log a wrong password."""
    client = Client.of(request)
    _log(logging.WARNING, "authn_login_fail", "failure", failure.username, **_source(client))


@receiver(account_locked, dispatch_uid="lockout_admin.logs")
def log_account_locked(lock: AccountLock, request: Any, **signal: Any) -> None:
    """Log a lock."""
    if lock.reason == AccountLock.Reason.LIMIT:
        _log(logging.WARNING, "authn_login_fail_max", "failure", lock.username, failures=lock.failures)
    source = _source(Client.of(request)) if request else {}
    details = {"lock.reason": lock.reason, "lock.until": lock.until.isoformat(), "lock.by": lock.locked_by}
    _log(logging.WARNING, "authn_login_lock", "failure", lock.username, **details, **source)


@receiver(account_unlocked, dispatch_uid="lockout_admin.logs")
def log_account_unlocked(lock: AccountLock, **signal: Any) -> None:
    """Log the early end of a lock: an administrative act."""
    _log(
        logging.WARNING,
        "authz_admin",
        "success",
        lock.username,
        **{"event.action": "unlock", "lock.ended_by": lock.ended_by, "lock.end_note": lock.end_note},
    )


@receiver(failures_cleared, dispatch_uid="lockout_admin.logs")
def log_failures_cleared(username: str, failures: int, client: Client, **signal: Any) -> None:
    """Log a success after failures: the one event of a stuffing attack that matters most."""
    _log(logging.INFO, "authn_login_successafterfail", "success", username, failures=failures, **_source(client))


def _source(client: Client) -> dict[str, Any]:
    return {"source.ip": client.address, "user_agent.original": client.user_agent, "url.path": client.gateway}


def _log(level: int, code: str, outcome: str, username: str, **fields: Any) -> None:
    record = {
        "event.category": "authentication",
        "event.code": code,
        "event.outcome": outcome,
        "user.name": username,
        **fields,
    }
    # `extra` is for JSON formatters, which do their own escaping; the message is for everyone else.
    logger.log(level, "%s %s", code, json.dumps(record), extra={"event": code, "ecs": record})
