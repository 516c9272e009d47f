"""The formats of an export, as import-export knows formats, each written batch by batch."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar, Final

from import_export.formats.base_formats import Format

from . import workbook

Row = Sequence[Any]


class StreamedFormat(Format):  # type: ignore[misc]
    """A format that needs to see no more than one batch of rows at a time."""

    title: ClassVar[str]
    extension: ClassVar[str]
    content_type: ClassVar[str]
    #: Whether a spreadsheet opens it, so that formulas in cells have to be defused.
    is_spreadsheet: ClassVar[bool] = True

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

    def stream(self, headers: Row, batches: Iterable[Iterable[Row]]) -> Iterator[bytes]:
        """Write one chunk a batch."""
        yield self.lines([headers])
        for batch in batches:
            yield self.lines(batch)

    def lines(self, rows: Iterable[Row]) -> bytes:
        """Write lines of cells."""
        buffer = io.StringIO(newline="")
        csv.writer(buffer, delimiter=self.delimiter, lineterminator="\r\n").writerows(rows)
        return buffer.getvalue().encode()


class CSV(DelimitedFormat):
    """Comma-separated values."""

    title = "CSV"
    extension = "csv"
    content_type = "text/csv; charset=utf-8"
    delimiter = ","


class TSV(DelimitedFormat):
    """Tab-separated values, quoted like CSV."""

    title = "TSV"
    extension = "tsv"
    content_type = "text/tab-separated-values; charset=utf-8"
    delimiter = "\t"


class JSONLines(StreamedFormat):
    """One JSON object a line, for programs: nothing runs it, so it is always what was typed."""

    title = "JSON Lines"
    extension = "jsonl"
    content_type = "application/jsonl"
    is_spreadsheet = False

    def stream(self, headers: Row, batches: Iterable[Iterable[Row]]) -> Iterator[bytes]:
        """Write one chunk a batch."""
        encode = json.JSONEncoder(ensure_ascii=False).encode
        for batch in batches:
            yield "".join(encode(dict(zip(headers, row, strict=True))) + "\n" for row in batch).encode()


class XLSX(StreamedFormat):
    """Office Open XML, all text as text: nothing in it is a formula; escaped too, for it may be saved as CSV."""

    title = "XLSX"
    extension = "xlsx"
    content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

    def stream(self, headers: Row, batches: Iterable[Iterable[Row]]) -> Iterator[bytes]:
        """Write sheet after sheet."""
        return workbook.stream(headers, batches)


FORMATS: Final[list[type[StreamedFormat]]] = [CSV, JSONLines, TSV, XLSX]
