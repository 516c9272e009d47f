"""Several senders at once, on each database: a hundred owners get one mail each."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .servers import database

ROOT = Path(__file__).parents[2]
OWNERS = 100
SENDERS = 4
#: Two locks begin on the name of each owner, and on as many that nobody has.
LOCKS = f"""
from django.contrib.auth.models import User
from lockout_admin.engine import locks
from lockout_admin.engine.rules import matter_of
from lockout_admin.identity.subject import Subject
User.objects.bulk_create(
    User(username=f"owner{{n}}", email=f"owner{{n}}@example.com") for n in range({OWNERS}))
for n in range({OWNERS}):
    for name in (f"owner{{n}}", f"nobody{{n}}"):
        for rule in ("account", "account-daily"):
            locks.begin(matter_of(Subject.of(name)), 60, rule=rule, failures=4)
"""
#: What two senders met at the same moment waits for half a minute.
LATER = """
from django.utils import timezone
from lockout_admin.models import Outbox
Outbox.objects.filter(state="waiting").update(due=timezone.now())
"""
#: The demo's site; nothing is sent before the senders are there.
SETTINGS = """
from demo.settings import *
LOCKOUT_ADMIN["NOTIFY_IN_THREAD"] = False
"""


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
def test_of_several_senders_each_mail_is_sent_once(kind: str, tmp_path: Path) -> None:
    (tmp_path / "notifying.py").write_text(SETTINGS)
    with database(kind, f"lockout_notify_{os.getpid()}") as url:
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("COV")},
            "DJANGO_SETTINGS_MODULE": "notifying",
            "PYTHONPATH": f"{tmp_path}:{ROOT}",
            "DEMO_DATA_DIR": str(tmp_path / "data"),
            "DATABASE_URL": url,
        }

        def manage(*arguments: str) -> subprocess.Popen[str]:
            command = [sys.executable, "-m", "django", *arguments]
            pipe = subprocess.PIPE
            return subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True)

        manage("migrate", "-v0").communicate()
        manage("shell", "-v0", "-c", LOCKS).communicate()
        senders = [manage("lockout_notify") for _ in range(SENDERS)]
        for sender in senders:
            sender.communicate()
        manage("shell", "-v0", "-c", LATER).communicate()
        said, _ = manage("lockout_notify").communicate()
    assert "postponed 0." in said
    mails = (tmp_path / "data/mail").glob("*.eml")
    lines = [line for mail in mails for line in mail.read_text().splitlines()]
    addresses = [line for line in lines if line.startswith("To: ")]
    assert len(addresses) == len(set(addresses)) == OWNERS
