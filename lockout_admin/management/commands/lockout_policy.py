"""Say what the rules in force promise."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import override

from ...policy.report import PERIODS, Answer, Report


class Command(BaseCommand):
    """``manage.py lockout_policy``."""

    help = (
        "Say which rules are in force, how many passwords get evaluated at the worst pace, and"
        " which clauses of standards hold, by which settings."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--json", action="store_true", help="one JSON object, for scripts")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print it."""
        report = Report.now()
        with override("en"):
            said = (
                json.dumps(report.as_json(), indent=2)
                if options["json"]
                else "\n\n".join(_pages(report))
            )
        self.stdout.write(said)


def _pages(report: Report) -> Iterable[str]:
    yield f"Preset: {report.preset}"
    yield _table(("rule", "counts", "limit", "lock", "mode"), report.rows)
    periods = [str(label) for _seconds, label in PERIODS.values()]
    figures = [(row.label, *row.said) for row in report.figures]
    yield _table(("evaluated at most, at the worst pace", *periods), figures)
    yield "\n".join(["holds  clause", "-----  ------", *map(_answer, report.answers)])


def _answer(answer: Answer) -> str:
    clause = answer.clause
    said = f"{'yes' if answer.holds else 'no':5}  {clause.standard}: {clause.says}"
    todo = "" if answer.holds else f"\n       {clause.remedy}"
    return f"{said}{todo}\n       {', '.join(answer.settings)}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        return "  ".join(padded).rstrip()

    return "\n".join([line(head), "  ".join("-" * width for width in widths), *map(line, rows)])
