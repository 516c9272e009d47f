"""Export records."""

from __future__ import annotations

import argparse
import contextlib
import getpass
import os
import sys
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import parse_qsl

from django.core.management.base import BaseCommand, CommandError, CommandParser, DjangoHelpFormatter
from django.db import DatabaseError
from django.http import QueryDict

from ...audit import Taking
from ...client import Client
from ...exports import Export
from ...filters import FailureFilter, LockFilter, RecordFilter
from ...formats import CSV, FORMATS, DelimitedFormat, JSONLines, StreamedFormat
from ...resources import AccountLockResource, FailedLoginResource, RecordResource
from ..progress import Progress

_FORMATS: Final = {file_format.extension: file_format for file_format in FORMATS}
_RECORDS: Final[dict[str, tuple[type[RecordFilter], type[RecordResource]]]] = {
    "failures": (FailureFilter, FailedLoginResource),
    "locks": (LockFilter, AccountLockResource),
}
_EPILOG = """\
Filters are those of the admin's lists, written like a query string:
  manage.py lockout_export failures --where "net=203.0.113.0/24&time=7d" --output attack.csv
  manage.py lockout_export failures --where "username=alice&after=2026-11-01 00:00" --format jsonl
  manage.py lockout_export locks --where "time=all" --format xlsx --output locks.xlsx

Without a time, failures of the last 24 hours and locks of the last 30 days are exported; "time=all" is all.
In csv, tsv and xlsx a text that a spreadsheet would run as a formula gets a single quote in front, and so
does one that begins with a quote; --raw leaves text as it was typed. jsonl always does.
"""


class _Formatter(DjangoHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Leaves the lines of the examples alone."""


class Command(BaseCommand):
    """``manage.py lockout_export``."""

    help = "Export failed logins or locks, newest first, in constant memory. Each export is logged."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Add the examples."""
        return super().create_parser(prog_name, subcommand, epilog=_EPILOG, formatter_class=_Formatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("records", choices=_RECORDS, help="what to export")
        parser.add_argument("--where", default="", metavar="QUERY", help="filters, such as 'username=a&net=10.0.0.0/8'")
        parser.add_argument("--format", choices=_FORMATS, help="default: by the end of the file's name, or csv")
        parser.add_argument("--output", default="-", metavar="FILE", help="default: -, which is the standard output")
        parser.add_argument("--columns", default="", metavar="A,B", help="names of columns (default: all)")
        parser.add_argument("--raw", action="store_true", help="text as it was typed: not for spreadsheets")
        parser.add_argument("--force", action="store_true", help="replace the file if there is one")

    def handle(self, *args: Any, **options: Any) -> None:
        """Export, with a bar on a terminal."""
        taking = _taking(options)
        chunks = _shown(taking, Progress(sys.stderr, "Exporting"))
        try:
            with contextlib.closing(chunks):
                if options["output"] == "-":
                    self._to_stdout(chunks, taking.export.format)
                else:
                    _to_file(Path(options["output"]), chunks, force=options["force"])
        except (OSError, DatabaseError) as error:
            raise CommandError(f"The export failed after {taking.export.rows} rows: {error}") from error

    def _to_stdout(self, chunks: Iterator[bytes], file_format: StreamedFormat) -> None:
        out: IO[bytes] | None = getattr(self.stdout, "buffer", None)
        if not isinstance(file_format, DelimitedFormat | JSONLines) and (out is None or self.stdout.isatty()):
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
    extension = options["format"] or Path(options["output"]).suffix.removeprefix(".").lower()
    filterset, resource = _filterset(filter_class, options["where"]), resource_class()
    export = Export(
        filterset.qs,
        resource,
        _FORMATS.get(extension, CSV)(),
        _columns(resource, options["columns"]),
        raw=options["raw"],
    )
    return Taking(export, _actor(), filterset.data.urlencode(), Client())


def _filterset(filter_class: type[RecordFilter], where: str) -> RecordFilter:
    """Return the filters of `where`; a misspelt one would export more than was asked for."""
    data = QueryDict(mutable=True)
    for name, value in parse_qsl(where, keep_blank_values=True):
        if name not in filter_class.names():
            raise CommandError(f"There is no filter {name!r}. Filters: {', '.join(filter_class.names())}.")
        if not value:
            raise CommandError(f"The filter {name!r} has no value. Write {name}=VALUE, or leave it out.")
        data.appendlist(name, value)
    filterset = filter_class(data, queryset=filter_class._meta.model._default_manager.all())
    if not filterset.is_valid():
        errors = "; ".join(f"{name}: {' '.join(texts)}" for name, texts in filterset.errors.items())
        raise CommandError(f"Nothing was exported, --where is not valid. {errors}")
    return filterset


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


def _shown(taking: Taking, progress: Progress) -> Generator[bytes, None, None]:
    """Yield the chunks; log the export, and draw its progress."""
    export, complete = taking.export, False
    done = export.gauge() if progress.shown else None
    taking.begun()
    try:
        for chunk in export.chunks():
            yield chunk
            if done:
                progress.update(done(), f"{export.rows:,} rows")
        complete = True
        progress.update(1.0, f"{export.rows:,} rows")
    finally:
        taking.ended(complete=complete)
        progress.close()


def _to_file(path: Path, chunks: Iterator[bytes], *, force: bool) -> None:
    """Write a file that is there when it is complete, and that only its owner can read."""
    if path.exists() and not (force and path.is_file()):
        raise CommandError(f"{path} exists. Choose another name; a file can be replaced with --force.")
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(chunks)
            file.flush()
            os.fsync(handle)
        # A link is refused if a file has come to be in the meantime.
        (os.replace if force else os.link)(temporary, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
