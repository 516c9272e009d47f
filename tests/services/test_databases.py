"""Our tables in a database of their own, or read from a replica that never catches up."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack

import pytest

from .servers import database


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
@pytest.mark.parametrize(("records", "story"), [("records", "walk"), ("replica", "lag")])
def test_console_and_commands_work_with_two_databases(kind: str, records: str, story: str) -> None:
    with ExitStack() as stack:
        main, other = (
            stack.enter_context(database(kind, f"lockout_{name}_{os.getpid()}"))
            for name in ("main", records)
        )
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("COV")},
            "DJANGO_SETTINGS_MODULE": "tests.services.people.settings",
            "USER_MODEL": "people.Hidden",
            "DATABASE_URL": main,
            "RECORDS": records,
            "RECORDS_URL": other,
        }
        command = [sys.executable, "-W", "error", "-m", f"tests.services.people.{story}"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-5000:]
