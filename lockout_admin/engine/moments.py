"""Moments as whole microseconds, which every store and every database keeps exactly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.conf import settings

_MICROSECOND = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    """Return a moment as microseconds since 1970; of local time where the site has no zones."""
    return (moment - datetime(1970, 1, 1, tzinfo=moment.tzinfo and UTC)) // _MICROSECOND


def moment(value: int) -> datetime:
    """Return the moment that `microseconds` made."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC if settings.USE_TZ else None)
    return epoch + timedelta(microseconds=value)
