"""Attempts, as the tests of the engine make them."""

from __future__ import annotations

from ..engine.conftest import attempt, guesses  # noqa: F401
