"""What an attempt leaves behind, and backends that know one password."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import override_settings

from lockout_admin.engine.rules import matter_of
from lockout_admin.engine.ruleset import rules_in_force
from lockout_admin.engine.slots import Place
from lockout_admin.engine.store import store
from lockout_admin.identity.subject import Subject
from lockout_admin.models import FailedLogin


def slots_held(username: Any = "alice") -> int:
    """Return how many slots of a name are taken."""
    place = Place.of(matter_of(Subject.of(username)), rules_in_force())
    assert place
    return len(place.held(store.get_many(place.keys) or {}))


def left_behind(username: Any = "alice") -> tuple[int, int]:
    """Return the slots that are held and the failures that are recorded."""
    rows = FailedLogin.objects.filter(subject=Subject.of(username).key)
    return slots_held(username), rows.count()


class Knows(BaseBackend):
    """Knows one password; counts what it evaluates."""

    right = "right"
    asked: list[Any] = []

    def check(self, username: Any, password: Any) -> Any:
        """Return the account of that name, if the password is right."""
        self.asked.append((username, password))
        users = get_user_model().objects.filter(username=str(username).lower())
        return users.first() if password == self.right else None


@pytest.fixture(autouse=True)
def _nobody_asked() -> None:
    Knows.asked.clear()


def backends(*classes: type | str) -> Any:
    """List backends in the settings."""
    paths = [
        cls if isinstance(cls, str) else f"{cls.__module__}.{cls.__qualname__}" for cls in classes
    ]
    return override_settings(AUTHENTICATION_BACKENDS=paths)


class CountingHasher(MD5PasswordHasher):
    """Counts what it hashes; like bcrypt, it raises at what is too long for it."""

    count = 0

    def encode(self, password: str, salt: str) -> str:
        if len(password.encode()) > 72:
            raise ValueError("password cannot be longer than 72 bytes")
        type(self).count += 1
        return super().encode(password, salt)


@pytest.fixture
def hashed() -> Iterator[Callable[[], int]]:
    """Return how many passwords were hashed since the last call."""

    def hashed() -> int:
        count, CountingHasher.count = CountingHasher.count, 0
        return count

    path = f"{CountingHasher.__module__}.CountingHasher"
    with override_settings(PASSWORD_HASHERS=[path]):
        yield hashed
