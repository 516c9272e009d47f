"""System checks: one function a rule, each with an id, the reason and the remedy.

What can never be right is an error at once. What is right on a developer's machine and wrong in
production (the cache) is an error of ``check --deploy``.
"""

from __future__ import annotations

from . import (
    backends,
    caches,
    challenges,
    clocks,
    collations,
    notifications,
    presets,
    rules,
    settings,
    watching,
)

__all__ = [
    "backends",
    "caches",
    "challenges",
    "clocks",
    "collations",
    "notifications",
    "presets",
    "rules",
    "settings",
    "watching",
]
