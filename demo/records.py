"""The records of the demo: written in batches, and taken away again."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from operator import attrgetter
from typing import Any, Final

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.cache import caches

from lockout_admin.admin.times import length
from lockout_admin.lockout import lock_account, unlock_account
from lockout_admin.management.commands.lockout_groups import GROUPS
from lockout_admin.models import (
    AccountLock,
    AuditEntry,
    FailedLogin,
    RefusedTries,
    SuccessfulLogin,
    UserAgent,
)

from .history import History
from .people import HOLDERS, STAFF
from .traffic import Visit

BATCH: Final = 2000
_HOUR: Final = 3600
_SEEN: Final = (FailedLogin, RefusedTries, SuccessfulLogin)
#: Username, seconds, by, note.
OPEN_LOCKS: Final = (
    ("dave", 30 * 24 * _HOUR, "admin", "Left the company"),
    ("mike", 3 * 24 * _HOUR, "admin", "Phishing report, waits for a new password"),
    ("b.jones", 24 * _HOUR, "admin", "Unusual sign-in, under investigation"),
    ("maria.rossi", 12 * _HOUR, "admin", "Password seen in a leak"),
    ("test", 7 * 24 * _HOUR, "admin", "No such account, tried all day"),
)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep made-up events out of the log."""
    logger = logging.getLogger("lockout_admin")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def exist() -> bool:
    """Tell whether there are records or demo accounts already."""
    demo_users = get_user_model().objects.filter(username__in=[person.username for person in STAFF])
    return FailedLogin.objects.exists() or AccountLock.objects.exists() or demo_users.exists()


def write(history: History, visits: list[Visit]) -> Iterator[int]:
    """Write records, oldest first; yield how many failures are written so far."""
    _write_user_agents(visits)
    for start in range(0, len(history.failures), BATCH):
        FailedLogin.objects.bulk_create(history.failures[start : start + BATCH], batch_size=BATCH)
        yield min(start + BATCH, len(history.failures))
    _tell_accounts(history)
    SuccessfulLogin.objects.bulk_create(history.successes, batch_size=BATCH)
    RefusedTries.objects.bulk_create(history.refusals, batch_size=BATCH)
    for lock, first in history.locks:
        # A database that does not return the keys of many rows at once leaves this empty.
        lock.first_failure = first.pk if first else None
    AccountLock.objects.bulk_create([lock for lock, _ in history.locks], batch_size=BATCH)


def _tell_accounts(history: History) -> None:
    users = get_user_model().objects.filter(username__in=[person.username for person in HOLDERS])
    keys = dict(users.values_list("username", "pk"))
    for success in history.successes:
        success.account = str(keys.get(success.username, ""))


def _write_user_agents(visits: list[Visit]) -> None:
    first_seen = {visit.user_agent: visit.when for visit in reversed(visits)}
    rows = {UserAgent.objects.key_of(text): (text, when) for text, when in first_seen.items()}
    UserAgent.objects.bulk_create(
        [
            UserAgent(id=key, text=text, first_seen=when)
            for key, (text, when) in rows.items()
            if key is not None
        ],
        ignore_conflicts=True,
    )


def lock_now() -> None:
    """Put locks on a few usernames that are open when the demo is looked at."""
    for username, seconds, by, note in OPEN_LOCKS:
        lock_account(username, seconds, by=by, note=note)


def audit() -> None:
    """Write what the staff of the demo did, in the words of the console: locks and releases."""
    locks = AccountLock.objects.filter(reason=AccountLock.Reason.MANUAL)
    ended = AccountLock.objects.exclude(ended_at=None)
    deeds = [_deed(lock.started_at, lock.locked_by, "lock", lock, _locked(lock)) for lock in locks]
    deeds += [
        _deed(lock.ended_at, lock.ended_by, "unlock", lock, f"Unlocked: {lock.end_note}")
        for lock in ended
    ]
    deeds.sort(key=attrgetter("timestamp"))
    AuditEntry.objects.bulk_create(deeds, batch_size=BATCH)


def _deed(when: Any, who: str, action: str, lock: AccountLock, details: str) -> AuditEntry:
    return AuditEntry(timestamp=when, actor=who, action=action, label=lock.label, details=details)


def _locked(lock: AccountLock) -> str:
    time = length(round((lock.until - lock.started_at).total_seconds()))
    return f"Locked for {time}: {lock.note}"


def delete() -> None:
    """Delete all records of lockout_admin, what its cache holds, and the demo's accounts and roles.

    A site that has forgotten an attack, and remembers its guesses, takes the next one for a machine
    that repeats itself.
    """
    for username in AccountLock.objects.open().values_list("label", flat=True):
        unlock_account(username)  # what the cache holds would outlive the rows
    if settings.LOCKOUT_ADMIN.get("CACHE"):
        caches[settings.LOCKOUT_ADMIN["CACHE"]].clear()
    for model in apps.get_app_config("lockout_admin").get_models():
        if not model._meta.proxy:
            model._base_manager.all().delete()
    people = [person.username for person in (*STAFF, *HOLDERS)]
    get_user_model().objects.filter(username__in=people).delete()
    Group.objects.filter(name__in=GROUPS).delete()
