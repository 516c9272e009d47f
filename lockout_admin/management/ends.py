"""The options of a command that say until when a rule holds."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from ..evidence import moments

_UNITS: Final = {"s": 1, "m": 60, "h": 60 * 60, "d": 24 * 60 * 60, "w": 7 * 24 * 60 * 60}
_LENGTH = re.compile(r"([0-9]{1,9})([smhdw])")


def add_end(parser: CommandParser) -> None:
    """Declare them."""
    ends = parser.add_mutually_exclusive_group()
    ends.add_argument("--until", help="when it ends, in ISO 8601: 2026-12-31 or 2026-12-31T18:00")
    ends.add_argument(
        "--for", dest="length", help="for how long: 90s, 90m, 12h, 30d, 8w (default: ever)"
    )


def end_of(options: dict[str, Any]) -> datetime | None:
    """Return the moment; ``None``: never. Raises `CommandError` for what is no moment to come."""
    given, length = options["until"], options["length"]
    try:
        until = moments.parse(given, is_end=True) if given is not None else _in(length)
    except (ValueError, OverflowError) as error:
        raise CommandError(f"This is no time: {error}.") from error
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from error
    if until is not None and until <= timezone.now():
        raise CommandError("This moment is over: nothing was done.")
    return until


def _in(length: str | None) -> datetime | None:
    if length is None:
        return None
    return moments.stored(timezone.now() + time_of(length, "--for"), is_end=True)


def time_of(length: str, option: str) -> timedelta:
    """Return a length of time as it is written; raise `ValueError` with a remedy.

    A number alone is none: days for who types it, seconds for a machine.
    """
    match = _LENGTH.fullmatch(length)
    if match is None:
        raise ValueError(f"{option} {length} (write a number and its unit: 90m, 12h, 30d, 8w)")
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])
