"""The questions that are asked of the records. Each is served by an index."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self, cast

from asgiref.sync import sync_to_async
from django.db import Error, models, router
from django.db.models import Q
from django.utils import timezone

from ..conf import conf
from ..identity.client import Client
from ..identity.network import network_of, number_of, wide_network_of
from ..identity.subject import Subject, digest, digests
from .transactions import shielded

if TYPE_CHECKING:
    from . import FailedLogin, SuccessfulLogin

logger = logging.getLogger("lockout_admin")

_AGENT = "lockout_admin.user_agent"


class UserAgentManager(models.Manager[Any]):
    """User agents by digest."""

    @staticmethod
    def key_of(text: str) -> int | None:
        """Return the key of a user agent: 63 bits of a digest that strangers can't make collide."""
        if not text:
            return None
        return digest(_AGENT, text)

    @staticmethod
    def keys_of(text: str) -> tuple[int, ...]:
        """Return its keys by each secret of the site: rows outlive a rotation."""
        return digests(_AGENT, text)

    def remember(self, text: str) -> None:
        """Store a user agent that may be there already; a failure is recorded without it, too."""
        try:
            with shielded(self.model):
                self.bulk_create(
                    [self.model(id=self.key_of(text), text=text)], ignore_conflicts=True
                )
        except Error:
            logger.exception(
                "user_agent_not_recorded: the database refused the text of a user agent."
            )


class RecordQuerySet(models.QuerySet[Any]):
    """Records that decide who may try."""

    def fresh(self) -> Self:
        """Read from the database that is written to: a replica may be behind."""
        return self.using(router.db_for_write(self.model))


class FailedLoginQuerySet(RecordQuerySet):
    """Failures."""

    def gte_cutoff(self) -> FailedLoginQuerySet:
        """Return the failures of the current interval."""
        cutoff = timezone.now() - timedelta(seconds=conf.failed_login_interval_secs)
        return self.filter(timestamp__gte=cutoff)


class FailedLoginManager(models.Manager.from_queryset(FailedLoginQuerySet)):  # type: ignore[misc]
    """Failures, and the way to record one."""

    def create(self, username: Any = None, request: Any = None, **fields: Any) -> FailedLogin:
        """Record a failure of `username` that came in with `request` (or ``None``).

        Anything may be passed as username and sent in a request: it is stored cleaned and cut.
        """
        client = Client.of(request)
        if client.user_agent:
            self.model._meta.get_field("user_agent").related_model.objects.remember(
                client.user_agent
            )
        failure = self.build(Subject.of(username), client, **fields)
        failure.save(force_insert=True)
        return failure

    async def acreate(
        self, username: Any = None, request: Any = None, **fields: Any
    ) -> FailedLogin:
        """Async twin of `create`."""
        return await sync_to_async(self.create)(username, request, **fields)

    def build(self, subject: Subject, client: Client, **fields: Any) -> FailedLogin:
        """Return a failure that is not saved yet."""
        values = {**_of_visit(subject, client), "fine": subject.fine, **fields}
        return cast("FailedLogin", self.model(**values))


class SuccessfulLoginManager(models.Manager.from_queryset(RecordQuerySet)):  # type: ignore[misc]
    """Logins."""

    def build(self, subject: Subject, client: Client, **fields: Any) -> SuccessfulLogin:
        """Return a login that is not saved yet."""
        return cast("SuccessfulLogin", self.model(**{**_of_visit(subject, client), **fields}))


def _of_visit(subject: Subject, client: Client) -> dict[str, Any]:
    return {
        "username": subject.username,
        "subject": subject.key,
        "ip_address": client.ip_address,
        "network": number_of(network_of(client.ip_address)),
        "wide_network": number_of(wide_network_of(client.ip_address)),
        "user_agent_id": UserAgentManager.key_of(client.user_agent),
        "path": client.path,
    }


class AccountLockQuerySet(RecordQuerySet):
    """Locks."""

    def open(self) -> AccountLockQuerySet:
        """Return the locks that refuse attempts now."""
        return self.in_states(self.model.State.OPEN)

    def expired(self) -> AccountLockQuerySet:
        """Return the locks that ended by time."""
        return self.in_states(self.model.State.EXPIRED)

    def released(self) -> AccountLockQuerySet:
        """Return the locks that somebody ended early."""
        return self.in_states(self.model.State.RELEASED)

    def in_states(self, *states: str) -> AccountLockQuerySet:
        """Return the locks in any of these states, see `AccountLock.State`."""
        now = timezone.now()
        long_ago = datetime(1970, 1, 1, tzinfo=now.tzinfo)
        known = self.model.State
        conditions = {
            known.OPEN: Q(ended_at=None, until__gt=now, enforced=True),
            known.EXPIRED: Q(ended_at=None, until__lte=now, enforced=True),
            # Whenever it ended: SQLite finds a range in an index, and not what is not null.
            known.RELEASED: Q(ended_at__gt=long_ago, enforced=True),
            known.MONITORED: Q(enforced=False),
        }
        chosen = Q(pk__in=[])
        for state in states:
            chosen |= conditions[known(state)]
        return self.filter(chosen)

    def recent(self) -> AccountLockQuerySet:
        """Return the locks that are open, or whose end still says what counts."""
        seconds = max(conf.lock_growth_window_secs, conf.failed_login_interval_secs)
        return self.filter(until__gt=timezone.now() - timedelta(seconds=seconds))


class AccountLockManager(models.Manager.from_queryset(AccountLockQuerySet)):  # type: ignore[misc]
    """Locks."""
