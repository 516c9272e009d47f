"""Records to export."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from lockout_admin.exports.export import Export
from lockout_admin.exports.formats import CSV, StreamedFormat
from lockout_admin.exports.resources import FailedLoginResource
from lockout_admin.identity.subject import Subject
from lockout_admin.models import FailedLogin, UserAgent

AGENT = "Mozilla/5.0 (X11; Linux)"


@pytest.fixture
def failures(db: None) -> Callable[..., list[FailedLogin]]:
    """Record failures of `usernames`, the first one the newest."""

    def failures(*usernames: str, at: datetime | None = None, **fields: Any) -> list[FailedLogin]:
        UserAgent.objects.remember(AGENT)
        latest = at or timezone.now()
        rows = [
            FailedLogin(
                username=username,
                timestamp=latest - timedelta(seconds=age),
                **{
                    "subject": Subject.of(username).key,
                    "fine": Subject.of(username).fine,
                    "ip_address": "192.0.2.1",
                    "user_agent_id": UserAgent.objects.key_of(AGENT),
                    **fields,
                },
            )
            for age, username in enumerate(usernames)
        ]
        stored: list[FailedLogin] = FailedLogin.objects.bulk_create(rows)
        return stored

    return failures


def export(
    queryset: Any = None,
    file_format: type[StreamedFormat] = CSV,
    columns: Iterable[str] = ("username",),
    **how: Any,
) -> Export:
    """Return an export of failures."""
    rows = FailedLogin.objects.all() if queryset is None else queryset
    return Export(rows, FailedLoginResource(), file_format(), tuple(columns), **how)


NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
