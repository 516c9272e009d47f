"""The attack of a month, on a clock that is moved."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from io import StringIO
from itertools import islice
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from demo import patience
from demo.attacks import PLANS, Guess
from demo.management.commands import attack
from demo.patience import DAY_SECS, Patience, most_within, moved_time
from demo.people import ALICE

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site")]

#: In a day, by a patient stranger. Of 65,536 wrong passwords one is taken for a repetition of
#: another, which is not counted: in a day of a hundred there is one more.
EVALUATED = (33, 34)

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work on the database of the tests."""
    monkeypatch.setattr(patience, "own_database", nullcontext)


def most_said(out: str) -> int:
    found = re.search(r"Guesses evaluated: at most (\d+) in any 24 h", out)
    return int(found[1]) if found else 0


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(attack.Command(), "patient", *arguments, stdout=out)
    return out.getvalue()


def test_all_rules_leave_a_patient_stranger_a_few_dozen_a_day() -> None:
    attacker = Patience("alice", 2, 600, lambda done, text: None)
    with moved_time("") as clock:
        attacker.run(PLANS["patient"]("alice"), clock)
    assert most_within(DAY_SECS, attacker.whens) in EVALUATED
    assert attacker.refused
    assert (attacker.visits, attacker.known, attacker.neighbours) == (2, 2, 0)
    assert attacker.new < 2


def test_the_rule_of_old_alone_refuses_him_nothing() -> None:
    attacker = Patience("alice", 1, 600, lambda done, text: None)
    with moved_time("account") as clock:
        attacker.run(islice(PLANS["patient"]("alice"), 100), clock)
    assert (len(attacker.whens), attacker.refused) == (100, 0)
    assert attacker.whens[-1] == pytest.approx(99 * 20.5)


def test_he_comes_back_when_a_lock_is_over() -> None:
    attacker = Patience("alice", 1, 600, lambda done, text: None)
    with moved_time("") as clock:
        attacker.run(islice(PLANS["patient"]("alice"), 12), clock)
    # Ten, one that is refused, and one after the hour that it was told to wait.
    assert (len(attacker.whens), attacker.refused) == (11, 1)
    assert 3600 <= attacker.whens[-1] - attacker.whens[-2] < 3700


def test_the_command_says_what_he_got_in_how_many_days() -> None:
    out = run("--days=1")
    assert "guesses in 1.0 days of moved time" in out
    assert most_said(out) in EVALUATED
    assert f"{most_said(out)} in 1 days" in out
    assert "Accounts entered: 0" in out
    assert "The owner, once a day: in 1 of 1 times in his own browser" in out
    assert "People behind the attacker's address refused: 0 of 1" in out


def test_what_a_month_would_be_is_said_when_the_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = islice(PLANS["patient"]("alice"), 50)
    monkeypatch.setitem(PLANS, "patient", lambda username: stopped)
    out = run("--rules=account")
    assert "the time was up; going on like this makes 1" in out


def test_it_ends_when_its_seconds_are_up() -> None:
    attacker = Patience("alice", 30, 0, lambda done, text: None)
    with moved_time("") as clock:
        attacker.run(PLANS["patient"]("alice"), clock)
    assert attacker.whens == []


def test_a_password_that_is_guessed_is_an_account_entered() -> None:
    attacker = Patience("alice", 1, 600, lambda done, text: None)
    guess = Guess("alice", ALICE.password, "curl", "203.0.113.1")
    with moved_time("") as clock:
        attacker.run(iter([guess]), clock)
    assert "Accounts entered: 1" in list(attacker.lines())


def test_a_name_without_an_account_can_be_guessed_too() -> None:
    attacker = Patience("nobody", 1, 600, lambda done, text: None)
    with moved_time("") as clock:
        attacker.run(islice(PLANS["patient"]("nobody"), 3), clock)
    assert len(attacker.whens) == 3


def test_an_interrupted_attack_says_what_it_saw_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(username: str) -> Iterator[Guess]:
        yield from islice(PLANS["distributed"](username), 2)
        raise KeyboardInterrupt

    monkeypatch.setitem(PLANS, "patient", interrupted)
    out = run()
    assert "Interrupted" in out
    assert "2 evaluated" in out


def test_the_clock_goes_on_afterwards() -> None:
    before = timezone.now()
    with moved_time("") as clock:
        clock.tick(1000 * DAY_SECS)
    assert timezone.now() >= before
    assert (timezone.now() - before).total_seconds() < 600


def test_the_database_of_the_site_is_left_alone(tmp_path: Path) -> None:
    """In a process of its own, as the command works."""
    site = {
        "DEMO_DATA_DIR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path / 'site.sqlite3'}",
        "PATH": "",
    }
    command = [sys.executable, str(ROOT / "manage.py"), "attack", "patient", "--days=1"]
    done = subprocess.run(command, env=site, cwd=ROOT, capture_output=True, text=True, check=False)
    assert most_said(done.stdout) in EVALUATED, done.stderr
    assert not (tmp_path / "site.sqlite3").exists()
