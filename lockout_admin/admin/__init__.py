"""The console: one file a screen."""

from __future__ import annotations

from . import (  # noqa: F401
    audit,
    devices,
    exemptions,
    failures,
    history,
    incidents,
    locks,
    networks,
    successes,
)
from .users import LockedUserAdminMixin, LockoutUserAdmin

__all__ = ["LockedUserAdminMixin", "LockoutUserAdmin"]
