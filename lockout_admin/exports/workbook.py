"""An Office Open XML workbook (ECMA-376), written batch by batch, without a temporary file."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Generator, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import IO, Any, Final
from xml.sax.saxutils import escape

#: Rows of a sheet that spreadsheets read; what is more goes to a further sheet.
SHEET_ROWS: Final = 1_048_576
#: Bytes of a sheet; above 2 GiB the archive would need extensions that some spreadsheets refuse.
SHEET_BYTES: Final = 1 << 30
#: Characters of a cell that spreadsheets read.
CELL_CHARACTERS: Final = 32_767

_ROWS_A_CHUNK = 1000
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

#: Day 0, as if 1900 had had a 29th of February (ECMA-376, 18.17.4.1).
_EPOCH = datetime(1899, 12, 30, tzinfo=UTC)
_DAY = timedelta(days=1)
#: Cell style 1: a moment, with its zone.
_STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><numFmts count="1"><numFmt numFmtId="164"'
    ' formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss.000&quot; UTC&quot;"/></numFmts>'
    '<fonts count="1"><font/></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="2"><xf/><xf numFmtId="164" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>"
)

#: Characters that XML has not, and what looks like their escape (ECMA-376, 22.9.2.19).
_UNWRITABLE = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


class _Pipe:
    """The file that the archive is written to: gives away what it was given."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []

    def write(self, data: bytes) -> int:
        self.chunks.append(bytes(data))
        return len(data)

    def flush(self) -> None: ...

    def close(self) -> None: ...

    def taken(self) -> bytes:
        data = b"".join(self.chunks)
        self.chunks.clear()
        return data


def stream(headers: Sequence[Any], batches: Iterable[Iterable[Sequence[Any]]]) -> Iterator[bytes]:
    """Write a workbook; each sheet begins with the headers."""
    pipe = _Pipe()
    # A pipe cannot be wound back: the archive notes the size of a file behind it.
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        lines = map(_line, chain.from_iterable(batches))
        line = next(lines, None)
        count = 0
        while line is not None or not count:
            count += 1
            with archive.open(f"xl/worksheets/sheet{count}.xml", "w") as sheet:
                line = yield from _sheet(sheet, pipe, _line(headers), line, lines)
        for name, text in _parts(count).items():
            archive.writestr(name, _XML + text)
    yield pipe.taken()


def _sheet(
    sheet: IO[bytes], pipe: _Pipe, headers: bytes, line: bytes | None, lines: Iterator[bytes]
) -> Generator[bytes, None, bytes | None]:
    """Write a sheet until it is full; return the line that did not fit."""
    size = sheet.write(f'{_XML}<worksheet xmlns="{_MAIN}"><sheetData>'.encode() + headers)
    rows = 1
    while line is not None and rows < SHEET_ROWS and size < SHEET_BYTES:
        size += sheet.write(line)
        rows += 1
        if rows % _ROWS_A_CHUNK == 0:
            yield pipe.taken()
        line = next(lines, None)
    sheet.write(b"</sheetData></worksheet>")
    return line


def _parts(sheets: int) -> dict[str, str]:
    """Return what an archive must have beside its sheets."""
    numbers = range(1, sheets + 1)
    relationships = f"{_PACKAGE}/relationships"
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_TYPE}.worksheet+xml"/>'
        for n in numbers
    )
    names = "".join(f'<sheet name="{n}" sheetId="{n}" r:id="rId{n}"/>' for n in numbers)
    targets = "".join(
        f'<Relationship Id="rId{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in numbers
    )
    return {
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
        f"<sheets>{names}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{relationships}">'
        f'{targets}<Relationship Id="styles" Type="{_OFFICE}/styles" Target="styles.xml"/>'
        "</Relationships>",
        "xl/styles.xml": _STYLES,
        "_rels/.rels": f'<Relationships xmlns="{relationships}"><Relationship Id="rId1"'
        f' Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        '<Override PartName="/xl/workbook.xml"'
        f' ContentType="{_TYPE}.sheet.main+xml"/>{overrides}'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/></Types>',
    }


def _line(row: Sequence[Any]) -> bytes:
    return f"<row>{''.join(map(_cell, row))}</row>".encode()


def _serial(moment: datetime) -> str:
    """Return a moment in UTC as spreadsheets count time: in days; a naive one is local time."""
    return f"{(moment.astimezone(UTC) - _EPOCH) / _DAY:.11f}"


def _cell(value: Any) -> str:
    if value is None or value == "":
        return "<c/>"
    if isinstance(value, int):
        return f"<c><v>{value}</v></c>"
    if isinstance(value, datetime):
        return f'<c s="1"><v>{_serial(value)}</v></c>'
    text = _UNWRITABLE.sub(lambda match: f"_x{ord(match[0]):04X}_", str(value)[:CELL_CHARACTERS])
    return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'
