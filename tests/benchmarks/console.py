"""The console on big tables: ``python -m tests.benchmarks.console --big URL --small URL``.

Both databases are filled by ``generate`` when they have too few rows. Each page may take at most
twice the time on the big one, and none may read more rows than `plans.MOST_ROWS`. The fastest run
of a page counts: what else the machine does only ever adds to it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from typing import Any, Final

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils.crypto import get_random_string

from lockout_admin.models import AccountLock, FailedLogin, SuccessfulLogin

from .generate import fill
from .plans import faults

MOST_TIMES: Final = 2.0
SMALL: Final = 10_000
RUNS: Final = 15

FAILURES: Final = "/admin/lockout_admin/failedlogin/"
SUCCESSES: Final = "/admin/lockout_admin/successfullogin/"
ACTIVE: Final = "/admin/lockout_admin/activelock/"
HISTORY: Final = "/admin/lockout_admin/accountlock/"
#: Pages that are as full on the small tables as on the big ones, so that their plans are compared.
PAGES: Final[dict[str, str]] = {
    "first page": FAILURES + "?time=all",
    "last 30 days": FAILURES + "?time=30d",
    "by network": FAILURES + "?time=all&net=32.0.0.0/3",
    "by outcome": FAILURES + "?time=all&outcome=locked",
    "by user agent": FAILURES + "?time=all&agent=Chrome/15",
    "rare user agent": FAILURES + "?time=all&agent=needle",
    "no such user agent": FAILURES + "?time=all&agent=haystack",
    "no such name": FAILURES + "?time=all&username=nobody",
    "names that begin with": FAILURES + "?time=all&username=user&match=prefix",
    "search for a network": FAILURES + "?time=all&q=64.0.0.0/2",
    "by address": FAILURES + "?time=all&o=4",
    "oldest first": FAILURES + "?time=all&o=1",
    "deep in the list": FAILURES + "?time=all&p=100",
    "failures, did they get in": FAILURES + "?time=all&username=needle",
    "failures of a network": FAILURES + "?time=all&net=32.0.0.0/3&o=1",
    "logins": SUCCESSES + "?time=all",
    "logins, last 30 days": SUCCESSES + "?time=30d",
    "logins by network": SUCCESSES + "?time=all&net=32.0.0.0/3",
    "logins without session": SUCCESSES + "?time=all&event=verified",
    "logins of an account": SUCCESSES + "?time=all&account=needle",
    "logins by user agent": SUCCESSES + "?time=all&agent=Chrome/15",
    "logins, rare user agent": SUCCESSES + "?time=all&agent=needle",
    "logins, no such name": SUCCESSES + "?time=all&username=nobody",
    "logins, beginning": SUCCESSES + "?time=all&username=user&match=prefix",
    "logins, search": SUCCESSES + "?time=all&q=64.0.0.0/2",
    "logins by address": SUCCESSES + "?time=all&o=4",
    "logins, oldest first": SUCCESSES + "?time=all&o=1",
    "logins, deep in the list": SUCCESSES + "?time=all&p=100",
    "logins after failures": SUCCESSES + "?time=all&failed=needle",
    "active locks": ACTIVE,
    "active locks, page 50": ACTIVE + "?p=50",
    "active locks, search": ACTIVE + "?q=locked1",
    "lock history": HISTORY + "?time=all",
}


def measure() -> dict[str, dict[str, Any]]:
    """Ask for each page in this process."""
    user = User.objects.create_superuser(get_random_string(12))
    client = Client()
    client.force_login(user)
    try:
        return {name: _page(client, url) for name, url in PAGES.items()}
    finally:
        user.delete()


def _page(client: Client, url: str) -> dict[str, Any]:
    wrong, queries = _faults(client, url)
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        client.get(url)
        times.append((time.perf_counter() - started) * 1000)
    return {"ms": min(times), "queries": queries, "faults": wrong}


def _faults(client: Client, url: str) -> tuple[list[str], int]:
    seen: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        seen.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        response = client.get(url)
    if response.status_code != 200:
        return [f"answered {response.status_code}"], 0
    ours = [
        query
        for query in seen
        if query[0].startswith("SELECT") and '"lockout_admin_' in query[0].replace("`", '"')
    ]
    return [fault for sql, params in ours for fault in faults(sql, params)], len(seen)


def in_a_process(url: str, failures: int, successes: int, locks: int) -> dict[str, dict[str, Any]]:
    """Measure on another database."""
    command = [sys.executable, "-m", "tests.benchmarks.console", "--measure"]
    command += ["--failures", str(failures), "--successes", str(successes)]
    command += ["--locks", str(locks)]
    done = subprocess.run(
        command,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "DATABASE_URL": url},
    )
    result: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return result


def compare(big: str, small: str, failures: int, successes: int, locks: int) -> bool:
    """Print a line a page; tell whether all bounds hold."""
    few = in_a_process(small, SMALL, SMALL, SMALL)
    many = in_a_process(big, failures, successes, locks)
    print(f"{failures:,} failures, {successes:,} logins, {locks:,} locks; {SMALL:,} of each")
    print(f"{'':26}{'ms':>8}{'small':>8}{'ratio':>8}{'queries':>9}")
    kept = True
    for name, page in many.items():
        ratio = page["ms"] / few[name]["ms"]
        print(
            f"{name:26}{page['ms']:8.1f}{few[name]['ms']:8.1f}{ratio:8.2f}{page['queries']:9}",
            *page["faults"],
            sep="  ",
        )
        kept = kept and ratio <= MOST_TIMES and not page["faults"]
    return kept


def _fill_up(failures: int, successes: int, locks: int) -> None:
    tables = connection.introspection.table_names()
    wanted = ((FailedLogin, failures), (SuccessfulLogin, successes), (AccountLock, locks))
    full = SuccessfulLogin._meta.db_table in tables and all(
        model._default_manager.all()[:count].count() == count for model, count in wanted
    )
    if not full:
        fill(failures, successes, locks)


def main() -> None:
    """Measure one database, or compare two."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--big", help="URL of a database that may be filled")
    parser.add_argument("--small", help="URL of another")
    parser.add_argument("--failures", type=int, default=10_000_000)
    parser.add_argument("--successes", type=int, default=1_000_000)
    parser.add_argument("--locks", type=int, default=100_000)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        _fill_up(options.failures, options.successes, options.locks)
        print(json.dumps(measure()))
    elif not (options.big and options.small):
        parser.error("--big and --small are needed.")
    elif not compare(
        options.big, options.small, options.failures, options.successes, options.locks
    ):
        raise SystemExit(
            f"A page takes more than {MOST_TIMES} times as long, or reads too many rows."
        )


if __name__ == "__main__":
    main()
