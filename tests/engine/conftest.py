"""Attempts from a network, as a backend sees them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lockout_admin.backends import LockoutBackend
from lockout_admin.exceptions import AccountLocked

from ..conftest import HOME, request_from

ELSEWHERE = "198.51.100.7"


@pytest.fixture
def attempt(db: None) -> Callable[..., str]:
    """Try a password once: "in", "wrong", "locked" or "throttled"."""

    def attempt(password: str = "wrong", username: Any = "alice", ip: str = HOME) -> str:
        try:
            user = LockoutBackend().authenticate(request_from(ip), username, password)
        except AccountLocked as refusal:
            return refusal.reason
        return "in" if user else "wrong"

    return attempt


@pytest.fixture
def guesses(attempt: Callable[..., str]) -> Callable[..., list[str]]:
    """Try so many fresh wrong passwords."""
    count = iter(range(10**9))

    def guesses(times: int, **where: Any) -> list[str]:
        return [attempt(f"guess {next(count)}", **where) for _ in range(times)]

    return guesses
