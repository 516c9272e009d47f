"""List the locks that are open."""

from __future__ import annotations

import json
import os
import shlex
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...engine import known
from ...engine.locks import Lock
from ...models import AccountLock


class Command(BaseCommand):
    """``manage.py lockout_list``."""

    help = (
        "List the names that are locked now: why, since when, for how many seconds more, and how"
        " many attempts were refused."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--json", action="store_true", help="one JSON object a line, for scripts"
        )
        parser.add_argument(
            "--limit", type=int, default=1000, help="at most so many (default: 1000)"
        )
        parser.add_argument(
            "--ended-by",
            metavar="NAME",
            help="list what somebody has ended instead, newest first: why, and how the identity of"
            " who asked was confirmed",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a line a lock, those that end first coming first."""
        try:
            self._print(options)
        except BrokenPipeError:
            _say_no_more()

    def _print(self, options: dict[str, Any]) -> None:
        limit = options["limit"]
        if limit < 1:
            raise CommandError("--limit must be at least 1.")
        if options["ended_by"]:
            self._print_ended(options["ended_by"], limit, options["json"])
            return
        rows = list(AccountLock.objects.fresh().open().order_by("until", "id")[: limit + 1])
        for found in known.of_rows(rows[:limit]).values():
            lock = found.lock
            self.stdout.write(json.dumps(_fields(lock)) if options["json"] else _line(lock))
        if not rows and not options["json"]:
            self.stdout.write("No username is locked.")
        if len(rows) > limit:
            self.stderr.write(
                f"More than {limit} are locked: these end first. See more with --limit."
            )

    def _print_ended(self, who: str, limit: int, is_json: bool) -> None:
        ended = AccountLock.objects.fresh().filter(ended_by=who, ended_at__isnull=False)
        rows = list(ended.order_by("-started_at", "-id")[: limit + 1])
        for row in rows[:limit]:
            self.stdout.write(json.dumps(_end_fields(row)) if is_json else _end_line(row))
        if not rows and not is_json:
            self.stdout.write("There is no such lock.")
        if len(rows) > limit:
            self.stderr.write(f"There are more than {limit}. See more with --limit.")


def _say_no_more() -> None:
    """Let Python's flush at the end go nowhere: somebody has seen enough (``| head``)."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _fields(lock: Lock) -> dict[str, Any]:
    return {
        "username": lock.label,
        "reason": lock.reason,
        "rule": lock.rule,
        "since": lock.since.isoformat(),
        "until": lock.until.isoformat(),
        "remaining_secs": lock.remaining,
        "refused": lock.refused,
    }


def _end_fields(row: AccountLock) -> dict[str, Any]:
    return {
        "username": row.label,
        "reason": row.reason,
        "rule": row.rule,
        "since": row.started_at.isoformat(),
        "ended_at": row.ended_at.isoformat() if row.ended_at else "",
        "ended_by": row.ended_by,
        "end_note": row.end_note,
        "confirmed": row.confirmed,
    }


def _end_line(row: AccountLock) -> str:
    return (
        f"{shlex.quote(row.label)}  {row.rule or row.reason}"
        f"  since {row.started_at:%Y-%m-%d %H:%M:%S%z}  ended {row.ended_at:%Y-%m-%d %H:%M:%S%z}"
        f"  identity: {row.confirmed or 'not said'}  {shlex.quote(row.end_note)}"
    )


def _line(lock: Lock) -> str:
    # As a shell reads it: no name forges a column, and each can be handed to lockout_unlock.
    return (
        f"{shlex.quote(lock.label)}  {lock.rule or lock.reason}"
        f"  since {lock.since:%Y-%m-%d %H:%M:%S%z}"
        f"  {lock.remaining} s left  {lock.refused} refused"
    )
