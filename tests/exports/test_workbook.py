"""XLSX, written as it goes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from xml.etree import ElementTree

import pytest

from lockout_admin.exports import workbook
from lockout_admin.exports.formats import XLSX, StreamedFormat
from lockout_admin.models import FailedLogin

from .conftest import NOON, export

Failures = Callable[..., list[FailedLogin]]
NAMESPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def sheets_of(data: bytes) -> list[list[list[str | None]]]:
    """Return the cells of each sheet."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        names = sorted(name for name in archive.namelist() if "sheet" in name)
        parts = {name: ElementTree.fromstring(archive.read(name)) for name in archive.namelist()}
    return [
        [
            ["".join(cell.itertext()) or None for cell in row]
            for row in parts[name].iter(f"{NAMESPACE}row")
        ]
        for name in names
    ]


def written(*rows: list[Any], headers: tuple[str, ...] = ("a",)) -> list[list[list[str | None]]]:
    return sheets_of(b"".join(workbook.stream(headers, [rows])))


def test_a_sheet_has_headers_and_rows() -> None:
    assert written(["x", 1, None], headers=("a", "b", "c")) == [[["a", "b", "c"], ["x", "1", None]]]


def test_without_rows_there_are_headers() -> None:
    assert written() == [[["a"]]]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("<&>", "<&>"),
        ("a\nb", "a\nb"),
        ("a\0b", "a_x0000_b"),
        ("a\rb", "a_x000D_b"),
        ("_x000D_", "_x005F_x000D_"),
        ("😀", "😀"),
        ("x" * 40_000, "x" * 32_767),
    ],
)
def test_any_text_can_be_in_a_cell(text: str, cell: str) -> None:
    assert written([text])[0][1] == [cell]


def test_no_cell_is_a_formula(failures: Failures) -> None:
    failures("=1+1")
    data = b"".join(export(file_format=XLSX, raw=True).chunks())
    assert sheets_of(data) == [[["username"], ["=1+1"]]]
    assert b"<f>" not in zipfile.ZipFile(io.BytesIO(data)).read("xl/worksheets/sheet1.xml")


@pytest.mark.parametrize(
    ("moment", "days"),
    [
        (datetime(1900, 3, 1, tzinfo=UTC), "61.00000000000"),
        (datetime(2026, 11, 22, 12, tzinfo=UTC), "46348.50000000000"),
        (datetime(2026, 11, 22, 13, tzinfo=timezone(timedelta(hours=1))), "46348.50000000000"),
        (datetime(2026, 11, 22, 12, 0, 0, 432_000, tzinfo=UTC), "46348.50000500000"),
    ],
)
def test_a_moment_is_a_date_in_utc(moment: datetime, days: str) -> None:
    assert written([moment])[0][1] == [days]


def test_times_of_an_export_can_be_sorted(failures: Failures) -> None:
    failures("alice", at=NOON)
    data = b"".join(export(file_format=XLSX, columns=("timestamp", "username")).chunks())
    assert sheets_of(data)[0][1] == ["46348.50000000000", "alice"]
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert b'<c s="1"><v>' in archive.read("xl/worksheets/sheet1.xml")
    assert b"yyyy" in archive.read("xl/styles.xml")


def test_cells_are_defused_here_too(failures: Failures) -> None:
    failures("=1+1")
    assert sheets_of(b"".join(export(file_format=XLSX).chunks())) == [[["username"], ["'=1+1"]]]


@pytest.mark.parametrize("limit", [("SHEET_ROWS", 3), ("SHEET_BYTES", 300)])
def test_what_does_not_fit_goes_to_a_further_sheet(
    limit: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, *limit)
    assert written(*(["x"] for _ in range(5))) == [[["a"], ["x"], ["x"]]] * 2 + [[["a"], ["x"]]]


def test_a_chunk_is_out_before_all_rows_are_read() -> None:
    read = iter(range(100_000))
    assert next(workbook.stream(["a"], [([str(number)] for number in read)])).startswith(b"PK")
    assert next(read) < 10_000


def test_a_format_has_to_say_how_it_is_written() -> None:
    with pytest.raises(NotImplementedError):
        StreamedFormat().stream([], [])


def test_formats_serve_import_export_itself() -> None:
    dataset = type("Dataset", (list,), {"headers": ["a"]})([["x"]])
    assert sheets_of(XLSX().export_data(dataset)) == [[["a"], ["x"]]]
