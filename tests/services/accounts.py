"""Backends of sites: careless ones, and one that takes several names."""

from __future__ import annotations

import unicodedata
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend

from lockout_admin.decorators import apply_account_lock


class AnySpellingBackend(ModelBackend):
    """Looks the username up by its folded form."""

    @apply_account_lock
    def authenticate(
        self, request: Any, username: Any = None, password: Any = None, **kwargs: Any
    ) -> Any:
        """Fold, then look up."""
        return super().authenticate(request, username=fold(username), password=password)

    @apply_account_lock
    async def aauthenticate(
        self, request: Any, username: Any = None, password: Any = None, **kwargs: Any
    ) -> Any:
        """Fold, then look up."""
        return await super().aauthenticate(request, username=fold(username), password=password)


def fold(username: str) -> str:
    """Return the one spelling that accounts have here."""
    return unicodedata.normalize("NFKC", username).strip().lower()


class EitherNameBackend(ModelBackend):
    """Takes a username, an e-mail address or both, as sites do that let people choose."""

    @apply_account_lock(names=("username", "email"))
    def authenticate(
        self, request: Any, username: Any = None, password: Any = None, email: Any = None
    ) -> Any:
        """Look the account up by either; hash in vain where there is none, as Django does."""
        given = {"username": username} if username else {"email": email}
        user = get_user_model().objects.filter(**given).first()
        if user is None:
            get_user_model()().set_password(password)
            return None
        return user if user.check_password(password) else None
