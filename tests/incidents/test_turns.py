"""Whose turn it is to look, and how far a turn comes."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from lockout_admin.engine import sightings
from lockout_admin.identity.client import Client
from lockout_admin.identity.subject import Subject
from lockout_admin.incidents import reading, turns
from lockout_admin.incidents.grouping import group
from lockout_admin.incidents.thresholds import Thresholds
from lockout_admin.management.commands import lockout_incidents
from lockout_admin.models import (
    FailedLogin,
    Incident,
    IncidentCursor,
    RefusedTries,
    SuccessfulLogin,
)

from ..conftest import request_from
from .records import rows

pytestmark = pytest.mark.django_db

Guess = Callable[..., Any]


def test_nothing_is_nothing(clock: Any) -> None:
    summary = group()
    assert (summary.read, summary.found, summary.is_caught_up) == (0, 0, True)


def test_the_site_looks_once_in_ten_seconds(clock: Any) -> None:
    rows(30)
    assert turns.group_if_due().found == 1
    rows(5)
    assert turns.group_if_due().read == 0
    clock.tick(turns.TURN_SECS + 1)
    assert turns.group_if_due().read == 5


def test_a_turn_that_fails_is_logged_and_not_raised(
    clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**options: Any) -> None:
        raise DatabaseError("gone")

    logged: list[str] = []
    monkeypatch.setattr(turns, "group", refuse)
    monkeypatch.setattr(turns.logger, "exception", logged.append)
    assert turns.group_if_due().read == 0
    assert logged == ["incidents_not_grouped: the next turn goes on where this one began."]


def test_a_full_batch_says_that_there_is_more(clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BATCH", 10)
    rows(25)
    assert not group(batches=1).is_caught_up
    assert group().is_caught_up
    assert Incident.objects.get().evaluated == 25


def test_logins_are_not_read_ahead_of_failures(clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BATCH", 10)
    rows(10)
    clock.tick(60)
    subject, client = Subject.of("alice"), Client("192.0.2.1", "", "/")
    for event in ("login", "logout"):
        SuccessfulLogin.objects.build(subject, client, timestamp=timezone.now(), event=event).save()
    rows(1)
    assert group(batches=1).read == 10
    assert group(batches=1).read == 2


def test_a_row_that_commits_late_is_read_late(clock: Any) -> None:
    rows(3)
    group()
    last = FailedLogin.objects.latest("pk").pk
    rows(1, id=last + 2)
    rows(1, id=last + 3)
    assert group().read == 2
    assert IncidentCursor.objects.get().missing.keys() == {str(last + 1)}
    rows(1, id=last + 1)
    assert group().read == 1
    assert group().read == 0
    rows(1, id=last + 9)
    assert group().read == 1
    clock.tick(120)
    group()
    assert not IncidentCursor.objects.get().missing


def test_a_gap_of_deleted_rows_is_not_looked_for(clock: Any) -> None:
    rows(1)
    group()
    rows(1, id=FailedLogin.objects.latest("pk").pk + 5000)
    group()
    assert not IncidentCursor.objects.get().missing


def test_a_site_that_never_looked_begins_a_week_ago(clock: Any) -> None:
    rows(30)
    clock.tick(8 * 24 * 60 * 60)
    rows(2)
    assert group().read == 2


# -- What was refused -----------------------------------------------------------------------------


def test_refusals_are_written_by_the_turn_and_not_by_the_request(clock: Any, guess: Guess) -> None:
    guess(times=5)
    assert not RefusedTries.objects.exists()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        guess(times=3)
    assert not queries.captured_queries
    group()
    (row,) = RefusedTries.objects.all()
    assert (row.username, row.times, row.ip_address) == ("alice", 4, "203.0.113.5")


def test_what_a_process_keeps_is_bounded(
    clock: Any, guess: Guess, monkeypatch: pytest.MonkeyPatch
) -> None:
    guess(times=4)
    group()
    monkeypatch.setattr(sightings, "MOST", 2)
    for number in range(6):
        guess(request=request_from(f"198.51.100.{number + 1}"))
    seen = sightings.take()
    assert len(seen.refusals) <= 4
    assert sum(one.times for one in seen.refusals.values()) == 6
    for number in range(5):
        guess(f"name{number}")
    assert len(sightings.take().guesses) == 2


# -- The thread -----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_thread_looks_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(turns, "TURN_SECS", 0)
    monkeypatch.setattr(turns, "group_if_due", lambda: asked.append(1))
    worker = turns.Worker(pause=0)
    worker.wake()
    assert worker.join(10)
    worker.wake()
    assert worker.join(10)
    assert len(asked) == 2
    assert turns.Worker().join(0)


def test_what_happens_while_a_thread_looks_is_looked_at_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []
    worker = turns.Worker(pause=0)

    def look() -> None:
        asked.append(1)
        if len(asked) == 1:
            for _ in range(3):
                worker.wake()

    monkeypatch.setattr(turns, "group_if_due", look)
    worker.wake()
    assert worker.join(10)
    assert len(asked) == 2


def test_a_process_that_forks_leaves_its_thread_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that thinks that its thread runs would never start one."""
    of_the_parent = turns.Worker()
    monkeypatch.setattr(turns, "_worker", of_the_parent)
    turns._begin_anew()
    assert turns._worker is not of_the_parent


def test_no_thread_meets_the_database_of_a_test(guess: Guess) -> None:
    guess(times=5)
    assert turns._worker.join(0)


def test_elsewhere_a_failure_wakes_it(monkeypatch: pytest.MonkeyPatch, guess: Guess) -> None:
    woken: list[int] = []
    monkeypatch.delattr(mail, "outbox")
    monkeypatch.setattr(turns._worker, "wake", lambda: woken.append(1))
    guess()
    assert woken


# -- The command ----------------------------------------------------------------------------------


def told(*options: str) -> str:
    out = StringIO()
    call_command(lockout_incidents.Command(), *options, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_the_command_catches_up(clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BATCH", 10)
    rows(35)
    assert "Read 35 records: 1 incidents found" in told()


def test_the_command_begins_where_it_is_told(clock: Any) -> None:
    rows(30)
    clock.tick(60 * 60)
    rows(1)
    assert "Read 1 records" in told("--since", "30m")
    with pytest.raises(CommandError, match="no time"):
        told("--since", "soon")


@pytest.mark.django_db(transaction=True)
def test_the_command_watches(clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    turns_left = iter([None, None, DatabaseError("gone")])

    def sleep(_seconds: float) -> None:
        problem = next(turns_left, KeyboardInterrupt())
        if isinstance(problem, KeyboardInterrupt):
            raise problem
        if problem is not None:
            monkeypatch.setattr(lockout_incidents, "group", _raising(problem))
        rows(15)

    monkeypatch.setattr("time.sleep", sleep)
    assert "1 incidents found, 0 over" in told("--watch")


def _raising(problem: Exception) -> Callable[[], None]:
    def group() -> None:
        raise problem

    return group


# -- Thresholds -----------------------------------------------------------------------------------


def test_a_young_site_has_the_least(clock: Any) -> None:
    assert Thresholds.now() == Thresholds()
    assert [line.value for line in Thresholds().lines()] == [10, 10, 20, 60, 40]
    assert all(line.why for line in Thresholds().lines())


def test_thresholds_follow_from_what_is_usual(clock: Any) -> None:
    """Three networks on which thirty names fail every day, beside a hundred quiet ones."""
    for _ in range(10):
        for host in range(3):
            rows(30, f"{host}name{{}}", f"198.51.100.{host}")
        for host in range(100):
            rows(1, "root", f"192.0.2.{host}")
        rows(15, "admin", "192.0.2.250")
        clock.tick(24 * 60 * 60)
    group()
    limits = Thresholds.now()
    assert limits.usual_names == 30
    assert limits.names_per_network == 60
    assert limits.tries_per_name > 20


@override_settings(LOCKOUT_ADMIN={"MODE": "monitor"})
def test_a_site_that_only_watches_finds_incidents_as_well(clock: Any, guess: Guess) -> None:
    guess(times=25)
    group()
    assert Incident.objects.get().evaluated == 25
