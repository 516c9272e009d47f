"""What a failure and a login take on PostgreSQL, with its indexes, in bytes.

    DATABASE_URL=postgres://… python -m tests.benchmarks.size --rows 200000

Rows of a site under attack: names that come five times, addresses of two /16, 2,000 user agents,
one failure in ten led to a lock. The tables are emptied first: give it a database of its own.
"""

from __future__ import annotations

import argparse
import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

FAILURES = "lockout_admin_failedlogin"
SUCCESSES = "lockout_admin_successfullogin"

FILL_FAILURES = f"""
INSERT INTO {FAILURES} (timestamp, username, subject, fine, ip_address, user_agent_id, path,
    outcome, repeated)
SELECT now() - interval '90 days' + row * interval '30 seconds', 'user' || name || '.name',
    hashint8extended(name, 1) & 9223372036854775807, hashint8(name) & 2147483647,
    ('203.0.' || (random() * 255)::int || '.' || (random() * 255)::int)::inet,
    (random() * 2000)::bigint * 1000000007, '/accounts/login/',
    CASE WHEN random() < 0.1 THEN 'locked' ELSE 'counted' END, false
FROM (SELECT row, (random() * %s)::bigint AS name FROM generate_series(1, %s) row) drawn
ORDER BY row
"""


#: Accounts that log in five times, from one address each, without sessions one time in ten.
FILL_SUCCESSES = f"""
INSERT INTO {SUCCESSES} (timestamp, username, subject, account, ip_address, user_agent_id, path,
    event)
SELECT now() - interval '90 days' + row * interval '30 seconds', 'user' || name || '.name',
    hashint8extended(name, 1) & 9223372036854775807, name::text,
    ('203.0.' || name % 256 || '.' || name / 256 % 256)::inet,
    (random() * 2000)::bigint * 1000000007, '/accounts/login/',
    CASE WHEN random() < 0.1 THEN 'verified' ELSE 'login' END
FROM (SELECT row, (random() * %s)::bigint AS name FROM generate_series(1, %s) row) drawn
ORDER BY row
"""


def sizes(table: str, statement: str, rows: int) -> dict[str, float]:
    """Return the bytes a row of the table and of each index."""
    with connection.cursor() as cursor:
        cursor.execute(statement, [rows // 5, rows])
        cursor.execute(f"VACUUM ANALYZE {table}")
        cursor.execute(
            "SELECT relname, pg_relation_size(oid) FROM pg_class WHERE oid = %s::regclass"
            " OR oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = %s::regclass)",
            [table, table],
        )
        return {name: size / rows for name, size in cursor.fetchall()}


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=200_000, help="default: 200000")
    rows = parser.parse_args().rows
    call_command("migrate", verbosity=0)
    call_command("flush", verbosity=0, interactive=False)
    for kind, table, statement in (
        ("a failure", FAILURES, FILL_FAILURES),
        ("a login", SUCCESSES, FILL_SUCCESSES),
    ):
        found = sizes(table, statement, rows)
        for name, size in found.items():
            print(f"{name:<36} {size:>7.1f}")
        print(f"{kind:<36} {sum(found.values()):>7.1f} bytes")


if __name__ == "__main__":
    main()
