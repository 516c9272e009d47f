"""Exports from a real database that gives up on what takes long."""

from __future__ import annotations

from pathlib import Path

from .servers import environment_of

ROWS = 60_000
TIME_OUT_SECS = 2

FILL = """
from django.db import connection

with connection.cursor() as cursor:
    cursor.execute(
        "INSERT INTO lockout_admin_failedlogin"
        " (timestamp, username, subject, fine, path, outcome, repeated)"
        " SELECT now() - number * interval '1 ms', repeat('x', 150), number, 0,"
        " repeat('y', 200), 'counted', false FROM generate_series(1, {rows}) AS number"
    )
"""

EXPORT = """
import time
from django.db import connection
from lockout_admin.exports.export import Export
from lockout_admin.exports.formats import CSV
from lockout_admin.exports.resources import FailedLoginResource
from lockout_admin.models import FailedLogin

with connection.cursor() as cursor:
    cursor.execute("SHOW statement_timeout")
    assert cursor.fetchone() == ("{time_out}s",)
columns = ("id", "username", "path")
running = Export(FailedLogin.objects.all(), FailedLoginResource(), CSV(), columns)
assert running.is_copied
lines = 0
for number, chunk in enumerate(running.chunks()):
    lines += chunk.count(b"\\n")
    if number in (1, 2, 20):  # the reader's line is slow
        time.sleep({time_out} + 0.5)
print(lines)
"""


def test_a_slow_reader_gets_the_whole_of_a_copy(postgres: str, tmp_path: Path) -> None:
    patient = environment_of(tmp_path, DATABASE_URL=postgres)
    patient.run("-m", "django", "migrate", "-v0")
    patient.python(FILL.format(rows=ROWS))

    url = f"{postgres}?options=-c%20statement_timeout%3D{TIME_OUT_SECS}s"
    hurried = environment_of(tmp_path, DATABASE_URL=url)
    said = hurried.python(EXPORT.format(time_out=TIME_OUT_SECS))
    assert said == str(ROWS + 1)
