"""Unlock usernames."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...lockout import unlock_account
from ...models import AccountLock


class Command(BaseCommand):
    """``manage.py lockout_unlock``."""

    help = "End the locks of usernames and start their counts anew. No record is deleted."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("username", nargs="*", help="in any spelling; see lockout_list")
        parser.add_argument("--all", action="store_true", help="unlock every username that is locked")
        parser.add_argument("--reason", default="", help="why; goes into the record")

    def handle(self, *args: Any, **options: Any) -> None:
        """Unlock, and say what came of it."""
        usernames = options["username"]
        if bool(usernames) == options["all"]:
            raise CommandError("Name the usernames to unlock, or give --all.")
        if options["all"]:
            usernames = AccountLock.objects.open().values_list("username", flat=True).distinct().iterator()
        unlocked = 0
        for username in usernames:
            if unlock_account(username, by="manage.py lockout_unlock", note=options["reason"]):
                unlocked += 1
            else:
                self.stderr.write(f"{username} was not locked; its count starts anew.")
        self.stdout.write(f"Unlocked {unlocked} username{'' if unlocked == 1 else 's'}.")
