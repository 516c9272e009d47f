"""Fill a database with an attack: ``python -m tests.benchmarks.generate --failures 1000000``.

DATABASE_URL names the database, which is migrated first. The rows are spread over the last ninety
days, the same ones each time but for the moments.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

import django

MOST: Final = 20_000_000
DAYS: Final = 90
ACCOUNTS: Final = 50_000
#: Somebody who comes as rarely on big tables as on small ones: user agent, name, account, address.
RARE_AGENT: Final = "Rare/1.0 (needle)"
RARE_NAME: Final = "needle"
RARE_ADDRESS: Final = "2001:db8:ffff::1"
RARE_ROWS: Final = 5
_BATCH: Final = 20_000

Row = tuple[Any, ...]
FAILURE: Final = [
    "timestamp",
    "username",
    "subject",
    "fine",
    "ip_address",
    "network",
    "wide_network",
    "user_agent_id",
    "path",
    "outcome",
]
SUCCESS: Final = [
    "timestamp",
    "username",
    "subject",
    "account",
    "ip_address",
    "network",
    "wide_network",
    "user_agent_id",
    "path",
    "event",
]
LOCK: Final = ["started_at", "until", "rule", "key", "label", "subject", "failures"]

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.models import Model  # noqa: E402
from django.utils import timezone  # noqa: E402

from lockout_admin.identity.network import network_of, number_of, wide_network_of  # noqa: E402
from lockout_admin.identity.subject import Subject  # noqa: E402
from lockout_admin.management.progress import Progress  # noqa: E402
from lockout_admin.models import AccountLock, FailedLogin, SuccessfulLogin, UserAgent  # noqa: E402

TABLES: Final = (FailedLogin, SuccessfulLogin, AccountLock, UserAgent)


def fill(failures: int, successes: int, locks: int) -> None:
    """Bring the tables to so many rows; what is there already is replaced."""
    if not all(0 <= rows <= MOST for rows in (failures, successes, locks)):
        raise SystemExit(f"At most {MOST:,} rows.")
    call_command("migrate", verbosity=0)
    agents = _agents()
    _replace(FailedLogin, FAILURE, _failures(failures, agents), failures)
    _replace(SuccessfulLogin, SUCCESS, _successes(successes, agents), successes)
    _replace(AccountLock, LOCK, _locks(locks), locks)
    with connection.cursor() as cursor:
        tables = ", ".join(model._meta.db_table for model in TABLES)
        cursor.execute(
            {"postgresql": "VACUUM ANALYZE", "mysql": f"ANALYZE TABLE {tables}"}.get(
                connection.vendor, "ANALYZE"
            )
        )


def _agents() -> list[int]:
    texts = [RARE_AGENT] + [
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
        f" Chrome/{number}.0.0.0 Safari/537.36"
        for number in range(2000)
    ]
    agents = [UserAgent(id=UserAgent.objects.key_of(text) or 0, text=text) for text in texts]
    UserAgent.objects.all().delete()
    UserAgent.objects.bulk_create(agents)
    return [agent.pk for agent in agents]


def _failures(count: int, agents: list[int]) -> Iterator[Row]:
    for bits, moment, subject, address, agent, path in _visits(count, agents):
        outcome = "counted" if bits & 14 else "locked"
        yield (
            *(moment, subject.username, subject.key, subject.fine),
            *(address, *_networks(address), agent, path, outcome),
        )


def _successes(count: int, agents: list[int]) -> Iterator[Row]:
    for bits, moment, subject, address, agent, path in _visits(count, agents):
        is_rare = subject.username == RARE_NAME
        account = RARE_NAME if is_rare else str(bits % ACCOUNTS)
        event = "login" if bits & 14 else "verified"
        yield (
            *(moment, subject.username, subject.key, account),
            *(address, *_networks(address), agent, path, event),
        )


def _networks(address: str) -> tuple[int | None, int | None]:
    return number_of(network_of(address)), number_of(wide_network_of(address))


def _visits(
    count: int, agents: list[int]
) -> Iterator[tuple[int, datetime, Subject, str, int, str]]:
    dice = random.Random(count)
    subjects = [Subject.of(f"user{number}") for number in range(ACCOUNTS)]
    subjects[0] = Subject.of("=HYPERLINK(1)")
    addresses = [_address(dice.getrandbits(64)) for _ in range(100_000)]
    rare = {number * count // RARE_ROWS for number in range(RARE_ROWS)}
    needle = Subject.of(RARE_NAME)
    for number, moment in enumerate(_moments(count)):
        bits = dice.getrandbits(64)
        path = "/admin/login/" if bits & 1 else "/api/token/"
        subject = subjects[bits % ACCOUNTS]
        address = addresses[(bits >> 16) % 100_000]
        agent = agents[1 + (bits >> 32) % (len(agents) - 1)]
        if number in rare:
            subject, address, agent = needle, RARE_ADDRESS, agents[0]
        yield bits, moment, subject, address, agent, path


def _address(bits: int) -> str:
    if bits % 10 == 0:
        return f"2001:db8:{bits >> 48:x}:{bits >> 32 & 0xFFFF:x}::{bits & 0xFFFF | 1:x}"
    return f"{1 + bits % 223}.{bits >> 16 & 255}.{bits >> 24 & 255}.{bits >> 32 & 255}"


def _locks(count: int) -> Iterator[Row]:
    until = timezone.now() + timedelta(days=1)
    for number, moment in enumerate(_moments(count)):
        subject = Subject.of(f"locked{number}")
        ends = until + timedelta(seconds=number)
        yield moment, ends, "account", subject.key, subject.username, subject.key, 4


def _moments(count: int) -> Iterator[datetime]:
    end = timezone.now()
    width = timedelta(days=DAYS)
    return (end - width * (count - number) / count for number in range(count))


def _replace(model: type[Model], names: list[str], rows: Iterator[Row], count: int) -> None:
    """Empty a table and fill it; its indexes are made last, in one pass of a sort."""
    progress = Progress(sys.stderr, model.__name__)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET maintenance_work_mem = '512MB'")
        verb = "DELETE FROM" if connection.vendor == "sqlite" else "TRUNCATE TABLE"
        cursor.execute(f"{verb} {model._meta.db_table}")
    with connection.schema_editor() as editor:
        for index in model._meta.indexes:
            editor.remove_index(model, index)
    done = 0
    while batch := list(islice(rows, _BATCH)):
        (_copy if connection.vendor == "postgresql" else _insert)(model, names, batch)
        done += len(batch)
        progress.update(done / count, f"{done:,} rows")
    with connection.schema_editor() as editor:
        for index in model._meta.indexes:
            editor.add_index(model, index)
    progress.close()


def _insert(model: type[Model], names: list[str], rows: list[Row]) -> None:
    instances = [model(**dict(zip(names, row, strict=True))) for row in rows]
    model._default_manager.bulk_create(instances, batch_size=1000)


def _copy(model: type[Model], names: list[str], rows: list[Row]) -> None:
    """Columns that are not named have the model's defaults."""
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    columns = ", ".join(str(field.column) for field in fields)
    others = [field.get_default() for field in fields if field.attname not in names]
    order = [names.index(field.attname) if field.attname in names else None for field in fields]
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {model._meta.db_table} ({columns}) FROM STDIN") as copy,
    ):
        for row in rows:
            rest = iter(others)
            copy.write_row([next(rest) if place is None else row[place] for place in order])


def main() -> None:
    """Fill the database that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--failures", type=int, default=1_000_000)
    parser.add_argument("--successes", type=int, default=1_000_000)
    parser.add_argument("--locks", type=int, default=100_000)
    options = parser.parse_args()
    fill(options.failures, options.successes, options.locks)


if __name__ == "__main__":
    main()
