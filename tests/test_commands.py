"""A command is a verb and a noun, and answers with a sentence."""

from __future__ import annotations

import io
import json
import shlex
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from freezegun import freeze_time

from lockout_admin import lockout
from lockout_admin.engine import clients
from lockout_admin.engine.store import store
from lockout_admin.management.progress import Progress
from lockout_admin.models import (
    AccountLock,
    FailedLogin,
    NetworkRule,
    StoreEntry,
    SuccessfulLogin,
    UserAgent,
)

pytestmark = pytest.mark.django_db
_OF_ONE_PROCESS = "lockout_admin.management.commands.lockout_unlock.is_of_one_process"


@pytest.fixture(autouse=True)
def _shared_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_OF_ONE_PROCESS, lambda alias: False)


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
        assert (
            run("lockout_list")
            == "alice  account  since 2026-01-01 12:00:00+0000  60 s left  2 refused\n"
        )


@pytest.mark.parametrize(
    "name",
    ["a b", "mallory  account  since 2020-01-01", "o'hara", "'x", "$(id)", "", "müller", "-x"],
)
def test_a_name_is_one_column_and_can_be_handed_to_unlock(name: str) -> None:
    lockout.lock_account(name)
    shown, rule, *_others = shlex.split(run("lockout_list"))
    assert (shown, rule) == (name, "manual")
    assert "  " not in run("lockout_list").replace(shlex.quote(name), "x", 1).partition("  ")[0]


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


def test_list_tells_what_somebody_ended_and_how_identity_was_confirmed() -> None:
    with freeze_time("2026-01-01 12:00") as now:
        for name in ("alice", "bob", "carol"):
            lockout.lock_account(name)
            now.tick(1)
        lockout.unlock_account("alice", by="sam", note="Ticket 4711", confirmed="call-back")
        lockout.unlock_account("bob", by="sam")
        lockout.unlock_account("carol", by="olga")
        bob, alice = run("lockout_list", "--ended-by", "sam").splitlines()
    assert alice == (
        "alice  manual  since 2026-01-01 12:00:00+0000  ended 2026-01-01 12:00:03+0000"
        "  identity: call-back  'Ticket 4711'"
    )
    assert bob.startswith("bob  ")
    assert "identity: not said  ''" in bob
    entry = json.loads(run("lockout_list", "--ended-by", "olga", "--json"))
    assert (entry["username"], entry["confirmed"], entry["ended_by"]) == ("carol", "", "olga")
    assert "more than 1" in run("lockout_list", "--ended-by", "sam", "--limit", 1)
    assert run("lockout_list", "--ended-by", "mallory") == "There is no such lock.\n"
    assert run("lockout_list", "--ended-by", "mallory", "--json") == ""


def test_lock_and_unlock_by_name() -> None:
    assert (
        run("lockout_lock", "alice", "bob", "--seconds", 60, "--reason", "phished").count("Locked")
        == 2
    )
    assert run("lockout_unlock", "ALICE", "--reason", "sorted") == "Unlocked 1 username.\n"
    assert not lockout.is_account_locked("alice")
    assert lockout.is_account_locked("bob")
    assert set(AccountLock.objects.values_list("locked_by", "note")) == {
        ("manage.py lockout_lock", "phished")
    }


class Closed(io.StringIO):
    """A pipe that somebody has seen enough of."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_list_ends_quietly_when_nobody_reads_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lockout.lock_account("alice")
    with (tmp_path / "pipe").open("w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        call_command("lockout_list", stdout=Closed())
        pipe.write("at the end")
    assert (tmp_path / "pipe").read_text() == ""


def test_lock_says_that_a_longer_one_stands() -> None:
    run("lockout_lock", "dave", "--seconds", 86400)
    answer = run("lockout_lock", "DAVE", "--seconds", 900)
    assert answer.startswith("dave is locked until ")
    assert "--shorten" in answer
    assert AccountLock.objects.count() == 1
    assert run("lockout_lock", "DAVE", "--seconds", 900, "--shorten").startswith("Locked DAVE")
    assert AccountLock.objects.open().get().label == "DAVE"


def test_unlock_ends_what_only_the_store_knows() -> None:
    run("lockout_lock", "alice", "bob", "--seconds", 60)
    AccountLock.objects.all().delete()
    assert "alice was locked in the store only.\nUnlocked 1 username." in run(
        "lockout_unlock", "alice"
    )
    assert "Unlocked 1 username." in run("lockout_unlock", "--all")
    assert not lockout.is_account_locked("bob")


def test_unlock_says_that_the_cache_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    run("lockout_lock", "alice")
    monkeypatch.setattr(store, "clear", lambda keys, proof=(): False)
    assert "The cache does not answer" in run("lockout_unlock", "alice")


@pytest.mark.parametrize(
    ("backend", "says"), [("locmem.LocMemCache", True), ("dummy.DummyCache", False)]
)
def test_unlock_says_what_it_can_not_reach(
    backend: str, says: bool, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_OF_ONE_PROCESS, clients.is_of_one_process)
    run("lockout_lock", "alice")
    settings.CACHES = {"default": {"BACKEND": f"django.core.cache.backends.{backend}"}}
    settings.LOCKOUT_ADMIN = {"CACHE": "default"}
    assert ("memory of each process" in run("lockout_unlock", "alice")) == says


def test_with_the_table_a_command_reaches_every_process(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_OF_ONE_PROCESS, clients.is_of_one_process)
    settings.LOCKOUT_ADMIN = {"CACHE": None}
    run("lockout_lock", "alice")
    assert run("lockout_unlock", "alice") == "Unlocked 1 username.\n"
    assert not lockout.is_account_locked("alice")


def test_unlock_all() -> None:
    run("lockout_lock", "alice", "bob")
    assert run("lockout_unlock", "--all") == "Unlocked 2 usernames.\n"


def test_unlock_counts_names_not_locks() -> None:
    run("lockout_lock", "alice", "ALICE", "bob")
    assert run("lockout_unlock", "--all", "--reason", "sorted") == "Unlocked 2 usernames.\n"
    assert set(AccountLock.objects.values_list("ended_by", "end_note")) == {
        ("manage.py lockout_unlock", "sorted")
    }


@pytest.mark.parametrize("whom", ["alice", "--all"])
def test_unlock_takes_how_the_identity_was_confirmed(settings: Any, whom: str) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "IDENTITY_REQUIRED": True}
    run("lockout_lock", "alice")
    with pytest.raises(CommandError, match="--confirmed: call-back, ticket, in-person, unasked"):
        run("lockout_unlock", whom)
    run("lockout_unlock", whom, "--confirmed", "call-back")
    assert AccountLock.objects.get().confirmed == "call-back"


def test_unlock_all_when_nobody_is_locked() -> None:
    assert run("lockout_unlock", "--all") == "Unlocked 0 usernames.\n"


@pytest.mark.parametrize("how", ["all", "by name"])
def test_a_name_that_was_masked_is_unlocked(guess: Any, settings: Any, how: str) -> None:
    settings.LOCKOUT_ADMIN = {"MASK_UNKNOWN_USERNAMES": True}
    guess("a password", times=4)
    name = "--all" if how == "all" else AccountLock.objects.get().label
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
    UserAgent.objects.bulk_create(
        [UserAgent(id=n, text=f"agent {n}", first_seen=old) for n in (1, 2)]
    )
    for days in (0, 10, 170, 181, 190, 200):
        FailedLogin.objects.create(
            "alice", timestamp=timezone.now() - timedelta(days=days), user_agent_id=2
        )
        moment = timezone.now() - timedelta(days=days)
        SuccessfulLogin.objects.create(
            username="alice", subject=1, timestamp=moment, user_agent_id=2
        )
        AccountLock.objects.create(
            label="alice", key=days, started_at=moment, until=moment + timedelta(hours=1)
        )
    AccountLock.objects.create(
        label="bob", key=0, started_at=old, until=timezone.now() + timedelta(days=1)
    )


def test_prune_deletes_expired_entries_of_the_store() -> None:
    for number, seconds in enumerate((-1, -1, 3600)):
        expires = int((time.time() + seconds) * 1_000_000)
        StoreEntry.objects.create(key=str(number), value="1", expires=expires)
    assert "expired" not in run("lockout_prune", "--dry-run")
    assert "Deleted 2 expired entries of the store." in run("lockout_prune", "--batch", 1)
    assert StoreEntry.objects.get().key == "2"


KEPT = {"failures": 3, "successes": 3, "locks": 4, "agents": 1}


def counts() -> dict[str, int]:
    return {
        "failures": FailedLogin.objects.count(),
        "successes": SuccessfulLogin.objects.count(),
        "locks": AccountLock.objects.count(),
        "agents": UserAgent.objects.count(),
    }


@pytest.mark.usefixtures("old_records")
@pytest.mark.parametrize("batch", [1, 2, 5000])
def test_prune_keeps_half_a_year_and_what_is_open(batch: int) -> None:
    answer = run("lockout_prune", "--batch", batch)
    assert answer.startswith(
        "Deleted 3 failed and 3 successful logins, 3 locks, 0 devices, 0 messages"
    )
    assert counts() == KEPT


@pytest.mark.usefixtures("old_records")
def test_a_dry_run_deletes_nothing() -> None:
    assert run("lockout_prune", "--dry-run", "--batch", 2).startswith(
        "Would delete 3 failed and 3 successful logins, 3 locks, 0 devices, 0 messages, 0 network"
        " rules, 0 incidents and 1 user agents"
    )
    assert counts() == {"failures": 6, "successes": 6, "locks": 7, "agents": 2}


def test_the_end_of_a_lock_counts_also_of_one_that_was_to_last_for_years() -> None:
    with freeze_time("2025-01-01"):
        lockout.lock_account("alice", 10 * 365 * 24 * 60 * 60)
        lockout.unlock_account("alice")
    assert "1 locks" in run("lockout_prune")


@pytest.mark.usefixtures("old_records")
def test_a_dry_run_foresees_which_user_agents_nobody_will_have() -> None:
    FailedLogin.objects.filter(timestamp__gt=timezone.now() - timedelta(days=180)).update(
        user_agent=None
    )
    assert "1 user agents" in run("lockout_prune", "--dry-run")
    SuccessfulLogin.objects.update(user_agent=None)
    assert "2 user agents" in run("lockout_prune", "--dry-run")
    assert "2 user agents" in run("lockout_prune")


def test_prune_says_which_count_it_cuts_short() -> None:
    err = io.StringIO()
    call_command("lockout_prune", "--days", "10", stdout=io.StringIO(), stderr=err)
    assert "The rule 'account-total' counts what is younger than 30 days" in err.getvalue()
    err = io.StringIO()
    call_command("lockout_prune", "--days", "30", stdout=io.StringIO(), stderr=err)
    assert err.getvalue() == ""


@pytest.mark.usefixtures("old_records")
def test_prune_keeps_what_it_is_told(settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {"RETENTION_SECS": 5 * 24 * 60 * 60}
    assert run("lockout_prune", "--days", 180, "--dry-run").startswith("Would delete 3 failed")
    assert "Would delete 5 failed" in run("lockout_prune", "--dry-run")


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


def test_prune_deletes_network_rules_that_have_ended() -> None:
    now = timezone.now()
    for cidr, until in (
        ("192.0.2.1", now - timedelta(days=200)),
        ("192.0.2.2", now - timedelta(days=100)),
        ("192.0.2.3", None),
    ):
        NetworkRule.objects.create(cidr=cidr, until=until, created_at=now - timedelta(days=300))
    run("lockout_prune")
    assert list(NetworkRule.objects.order_by("first").values_list("cidr", flat=True)) == [
        "192.0.2.2/32",
        "192.0.2.3/32",
    ]
