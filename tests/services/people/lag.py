"""Locks and unlocks, in the console and by commands, while a replica never catches up."""

from __future__ import annotations

from . import walk

# isort: split
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connections
from django.test.utils import setup_test_environment

from lockout_admin.models import AccountLock, FailedLogin


def main() -> None:
    setup_test_environment()
    for alias in connections:
        call_command("migrate", run_syncdb=True, database=alias, verbosity=0)
    browser, account, spellings = walk.populate("Hidden")
    walk.attack(account, spellings)
    assert not AccountLock.objects.using("replica").exists()
    assert not FailedLogin.objects.exists()
    users = get_user_model()._meta.label_lower.replace(".", "_")
    shown = browser.get(walk.url(users, "changelist") + "?locked=yes")
    assert [*shown.context["cl"].result_list] == [account]
    row = AccountLock.objects.fresh().open().filter(label=spellings[0]).get()
    for model in ("activelock", "accountlock"):
        walk.opened(browser.get(walk.url(f"lockout_admin_{model}", "changelist")))
        page = browser.get(walk.url(f"lockout_admin_{model}", "change", row.pk))
        assert page.status_code == 200, page
    walk.actions(browser, users, account, spellings)
    walk.lock_commands(spellings)


if __name__ == "__main__":
    main()
