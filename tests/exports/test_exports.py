"""Exports as streams of bytes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lockout_admin.exports import export as exports
from lockout_admin.exports.export import Unblocked
from lockout_admin.exports.formats import CSV, TSV, XLSX, ExcelCSV, JSONLines
from lockout_admin.exports.resources import FailedLoginResource
from lockout_admin.models import FailedLogin

from .conftest import NOON, export

Failures = Callable[..., list[FailedLogin]]

ALL_COLUMNS = [
    "id",
    "timestamp",
    "username",
    "ip_address",
    "user_agent",
    "path",
    "outcome",
    "repeated",
    "common",
    "subject",
]


def text_of(what: Any) -> str:
    return b"".join(what.chunks()).decode()


def cells_of(what: Any, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text_of(what), newline=""), delimiter=delimiter))


def test_excel_is_told_the_encoding(failures: Failures) -> None:
    failures("müller")
    plain = text_of(export())
    assert b"".join(export(file_format=ExcelCSV).chunks()) == b"\xef\xbb\xbf" + plain.encode()


def test_a_row_has_all_that_is_known(failures: Failures) -> None:
    (failure,) = failures("alice", at=NOON, path="/login/", subject=0xAF)
    assert cells_of(export(columns=())) == [
        ALL_COLUMNS,
        [
            str(failure.pk),
            "2026-11-22T12:00:00.000000Z",
            "alice",
            "192.0.2.1",
            "Mozilla/5.0 (X11; Linux)",
            "/login/",
            "counted",
            "0",
            "",
            "00000000000000af",
        ],
    ]


def test_lines_end_and_quote_as_rfc_4180_says(failures: Failures) -> None:
    failures('a"b', "c,d", "e\r\nf")
    assert text_of(export()) == 'username\r\n"a""b"\r\n"c,d"\r\n"e\r\nf"\r\n'


def test_formulas_are_defused(failures: Failures) -> None:
    failures("=1+1")
    assert cells_of(export()) == [["username"], ["'=1+1"]]


def test_raw_bytes_are_there_for_the_asking(failures: Failures) -> None:
    failures("=1+1")
    assert cells_of(export(raw=True)) == [["username"], ["=1+1"]]


def test_tabs_separate_too(failures: Failures) -> None:
    failures("a\tb", path="/")
    assert (
        text_of(export(file_format=TSV, columns=["username", "path"]))
        == 'username\tpath\r\n"a\tb"\t/\r\n'
    )


def test_json_lines_are_what_was_typed(failures: Failures) -> None:
    (failure,) = failures("=1\n😀", at=NOON, user_agent_id=None)
    line = json.loads(
        text_of(
            export(file_format=JSONLines, columns=["id", "timestamp", "username", "user_agent"])
        )
    )
    assert line == {
        "id": failure.pk,
        "timestamp": "2026-11-22T12:00:00.000000Z",
        "username": "=1\n😀",
        "user_agent": None,
    }


@pytest.mark.parametrize("file_format", [CSV, TSV, JSONLines, XLSX])
def test_nothing_is_exported_in_any_format(file_format: Any, db: None) -> None:
    nothing = export(FailedLogin.objects.none(), file_format, ["id", "username"])
    assert b"192.0.2" not in b"".join(nothing.chunks())
    assert nothing.rows == 0


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30
)
@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20), max_size=8
    )
)
def test_csv_comes_back_as_it_was(failures: Failures, usernames: list[str]) -> None:
    FailedLogin.objects.all().delete()
    failures(*usernames)
    assert cells_of(export(columns=["username", "outcome"], raw=True))[1:] == [
        [name, "counted"] for name in usernames
    ]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 7])
def test_batches_lose_and_repeat_nothing(
    count: int, failures: Failures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "BATCH", 2)
    names = [f"user{number}" for number in range(count)]
    failures(*names)
    assert [row[0] for row in cells_of(export())[1:]] == names


def test_rows_of_one_moment_are_told_apart(
    failures: Failures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "BATCH", 2)
    rows = [failures("alice", at=NOON)[0] for _ in range(5)]
    assert [row[0] for row in cells_of(export(columns=["id"]))[1:]] == [
        str(row.pk) for row in reversed(rows)
    ]


def test_the_order_of_a_list_is_not_that_of_its_export(failures: Failures) -> None:
    failures("b", "a", "c")
    assert cells_of(export(FailedLogin.objects.order_by("username")))[1:] == [["b"], ["a"], ["c"]]


def test_the_first_chunk_is_there_before_a_row_is_read(failures: Failures) -> None:
    failures("alice")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert next(export().chunks()) == b"username\r\n"
    assert not queries


def test_a_batch_is_sent_before_the_next_is_read(
    failures: Failures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "BATCH", 2)
    failures(*"abcdef")
    running = export()
    chunks = running.chunks()
    with CaptureQueriesContext(connection) as queries:
        assert [next(chunks), next(chunks)] == [b"username\r\n", b"a\r\nb\r\n"]
    assert (len(queries), running.rows) == (1, 2)


def test_rows_are_counted_as_they_go(failures: Failures) -> None:
    failures(*"abc")
    running = export()
    text_of(running)
    assert running.rows == 3


async def test_an_event_loop_gets_the_same_chunks() -> None:
    assert [chunk async for chunk in Unblocked(chunk for chunk in (b"a", b"b"))] == [b"a", b"b"]


async def test_a_client_that_leaves_ends_the_export() -> None:
    ended = []

    def chunks() -> Any:
        try:
            yield b"a"
        finally:
            ended.append(True)

    stream = Unblocked(chunks())
    assert await anext(aiter(stream)) == b"a"
    stream.close()
    assert ended


def test_rows_that_go_out_of_import_export_itself_are_defused_too(failures: Failures) -> None:
    failures("=1", at=NOON)
    dataset = FailedLoginResource().export(FailedLogin.objects.all())
    assert dataset["username"] == ["'=1"]
    assert dataset["timestamp"] == ["2026-11-22T12:00:00.000000Z"]
