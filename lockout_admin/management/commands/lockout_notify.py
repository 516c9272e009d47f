"""Send the messages that are due."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error, close_old_connections

from ...defences import alarm
from ...notifications import sender


class Command(BaseCommand):
    """``manage.py lockout_notify``."""

    help = (
        "Send what owners and the security team are to be told: mails, webhooks. Each is sent once,"
        " beside other senders. Without --watch it ends when nothing is due; meant for cron."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--watch", action="store_true", help="go on, and look every --every seconds"
        )
        parser.add_argument(
            "--every", type=float, default=2.0, help="seconds between two looks (default: 2)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Send, and say how much."""
        if options["every"] <= 0:
            raise CommandError("Nothing was sent. --every must be positive.")
        self._send()
        if options["watch"]:
            with suppress(KeyboardInterrupt):
                self._watch(options["every"])

    def _watch(self, every: float) -> None:
        while True:
            time.sleep(every)
            close_old_connections()
            try:
                self._send(quietly=True)
            except Error as error:
                # A database that restarts must not end whoever watches.
                self.stderr.write(f"The database does not answer: {error}")

    def _send(self, *, quietly: bool = False) -> None:
        alarm.watch(now=not quietly)
        count = sender.send_due()
        if not quietly or count.sent or count.dropped or count.postponed:
            self.stdout.write(
                f"Sent {count.sent} messages, dropped {count.dropped}, postponed {count.postponed}."
            )
