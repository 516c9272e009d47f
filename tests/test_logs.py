"""One record an event, in the OWASP vocabulary; no line can be forged, no password is in it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.test import RequestFactory, override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lockout_admin import lockout
from lockout_admin.conf import conf
from lockout_admin.models import AccountLock, FailedLogin
from lockout_admin.signals import account_locked, account_unlocked, login_failed
from lockout_admin.testing import isolated_lockouts

from .conftest import HOME, request_from

pytestmark = pytest.mark.django_db


def events(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage().partition(" ")[0] for record in caplog.records]


def test_the_life_of_a_lock_in_the_log(
    alice: Any, guess: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "lockout_admin")
    guess(times=3)
    authenticate(request_from(HOME), username="alice", password="right")
    guess(times=4 + 5)
    lockout.unlock_account("alice", by="sam")
    lockout.lock_account("alice", by="sam")
    assert events(caplog) == [
        *["authn_login_fail"] * 3,
        "authn_login_successafterfail",
        "authn_login_success",
        *["authn_login_fail"] * 4,
        "authn_login_fail_max",
        "authn_login_lock",
        "authz_admin",
        "authn_login_lock",
    ]


def test_a_record_has_the_fields_of_ecs(guess: Any, caplog: pytest.LogCaptureFixture) -> None:
    request = RequestFactory().post("/login/", HTTP_USER_AGENT="Firefox", REMOTE_ADDR="203.0.113.9")
    guess(request=request)
    assert json.loads(caplog.records[0].getMessage().partition(" ")[2]) == {
        "event.category": "authentication",
        "event.code": "authn_login_fail",
        "event.outcome": "failure",
        "user.name": "alice",
        "source.ip": "203.0.113.9",
        "user_agent.original": "Firefox",
        "url.path": "/login/",
    }


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(username=st.text(), agent=st.text(st.characters(codec="latin-1")))
def test_no_line_can_be_forged(username: str, agent: str, caplog: Any) -> None:
    caplog.clear()
    request = RequestFactory().post("/login/", HTTP_USER_AGENT=agent)
    lockout.handle_failed_login(username, request)
    for record in caplog.records:
        assert record.getMessage().isascii()
        assert record.getMessage().isprintable()


def test_no_password_is_logged_or_stored(guess: Any, caplog: pytest.LogCaptureFixture) -> None:
    request = RequestFactory().post("/login/", {"username": "alice", "password": "hunter2"})
    for _ in range(5):
        authenticate(request, username="alice", password="hunter2")
    assert "hunter2" not in caplog.text + str(
        [*FailedLogin.objects.values(), *AccountLock.objects.values()]
    )


def test_a_password_typed_as_username_can_be_kept_out(
    alice: Any, guess: Any, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    settings.LOCKOUT_ADMIN = {"MASK_UNKNOWN_USERNAMES": True}
    guess("hunter2", times=4)
    guess("ALICE")
    assert "hunter2" not in caplog.text + str(
        [*FailedLogin.objects.values(), *AccountLock.objects.values()]
    )
    assert FailedLogin.objects.latest("pk").username == "ALICE"
    assert lockout.is_account_locked("hunter2")
    assert lockout.unlock_account("hunter2")


def test_a_signal_is_sent_once_a_transition(guess: Any) -> None:
    sent = []
    for signal in (login_failed, account_locked, account_unlocked):
        signal.connect(
            lambda signal, **kwargs: sent.append(signal),
            weak=False,
            dispatch_uid=f"test{id(signal)}",
        )
    guess(times=4 + 3)
    lockout.unlock_account("alice")
    lockout.unlock_account("alice")
    for signal in (login_failed, account_locked, account_unlocked):
        signal.disconnect(dispatch_uid=f"test{id(signal)}")
    assert sent == [login_failed] * 4 + [account_locked, account_unlocked]


def test_a_receiver_that_raises_breaks_no_login(alice: Any, guess: Any) -> None:
    def broken(**kwargs: Any) -> None:
        raise ZeroDivisionError

    login_failed.connect(broken)
    guess(times=3)
    login_failed.disconnect(broken)
    assert authenticate(username="alice", password="right") == alice


def test_isolation_keeps_the_site_settings() -> None:
    lockout.lock_account("alice")
    with override_settings(LOCKOUT_ADMIN={"LOCK_MAX_SECS": 5}), isolated_lockouts():
        assert conf.lock_max_secs == 5
        assert not lockout.is_account_locked("alice")


def test_the_names_of_parameters_that_a_stranger_sends_forge_no_line(
    alice: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A view that passes on all that JSON holds."""
    forged = 'x\nCRITICAL lockout_admin authn_login_success {"user.name": "root"}' + "y" * 3000
    body = {forged: "1", "other": "2", "password": "x"}
    assert authenticate(request_from(), **body) is None
    message = next(text for text in caplog.messages if text.startswith("credentials_ambiguous"))
    assert "\n" not in message
    assert len(message) < 600


def test_the_log_says_where_an_attempt_came_from_that_code_tells_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for _ in range(4):
        with lockout.attempt(
            "zoe", request_from("10.0.0.1"), ip_address="203.0.113.9", user_agent="curl", path="/x"
        ) as attempt:
            attempt.failed()
    told = [record.ecs for record in caplog.records if hasattr(record, "ecs")]
    places = {(one.get("source.ip"), one.get("user_agent.original")) for one in told}
    assert places - {(None, None)} == {("203.0.113.9", "curl")}
