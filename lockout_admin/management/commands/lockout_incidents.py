"""Find incidents: for those who have a scheduler, and to catch up."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error, close_old_connections
from django.utils import timezone

from ...incidents.grouping import Summary, group
from ...incidents.turns import TURN_SECS
from ..ends import time_of
from ..progress import Progress


class Command(BaseCommand):
    """``manage.py lockout_incidents``."""

    help = (
        "Group failures, refusals and logins into incidents, from where the last turn ended. The"
        " site does so by itself beside its logins, and for each page of the console; a scheduler"
        " does it where nobody comes for a while."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--watch", action="store_true", help=f"go on, every {TURN_SECS} s")
        parser.add_argument(
            "--since",
            metavar="LENGTH",
            help="where nothing was read yet, begin so long ago: 90m, 12h, 30d (default: 7d)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Group, and say what was found."""
        try:
            length = time_of(options["since"], "--since") if options["since"] else None
            since = timezone.now() - length if length else None
        except (ValueError, OverflowError) as error:
            raise CommandError(f"This is no time: {error}.") from error
        progress = Progress(sys.stderr, "Reading")
        total = group(batches=1, since=since)
        read, found, entered = total.read, total.found, total.entered
        while not total.is_caught_up:
            progress.update(0.5, f"{read} records")
            total = group(batches=1)
            read, found = read + total.read, found + total.found
            entered += total.entered
        progress.close()
        self.stdout.write(
            f"Read {read} records: {found} incidents found, {entered} accounts entered."
        )
        if options["watch"]:
            with suppress(KeyboardInterrupt):
                self._watch()

    def _watch(self) -> None:
        while True:
            time.sleep(TURN_SECS)
            close_old_connections()
            try:
                self._say(group())
            except Error as error:
                # A database that restarts must not end whoever watches.
                self.stderr.write(f"The database does not answer: {error}")

    def _say(self, summary: Summary) -> None:
        if summary.found or summary.entered or summary.over:
            self.stdout.write(
                f"{summary.found} incidents found, {summary.over} over,"
                f" {summary.entered} accounts entered."
            )
