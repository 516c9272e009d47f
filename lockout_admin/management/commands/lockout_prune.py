"""Delete records past their retention."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from ...conf import conf
from ...engine.rules import DAY
from ...engine.ruleset import longest_beyond
from ...evidence import retention
from ..progress import Progress

#: A hundred years.
_MOST_DAYS = 36_525


class Command(BaseCommand):
    """``manage.py lockout_prune``."""

    help = (
        "Delete failed and successful logins, ended locks, messages and unused user agents that are"
        " older than LOCKOUT_ADMIN['RETENTION_SECS'], and expired entries of the store. Runs in"
        " batches, beside the traffic; meant for cron."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--days", type=float, help="keep so many days in place of RETENTION_SECS"
        )
        parser.add_argument(
            "--batch", type=int, default=5000, help="rows deleted at a time (default: 5000)"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="count what would be deleted, delete nothing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Prune, and say how much."""
        days = options["days"]
        batch = options["batch"]
        dry_run = options["dry_run"]
        if batch < 1 or (days is not None and not 0 < days < _MOST_DAYS):
            raise CommandError(
                "Nothing was deleted. --batch and --days must be positive,"
                f" --days below {_MOST_DAYS}."
            )
        keep = timedelta(seconds=conf.retention_secs) if days is None else timedelta(days=days)
        self._warn(keep)
        cutoff = timezone.now() - keep
        progress = Progress(sys.stderr, "Pruning")
        counts = retention.Counts()
        for step in retention.prune(cutoff, batch=batch, dry_run=dry_run):
            counts = step.counts
            progress.update(step.fraction, f"{counts.failures + counts.successes} logins")
        progress.close()
        self.stdout.write(
            f"{'Would delete' if dry_run else 'Deleted'} {counts.failures} failed and"
            f" {counts.successes} successful logins, {counts.locks} locks,"
            f" {counts.devices} devices, {counts.messages} messages, {counts.rules} network rules,"
            f" {counts.incidents} incidents"
            f" and {counts.user_agents} user agents from before {cutoff:%Y-%m-%d %H:%M:%S%z}."
            + ("" if dry_run else f" Deleted {counts.entries} expired entries of the store.")
        )

    def _warn(self, keep: timedelta) -> None:
        rule = longest_beyond(keep.total_seconds())
        if rule:
            self.stderr.write(
                f"The rule {rule.name!r} counts what is younger than {rule.interval / DAY:g} days:"
                " what is deleted before counts no more, and strangers have those tries anew."
            )
