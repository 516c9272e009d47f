"""Console, commands and exports work with usernames that are no plain text, on each database."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .servers import database

MODELS = [
    "people.Numbered",
    "people.Identified",
    "people.Related",
    "people.Dialled",
    "phones.Phoned",
]


@pytest.fixture(params=["sqlite", "postgres", "mariadb"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/site.sqlite3"
        return
    with database(request.param, f"lockout_usernames_{os.getpid()}") as url:
        yield url


@pytest.mark.parametrize("model", MODELS)
def test_every_screen_action_command_and_format_works(model: str, database_url: str) -> None:
    """See `people.walk` for what is opened, and what strangers typed before."""
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("COV")},
        "DJANGO_SETTINGS_MODULE": "tests.services.people.settings",
        "DATABASE_URL": database_url,
        "USER_MODEL": model,
    }
    command = [sys.executable, "-W", "error", "-m", "tests.services.people.walk"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-5000:]
