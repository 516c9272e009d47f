"""The console: one file a screen."""

from __future__ import annotations

from . import audit, devices, failures, history, locks, networks, successes  # noqa: F401
from .users import LockedUserAdminMixin, LockoutUserAdmin

__all__ = ["LockedUserAdminMixin", "LockoutUserAdmin"]
