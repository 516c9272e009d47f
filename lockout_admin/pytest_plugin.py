"""A pytest fixture, there wherever the app is installed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .testing import isolated_lockouts


@pytest.fixture
def lockout_isolation() -> Iterator[None]:
    """Give the test a state of locks and counts of its own."""
    with isolated_lockouts():
        yield
