"""The shipped backend: Django's own, guarded."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest

from .decorators import apply_account_lock


class LockoutBackend(ModelBackend):
    """Checks usernames and passwords as `ModelBackend` does, and refuses attempts past the limit."""

    @apply_account_lock
    def authenticate(  # type: ignore[override]
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> AbstractBaseUser | None:
        """Return the user with these credentials, or ``None``; raise `AccountLocked` when refused."""
        return super().authenticate(request, username=username, password=password, **kwargs)

    @apply_account_lock
    async def aauthenticate(  # type: ignore[override]
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> AbstractBaseUser | None:
        """Async twin of `authenticate`."""
        return await super().aauthenticate(request, username=username, password=password, **kwargs)
