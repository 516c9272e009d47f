"""Whose turn it is to look, and how far a turn comes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from lockout_admin.engine import sightings
from lockout_admin.identity.client import Client
from lockout_admin.identity.subject import Subject
from lockout_admin.incidents import gaps, reading, seen, turns
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
from .player import incidents
from .records import comes_in, refused, rows

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
    ((first, end, _due),) = IncidentCursor.objects.get().missing["failure"]
    assert (first, end) == (last + 1, last + 1)
    rows(1, id=last + 1)
    assert group().read == 1
    assert group().read == 0
    rows(1, id=last + 9)
    assert group().read == 1
    clock.tick(120)
    group()
    assert not any(IncidentCursor.objects.get().missing.values())


def test_thousands_that_commit_late_are_all_read(clock: Any) -> None:
    """A process writes what it has refused at once, while another reads on."""
    rows(12, "name{}")
    refused(1)
    group()
    last = RefusedTries.objects.latest("pk").pk
    refused(1, "behind")
    RefusedTries.objects.filter(username="behind").update(id=last + 7000)
    assert group().read == 1
    refused(6, "between{}")
    written = RefusedTries.objects.filter(username__startswith="between").order_by("pk")
    for number, pk in enumerate(written.values_list("pk", flat=True)):
        RefusedTries.objects.filter(pk=pk).update(id=last + 1000 * number + 100)
    clock.tick(10)
    assert group().read == 6
    assert group().read == 0
    (one,) = incidents()
    assert (one.evaluated, one.refused) == (12, 8)


@pytest.mark.parametrize("kind", ["failure", "success", "refusal"])
def test_each_kind_of_row_may_commit_late(clock: Any, kind: str) -> None:
    model: Any = {"failure": FailedLogin, "success": SuccessfulLogin, "refusal": RefusedTries}[kind]

    def write() -> int:
        known = list(model.objects.values_list("pk", flat=True))
        if kind == "success":
            comes_in("ann", "192.0.2.7")
        else:
            (rows if kind == "failure" else refused)(1)
        return int(model.objects.exclude(pk__in=known).get().pk)

    last = write()
    group()
    model.objects.filter(pk=write()).update(id=last + 40)
    assert group().read == 1
    model.objects.filter(pk=write()).update(id=last + 20)
    assert group().read == 1
    assert group().read == 0


def test_of_a_gap_only_what_is_not_there_is_looked_for_again(clock: Any) -> None:
    cursor = IncidentCursor(failure=10)
    now = timezone.now()
    gaps.note(cursor, "failure", [11, 15, 16, 30], now)
    assert [gap[:2] for gap in cursor.missing["failure"]] == [[12, 14], [17, 29]]
    gaps.fill(cursor, "failure", [12, 20, 21], now)
    assert [gap[:2] for gap in cursor.missing["failure"]] == [[13, 14], [17, 19], [22, 29]]
    gaps.fill(cursor, "failure", [], now + timedelta(seconds=61))
    assert cursor.missing["failure"] == []


def test_what_a_database_did_not_take_is_written_by_the_next_turn(
    clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came meanwhile is beside it."""
    for number in range(12):
        authenticate(request_from("198.51.100.7"), username=f"name{number}", password="wrong")

    def is_away(*args: Any, **kwargs: Any) -> None:
        raise DatabaseError

    monkeypatch.setattr(RefusedTries.objects, "bulk_create", is_away)
    with pytest.raises(DatabaseError):
        seen.hand_over()
    monkeypatch.undo()
    for name in ("name11", "name12"):
        authenticate(request_from("198.51.100.7"), username=name, password="wrong")
    group()
    tries = FailedLogin.objects.count() + sum(RefusedTries.objects.values_list("times", flat=True))
    assert tries == 14


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
    assert [line.value for line in Thresholds().lines()] == [10, 10, 20, 60, 120, 40]
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


def test_what_is_given_back_has_the_room_that_is_left(
    clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sightings, "MOST", 2)
    client = Client("198.51.100.7", "", "/login/")
    names = [Subject.of(f"name{number}") for number in range(6)]

    def seen_of(some: list[Subject]) -> dict[Any, sightings.RefusedSeen]:
        return {
            (one.key, None): sightings.RefusedSeen(one, client, None, timezone.now())
            for one in some
        }

    sightings.give_back(sightings.Seen(seen_of(names[:3])))
    sightings.give_back(sightings.Seen(seen_of(names)))
    kept = sightings.take().refusals.values()
    assert [(one.subject.username, one.times) for one in kept] == [
        *((f"name{number}", 2) for number in range(3)),
        ("name3", 1),
    ]
