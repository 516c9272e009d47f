"""The questions that are asked of the records. Each is served by an index."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from asgiref.sync import sync_to_async
from django.db import Error, models, router
from django.utils import timezone
from django.utils.crypto import salted_hmac

from .client import Client
from .conf import conf
from .identity import Subject
from .journal import shielded

if TYPE_CHECKING:
    from .models import FailedLogin

logger = logging.getLogger("lockout_admin")


class UserAgentManager(models.Manager[Any]):
    """User agents by digest."""

    @staticmethod
    def key_of(text: str) -> int | None:
        """Return the primary key of a user agent: 63 bits, keyed so that strangers can't make two collide."""
        if not text:
            return None
        digest = salted_hmac("lockout_admin.user_agent", text, algorithm="sha256").digest()
        return int.from_bytes(digest[:8]) >> 1

    def remember(self, text: str) -> None:
        """Store a user agent that may be there already; a failure is recorded even if this can't be."""
        try:
            with shielded(self.model):
                self.bulk_create([self.model(id=self.key_of(text), text=text)], ignore_conflicts=True)
        except Error:
            logger.exception("user_agent_not_recorded: the database refused the text of a user agent.")


class RecordQuerySet(models.QuerySet[Any]):
    """Records that decide who may try."""

    def fresh(self) -> Self:
        """Read from the database that is written to: a replica would not know of the last failure or lock."""
        return self.using(router.db_for_write(self.model))


class FailedLoginQuerySet(RecordQuerySet):
    """Failures."""

    def gte_cutoff(self) -> FailedLoginQuerySet:
        """Return the failures of the current interval."""
        cutoff = timezone.now() - timedelta(seconds=conf.failed_login_interval_secs)
        return self.filter(timestamp__gte=cutoff)

    def counted(self, subject: str, since: datetime) -> FailedLoginQuerySet:
        """Return the failures of a subject since a moment that no success and no release has ended."""
        return self.filter(subject=subject, timestamp__gte=since, outcome=self.model.Outcome.COUNTED)


class FailedLoginManager(models.Manager.from_queryset(FailedLoginQuerySet)):  # type: ignore[misc]
    """Failures, and the way to record one."""

    def create(self, username: Any = None, request: Any = None, **fields: Any) -> FailedLogin:
        """Record a failure of `username` that came in with `request` (or ``None``).

        Anything may be passed as username and sent in a request: it is stored cleaned and cut.
        """
        client = Client.of(request)
        if client.user_agent:
            self.model._meta.get_field("user_agent").related_model.objects.remember(client.user_agent)
        failure = self.build(Subject.of(username), client, **fields)
        failure.save(force_insert=True)
        return failure

    async def acreate(self, username: Any = None, request: Any = None, **fields: Any) -> FailedLogin:
        """Async twin of `create`."""
        return await sync_to_async(self.create)(username, request, **fields)

    def build(self, subject: Subject, client: Client, **fields: Any) -> FailedLogin:
        """Return a failure that is not saved yet."""
        failure: FailedLogin = self.model(
            **{
                "username": subject.username,
                "subject": subject.key,
                "address": client.address,
                "user_agent_id": UserAgentManager.key_of(client.user_agent),
                "gateway": client.gateway,
                **fields,
            }
        )
        return failure


class AccountLockQuerySet(RecordQuerySet):
    """Locks."""

    def open(self) -> AccountLockQuerySet:
        """Return the locks that refuse attempts now."""
        return self.filter(ended_at=None, until__gt=timezone.now())

    def recent(self) -> AccountLockQuerySet:
        """Return the locks that are open, or whose end still says what counts: for growth, or in the interval."""
        seconds = max(conf.lock_growth_window_secs, conf.failed_login_interval_secs)
        return self.filter(until__gt=timezone.now() - timedelta(seconds=seconds))


class AccountLockManager(models.Manager.from_queryset(AccountLockQuerySet)):  # type: ignore[misc]
    """Locks."""
