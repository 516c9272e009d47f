"""A backend that finds an account under any spelling, as careless ones do."""

from __future__ import annotations

import unicodedata
from typing import Any

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
