"""A site that takes longer to open than the others."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ..incidents.conftest import play, site
from ..incidents.crowds import Site

__all__ = ["play", "site"]


@pytest.fixture
def club(site: Callable[..., Site]) -> Site:
    """A club with fifty logins a day."""
    return site(120, 50)


@pytest.fixture
def company(site: Callable[..., Site]) -> Site:
    """A company with two thousand logins a day."""
    return site(1000, 2000, days=8)
