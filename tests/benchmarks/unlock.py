"""One member of staff unlocks everything at once, while others look at the list.

    DATABASE_URL=postgres://… CACHE_URL=rediscache://… python -m tests.benchmarks.unlock

Goes through the pages as a browser does: the list, "select all", the confirmation, the reason. The
tables of DATABASE_URL are filled anew.
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import statistics
import threading
import time
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.contrib.admin.models import LogEntry  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402
from django.core.cache import cache  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client, override_settings  # noqa: E402
from django.urls import reverse  # noqa: E402

from lockout_admin.engine import locks  # noqa: E402
from lockout_admin.engine.store import Keys  # noqa: E402
from lockout_admin.models import AccountLock  # noqa: E402

from .generate import fill  # noqa: E402

LIST = "admin:lockout_admin_activelock_changelist"


def put_into_cache() -> list[str]:
    """Enforce every open lock; return the keys of their entries."""
    entries = []
    for row in AccountLock.objects.open().iterator():
        locks.enforce(row, (row.key,))
        entries.append(Keys(row.scope, row.key).lock)
    return entries


def staff(name: str) -> Client:
    """Return a browser in which a superuser is signed in."""
    client = Client()
    client.force_login(get_user_model().objects.create_superuser(name))
    return client


def unlock_all(client: Client, url: str) -> int:
    """Unlock all; return how many pages were confirmed."""
    first = AccountLock.objects.open().values_list("pk", flat=True)[0]
    fields: dict[str, Any] = {
        "action": "unlock",
        "select_across": "1",
        "_selected_action": str(first),
    }
    page = client.post(url, fields).content.decode()
    confirmed = 0
    while token := re.search(r'name="token" value="([^"]+)"', page):
        confirmed += 1
        answer = client.post(url, {**fields, "token": token[1], "reason": "the attack is over"})
        page = answer.content.decode()
    return confirmed


def look_meanwhile(client: Client, url: str, done: threading.Event, spent: list[float]) -> None:
    """Look at the list again and again."""
    while not done.is_set():
        started = time.perf_counter()
        assert client.get(url).status_code == 200
        spent.append(time.perf_counter() - started)
        done.wait(0.5)
    connection.close()


def main() -> None:
    """Print how long it took, for each lock and for those who looked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--locks", type=int, default=100_000, help="default: 100000")
    count = parser.parse_args().locks
    logging.getLogger("lockout_admin").setLevel(logging.CRITICAL)
    fill(1000, 1000, count)
    get_user_model().objects.filter(username__in=["sam", "sue"]).delete()
    url = reverse(LIST)
    sam, sue = staff("sam"), staff("sue")
    entries_of_locks = put_into_cache()
    entries = LogEntry.objects.count()
    done = threading.Event()
    spent: list[float] = []
    onlooker = threading.Thread(target=look_meanwhile, args=(sue, url, done, spent))
    onlooker.start()
    started = time.perf_counter()
    confirmed = unlock_all(sam, url)
    seconds = time.perf_counter() - started
    done.set()
    onlooker.join()
    print(
        f"{count:,} locks in {seconds:.1f} s: {seconds / count * 1e6:.0f} µs a lock;"
        f" {confirmed} request(s)"
    )
    print(f"still open: {AccountLock.objects.open().count()}")
    left = sum(
        len(cache.get_many(entries_of_locks[at : at + 1000])) for at in range(0, count, 1000)
    )
    print(f"still in the cache: {left}")
    print(f"audit entries: {LogEntry.objects.count() - entries:,}")
    print(
        f"the list meanwhile: median {statistics.median(spent):.2f} s,"
        f" longest {max(spent):.2f} s, {len(spent)} looks"
    )


if __name__ == "__main__":
    with override_settings(ALLOWED_HOSTS=["*"]):
        main()
