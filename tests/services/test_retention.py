"""Retention reads what it deletes, and no table as a whole."""

from __future__ import annotations

import json
from pathlib import Path

from .servers import site

#: 200,000 user agents of today, 3 of last year: one of them in use.
PRUNE = """
import json
from datetime import timedelta
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from lockout_admin.models import FailedLogin, UserAgent
with connection.cursor() as cursor:
    cursor.execute("INSERT INTO lockout_admin_useragent (id, text, first_seen)"
                   " SELECT 1000 + seq, CONCAT('agent ', seq), NOW(6) FROM seq_1_to_200000")
    cursor.execute("ANALYZE TABLE lockout_admin_useragent")
    cursor.fetchall()
old = timezone.now() - timedelta(days=400)
UserAgent.objects.bulk_create(UserAgent(id=n, text=f"old {n}", first_seen=old) for n in (1, 2, 3))
FailedLogin.objects.create("alice", user_agent_id=2)
def reads():
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Handler_read%'")
        return sum(int(count) for name, count in cursor.fetchall())
before = reads()
call_command("lockout_prune", verbosity=0)
print(json.dumps([reads() - before, sorted(UserAgent.objects.filter(id__lt=10)
                                           .values_list("id", flat=True))]))
"""


def test_user_agents_are_pruned_without_a_look_at_the_young_ones(
    mariadb: str, tmp_path: Path
) -> None:
    with site(tmp_path, workers=1, threads=1, DATABASE_URL=mariadb, STORE="table") as target:
        read, kept = json.loads(target.python(PRUNE).splitlines()[-1])
    assert kept == [2]
    assert read < 1_000
