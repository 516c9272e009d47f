"""The demo's pages on the settings of the tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import demo
from demo import neighbours
from demo.people import ATTACKED, BESIDE


@pytest.fixture
def site(settings: Any) -> None:
    """Serve the demo's pages."""
    settings.ROOT_URLCONF = "demo.urls"
    settings.LOGIN_REDIRECT_URL = settings.LOGOUT_REDIRECT_URL = "home"
    templates = Path(demo.__file__).parent.parent / "templates"
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [templates]}]


@pytest.fixture
def people(
    settings: Any, db: None, monkeypatch: pytest.MonkeyPatch, django_user_model: Any
) -> None:
    """The account holders of the demo, of whom eight come beside an attack, behind a proxy."""
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "TRUSTED_PROXIES": 1}
    monkeypatch.setattr(neighbours, "BESIDE", BESIDE[:8])
    for person in (*ATTACKED, *BESIDE):
        email = f"{person.username}@example.com"
        django_user_model.objects.create_user(person.username, email, person.password)
