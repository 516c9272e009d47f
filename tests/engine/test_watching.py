"""A site that only watches: what is let in, what still binds, what is written down, since when."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.backends import ModelBackend
from django.core.checks import run_checks
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client, override_settings
from django.utils import timezone
from freezegun.api import FrozenDateTimeFactory

from lockout_admin import lockout
from lockout_admin.checks import watching as checks
from lockout_admin.decorators import apply_account_lock
from lockout_admin.engine import watching
from lockout_admin.engine.contract import Unavailable
from lockout_admin.engine.store import store
from lockout_admin.models import (
    AccountLock,
    AuditEntry,
    FailedLogin,
    NetworkRule,
    Outbox,
    SuccessfulLogin,
    TrustedDevice,
)

from ..conftest import request_from

Guesses = Callable[..., list[str]]
pytestmark = pytest.mark.django_db
WATCHING = {"CACHE": "default", "MODE": "monitor", "BASE_URL": "https://example.org"}
MONTH = 30 * 24 * 60 * 60


@pytest.fixture(autouse=True)
def _watches(settings: Any) -> None:
    settings.LOCKOUT_ADMIN = WATCHING


def enforcing(**others: Any) -> Any:
    return override_settings(LOCKOUT_ADMIN={"CACHE": "default", **others})


# -- Nobody is refused --------------------------------------------------------------------------


@pytest.mark.usefixtures("clock")
def test_every_guess_is_evaluated_and_recorded(alice: Any, attempt: Any, guesses: Guesses) -> None:
    assert guesses(50) == ["wrong"] * 50
    assert attempt("right") == "in"
    assert FailedLogin.objects.count() == 50
    assert SuccessfulLogin.objects.count() == 1


@pytest.mark.usefixtures("clock")
def test_what_would_have_locked_is_written_down(
    guesses: Guesses, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "lockout_admin")
    guesses(11)
    rows = AccountLock.objects.order_by("id").values_list("rule", "enforced")
    assert list(rows) == [("account", False), ("account-daily", False)]
    codes = [record.getMessage().partition(" ")[0] for record in caplog.records]
    fail, would_lock = "authn_login_fail", "authn_login_lock_monitored"
    assert codes == [*[fail] * 4, would_lock, *[fail] * 6, would_lock, fail]


@pytest.mark.usefixtures("clock")
def test_no_owner_is_told_of_a_lock(alice: Any, guesses: Guesses) -> None:
    guesses(11)
    assert not Outbox.objects.exists()


@pytest.mark.usefixtures("clock")
def test_verbs_know_of_no_lock(guesses: Guesses) -> None:
    guesses(11)
    assert lockout.get_standing("alice").verdict == "free"
    assert lockout.get_lock("alice") is None
    lockout.raise_if_locked("alice")
    with lockout.attempt("alice", password="fresh") as block:
        block.failed()
    assert not block.locked


@pytest.mark.usefixtures("clock")
def test_no_browser_is_given_a_cookie_and_none_is_trusted(client: Client, alice: Any) -> None:
    for password in ("wrong", "right"):
        client.post("/login/?next=/login/", {"username": "alice", "password": password})
    assert "lockout_device" not in client.cookies
    assert not TrustedDevice.objects.exists()
    assert not FailedLogin.objects.exclude(browser=None).exists()


def test_a_lock_that_a_rule_put_on_before_binds_nobody(
    alice: Any, attempt: Any, guesses: Guesses, clock: FrozenDateTimeFactory
) -> None:
    with enforcing():
        assert guesses(5)[-1] == "locked"
    assert lockout.get_standing("alice").verdict == "free"
    assert attempt("right") == "in"
    with enforcing():
        assert attempt("right") == "locked"


@pytest.mark.usefixtures("clock")
def test_one_rule_that_watches_binds_nobody_by_its_locks_of_old(
    alice: Any, attempt: Any, guesses: Guesses
) -> None:
    alone = dict.fromkeys(["account-daily", "account-total"])
    with enforcing(RULES=alone):
        assert guesses(5)[-1] == "locked"
    with enforcing(RULES={**alone, "account": {"mode": "monitor"}}):
        assert attempt("right") == "in"


@pytest.mark.usefixtures("clock")
def test_a_blocked_network_is_let_in_and_told_of(
    alice: Any, attempt: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "lockout_admin")
    NetworkRule.objects.create(cidr="198.51.100.177/32", first="198.51.100.177", action="block")
    assert attempt("right", ip="198.51.100.177") == "in"
    assert "authn_login_block_monitored" in caplog.text
    assert "authn_login_block " not in caplog.text
    with enforcing():
        assert attempt("right", ip="198.51.100.177") == "locked"


def test_an_address_of_another_account_lets_in_as_without_the_app(alice: Any) -> None:
    """Enforcing, whoever comes in under a name that is not known to be his is wrong."""

    class ByMail(ModelBackend):
        @apply_account_lock(names="username")
        def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
            return alice if (username, password) == (alice.email, "right") else None

    assert ByMail().authenticate(request_from(), alice.email, "right") == alice
    with enforcing():
        assert ByMail().authenticate(request_from(), alice.email, "right") is None


def test_a_call_with_the_names_of_two_is_the_backends_affair(alice: Any) -> None:
    class ByEither(ModelBackend):
        @apply_account_lock(username=("username", "email"), names=("username", "email"))
        def authenticate(
            self, request: Any, username: Any = None, email: Any = None, password: Any = None
        ) -> Any:
            return alice if password == "right" else None

    given = {"username": "alice", "email": "bob@example.com", "password": "right"}
    assert ByEither().authenticate(request_from(), **given) == alice
    with enforcing(), pytest.raises(PermissionDenied):
        ByEither().authenticate(request_from(), **given)


def _down(*args: Any) -> Any:
    raise Unavailable


def test_without_a_store_logins_go_on_and_locks_by_hand_hold(
    alice: Any, attempt: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lockout.lock_account("bob")
    monkeypatch.setattr(store, "run", _down)
    monkeypatch.setattr(store, "get_many", lambda keys: None)
    assert attempt("right") == "in"
    assert attempt("wrong", username="bob") == "locked"
    with enforcing():
        assert attempt("right") == "throttled"


# -- A person has decided -----------------------------------------------------------------------


def test_a_lock_by_hand_holds(alice: Any, attempt: Any) -> None:
    lockout.lock_account("alice", by="sam")
    assert attempt("right") == "locked"
    assert lockout.get_standing("alice").verdict == "locked"
    assert lockout.is_account_locked("alice")
    with pytest.raises(lockout.AccountLocked):
        lockout.raise_if_locked("alice")
    lockout.unlock_account("alice")
    assert attempt("right") == "in"


def test_a_lock_by_hand_holds_beside_a_longer_one_of_a_rule(
    alice: Any, attempt: Any, guesses: Guesses, clock: FrozenDateTimeFactory
) -> None:
    with enforcing():
        guesses(5)
        lockout.lock_account("alice", 30)
    assert attempt("right") == "locked"
    clock.tick(31)
    assert attempt("right") == "in"


def test_a_lock_by_hand_holds_for_another_name_of_the_account(alice: Any) -> None:
    lockout.lock_account("alice")
    with (
        pytest.raises(lockout.AccountLocked),
        lockout.attempt("alice@example.com", request_from()) as attempt,
    ):
        attempt.succeeded(alice)


# -- Since when ---------------------------------------------------------------------------------


def noted() -> list[tuple[str, str, str]]:
    return list(AuditEntry.objects.order_by("id").values_list("actor", "action", "label"))


def test_it_is_written_down_once(guesses: Guesses, clock: FrozenDateTimeFactory) -> None:
    began = timezone.now()
    for _ in range(3):
        guesses(2)
        clock.tick(7200)
    assert noted() == [("settings", "change", "MODE")]
    assert watching.since() == began


def test_who_refuses_meanwhile_begins_anew(guesses: Guesses, clock: FrozenDateTimeFactory) -> None:
    guesses(1)
    clock.tick(MONTH)
    with enforcing():
        guesses(5)
    clock.tick(7200)
    guesses(1)
    assert len(noted()) == 2
    assert watching.since() == timezone.now()
    assert watching.too_long() == []


def test_a_rule_by_itself_is_written_down_by_its_name(
    guesses: Guesses, clock: FrozenDateTimeFactory
) -> None:
    rules = {"RULES": {"account-daily": {"mode": "monitor"}, "account-total": None}}
    with enforcing(**rules):
        guesses(1)
        assert noted() == [("settings", "change", "account-daily")]
        clock.tick(MONTH)
        assert [name for name, _since in watching.too_long()] == ["account-daily"]
        guesses(5)  # of which `account` locks
        assert [name for name, _since in watching.too_long()] == ["account-daily"]
    assert watching.too_long() == []


def findings() -> list[str]:
    found = [one for one in run_checks(databases=["default"]) if one.id == "lockout_admin.W041"]
    assert all(one.hint for one in found)
    return [one.msg for one in found]


def test_after_thirty_days_it_is_reminded_of(
    guesses: Guesses, clock: FrozenDateTimeFactory, caplog: pytest.LogCaptureFixture
) -> None:
    assert findings() == []
    guesses(1)
    clock.tick(MONTH - 1)
    assert findings() == []
    clock.tick(1)
    assert findings() == ["The site only watches since 2026-01-01: nobody is refused."]
    guesses(1)
    assert "only_watches: MODE" in caplog.text
    with enforcing():
        assert findings() == []


@pytest.mark.usefixtures("clock")
def test_of_a_rule_too(guesses: Guesses, clock: FrozenDateTimeFactory) -> None:
    with enforcing(RULES={"network": {"mode": "monitor"}}):
        guesses(1)
        clock.tick(MONTH)
        assert findings() == [
            "The rule 'network' only watches since 2026-01-01: nobody is refused."
        ]


def test_no_database_is_asked_that_the_check_may_not_ask() -> None:
    assert checks.watching_comes_to_an_end(databases=None) == []


def test_before_there_are_tables_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_tables() -> Any:
        raise OperationalError

    monkeypatch.setattr(watching, "too_long", no_tables)
    assert findings() == []


def test_a_database_that_refuses_to_say_breaks_no_login(
    alice: Any, attempt: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuses(name: str) -> None:
        raise OperationalError

    monkeypatch.setattr(watching, "_create", refuses)
    assert attempt("right") == "in"
    assert "watching_not_recorded" in caplog.text


def test_a_process_keeps_in_mind_no_more_than_so_many(
    guesses: Guesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        watching, "_looked", {(str(n), "MODE"): time.monotonic() for n in range(1000)}
    )
    guesses(2)
    assert len(watching._looked) == 1


def test_it_outlives_the_records(guesses: Guesses, clock: FrozenDateTimeFactory) -> None:
    guesses(1)
    AuditEntry.objects.create(actor="sam", action="lock", label="alice")
    clock.tick(timedelta(days=400))
    call_command("lockout_prune", verbosity=0)
    assert noted() == [("settings", "change", "MODE")]


@pytest.mark.usefixtures("clock")
def test_checks_of_the_rules_are_of_what_is_written(settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {**WATCHING, "PRESET": "pci"}
    found = {(message.id or "").partition(".")[2] for message in run_checks()}
    assert not found & {"E038", "W022"}
    assert "I046" in found  # no clause holds meanwhile
    settings.LOCKOUT_ADMIN = WATCHING
    assert "lockout_admin.I046" not in {message.id for message in run_checks()}


def test_what_is_tried_within_a_transaction_is_written_down_after_it(
    client: Client, alice: Any, settings: Any
) -> None:
    settings.DATABASES["default"]["ATOMIC_REQUESTS"] = True
    try:
        client.post("/login/", {"username": "alice", "password": "wrong"})
    finally:
        settings.DATABASES["default"]["ATOMIC_REQUESTS"] = False
    assert noted() == [("settings", "change", "MODE")]
