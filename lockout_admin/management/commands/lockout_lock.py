"""Lock usernames."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from ...lockout import lock_account


class Command(BaseCommand):
    """``manage.py lockout_lock``."""

    help = "Lock usernames by hand, whether or not there are such accounts."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "username", nargs="+", help="as typed at the login; any spelling will do"
        )
        parser.add_argument(
            "--seconds", type=int, help="for how long (default: ACCOUNT_LOCKED_TIMEOUT_SECS)"
        )
        parser.add_argument(
            "--shorten", action="store_true", help="end a lock that lasts longer for this one"
        )
        parser.add_argument("--reason", default="", help="why; goes into the record")

    def handle(self, *args: Any, **options: Any) -> None:
        """Lock, and say until when."""
        for username in options["username"]:
            started = timezone.now()
            try:
                lock = lock_account(
                    username,
                    options["seconds"],
                    by="manage.py lockout_lock",
                    note=options["reason"],
                    shorten=options["shorten"],
                )
            except ValueError as error:
                raise CommandError(str(error)) from error
            except OverflowError as error:
                raise CommandError(
                    "--seconds reaches past the end of the calendar: nothing was locked."
                ) from error
            until = f"{lock.until:%Y-%m-%d %H:%M:%S%z}"
            if lock.since < started:
                self.stderr.write(
                    f"{lock.label} is locked until {until} already. To lock for a shorter time"
                    " in place of that, add --shorten."
                )
            else:
                self.stdout.write(f"Locked {lock.label} until {until}.")
