"""A backend that takes a username or an address."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.db.models import Q

from lockout_admin.decorators import apply_account_lock


class ByNameOrAddress(ModelBackend):
    """Finds an account by either."""

    @apply_account_lock(names=("username", "email"))
    def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
        users = get_user_model().objects.filter(Q(username=username) | Q(email=username))
        user = users.first()
        return user if user is not None and user.check_password(password) else None
