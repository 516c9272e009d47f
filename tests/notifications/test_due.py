"""What a message costs the request: one statement where a lock begins, none elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lockout_admin.models import AccountLock, Outbox

Guess = Callable[..., Any]


def statements(guess: Guess, name: str) -> list[str]:
    """Return the statements of a failure, savepoints left out: a test is in a transaction."""
    with CaptureQueriesContext(connection) as asked:
        guess(name)
    found = [query["sql"] for query in asked.captured_queries]
    return [sql for sql in found if "SAVEPOINT" not in sql]


@pytest.mark.usefixtures("clock", "alice")
def test_a_lock_costs_one_statement_more_where_owners_are_told(guess: Guess, settings: Any) -> None:
    guess("the first of this site")
    told = {name: [statements(guess, name) for _ in range(4)] for name in ("alice", "nobody")}
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "NOTIFIERS": ()}
    silent = [statements(guess, "another") for _ in range(4)]
    counts = {name: list(map(len, each)) for name, each in told.items()}
    assert counts["alice"] == counts["nobody"]
    more = [a - b for a, b in zip(counts["nobody"], map(len, silent), strict=True)]
    assert more == [0, 0, 0, 1]
    table = Outbox._meta.db_table
    assert sum(table in sql for sql in told["alice"][3]) == 1


@pytest.mark.usefixtures("clock", "alice")
def test_a_locked_name_costs_no_statement(guess: Guess) -> None:
    guess(times=4)
    assert statements(guess, "alice") == []


def test_a_message_says_what_the_lock_says(alice: Any, guess: Guess, clock: Any) -> None:
    guess(times=4)
    row, lock = Outbox.objects.get(), AccountLock.objects.get()
    assert (row.timestamp, row.until) == (lock.started_at, lock.until)
    assert (row.failures, row.subject) == (4, lock.subject)
