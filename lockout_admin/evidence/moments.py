"""Moments from outside, as text: from forms, filters, files and commands."""

from __future__ import annotations

from datetime import UTC, datetime

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _


def parse(text: str, *, is_end: bool) -> datetime:
    """Return the moment that a text in ISO 8601 names, as the database has it; a date: its start.

    Raises `ValidationError` for what is none.
    """
    try:
        moment = parse_datetime(text) or parse_datetime(f"{text}T00:00")
    except ValueError:  # a 13th month
        moment = None
    if moment is None:
        raise ValidationError(_("“%(value)s” is no date."), params={"value": text})
    return stored(moment, is_end=is_end)


def stored(moment: datetime, *, is_end: bool) -> datetime:
    """Return a moment as the database has it: without a zone where the site has none.

    An hour that comes twice, or never, is read in both ways: the start of a range is the earlier of
    the two moments, its end the later. Raises `ValidationError` for what is out of reach.
    """
    within_reach(moment)
    if timezone.is_aware(moment):
        return moment if settings.USE_TZ else timezone.make_naive(moment)
    if not settings.USE_TZ:
        return moment
    zone = timezone.get_current_timezone()
    readings = [moment.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    return max(readings) if is_end else min(readings)


def within_reach(value: datetime) -> None:
    """Refuse years at the ends of the calendar: they overflow where a database converts to UTC."""
    if not 1970 <= value.year <= 9000:
        raise ValidationError(_("This date is out of range."), code="out_of_range")
