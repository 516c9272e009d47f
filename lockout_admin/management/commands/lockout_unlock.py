"""Unlock usernames."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...filters import of_name
from ...lockout import unlock_account
from ...models import AccountLock
from ...releases import LockSelection, release_all
from ..progress import Progress

_BY = "manage.py lockout_unlock"


class Command(BaseCommand):
    """``manage.py lockout_unlock``."""

    help = "End the locks of usernames and start their counts anew. No record is deleted."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("username", nargs="*", help="in any spelling, or as lockout_list shows it")
        parser.add_argument("--all", action="store_true", help="unlock every username that is locked")
        parser.add_argument("--reason", default="", help="why; goes into the record")

    def handle(self, *args: Any, **options: Any) -> None:
        """Unlock, and say what came of it."""
        usernames = options["username"]
        if bool(usernames) == options["all"]:
            raise CommandError("Name the usernames to unlock, or give --all.")
        note = options["reason"]
        unlocked = _unlock_all(note) if options["all"] else 0
        for username in usernames:
            if found := _unlock(of_name(AccountLock.objects.open(), username), note):
                unlocked += found
            else:
                unlock_account(username, by=_BY, note=note)
                self.stderr.write(f"{username} was not locked; its count starts anew.")
        self.stdout.write(f"Unlocked {unlocked} username{'' if unlocked == 1 else 's'}.")


def _unlock(rows: Any, note: str, audit: Callable[[list[Any]], Any] = list) -> int:
    """End locks; return of how many names."""
    selection = LockSelection(rows)
    return release_all(selection, selection.extent().top, _BY, note, audit=audit).names


def _unlock_all(note: str) -> int:
    """End all locks, with a bar on a terminal; return of how many names."""
    rows, progress, ended = AccountLock.objects.open(), Progress(sys.stderr, "Unlocking"), 0
    count = rows.count()

    def show(ended_now: list[Any]) -> None:
        nonlocal ended
        ended += len(ended_now)
        progress.update(ended / count, f"{ended:,} locks")

    names = _unlock(rows, note, show)
    progress.close()
    return names
