"""Export records."""

from __future__ import annotations

import argparse
import contextlib
import getpass
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import parse_qsl

from django.core.management.base import (
    BaseCommand,
    CommandError,
    CommandParser,
    DjangoHelpFormatter,
)
from django.db import DatabaseError
from django.http import QueryDict

from ...evidence.filters import FailureFilter, LockFilter, RecordFilter, SuccessFilter
from ...evidence.networks import NetworkRuleFilter
from ...exports.audit import Taking, Watched
from ...exports.export import Export
from ...exports.formats import CSV, FORMATS, DelimitedFormat, JSONLines, StreamedFormat
from ...exports.networks import NetworkRuleResource
from ...exports.resources import (
    AccountLockResource,
    FailedLoginResource,
    RecordResource,
    SuccessfulLoginResource,
)
from ...identity.client import Client
from ..progress import Progress

_FORMATS: Final = {file_format.name: file_format for file_format in FORMATS}
_RECORDS: Final[dict[str, tuple[type[RecordFilter], type[RecordResource]]]] = {
    "failures": (FailureFilter, FailedLoginResource),
    "successes": (SuccessFilter, SuccessfulLoginResource),
    "locks": (LockFilter, AccountLockResource),
    "networks": (NetworkRuleFilter, NetworkRuleResource),
}
_EPILOG = """\
Filters are those of the admin's lists, written like a query string:
  manage.py lockout_export failures --where "net=203.0.113.0/24&time=7d" --output attack.csv
  manage.py lockout_export failures --where "username=alice&after=2026-11-01 00:00" --format jsonl
  manage.py lockout_export successes --where "net=203.0.113.0/24&time=90d" --output entered.csv
  manage.py lockout_export locks --where "time=all" --format xlsx --output locks.xlsx

Without a time, it exports the failures or successes of the last 24 hours, the locks of the last 30
days, and all rules on networks; "time=all" exports all.
Except in jsonl, a text that a spreadsheet would run as a formula gets a single quote in front, and
so does a text that begins with a quote. --raw leaves text as it was typed.
csv-excel is csv with a byte order mark, by which Excel knows the encoding.
Times are in UTC; in xlsx they are dates.
"""


class _Formatter(DjangoHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Leaves the lines of the examples alone."""


class Command(BaseCommand):
    """``manage.py lockout_export``."""

    help = (
        "Export failed logins, successful logins or locks, newest first, in constant memory. Each"
        " export is logged."
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Add the examples."""
        return super().create_parser(
            prog_name, subcommand, epilog=_EPILOG, formatter_class=_Formatter, **kwargs
        )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("records", choices=_RECORDS, help="what to export")
        parser.add_argument(
            "--where",
            default="",
            metavar="QUERY",
            help="filters, such as 'username=a&net=10.0.0.0/8'",
        )
        parser.add_argument(
            "--format", choices=_FORMATS, help="default: by the end of the file's name, or csv"
        )
        parser.add_argument(
            "--output", default="-", metavar="FILE", help="default: -, which is the standard output"
        )
        parser.add_argument(
            "--columns", default="", metavar="A,B", help="names of columns (default: all)"
        )
        parser.add_argument(
            "--raw", action="store_true", help="text as it was typed: not for spreadsheets"
        )
        parser.add_argument("--force", action="store_true", help="replace the file if there is one")

    def handle(self, *args: Any, **options: Any) -> None:
        """Export, with a bar on a terminal."""
        taking = _taking(options)
        progress = Progress(sys.stderr, "Exporting")
        try:
            with contextlib.closing(Watched(taking)) as watched, contextlib.closing(progress):
                chunks = _shown(watched, progress)
                if options["output"] == "-":
                    self._to_stdout(chunks, taking.export.format)
                else:
                    _to_file(Path(options["output"]), chunks, force=options["force"])
        except (OSError, DatabaseError) as error:
            raise CommandError(
                f"The export failed after {taking.export.rows} rows: {error}"
            ) from error
        if options["output"] != "-":
            # With the time that holds when none was asked for.
            count = taking.export.rows
            rows = "1 row" if count == 1 else f"{count:,} rows"
            self.stdout.write(f"Exported {rows} to {options['output']} ({taking.selection}).")

    def _to_stdout(self, chunks: Iterator[bytes], file_format: StreamedFormat) -> None:
        out: IO[bytes] | None = getattr(self.stdout, "buffer", None)
        if not isinstance(file_format, DelimitedFormat | JSONLines) and (
            out is None or self.stdout.isatty()
        ):
            raise CommandError(f"{file_format.title} is no text: name a file with --output.")
        try:
            for chunk in chunks:
                if out is None:
                    self.stdout.write(chunk.decode(), ending="")
                else:
                    out.write(chunk)
            self.stdout.flush()
        except BrokenPipeError:
            # The reader, such as head, has enough; the interpreter would complain on its way out.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.stdout.fileno())


def _taking(options: dict[str, Any]) -> Taking:
    filter_class, resource_class = _RECORDS[options["records"]]
    name = options["format"] or Path(options["output"]).suffix.removeprefix(".").lower()
    filterset = _filterset(filter_class, options["where"])
    resource = resource_class()
    export = Export(
        filterset.qs,
        resource,
        _FORMATS.get(name, CSV)(),
        _columns(resource, options["columns"]),
        raw=options["raw"],
    )
    return Taking(export, _actor(), filterset.data.urlencode(), Client())


def _filterset(filter_class: type[RecordFilter], where: str) -> RecordFilter:
    """Return the filters of `where`; refuse a misspelt one, which would export too much."""
    data = QueryDict(mutable=True)
    for name, value in parse_qsl(where, keep_blank_values=True):
        if name not in filter_class.names():
            raise CommandError(
                f"There is no filter {name!r}. Filters: {', '.join(filter_class.names())}."
            )
        if not value:
            raise CommandError(
                f"The filter {name!r} has no value. Write {name}=VALUE, or leave it out."
            )
        data.appendlist(name, value)
    filterset = filter_class(data, queryset=filter_class._meta.model._default_manager.all())
    if not filterset.is_valid():
        errors = "; ".join(_wrong(filterset, name) for name in filterset.errors)
        raise CommandError(f"Nothing was exported, --where is not valid. {errors}")
    return filterset


def _wrong(filterset: RecordFilter, name: str) -> str:
    """Return what is wrong with a filter; of one with choices, what they are."""
    choices = getattr(filterset.form.fields[name], "choices", ())
    known = ", ".join(str(value) for value, _label in choices if value)
    said = " ".join(filterset.errors[name])
    return f"{name}: {said} Choices: {known}." if known else f"{name}: {said}"


def _columns(resource: RecordResource, wanted: str) -> list[str]:
    known = resource.get_export_headers()
    names = [name.strip() for name in wanted.split(",") if name.strip()]
    if unknown := [name for name in names if name not in known]:
        raise CommandError(f"There is no column {unknown[0]!r}. Columns: {', '.join(known)}.")
    return names


def _actor() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run under a number that has no name.
        return f"uid {os.getuid()}"


def _shown(watched: Watched, progress: Progress) -> Iterator[bytes]:
    """Yield the chunks, and draw the progress."""
    export = watched.taking.export
    done = export.gauge() if progress.shown else None
    for chunk in watched:
        yield chunk
        if done:
            progress.update(done(), f"{export.rows:,} rows")
    progress.update(1.0, f"{export.rows:,} rows")


def _to_file(path: Path, chunks: Iterator[bytes], *, force: bool) -> None:
    """Write a file that appears when it is complete, and that only its owner can read."""
    if not path.parent.is_dir():
        raise CommandError(f"There is no folder {path.parent} for {path.name}.")
    if path.exists() and not (force and path.is_file()):
        raise CommandError(
            f"{path} exists. Choose another name; a file can be replaced with --force."
        )
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(chunks)
            file.flush()
            os.fsync(handle)
        # A link fails if somebody made such a file in the meantime.
        (os.replace if force else os.link)(temporary, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
