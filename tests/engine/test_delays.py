"""Growing delays as attempts meet them: refused with the seconds to wait, and no trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from freezegun.api import FrozenDateTimeFactory

from lockout_admin import lockout
from lockout_admin.backends import LockoutBackend
from lockout_admin.defences.networks import NETWORK
from lockout_admin.engine import attempts
from lockout_admin.engine.rules import HOUR, LockTerms, Rule
from lockout_admin.exceptions import AccountLocked
from lockout_admin.models import AccountLock, AuditEntry, FailedLogin, Outbox

from ..conftest import request_from
from .conftest import ELSEWHERE

Guesses = Callable[..., list[str]]
pytestmark = pytest.mark.django_db
ALONE = dict.fromkeys(["account", "account-daily", "account-total", "network", "spraying"])


@pytest.fixture(autouse=True)
def delay(settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {"CACHE": "default", "RULES": {**ALONE, "delay": {}}}


@pytest.mark.usefixtures("clock")
def test_off_is_off(settings: Any, guesses: Guesses) -> None:
    settings.LOCKOUT_ADMIN = {"RULES": ALONE}
    assert guesses(20) == ["wrong"] * 20


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("username", ["alice", "nobody"])
def test_too_early_is_told_how_long_to_wait(alice: Any, guesses: Guesses, username: str) -> None:
    assert guesses(4, username=username) == ["wrong"] * 3 + ["throttled"]
    with pytest.raises(AccountLocked) as refusal:
        LockoutBackend().authenticate(request_from(), username, "right")
    assert refusal.value.retry_after == 1
    assert refusal.value.reason == AccountLocked.THROTTLED


@pytest.mark.usefixtures("clock", "alice")
def test_the_answer_is_429_with_the_seconds_and_the_same_for_every_name() -> None:
    answers = []
    for name in ("alice", "mallo"):
        for number in range(4):
            answer = Client().post(
                "/login/",
                {"username": name, "password": f"guess {number}"},
                headers={"Accept": "application/json"},
            )
        assert answer.status_code == 429
        assert answer.headers["Retry-After"] == "1"
        assert answer.json()["code"] == "throttled"
        answers.append((answer.content, dict(answer.headers)))
    assert answers[0] == answers[1]


def test_it_grows_and_a_refused_try_makes_it_no_longer(
    guesses: Guesses, clock: FrozenDateTimeFactory
) -> None:
    assert guesses(3) == ["wrong"] * 3
    for wait in (1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60):
        assert guesses(5) == ["throttled"] * 5
        clock.tick(wait - 0.001)
        assert guesses(1) == ["throttled"]
        clock.tick(0.001)
        assert guesses(1) == ["wrong"]


def test_it_leaves_nothing_but_the_failures(
    alice: Any, guesses: Guesses, clock: FrozenDateTimeFactory
) -> None:
    for _ in range(12):
        guesses(3)
        clock.tick(60)
    assert not AccountLock.objects.exists()
    assert not Outbox.objects.exists()
    assert not AuditEntry.objects.exists()
    assert not mail.outbox
    assert set(FailedLogin.objects.values_list("outcome", flat=True)) == {"counted"}


def test_a_success_ends_it_for_its_own_network(
    alice: Any, attempt: Any, guesses: Guesses, clock: FrozenDateTimeFactory
) -> None:
    assert guesses(3) == ["wrong"] * 3
    clock.tick(1)
    assert attempt("right") == "in"
    assert guesses(4) == ["wrong"] * 3 + ["throttled"]


def test_a_success_elsewhere_does_not_end_it(
    alice: Any, attempt: Any, guesses: Guesses, clock: FrozenDateTimeFactory
) -> None:
    assert guesses(3) == ["wrong"] * 3
    clock.tick(1)
    assert attempt("right", ip=ELSEWHERE) == "in"
    assert guesses(2) == ["wrong", "throttled"]


@pytest.mark.usefixtures("clock")
def test_repetitions_wait_for_nothing_and_hold_up_nobody(attempt: Any) -> None:
    assert [attempt("old") for _ in range(30)] == ["wrong"] * 30
    assert [attempt(f"guess {n}") for n in range(3)] == ["wrong", "wrong", "throttled"]


@pytest.mark.usefixtures("clock")
def test_staff_end_it(guesses: Guesses) -> None:
    assert guesses(4)[-1] == "throttled"
    lockout.unlock_account("alice")
    assert guesses(4) == ["wrong"] * 3 + ["throttled"]


@pytest.mark.usefixtures("clock")
def test_the_console_is_told_by_which_rule(guesses: Guesses) -> None:
    guesses(3)
    standing = lockout.get_standing("alice")
    assert (standing.verdict, standing.rule, standing.remaining) == ("throttled", "delay", 1)
    assert not lockout.is_account_locked("alice")


def test_it_outlives_the_store(guesses: Guesses, clock: FrozenDateTimeFactory) -> None:
    guesses(3)
    cache.clear()
    assert guesses(1) == ["throttled"]
    clock.tick(1)
    cache.clear()
    assert guesses(2) == ["wrong", "throttled"]


def test_beside_the_usual_rules_both_hold(
    settings: Any, guesses: Guesses, clock: FrozenDateTimeFactory
) -> None:
    settings.LOCKOUT_ADMIN = {"CACHE": "default", "RULES": {"delay": {}}}
    assert guesses(4) == ["wrong"] * 3 + ["throttled"]
    clock.tick(1)
    assert guesses(2) == ["wrong", "locked"]
    assert list(AccountLock.objects.values_list("rule", flat=True)) == ["account"]


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("preset", ["owasp", "pci", "nist", "cis", "cnil"])
def test_every_preset_has_it_at_hand(settings: Any, guesses: Guesses, preset: str) -> None:
    settings.LOCKOUT_ADMIN = {"CACHE": "default", "PRESET": preset, "RULES": {"delay": {}}}
    assert guesses(4) == ["wrong"] * 3 + ["throttled"]


@pytest.mark.usefixtures("clock")
def test_while_one_is_under_way_the_next_waits_for_it(clock: FrozenDateTimeFactory) -> None:
    for number in range(3):
        attempts.fail(attempts.begin("alice", request_from(), f"guess {number}"))
    clock.tick(1)
    under_way = attempts.begin("alice", request_from(), "fresh")
    with pytest.raises(AccountLocked) as refusal:
        attempts.begin("alice", request_from(), "other")
    assert refusal.value.retry_after == 2
    attempts.abandon(under_way)
    attempts.abandon(attempts.begin("alice", request_from(), "other"))


def test_who_loses_the_race_for_the_slot_waits_for_the_winner(
    clock: FrozenDateTimeFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        attempts.fail(attempts.begin("alice", request_from(), f"guess {number}"))
    clock.tick(1)
    look = attempts.look
    winner = []

    def look_while_another_comes(*known: Any) -> None:
        monkeypatch.setattr(attempts, "look", look)
        look(*known)
        winner.append(attempts.begin("alice", request_from(), "first"))

    monkeypatch.setattr(attempts, "look", look_while_another_comes)
    with pytest.raises(AccountLocked) as refusal:
        attempts.begin("alice", request_from(), "second")
    assert refusal.value.retry_after == 2
    assert winner


@pytest.mark.usefixtures("clock")
def test_it_costs_one_more_look_once_something_counts(settings: Any, guesses: Guesses) -> None:
    def statements(username: str) -> list[int]:
        counts = []
        for _ in range(4):
            with CaptureQueriesContext(connection) as queries:
                guesses(1, username=username)
            sql = [query["sql"].split(maxsplit=1)[0] for query in queries]
            counts.append(len([verb for verb in sql if verb not in ("SAVEPOINT", "RELEASE")]))
        return counts

    settings.LOCKOUT_ADMIN = {"CACHE": "default"}
    guesses(1, username="warm")
    *without, _locks = statements("alice")
    settings.LOCKOUT_ADMIN = {"CACHE": "default", "RULES": {"delay": {}}}
    *on, too_early = statements("bob")
    assert on == [without[0], without[1] + 1, without[2] + 1]
    assert too_early == 1


# -- Rules of a site's own ----------------------------------------------------------------------


@pytest.mark.parametrize("counts_names", [False, True])
def test_a_network_may_be_delayed_as_well(
    settings: Any, guesses: Guesses, clock: FrozenDateTimeFactory, counts_names: bool
) -> None:
    slow = Rule(
        "slow-network",
        NETWORK,
        limit=3,
        interval=HOUR,
        lock=LockTerms(10, growth=2, longest=40),
        counts_names=counts_names,
        delays=True,
    )
    settings.LOCKOUT_ADMIN = {"CACHE": "default", "RULES": [slow]}
    for number in range(3):
        assert guesses(1, username=f"name-{number}") == ["wrong"]
    for wait in (10, 20, 40, 40):
        assert guesses(2, username=f"name-{wait}") == ["throttled"] * 2
        assert guesses(1, username="elsewhere", ip=ELSEWHERE) == ["wrong"]
        FailedLogin.objects.filter(username="elsewhere").delete()
        clock.tick(wait)
        assert guesses(1, username=f"name-{wait}-{timezone.now()}") == ["wrong"]
