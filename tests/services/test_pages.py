"""Each page of the console at 1,000,000 records, beside itself at 10,000, on each database.

With LONG=1, on PostgreSQL, at 10,000,000. Measured in what processors did, so that others may be at
work beside it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from .servers import database

pytestmark = pytest.mark.big

COMMAND = (sys.executable, "-m", "tests.benchmarks.pages", "--cpu", "--runs", "1")


@pytest.fixture(params=["sqlite", "postgres", "mariadb"])
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Return the URLs of two empty databases."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/small.sqlite3", f"sqlite:///{tmp_path}/big.sqlite3"
        return
    with ExitStack() as stack:
        small, big = (
            stack.enter_context(database(request.param, f"lockout_{size}_{os.getpid()}"))
            for size in ("small", "big")
        )
        yield small, big


def test_no_page_takes_more_than_twice_its_time_on_a_hundredth(urls: tuple[str, str]) -> None:
    small, big = urls
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    if not big.startswith("postgres"):
        environment.pop("LONG", None)
    told = subprocess.run(
        [*COMMAND, "--small", small, "--big", big],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    print(told.stdout)
    assert told.returncode == 0, told.stderr
