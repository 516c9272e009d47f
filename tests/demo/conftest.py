"""The demo's pages on the settings of the tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import demo


@pytest.fixture
def site(settings: Any) -> None:
    """Serve the demo's pages."""
    settings.ROOT_URLCONF = "demo.urls"
    settings.LOGIN_REDIRECT_URL = settings.LOGOUT_REDIRECT_URL = "home"
    templates = Path(demo.__file__).parent.parent / "templates"
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [templates]}]
