"""Attempts as a backend sees them, and people who have logged in before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from lockout_admin.identity.client import Client
from lockout_admin.identity.subject import Subject
from lockout_admin.models import SuccessfulLogin

from ..conftest import HOME
from ..engine.conftest import ELSEWHERE, attempt, guesses
from .person import Person

__all__ = ["attempt", "guesses"]

Event = SuccessfulLogin.Event


@pytest.fixture
def logged_in(db: None) -> Callable[..., None]:
    """Have accounts log in from an address some time ago."""

    def logged_in(
        *accounts: int, ip: str = HOME, days_ago: float = 0.1, event: str = Event.LOGIN
    ) -> None:
        when = timezone.now() - timedelta(days=days_ago)
        rows = (
            SuccessfulLogin.objects.build(
                Subject.of(f"user-{pk}"), Client(ip), account=str(pk), timestamp=when, event=event
            )
            for pk in accounts
        )
        SuccessfulLogin.objects.bulk_create(rows)

    return logged_in


@pytest.fixture
def office(logged_in: Callable[..., None]) -> Callable[..., None]:
    """Have accounts that are known for long log in from an address today."""

    def office(*accounts: int, ip: str = HOME) -> None:
        logged_in(*accounts, ip="192.0.2.99", days_ago=30)
        logged_in(*accounts, ip=ip)

    return office


@pytest.fixture
def owner() -> Person:
    """Alice, in the browser that she always uses."""
    person = Person()
    assert person.log_in() == "in"
    return person


@pytest.fixture
def stranger() -> Person:
    return Person(ELSEWHERE)


def spray(attempt: Any, names: int, ip: str = HOME, start: int = 0) -> list[str]:
    """Try one password on so many names, once each."""
    return [
        attempt("Winter2026", username=f"person-{number}", ip=ip)
        for number in range(start, start + names)
    ]
