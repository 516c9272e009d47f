"""A command is a verb and a noun, and answers with a sentence."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from freezegun import freeze_time

from lockout_admin import lockout
from lockout_admin.management.progress import Progress
from lockout_admin.models import AccountLock, FailedLogin, UserAgent

pytestmark = pytest.mark.django_db


def run(*arguments: Any, **options: Any) -> str:
    out = io.StringIO()
    call_command(*map(str, arguments), stdout=out, stderr=out, **options)
    return out.getvalue()


def test_list_says_when_nobody_is_locked() -> None:
    assert run("lockout_list") == "No username is locked.\n"
    assert run("lockout_list", "--json") == ""


def test_list_tells_who_why_and_how_long(guess: Any) -> None:
    with freeze_time("2026-01-01 12:00"):
        guess(times=4 + 2)
        assert run("lockout_list") == "alice  limit  since 2026-01-01 12:00:00+0000  60 s left  2 refused\n"


def test_list_says_when_there_are_more() -> None:
    for name in ("alice", "bob"):
        lockout.lock_account(name)
    answer = run("lockout_list", "--limit", 1)
    assert "alice" in answer
    assert "bob" not in answer
    assert "More than 1 are locked" in answer


def test_list_speaks_json() -> None:
    lockout.lock_account("alice\n", 300)
    entry = json.loads(run("lockout_list", "--json"))
    assert (entry["username"], entry["reason"], entry["remaining_secs"]) == ("alice", "manual", 300)


def test_lock_and_unlock_by_name() -> None:
    assert run("lockout_lock", "alice", "bob", "--seconds", 60, "--reason", "phished").count("Locked") == 2
    assert run("lockout_unlock", "ALICE", "--reason", "sorted") == "Unlocked 1 username.\n"
    assert not lockout.is_account_locked("alice")
    assert lockout.is_account_locked("bob")
    assert set(AccountLock.objects.values_list("locked_by", "note")) == {("manage.py lockout_lock", "phished")}


def test_unlock_all() -> None:
    run("lockout_lock", "alice", "bob")
    assert run("lockout_unlock", "--all") == "Unlocked 2 usernames.\n"


def test_unlock_counts_names_not_locks() -> None:
    run("lockout_lock", "alice", "ALICE", "bob")
    assert run("lockout_unlock", "--all", "--reason", "sorted") == "Unlocked 2 usernames.\n"
    assert set(AccountLock.objects.values_list("ended_by", "end_note")) == {("manage.py lockout_unlock", "sorted")}


def test_unlock_all_when_nobody_is_locked() -> None:
    assert run("lockout_unlock", "--all") == "Unlocked 0 usernames.\n"


@pytest.mark.parametrize("how", ["all", "by name"])
def test_a_name_that_was_masked_is_unlocked(guess: Any, settings: Any, how: str) -> None:
    settings.LOCKOUT_ADMIN = {"MASK_UNKNOWN_USERNAMES": True}
    guess("a password", times=4)
    name = "--all" if how == "all" else AccountLock.objects.get().username
    assert run("lockout_unlock", name) == "Unlocked 1 username.\n"
    assert not lockout.is_account_locked("a password")


def test_unlock_says_who_was_not_locked() -> None:
    assert "alice was not locked" in run("lockout_unlock", "alice")


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (["lockout_unlock"], "--all"),
        (["lockout_unlock", "alice", "--all"], "--all"),
        (["lockout_lock", "alice", "--seconds", "0"], "unlock_account"),
        (["lockout_lock", "alice", "--seconds", "9" * 12], "calendar"),
        (["lockout_list", "--limit", "0"], "at least 1"),
        (["lockout_prune", "--days", "nan"], "positive"),
        (["lockout_prune", "--days", "1e12"], "positive"),
        (["lockout_prune", "--batch", "0"], "positive"),
        (["lockout_prune", "--days", "0"], "positive"),
    ],
)
def test_a_wrong_call_is_told_the_remedy(arguments: list[str], remedy: str) -> None:
    with pytest.raises(CommandError, match=remedy):
        run(*arguments)


@pytest.fixture
def old_records() -> None:
    old = timezone.now() - timedelta(days=200)
    UserAgent.objects.bulk_create([UserAgent(id=n, text=f"agent {n}", first_seen=old) for n in (1, 2)])
    for days in (0, 10, 170, 181, 190, 200):
        FailedLogin.objects.create("alice", timestamp=timezone.now() - timedelta(days=days), user_agent_id=2)
        moment = timezone.now() - timedelta(days=days)
        AccountLock.objects.create(username="alice", started_at=moment, until=moment + timedelta(hours=1))
    AccountLock.objects.create(username="bob", started_at=old, until=timezone.now() + timedelta(days=1))


KEPT = {"failures": 3, "locks": 4, "agents": 1}


def counts() -> dict[str, int]:
    return {
        "failures": FailedLogin.objects.count(),
        "locks": AccountLock.objects.count(),
        "agents": UserAgent.objects.count(),
    }


@pytest.mark.usefixtures("old_records")
@pytest.mark.parametrize("batch", [1, 2, 5000])
def test_prune_keeps_half_a_year_and_what_is_open(batch: int) -> None:
    answer = run("lockout_prune", "--batch", batch)
    assert answer.startswith("Deleted 3 failed logins, 3 locks and 1 user agents")
    assert counts() == KEPT


@pytest.mark.usefixtures("old_records")
def test_a_dry_run_deletes_nothing() -> None:
    assert run("lockout_prune", "--dry-run", "--batch", 2).startswith("Would delete 3 failed logins, 3 locks and 1")
    assert counts() == {"failures": 6, "locks": 7, "agents": 2}


def test_the_end_of_a_lock_counts_also_of_one_that_was_to_last_for_years() -> None:
    with freeze_time("2025-01-01"):
        lockout.lock_account("alice", 10 * 365 * 24 * 60 * 60)
        lockout.unlock_account("alice")
    assert "1 locks" in run("lockout_prune")


@pytest.mark.usefixtures("old_records")
def test_a_dry_run_foresees_which_user_agents_nobody_will_have() -> None:
    FailedLogin.objects.filter(timestamp__gt=timezone.now() - timedelta(days=180)).update(user_agent=None)
    assert "2 user agents" in run("lockout_prune", "--dry-run")
    assert "2 user agents" in run("lockout_prune")


@pytest.mark.usefixtures("old_records")
def test_prune_keeps_what_it_is_told(settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {"RETENTION_SECS": 5 * 24 * 60 * 60}
    assert run("lockout_prune", "--days", 180, "--dry-run").startswith("Would delete 3 failed")
    assert run("lockout_prune", "--dry-run").startswith("Would delete 5 failed")


def test_records_that_came_in_one_moment_are_pruned_in_batches() -> None:
    with freeze_time("2025-01-01"):
        for _ in range(5):
            FailedLogin.objects.create("alice")
    assert run("lockout_prune", "--dry-run", "--batch", 2).startswith("Would delete 5 failed")
    assert run("lockout_prune", "--batch", 2).startswith("Deleted 5 failed")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_a_bar_and_a_log_nothing() -> None:
    terminal, log = Terminal(), io.StringIO()
    for stream in (terminal, log):
        progress = Progress(stream, "Pruning")
        progress.update(0.5, "12 failures")
        progress.close()
    assert "[###############...............]  50% 12 failures" in terminal.getvalue()
    assert log.getvalue() == ""
