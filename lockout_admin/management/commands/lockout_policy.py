"""Say what the rules in force promise, and what others would have done to the log."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import override

from ...policy import telling, trial
from ...policy.clauses import Clause
from ...policy.comparison import Comparison, compare, rare_collections
from ...policy.report import PERIODS, Answer, Report
from ..ends import time_of
from ..progress import Progress

_EXAMPLE = """
a file for --try, in TOML; what it leaves out stays as the site has it:

  PRESET = "pci"
  MAX_FAILED_LOGIN_ATTEMPTS = 5
  [RULES]
  spraying-wide = false            # drops the rule
  [RULES.account-daily]
  limit = 8
  lock = 7200                      # seconds
"""


#: Pages in words, and the same for scripts.
_Said = tuple[Iterable[str], dict[str, Any]]


class Command(BaseCommand):
    """``manage.py lockout_policy``."""

    help = (
        "Say which rules are in force, how many passwords get evaluated at the worst pace, and"
        " which clauses of standards hold, by which settings. With --since or --try: what the"
        " rules would have done to the log. Nothing is changed."
    )

    def create_parser(self, *args: Any, **options: Any) -> CommandParser:
        """Show the example as it is written."""
        parser = super().create_parser(*args, **options)
        parser.epilog = _EXAMPLE
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--json", action="store_true", help="one JSON object, for scripts")
        parser.add_argument(
            "--try",
            dest="tried",
            metavar="FILE",
            help="replay the log under the rules of this file, beside those in force; -: stdin",
        )
        parser.add_argument(
            "--since", metavar="TIME", help="how much of the log: 12h, 30d (default), 8w"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print it."""
        is_replay = options["tried"] is not None or options["since"] is not None
        with override("en"):
            pages, as_json = self._replay(options) if is_replay else _report()
            said = json.dumps(as_json, indent=2) if options["json"] else "\n\n".join(pages)
        self.stdout.write(said)

    def _replay(self, options: dict[str, Any]) -> _Said:
        now = timezone.now()
        try:
            since = now - time_of(_length(options), "--since")
        except (ValueError, OverflowError) as error:
            raise CommandError(f"This is no time: {error}.") from error
        tried = None if options["tried"] is None else _read(options["tried"])
        progress = Progress(sys.stderr, "Replaying")
        try:
            with rare_collections():
                comparison = compare(
                    since,
                    now,
                    tried,
                    tell=lambda share, met: progress.update(share, f"{met:,} attempts"),
                )
        finally:
            progress.close()
        broken = [] if tried is None else trial.contradictions(tried)
        pages = [*_pages_of_replay(comparison), *_page_of_contradictions(broken)]
        contradicted = [f"{clause.standard}: {clause.says}" for clause in broken]
        return pages, {**telling.as_json(comparison), "contradicted": contradicted}


def _report() -> _Said:
    report = Report.now()
    return _pages(report), report.as_json()


def _length(options: dict[str, Any]) -> str:
    since: str | None = options["since"]
    return "30d" if since is None else since


def _read(path: str) -> dict[str, Any]:
    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        return trial.checked(trial.read(data))
    except (OSError, ValueError) as error:
        if isinstance(error, trial.TrialError):
            lines = [f"{fault.problem} {fault.remedy}" for fault in error.faults]
            raise CommandError("\n".join(lines)) from error
        raise CommandError(
            f"{path} can't be read: {error}. Name a file in TOML, as --help shows it; - is stdin."
        ) from error


# -- In words ------------------------------------------------------------------------------------


def _pages_of_replay(comparison: Comparison) -> Iterable[str]:
    since, until = (f"{moment:%Y-%m-%d %H:%M}" for moment in (comparison.since, comparison.until))
    yield (
        f"The log from {since} to {until}: {comparison.failures:,} wrong and"
        f" {comparison.successes:,} right passwords"
    )
    if not comparison.failures:
        yield "There are no failed logins in it: there is nothing to replay."
        return
    if telling.were_others(comparison):
        yield str(telling.OTHER_RULES)
    heads = telling.heads(comparison)
    for what, lines in (
        ("what would have happened", telling.lines(comparison)),
        ("locks by rule", telling.lines_of_rules(comparison)),
    ):
        yield _table((what, *heads), [(line.label, *line.said) for line in lines])
    yield "\n".join(["What a log can't know:", *(f"- {limit}" for limit in telling.LIMITS)])


def _page_of_contradictions(broken: Sequence[Clause]) -> Iterable[str]:
    if broken:
        lines = (f"- {clause.standard}: {clause.says} {clause.remedy}" for clause in broken)
        head = "The rules tried contradict their preset; E038 would refuse them:"
        yield "\n".join([head, *lines])


_WATCHES = """\
NOTHING IS REFUSED: LOCKOUT_ADMIN['MODE'] is 'monitor', so the site only watches. Its rules write
down what they would have locked; locks by hand still hold. To enforce them, take MODE out."""


def _pages(report: Report) -> Iterable[str]:
    if report.only_watches:
        yield _WATCHES
    yield f"Preset: {report.preset}"
    yield _table(("rule", "counts", "limit", "lock", "mode"), report.rows)
    periods = [str(label) for _seconds, label in PERIODS.values()]
    figures = [(row.label, *row.said) for row in report.figures]
    yield _table(("evaluated at most, at the worst pace", *periods), figures)
    if report.said_of_names:
        yield report.said_of_names
    yield "\n".join(["holds  clause", "-----  ------", *map(_answer, report.answers)])
    if any(answer.for_each_name for answer in report.answers):
        yield "*: for each name that a backend finds an account by, not for the account."


def _answer(answer: Answer) -> str:
    clause = answer.clause
    said = f"{_holds(answer):5}  {clause.standard}: {clause.says}"
    todo = "" if answer.holds else f"\n       {clause.remedy}"
    return f"{said}{todo}\n       {', '.join(answer.settings)}"


def _holds(answer: Answer) -> str:
    if answer.for_each_name:
        return "yes*"
    return "yes" if answer.holds else "no"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        return "  ".join(padded).rstrip()

    return "\n".join([line(head), "  ".join("-" * width for width in widths), *map(line, rows)])
