"""Unlock usernames."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...conf import conf
from ...engine import strays
from ...engine.clients import is_of_one_process
from ...engine.releases import LockSelection, Outcome, release_all
from ...evidence.filters import of_name
from ...lockout import unlock_account
from ...models import AccountLock
from ..progress import Progress

_BY = "manage.py lockout_unlock"


class Command(BaseCommand):
    """``manage.py lockout_unlock``."""

    help = "End the locks of usernames and start their counts anew. No record is deleted."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "username", nargs="*", help="in any spelling, or as lockout_list shows it"
        )
        parser.add_argument(
            "--all", action="store_true", help="unlock every username that is locked"
        )
        parser.add_argument("--reason", default="", help="why; goes into the record")
        parser.add_argument(
            "--confirmed",
            default="",
            choices=AccountLock.Confirmed.values,
            help="how the identity of who asked was confirmed; IDENTITY_REQUIRED makes it required",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Unlock, and say how many."""
        usernames = options["username"]
        if bool(usernames) == options["all"]:
            raise CommandError("Name the usernames to unlock, or give --all.")
        if conf.identity_required and not options["confirmed"]:
            known = ", ".join(AccountLock.Confirmed.values)
            raise CommandError(f"Say how the identity was confirmed, with --confirmed: {known}.")
        note = Note(options["reason"], options["confirmed"])
        outcomes = [_unlock_all(note)] if options["all"] else []
        in_store_only = 0
        for username in usernames:
            outcome = _unlock(of_name(AccountLock.objects.fresh().open(), username), note)
            outcomes.append(outcome)
            if outcome.names:
                continue
            if unlock_account(username, by=_BY, note=note.reason, confirmed=note.confirmed):
                in_store_only += 1
                self.stderr.write(f"{username} was locked in the store only.")
            else:
                self.stderr.write(f"{username} was not locked; its count starts anew.")
        unlocked = in_store_only + sum(outcome.names for outcome in outcomes)
        self.stdout.write(f"Unlocked {unlocked} username{'' if unlocked == 1 else 's'}.")
        self._tell_what_was_not_reached(outcomes)

    def _tell_what_was_not_reached(self, outcomes: list[Outcome]) -> None:
        if not all(outcome.cache_cleared for outcome in outcomes):
            self.stderr.write(
                "The cache does not answer: when it is back it may refuse logins for the time that"
                " the locks had left. Unlock again then."
            )
        if is_of_one_process(conf.cache):
            self.stderr.write(
                f"The cache {conf.cache!r} is memory of each process: those that serve the site may"
                " go on refusing. Unlock in the console, or set LOCKOUT_ADMIN['CACHE'] to None."
            )


class Note(NamedTuple):
    """What goes into the record."""

    reason: str
    confirmed: str


def _unlock(rows: Any, note: Note, audit: Callable[[list[Any]], Any] = list) -> Outcome:
    """End locks."""
    selection = LockSelection(rows)
    top = selection.extent().top
    return release_all(selection, top, _BY, note.reason, confirmed=note.confirmed, audit=audit)


def _unlock_all(note: Note) -> Outcome:
    """End all locks, those that only the store knows as well, with a bar on a terminal."""
    for stray in strays.find():
        strays.record(stray)
    rows = AccountLock.objects.fresh().open()
    progress = Progress(sys.stderr, "Unlocking")
    ended = 0
    count = rows.count()

    def show(ended_now: list[Any]) -> None:
        nonlocal ended
        ended += len(ended_now)
        progress.update(ended / count, f"{ended:,} locks")

    outcome = _unlock(rows, note, show)
    progress.close()
    return outcome
