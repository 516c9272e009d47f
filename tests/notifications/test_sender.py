"""Messages are sent once, however many senders there are, and late ones by any of them."""

from __future__ import annotations

import io
import logging
import smtplib
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend as LocMemBackend
from django.core.management import CommandError, call_command
from django.db import DataError, OperationalError, connections
from django.test import override_settings
from django.utils import timezone
from django.utils.module_loading import import_string
from freezegun.api import FrozenDateTimeFactory

from lockout_admin.identity.client import Client as Source
from lockout_admin.identity.subject import Subject
from lockout_admin.management.commands import lockout_notify
from lockout_admin.models import Outbox
from lockout_admin.notifications import (
    claims,
    holders,
    outbox,
    running,
    sender,
    sieges,
    tasks,
    threads,
)
from lockout_admin.notifications.mail import MailNotifier
from lockout_admin.notifications.mailing import _backend
from lockout_admin.notifications.notifiers import Kind, Notice, Notifier

from .conftest import send

Guess = Callable[..., Any]
Log = pytest.LogCaptureFixture
State = Outbox.State
HERE = "tests.notifications.test_sender"


class Kept(Notifier):
    """Keeps what it is told, and has as many faults as it is given."""

    told: list[Notice] = []
    faults: list[Exception] = []

    def notify(self, notice: Notice) -> None:
        if self.faults:
            raise self.faults.pop()
        self.told.append(notice)


class Deaf(Kept):
    """Wants to know of nothing, and is off."""

    @classmethod
    def is_on(cls) -> bool:
        return False


@pytest.fixture
def told(settings: Any) -> Any:
    """What was told to a notifier of the site's own, in place of mails."""
    own = {**settings.LOCKOUT_ADMIN, "NOTIFIERS": [f"{HERE}.Kept"]}
    Kept.told, Kept.faults = [], []
    with override_settings(LOCKOUT_ADMIN=own):
        yield Kept.told


def close_all() -> None:
    """Close what a thread has opened; Django leaves a database in memory open."""
    for wrapper in [one for one in connections.all(initialized_only=True) if one.connection]:
        wrapper.connection.close()
        wrapper.connection = None


def put(name: str = "alice", kind: Kind = Kind.LOCKED, **facts: Any) -> None:
    outbox.put(kind, Subject.of(name).key, name, Source(), **facts)


# -- Once ---------------------------------------------------------------------------------------


def test_a_message_is_sent_once(told: Any, db: None) -> None:
    put()
    assert str(Outbox.objects.get()).startswith("locked: alice (20")
    assert (sender.send_due(), sender.send_due()) == (claims.Sent(sent=1), claims.Sent())
    assert len(told) == 1


@pytest.mark.django_db(transaction=True)
def test_eight_senders_send_each_once(told: Any) -> None:
    for number in range(40):
        put(f"name {number}")

    def work(_number: int) -> None:
        with suppress(OperationalError):  # SQLite has one writer at a time
            sender.send_due()
        close_all()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    sender.send_due()
    names = [notice.row.username for notice in told]
    assert sorted(names) == sorted(set(names))
    assert len(names) == 40


def test_what_a_dead_sender_left_is_sent_after_the_lease(
    clock: FrozenDateTimeFactory, told: Any, db: None
) -> None:
    put()
    claimed = claims.claim(timezone.now(), claims.Sent())
    assert claimed is not None
    assert sender.send_due().sent == 0
    clock.tick(claims.LEASE + timedelta(seconds=1))
    assert sender.send_due().sent == 1


class Killed(BaseException):
    """The sender is, in the middle of a mail."""


def kill(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(MailNotifier, "notify", raising_with(Killed()))
        with pytest.raises(Killed):
            sender.send_due()


def test_who_asks_again_has_no_lease_of_a_dead_sender_to_wait_for(
    clock: FrozenDateTimeFactory, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(kind=Kind.ASKED)
    kill(monkeypatch)
    put(kind=Kind.ASKED)
    assert len(send()) == 1
    clock.tick(claims.LEASE + timedelta(seconds=1))
    assert len(send()) == 1  # the first one, of which nobody knows whether it went out


def test_what_a_dead_sender_may_have_sent_is_counted(
    clock: FrozenDateTimeFactory, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(kind=Kind.ASKED)
    kill(monkeypatch)
    for _ in range(6):
        put(kind=Kind.ASKED)
    assert len(send()) == 5
    clock.tick(claims.LEASE + timedelta(minutes=1))
    assert len(send()) == 1
    assert send() == []


def test_what_is_told_once_waits_for_the_lease(
    clock: FrozenDateTimeFactory, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    put()
    kill(monkeypatch)
    put()
    assert send() == []
    clock.tick(claims.LEASE + timedelta(minutes=1))
    assert len(send()) == 1


def test_owners_come_before_hooks(alice: Any, settings: Any) -> None:
    paths = [f"{HERE}.Kept", "lockout_admin.notifications.mail.MailNotifier"]
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "NOTIFIERS": paths}
    Kept.told, Kept.faults = [], []
    put("nobody")
    put()
    batch = claims.claim(timezone.now(), claims.Sent())
    assert batch is not None
    assert {row.notifier for row in batch.rows} == {paths[1]}


def test_a_server_that_is_slow_keeps_nobody_who_waits(
    clock: FrozenDateTimeFactory, told: Any, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nine seconds for each, and somebody asks while the first is on its way."""
    notify = Kept.notify

    def slowly(notifier: Kept, notice: Notice) -> None:
        clock.tick(9)
        if not Kept.told:
            put("who waits", kind=Kind.ASKED)
        notify(notifier, notice)

    monkeypatch.setattr(Kept, "notify", slowly)
    for number in range(4):
        put(f"name {number}")
    assert sender.send_due() == claims.Sent(sent=5)
    names = [notice.row.username for notice in told]
    assert names == ["name 0", "who waits", "name 1", "name 2", "name 3"]
    assert set(Outbox.objects.values_list("attempts", flat=True)) == {1}


def test_a_sender_that_was_too_slow_sends_nothing(
    clock: FrozenDateTimeFactory, told: Any, db: None
) -> None:
    put()
    slow = claims.claim(timezone.now(), claims.Sent())
    assert slow is not None
    clock.tick(claims.LEASE + timedelta(seconds=1))
    sender.send_due()
    sender.send(slow, Counter())
    slow.close()
    assert len(told) == 1
    assert Outbox.objects.get().state == State.SENT


def test_of_two_who_claim_at_once_one_looks_further(told: Any, db: None, monkeypatch: Any) -> None:
    put()
    keys = iter([[-1], [], []])
    monkeypatch.setattr(claims, "_due_keys", lambda before: next(keys))
    assert sender.send_due().sent == 0


def test_what_was_asked_for_comes_first(told: Any, db: None, monkeypatch: Any) -> None:
    monkeypatch.setattr(claims, "_AT_ONCE", 1)
    put()
    put(kind=Kind.ASKED)
    sender.send_due()
    assert [notice.row.kind for notice in told] == [Kind.ASKED, Kind.LOCKED]


def test_old_messages_are_deleted_by_retention(
    clock: FrozenDateTimeFactory, told: Any, db: None
) -> None:
    put("old")
    clock.tick(timedelta(days=31))
    put("new")
    call_command("lockout_prune", "--days", "30", stdout=io.StringIO())
    assert [row.username for row in Outbox.objects.all()] == ["new"]


# -- Failures -----------------------------------------------------------------------------------


def test_a_failed_delivery_is_tried_again_with_growing_waits(
    clock: FrozenDateTimeFactory, told: Any, db: None, caplog: Log
) -> None:
    put()
    waits = []
    Kept.faults = [OSError("no route")] * 20
    while Outbox.objects.get().state == State.WAITING:
        sender.send_due()
        wait = claims.next_in()
        if wait is not None:
            waits.append(wait)
            clock.tick(wait)
    assert waits == list(sender.WAITS)
    row = Outbox.objects.get()
    assert (row.state, row.why, row.sent_at) == (State.DROPPED, Outbox.Why.FAILED, None)
    assert caplog.text.count("message_not_delivered") == len(sender.WAITS) + 1


def test_a_server_that_is_gone_is_asked_three_times_a_run(
    clock: FrozenDateTimeFactory, told: Any, db: None
) -> None:
    for number in range(10):
        put(f"name {number}")
    Kept.faults = [OSError("hangs")] * 10
    assert sender.send_due().postponed == 10
    assert len(Kept.faults) == 7
    attempts = Outbox.objects.order_by("pk").values_list("attempts", flat=True)
    assert list(attempts) == [1] * 3 + [0] * 7
    Kept.faults = []
    clock.tick(31)
    assert sender.send_due().sent == 10


def test_a_recipient_who_is_refused_stops_no_others(told: Any, db: None) -> None:
    for number in range(4):
        put(f"name {number}")
    Kept.faults = [smtplib.SMTPRecipientsRefused({})]
    assert sender.send_due().sent == 3


def test_a_mail_backend_that_sends_nothing_has_failed(
    alice: Any, guess: Guess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LocMemBackend, "send_messages", lambda *mails: 0)
    guess(times=4)
    assert sender.send_due().postponed == 1


def test_a_mail_server_has_a_time_out(settings: Any) -> None:
    backend = "django.core.mail.backends.smtp.EmailBackend"
    mailers = {"default": {"BACKEND": backend, "OPTIONS": {"host": "mail.example"}}}
    is_new = hasattr(mail, "mailers")
    setting = ("MAILERS", mailers) if is_new else ("EMAIL_BACKEND", backend)
    setattr(settings, *setting)
    assert _backend().timeout == 30


def test_a_name_that_can_not_be_looked_for_is_in_nobodys_way(
    alice: Any, guess: Guess, monkeypatch: pytest.MonkeyPatch, caplog: Log
) -> None:
    of_rows = holders.of_rows

    def fails(rows: Any) -> Any:
        if any(row.username == "poison" for row in rows):
            raise DataError
        return of_rows(rows)

    monkeypatch.setattr(holders, "of_rows", fails)
    guess("poison", times=4)
    guess(times=4)
    assert [message.to for message in send()] == [["alice@example.com"]]
    assert "owner_not_looked_for" in caplog.text


def test_an_account_that_raises_is_in_nobodys_way(
    alice: Any, guess: Guess, monkeypatch: pytest.MonkeyPatch
) -> None:
    why_not = sieges.why_not

    def fails(row: Any, user: Any, firsts: Any) -> str:
        if user.get_username() == "bob":
            raise ZeroDivisionError
        return why_not(row, user, firsts)

    monkeypatch.setattr(sieges, "why_not", fails)
    get_user_model().objects.create_user("bob", "bob@example.com", "right")
    guess("bob", times=4)
    guess(times=4)
    assert len(send()) == 1
    assert Outbox.objects.get(username="bob").state == State.WAITING


@pytest.mark.parametrize("place", ["of_rows", "address_of"])
def test_a_database_that_is_gone_ends_a_run(
    place: str, alice: Any, guess: Guess, monkeypatch: pytest.MonkeyPatch
) -> None:
    guess(times=4)
    monkeypatch.setattr(holders, place, raising_with(OperationalError("gone")))
    with pytest.raises(OperationalError):
        sender.send_due()


def raising_with(error: BaseException) -> Callable[..., Any]:
    def fails(*arguments: Any) -> Any:
        raise error

    return fails


# -- Notifiers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["no.such", f"{HERE}.put", f"{HERE}.Deaf"])
def test_a_notifier_that_is_none_gets_no_rows(path: str, db: None, settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "NOTIFIERS": [path]}
    put()
    assert Outbox.objects.count() == 0


def test_what_a_notifier_left_that_is_gone_is_dropped(told: Any, db: None, settings: Any) -> None:
    put()
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "NOTIFIERS": []}
    assert sender.send_due().dropped == 1
    assert Outbox.objects.get().why == Outbox.Why.OFF


def test_each_notifier_has_its_own_message(alice: Any, guess: Guess, settings: Any) -> None:
    paths = [f"{HERE}.Kept", "lockout_admin.notifications.mail.MailNotifier"]
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "NOTIFIERS": paths}
    Kept.told, Kept.faults = [], [OSError()]
    guess(times=4)
    assert len(send()) == 1
    states = Outbox.objects.values_list("notifier", "state")
    assert dict(states) == {paths[0]: State.WAITING, paths[1]: State.SENT}


def test_a_notifier_for_others_is_told_of_names_that_nobody_has(
    told: list[Notice], guess: Guess
) -> None:
    guess("nobody", times=4)
    send()
    (notice,) = told
    assert (notice.user, notice.link, notice.row.failures) == (None, "", 4)


# -- Who sends ----------------------------------------------------------------------------------


def run(**options: Any) -> str:
    out = io.StringIO()
    call_command("lockout_notify", stdout=out, stderr=out, **options)
    return out.getvalue()


def test_the_command_says_what_it_did(told: Any, db: None) -> None:
    put()
    assert run() == "Sent 1 messages, dropped 0, postponed 0.\n"
    assert run() == "Sent 0 messages, dropped 0, postponed 0.\n"


def test_the_command_watches(told: Any, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[Any] = [None, put, OperationalError("gone"), None, KeyboardInterrupt()]
    send_due = sender.send_due

    def sleep(_seconds: float) -> None:
        look = looks.pop(0)
        if isinstance(look, KeyboardInterrupt):
            raise look
        if look is put:
            put()
        failing = isinstance(look, OperationalError)
        monkeypatch.setattr(sender, "send_due", raising(look) if failing else send_due)

    monkeypatch.setattr(lockout_notify, "close_old_connections", lambda: None)
    monkeypatch.setattr("time.sleep", sleep)
    assert run(watch=True).splitlines() == [
        "Sent 0 messages, dropped 0, postponed 0.",
        "Sent 1 messages, dropped 0, postponed 0.",
        "The database does not answer: gone",
    ]
    assert len(told) == 1


def raising(error: Exception) -> Callable[..., Any]:
    def fails(**options: Any) -> Any:
        raise error

    return fails


def test_the_command_wants_a_time(db: None) -> None:
    with pytest.raises(CommandError, match="positive"):
        run(every=0)


def test_no_thread_is_started_while_tests_run(told: Any, db: None, monkeypatch: Any) -> None:
    monkeypatch.setattr(threads._worker, "wake", raising(AssertionError()))
    put()


@pytest.fixture
def outside_of_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(mail, "outbox")
    monkeypatch.setattr(threads, "HEAD_START_SECS", 0.0)
    monkeypatch.setattr(threads, "_worker", threads.Worker())
    monkeypatch.setattr(connections, "close_all", close_all)


@pytest.mark.django_db(transaction=True)
def test_a_thread_sends_and_ends(told: Any, outside_of_tests: None) -> None:
    put()
    assert threads._worker.join(10)
    assert len(told) == 1
    put()
    assert threads._worker.join(10)
    assert len(told) == 2


@pytest.mark.django_db(transaction=True)
def test_a_thread_waits_for_what_has_failed(
    told: Any, outside_of_tests: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "WAITS", (0, 0, 0))
    Kept.faults = [OSError()]
    put()
    assert threads._worker.join(10)
    assert len(told) == 1


@pytest.mark.django_db(transaction=True)
def test_a_thread_outlives_a_database_that_does_not(
    told: Any, outside_of_tests: None, monkeypatch: pytest.MonkeyPatch, caplog: Log
) -> None:
    send_due = sender.send_due
    answers = [raising(OperationalError("gone")), send_due]
    monkeypatch.setattr(threads, "_RETRY_SECS", 0.0)
    monkeypatch.setattr(sender, "send_due", lambda **options: answers.pop(0)(**options))
    put()
    assert threads._worker.join(10)
    assert len(told) == 1
    assert "sender_failed" in caplog.text


def test_a_thread_that_is_at_it_is_told_to_look_again() -> None:
    worker = threads.Worker()
    worker._thread = at_it = threading.current_thread()
    worker.wake()
    assert worker._thread is at_it
    assert worker._woken.is_set()


def test_a_child_process_begins_without_a_thread() -> None:
    worker = threads._worker
    try:
        threads._begin_anew()
        assert threads._worker is not worker
        assert threads._worker.join(0)
    finally:
        threads._worker = worker


def test_a_site_may_want_no_thread(
    told: Any, db: None, outside_of_tests: None, settings: Any, monkeypatch: Any
) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "NOTIFY_IN_THREAD": False}
    monkeypatch.setattr(threads, "wake", raising(AssertionError()))
    assert running.kind() == "command"
    put()


def test_a_sender_that_can_not_be_woken_breaks_no_login(
    told: Any, db: None, caplog: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "can_run", raising(ZeroDivisionError()))
    with caplog.at_level(logging.ERROR):
        put()
    assert "sender_not_woken" in caplog.text
    assert sender.send_due().sent == 1


# -- Tasks --------------------------------------------------------------------------------------


def backends(name: str) -> dict[str, Any]:
    return {"default": {"BACKEND": name}}


needs_tasks = pytest.mark.skipif(tasks._home() is None, reason="Django 5.2 has no tasks")


@needs_tasks
@pytest.mark.parametrize("name", ["immediate.ImmediateBackend", "dummy.DummyBackend"])
def test_a_backend_without_workers_sends_nothing(name: str, settings: Any) -> None:
    settings.TASKS = backends(f"django.tasks.backends.{name}")
    assert not tasks.can_run()
    assert running.kind() == "thread"


@needs_tasks
def test_a_backend_that_is_not_there_sends_nothing(settings: Any) -> None:
    settings.TASKS = backends("no.such.Backend")
    assert not tasks.can_run()


@needs_tasks
def test_a_task_backend_with_workers_is_handed_the_work(told: Any, db: None, settings: Any) -> None:
    settings.TASKS = backends(f"{__package__}.workers.Queue")
    queue = import_string(settings.TASKS["default"]["BACKEND"])
    queue.waiting = []
    assert running.kind() == "task"
    put()
    assert told == []
    assert queue.work() == 1
    assert len(told) == 1


@needs_tasks
def test_a_task_comes_back_for_what_it_could_not_deliver(
    told: Any, db: None, settings: Any
) -> None:
    settings.TASKS = backends(f"{__package__}.workers.Queue")
    queue = import_string(settings.TASKS["default"]["BACKEND"])
    queue.waiting = []
    Kept.faults = [OSError()]
    put()
    queue.work()
    (again,) = queue.waiting
    assert again.run_after > timezone.now()


def test_a_site_without_tasks_has_no_backend_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_HOMES", ("no_such_package",))
    assert not tasks.can_run()
    with pytest.raises(AttributeError):
        tasks.send  # noqa: B018


@needs_tasks
def test_a_backend_that_knows_no_later_comes_back_for_nothing(
    told: Any, db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TASKS = backends(f"{__package__}.workers.Queue")
    queue = import_string(settings.TASKS["default"]["BACKEND"])
    queue.waiting = []
    monkeypatch.setattr(queue, "supports_defer", False)
    Kept.faults = [OSError()]
    put()
    queue.work()
    assert queue.waiting == []


@needs_tasks
def test_the_module_of_the_task_has_nothing_else() -> None:
    with pytest.raises(AttributeError):
        tasks.no_such_name  # noqa: B018
