"""The formats of an export, as import-export knows formats."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar, Final

from import_export.formats.base_formats import Format

from . import workbook

Row = Sequence[Any]


class StreamedFormat(Format):  # type: ignore[misc]
    """A format that is written batch by batch."""

    title: ClassVar[str]
    #: What ``lockout_export --format`` calls it.
    name: ClassVar[str]
    extension: ClassVar[str]
    content_type: ClassVar[str]
    #: Whether a spreadsheet opens it, so that formulas in cells have to be defused.
    is_spreadsheet: ClassVar[bool] = True
    #: Whether it has dates of its own; else a moment is text.
    has_dates: ClassVar[bool] = False

    def stream(self, headers: Row, batches: Iterable[Iterable[Row]]) -> Iterator[bytes]:
        """Write the headers at once, then batch after batch."""
        raise NotImplementedError

    def export_data(self, dataset: Any, **kwargs: Any) -> bytes:
        """Write a ``tablib`` dataset in one go: what import-export's own code paths ask for."""
        return b"".join(self.stream(dataset.headers, [dataset]))

    def get_title(self) -> str:
        """Return the name shown in the form."""
        return self.title

    def get_extension(self) -> str:
        """Return the end of the file's name."""
        return self.extension

    def get_content_type(self) -> str:
        """Return the media type."""
        return self.content_type

    def can_export(self) -> bool:
        """Tell that rows can be written; none can be read."""
        return True


class DelimitedFormat(StreamedFormat):
    """Lines of cells after RFC 4180: CRLF, quotes where they are needed; UTF-8."""

    delimiter: ClassVar[str]
    #: What a file begins with.
    mark: ClassVar[bytes] = b""

    def stream(self, headers: Row, batches: Iterable[Iterable[Row]]) -> Iterator[bytes]:
        """Write one chunk a batch."""
        yield self.head(headers)
        for batch in batches:
            yield self.lines(batch)

    def head(self, headers: Row) -> bytes:
        """Write what comes before the first row."""
        return self.mark + self.lines([headers])

    def lines(self, rows: Iterable[Row]) -> bytes:
        """Write lines of cells."""
        buffer = io.StringIO(newline="")
        csv.writer(buffer, delimiter=self.delimiter, lineterminator="\r\n").writerows(rows)
        return buffer.getvalue().encode()


class CSV(DelimitedFormat):
    """Comma-separated values."""

    title = "CSV"
    name = "csv"
    extension = "csv"
    content_type = "text/csv; charset=utf-8"
    delimiter = ","


class ExcelCSV(CSV):
    """CSV with a byte order mark: without one, Excel takes UTF-8 for an old code page."""

    title = "CSV for Excel"
    name = "csv-excel"
    mark = codecs.BOM_UTF8


class TSV(DelimitedFormat):
    """Tab-separated values, quoted like CSV."""

    title = "TSV"
    name = "tsv"
    extension = "tsv"
    content_type = "text/tab-separated-values; charset=utf-8"
    delimiter = "\t"


class JSONLines(StreamedFormat):
    """One JSON object a line, for programs: nothing runs it, so it is always what was typed."""

    title = "JSON Lines"
    name = "jsonl"
    extension = "jsonl"
    content_type = "application/jsonl"
    is_spreadsheet = False

    def stream(self, headers: Row, batches: Iterable[Iterable[Row]]) -> Iterator[bytes]:
        """Write one chunk a batch."""
        encode = json.JSONEncoder(ensure_ascii=False).encode
        for batch in batches:
            yield "".join(
                encode(dict(zip(headers, row, strict=True))) + "\n" for row in batch
            ).encode()


class XLSX(StreamedFormat):
    """Office Open XML. All text is text, and escaped too: somebody may save it as CSV."""

    title = "XLSX"
    name = "xlsx"
    has_dates = True
    extension = "xlsx"
    content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

    def stream(self, headers: Row, batches: Iterable[Iterable[Row]]) -> Iterator[bytes]:
        """Write sheet after sheet."""
        return workbook.stream(headers, batches)


FORMATS: Final[list[type[StreamedFormat]]] = [CSV, JSONLines, TSV, XLSX, ExcelCSV]
