"""PostgreSQL's COPY writes what Python writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.db.models import QuerySet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lockout_admin.exports import copying
from lockout_admin.exports.export import newest_first
from lockout_admin.exports.formats import CSV, TSV, ExcelCSV, StreamedFormat
from lockout_admin.models import FailedLogin

from .conftest import NOON, export

Failures = Callable[..., list[FailedLogin]]
TEXT = st.text(
    st.sampled_from("=+-@'\t\r\n;, \"\\.a\uff1d\xa0x1")
    | st.characters(codec="utf-8", exclude_characters="\0"),
    max_size=30,
)


class Postgres:
    """The connection at hand, disguised: it copies what it is told to."""

    Database = SimpleNamespace(__name__="psycopg")
    wrap_database_errors = nullcontext()

    def __init__(self, *messages: bytes) -> None:
        self.messages = messages
        self.statements: list[str] = []
        self.copying = False
        self.ops = SimpleNamespace(
            **{name: getattr(connection.ops, name) for name in dir(connection.ops)}
        )
        self.ops.compose_sql = lambda sql, params: sql

    def __getattr__(self, name: str) -> Any:
        return getattr(connection, name)

    @contextmanager
    def cursor(self) -> Iterator[Any]:
        yield SimpleNamespace(copy=self.copy)

    @contextmanager
    def copy(self, statement: str) -> Iterator[list[bytes]]:
        self.statements.append(statement)
        self.copying = True
        yield list(self.messages)
        self.copying = False


@pytest.fixture
def postgres(db: None, monkeypatch: pytest.MonkeyPatch) -> Postgres:
    stand_in = Postgres(b"1,a\n", b'2,"b\n"\n', b"3,c\n")
    monkeypatch.setattr(copying, "connections", {"default": stand_in})
    monkeypatch.setattr("lockout_admin.exports.export.BATCH", 2)
    return stand_in


def test_lines_are_handed_on_batch_by_batch(postgres: Postgres) -> None:
    running = export(columns=["id", "username"])
    assert list(running.chunks()) == [b"id,username\r\n", b'1,a\r\n2,"b\n"\r\n', b"3,c\r\n"]
    assert running.rows == 3


def test_excel_is_told_the_encoding(postgres: Postgres) -> None:
    chunks = export(columns=["id", "username"], file_format=ExcelCSV).chunks()
    assert next(chunks) == b"\xef\xbb\xbfid,username\r\n"


def test_each_kind_of_column_is_written_as_python_would(postgres: Postgres) -> None:
    list(export(columns=()).chunks())
    (statement,) = postgres.statements
    assert all(
        word in statement
        for word in ("regexp_replace(", "to_char(", "host(", "NULLIF(", "DELIMITER ','")
    )


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8])
def test_each_row_is_in_one_statement(
    size: int, failures: Failures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "PART", size)
    failures(*"abc")
    for _ in range(4):  # of one moment
        failures("d", at=NOON)
    rows = newest_first(FailedLogin.objects.all(), "timestamp")
    parts = [list(part.values_list("pk", flat=True)) for part in copying._parts(rows, "timestamp")]
    assert [pk for part in parts for pk in part] == list(rows.values_list("pk", flat=True))
    assert max(map(len, parts)) <= size


def test_each_statement_is_read_to_its_end_before_a_line_goes_out(
    postgres: Postgres, failures: Failures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "PART", 2)
    failures(*"abc")
    lines = export(columns=["id", "username"]).chunks()
    assert [next(lines), next(lines)]
    assert (len(postgres.statements), postgres.copying) == (1, False)
    assert len(list(lines)) == 3
    assert len(postgres.statements) == 2


def test_text_as_typed_is_left_alone(postgres: Postgres) -> None:
    list(export(columns=(), raw=True, file_format=TSV).chunks())
    (statement,) = postgres.statements
    assert "regexp_replace" not in statement
    assert "DELIMITER '\t'" in statement


def test_a_single_column_is_left_to_python(postgres: Postgres) -> None:
    assert not export(columns=["username"]).is_copied


def test_nothing_is_not_asked_for(postgres: Postgres) -> None:
    assert list(export(FailedLogin.objects.none(), columns=()).chunks())[1:] == []
    assert not postgres.statements


@pytest.mark.parametrize(("guess", "fraction"), [(0, 0.0), (2, 1.0), (6, 0.5)])
def test_the_planner_guesses_how_much_is_done(
    guess: int, fraction: float, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = f'[{{"Plan": {{"Plan Rows": {guess}}}}}]'
    monkeypatch.setattr(QuerySet, "explain", lambda queryset, **how: plan)
    running = export(columns=["id", "username"])
    done = running.gauge()
    list(running.chunks())
    assert done() == fraction


def test_it_guesses_nothing_of_nothing(db: None) -> None:
    assert copying.estimated_rows(FailedLogin.objects.none()) == 0


# From here on: the true database. Elsewhere than on PostgreSQL, Python is compared with itself.


def both(file_format: type[StreamedFormat], **how: Any) -> tuple[bytes, bytes]:
    """Return what the database writes, and what Python writes."""
    copied = b"".join(export(columns=(), file_format=file_format, **how).chunks())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(copying, "is_possible", lambda *args: False)
        return copied, b"".join(export(columns=(), file_format=file_format, **how).chunks())


@pytest.mark.parametrize("raw", [True, False])
@pytest.mark.parametrize("file_format", [CSV, TSV])
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)
@given(
    texts=st.lists(st.tuples(TEXT, TEXT), max_size=6),
    moment=st.datetimes(min_value=NOON.replace(year=1970, tzinfo=None), timezones=st.just(UTC)),
    address=st.ip_addresses() | st.ip_addresses(network="::/96") | st.ip_addresses(v=4) | st.none(),
)
def test_the_bytes_are_the_same(
    file_format: type[StreamedFormat],
    raw: bool,
    texts: Any,
    moment: Any,
    address: Any,
    failures: Failures,
) -> None:
    FailedLogin.objects.all().delete()
    for username, path in texts:
        failures(username, path=path, ip_address=address and str(address), at=moment)
    failures("bob", user_agent_id=None, ip_address=None)
    copied, written = both(file_format, raw=raw)
    assert copied == written


@pytest.mark.django_db(transaction=True)
def test_a_copy_that_breaks_off_leaves_the_connection_usable(failures: Failures) -> None:
    failures(*map(str, range(5000)))
    chunks = export(columns=()).chunks()
    assert [next(chunks), next(chunks)]
    chunks.close()
    assert FailedLogin.objects.count() == 5000


def test_an_error_of_the_database_is_one_of_django(db: None) -> None:
    broken = export(FailedLogin.objects.extra(where=["nonsense = 1"]), columns=())
    with pytest.raises(DatabaseError):
        list(broken.chunks())
