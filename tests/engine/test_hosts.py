"""Hosts whose clocks differ count the same failures, and put on the same lock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from lockout_admin import lockout
from lockout_admin.models import AccountLock, FailedLogin

Guesses = Callable[..., list[str]]
Switch = Callable[[float], None]
pytestmark = pytest.mark.django_db
#: The first rule alone counts an interval; the slower ones would see older rows anyway.
FIRST = {"CACHE": "default", "RULES": {"account-daily": None, "account-total": None}}


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Switch:
    """Go on at a host whose clock is so many seconds fast; the store keeps its own time."""
    true = timezone.now

    def switch(fast: float) -> None:
        def now() -> datetime:
            return true() + timedelta(seconds=fast)

        monkeypatch.setattr(timezone, "now", now)

    return switch


@pytest.mark.parametrize("rules", [{"CACHE": "default"}, FIRST], ids=["all rules", "the first"])
@pytest.mark.parametrize("fast", [-600, -90, -5, 5, 90, 600])
@pytest.mark.parametrize("order", ["aabb", "abab", "abba", "aaab", "abbb", "aaaa"])
def test_four_failures_lock_on_whichever_hosts(
    order: str, fast: float, rules: dict[str, Any], host: Switch, guesses: Guesses, settings: Any
) -> None:
    settings.LOCKOUT_ADMIN = rules
    for name in order:
        host(fast if name == "b" else 0)
        assert guesses(1) == ["wrong"]
    assert AccountLock.objects.get().failures == 4
    assert FailedLogin.objects.latest("pk").outcome == FailedLogin.Outcome.LOCKED
    for other in (0, fast):
        host(other)
        assert guesses(1)[0] in ("locked", "throttled")


@pytest.mark.parametrize("fast", [-90, 90])
def test_nobody_gets_more_by_going_from_host_to_host(
    fast: float, host: Switch, guesses: Guesses
) -> None:
    answers = []
    for number in range(60):
        host(fast if number % 2 else 0)
        answers += guesses(1)
    assert answers.count("wrong") == 4


def test_a_release_frees_at_once_on_a_slow_host(host: Switch, attempt: Any, alice: Any) -> None:
    lockout.lock_account("alice", 3600)
    lockout.unlock_account("alice")
    host(-90)
    assert attempt("right") == "in"


@pytest.mark.parametrize("fast", [-90, 90])
def test_a_release_starts_the_count_anew_on_every_host(
    fast: float, host: Switch, guesses: Guesses
) -> None:
    guesses(4)
    lockout.unlock_account("alice")
    for secs in (fast, 0, fast, fast):
        host(secs)
        assert guesses(1) == ["wrong"]
    assert guesses(1) == ["locked"]
    assert AccountLock.objects.filter(ended_at=None).count() == 1
