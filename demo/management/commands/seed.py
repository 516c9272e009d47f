"""``manage.py seed``: ninety days of traffic, and the staff to look at it."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentTypeError
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from demo import people, records
from demo.history import History, Replay
from demo.records import quiet
from demo.traffic import visits
from lockout_admin.management.progress import Progress


def moment(text: str) -> datetime:
    """Return the date and time in `text`, in UTC unless it says otherwise."""
    try:
        parsed = parse_datetime(text)
    except ValueError:
        parsed = None
    if parsed is None:
        raise ArgumentTypeError(f"{text!r} is no moment such as 2026-01-31T12:00:00Z.")
    return parsed if timezone.is_aware(parsed) else parsed.replace(tzinfo=UTC)


class Command(BaseCommand):
    """Fills the demo's database."""

    help = (
        "Fill the database with ninety days of logins and attacks, and with staff. The same seed"
        " makes the same rows."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add what can be varied."""
        parser.add_argument(
            "--seed", type=int, default=1, help="another number makes other traffic (default: 1)"
        )
        parser.add_argument(
            "--now", type=moment, help="the moment that the ninety days end with (default: now)"
        )
        known = parser.add_mutually_exclusive_group()
        known.add_argument(
            "--if-empty", action="store_true", help="do nothing when there are records already"
        )
        known.add_argument(
            "--reset", action="store_true", help="delete all records and the demo's accounts first"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Seed, unless there is something already."""
        if options["reset"]:
            with quiet():
                records.delete()
        elif records.exist():
            if not options["if_empty"]:
                raise CommandError(
                    "There are records already. To delete them and begin anew, add --reset."
                )
            return
        started = time.monotonic()
        with transaction.atomic():  # all or nothing: half a seed would pass for a whole one
            staff = people.settle()
            history = self._write(options["seed"], options["now"] or timezone.now())
        with quiet():
            records.lock_now()
        records.audit()
        seconds = time.monotonic() - started
        failures = len(history.failures)
        locks = len(history.locks) + len(records.OPEN_LOCKS)
        if options["verbosity"]:
            self._tell(staff)
        self.stdout.write(
            f"Seeded {failures:,} failed and {len(history.successes):,} successful logins, and"
            f" {locks:,} locks, in {seconds:.1f} s."
        )

    def _write(self, seed: int, now: datetime) -> History:
        progress = Progress(sys.stdout, "Seeding")
        attempts = visits(seed, now)
        history = Replay(seed, now).run(attempts)
        for written in records.write(history, attempts):
            progress.update(written / len(history.failures), f"{written:,} failed logins")
        progress.close()
        return history

    def _tell(self, staff: list[people.Person]) -> None:
        self.stdout.write("Accounts of this demo. The passwords are for the demo only:")
        for person in staff:
            self.stdout.write(f"  {person.username:<8} {person.password:<16} {person.task}")
