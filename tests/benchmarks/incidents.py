"""Whether grouping keeps up with 500 failures a second in one process.

    DATABASE_URL=postgres://… CACHE_URL=rediscache://… python -m tests.benchmarks.incidents

A minute of traffic, ten seconds a turn: honest typos, a spray, a name from everywhere, a botnet of
which each address fails once. The tables are emptied first: give it a database of its own.
"""

from __future__ import annotations

import argparse
import os
import time
from datetime import datetime, timedelta
from random import Random

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from lockout_admin.identity.client import Client  # noqa: E402
from lockout_admin.identity.subject import Subject  # noqa: E402
from lockout_admin.incidents.grouping import group  # noqa: E402
from lockout_admin.models import (  # noqa: E402
    Exemption,
    FailedLogin,
    Incident,
    IncidentCursor,
    RefusedTries,
    SuccessfulLogin,
)

TURN_SECS = 10


def visitor(random: Random) -> tuple[str, str]:
    """Return a name and an address that fail."""
    chance = random.random()
    if chance < 0.4:  # honest people of 5,000 homes
        number = random.randrange(5_000)
        return f"user{number}", f"100.64.{number // 250}.{number % 250}"
    if chance < 0.6:
        return f"name{random.randrange(3_000)}", "198.51.100.23"
    if chance < 0.7:
        return "alice", f"203.0.{random.randrange(256)}.{random.randrange(256)}"
    return (
        f"bot{random.randrange(20_000)}",
        f"198.18.{random.randrange(256)}.{random.randrange(256)}",
    )


def write(rate: int, begin: datetime, random: Random) -> None:
    """Write what fails and comes in within ten seconds."""
    failed, came_in = [], []
    for number in range(rate * TURN_SECS):
        name, address = visitor(random)
        client = Client(address, "", "/login/")
        when = begin + timedelta(seconds=number / rate)
        failed.append(FailedLogin.objects.build(Subject.of(name), client, timestamp=when))
        if name.startswith("user"):
            later = when + timedelta(seconds=5)
            row = SuccessfulLogin.objects.build(Subject.of(name), client, timestamp=later)
            came_in.append(row)
    FailedLogin.objects.bulk_create(failed, batch_size=500)
    SuccessfulLogin.objects.bulk_create(came_in, batch_size=500)


def main() -> None:
    """Measure, and say whether it keeps up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=500, help="failures a second")
    parser.add_argument("--turns", type=int, default=6, help="of ten seconds each")
    options = parser.parse_args()
    call_command("migrate", verbosity=0)
    for model in (FailedLogin, SuccessfulLogin, RefusedTries, Incident, IncidentCursor, Exemption):
        model._default_manager.all().delete()
    random = Random("incidents")
    now = timezone.now() - timedelta(seconds=TURN_SECS * (options.turns + 1))
    slowest = 0.0
    for turn in range(options.turns):
        write(options.rate, now, random)
        now += timedelta(seconds=TURN_SECS)
        begin, cpu = time.perf_counter(), time.process_time()
        summary = group(now)
        took = time.perf_counter() - begin
        slowest = max(slowest, took)
        print(
            f"turn {turn + 1}: {summary.read} records in {took:.2f} s"
            f" ({time.process_time() - cpu:.2f} s of them in Python), {summary.found} found"
        )
    for incident in Incident.objects.order_by("pk"):
        print(f"{incident}: {incident.names} names, {incident.networks} networks")
    print(
        f"keeps up: {slowest < TURN_SECS} (the slowest turn of {TURN_SECS} s took {slowest:.2f} s)"
    )


if __name__ == "__main__":
    main()
