"""Goes through every screen, action, command and format of the site; fails where one does."""

from __future__ import annotations

import io
import json
import os
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any

import django

django.setup()

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME  # noqa: E402
from django.contrib.auth import authenticate, get_user_model  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, connections  # noqa: E402
from django.test import Client, RequestFactory  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402
from django.urls import reverse  # noqa: E402

from lockout_admin import lockout  # noqa: E402
from lockout_admin.exports.formats import FORMATS  # noqa: E402
from lockout_admin.models import AccountLock, FailedLogin  # noqa: E402
from tests.people.models import Employee  # noqa: E402

#: Model -> spellings of one account, and a member of staff.
NAMES: dict[str, tuple[list[Any], Any]] = {
    "Numbered": (["7", "007", "+7"], 1),
    "Identified": ([str(uuid.UUID(int=7)), uuid.UUID(int=7).hex], uuid.UUID(int=1)),
    "Related": (["7", "007", "+7"], 1),
    "Dialled": (["4930123456", "+49 (30) 123-456"], "115"),
    "Hidden": (["dave"], "olga"),
    "Phoned": (["+4930901820", "030 901820", "+49 (30) 90 18-20", "tel:+4930901820"], "030115"),
}
#: What strangers type.
STRANGE = [
    "alice",
    "9" * 40,
    "-1",
    "x" * 36,
    "a@example.com",
    "",
    "'; --",
    "\0",
    "٧٧",
    "1e5",
    "⟨7⟩",
]
RECORDS = ["", "?time=all", "?q=7", "?q=alice", "?username=alice", "?username=7", "?q=%2B49+30"]
RECORDS += ["?time=7d&match=contains&username=a", "?match=prefix&username=0"]
FAILURES = ["?account=yes", "?account=no", "?account=yes&username=alice", "?pattern=names&time=7d"]
USERS = ["", "?locked=yes", "?locked=no"]


def url(model: str, page: str, *args: Any) -> str:
    return reverse(f"admin:{model}_{page}", args=args)


def opened(answer: Any) -> Any:
    assert answer.status_code in {200, 302}, (answer.status_code, answer.content[:2000])
    return answer


def populate(model: str) -> tuple[Client, Any, list[str]]:
    spellings, boss = NAMES[model]
    people = get_user_model()._default_manager
    if model == "Related":
        for number in (1, 7):
            Employee._default_manager.create(number=number, name=f"Person {number}")
    staff = people.create_user(boss, "right", is_staff=True)
    account = people.create_user(spellings[0], "right")
    account.refresh_from_db()
    browser = Client()
    browser.force_login(staff)
    return browser, account, spellings


def attack(account: Any, spellings: list[str]) -> None:
    """Four wrong passwords lock the account, in whichever spellings."""
    for typed in spellings:
        assert authenticate(None, username=typed, password="right") == account, typed
    request = RequestFactory(REMOTE_ADDR="203.0.113.5").post("/login/")
    for number in range(4):
        typed = spellings[number % len(spellings)]
        assert authenticate(request, username=typed, password=f"wrong {number}") is None
    for typed in spellings:
        assert lockout.is_account_locked(typed), typed
        assert authenticate(None, username=typed, password="right") is None
    for place, typed in enumerate(STRANGE):
        # Each comes from elsewhere: a network has limits of its own.
        request = RequestFactory(REMOTE_ADDR=f"198.51.100.{place}").post("/login/")
        for number in range(4):
            authenticate(request, username=typed, password=f"wrong {number}")
        assert lockout.is_account_locked(typed), typed
    for typed in spellings:
        FailedLogin.objects.create(typed)


def screens(browser: Client, users: str, account: Any, spellings: list[str]) -> None:
    lists = [f"lockout_admin_{name}" for name in ("failedlogin", "activelock", "accountlock")]
    asked = [*((name, RECORDS) for name in lists), (lists[0], FAILURES), (users, USERS)]
    for model, queries in asked:
        for query in queries:
            opened(browser.get(url(model, "changelist") + query))
    for model, rows in ((lists[0], FailedLogin), (lists[1], AccountLock), (lists[2], AccountLock)):
        for row in rows.objects.all():
            opened(browser.get(url(model, "change", row.pk)))
            opened(browser.get(url(model, "history", row.pk)))
    opened(browser.get(url(users, "change", account.pk)))
    opened(browser.get(reverse("admin:app_list", args=["lockout_admin"])))
    shown = browser.get(url(lists[0], "changelist") + "?account=yes")
    found = {row.username for row in shown.context["cl"].result_list}
    assert found == set(spellings), found
    shown = browser.get(url(users, "changelist") + "?locked=yes")
    assert [*shown.context["cl"].result_list] == [account]


def exports(browser: Client) -> None:
    for model in ("failedlogin", "accountlock"):
        page = url(f"lockout_admin_{model}", "export")
        for query in ("", "?time=all", "?username=alice", "?account=yes"):
            if query == "?account=yes" and model == "accountlock":
                continue
            opened(browser.get(page + query))
            for number in range(len(FORMATS)):
                form = browser.get(page + query).context["form"]
                fields = {name: "on" for name in form.fields if form.fields[name].initial is True}
                answer = opened(browser.post(page + query, {**fields, "format": number}))
                assert answer.streaming, answer.content[:2000]
                assert b"".join(answer.streaming_content)
    row = FailedLogin.objects.latest("pk")
    chosen = {"action": "export_selected", ACTION_CHECKBOX_NAME: [row.pk]}
    opened(browser.post(url("lockout_admin_failedlogin", "changelist"), chosen))


def consent(answer: Any) -> dict[str, str]:
    """Return the consent that a warning asks for."""
    form = answer.context["adminform"].form
    return {"anyway": form.fields["anyway"].widget.attrs.get("value", "")}


def confirmed(browser: Client, page: str, asked: Any) -> str:
    fields: dict[str, list[str]] = {}
    for name, value in opened(asked).context["hidden"]:
        fields.setdefault(name, []).append(value)
    answers = {"reason": "Ticket 4711", "by_hand": "on"}
    done = opened(browser.post(page, {**fields, **answers}, follow=True))
    return " ".join(map(str, done.context["messages"]))


def actions(browser: Client, users: str, account: Any, spellings: list[str]) -> None:
    active = url("lockout_admin_activelock", "changelist")
    add = url("lockout_admin_activelock", "add")

    def lock(name: str) -> Any:
        form = {"username": name, "duration": "3600", "note": "Phishing report", "seconds": ""}
        opened(browser.get(add))
        said = opened(browser.post(add, form, follow=True))
        if not lockout.is_account_locked(name):  # asked for a consent of its own
            opened(browser.post(add, {**form, **consent(said)}, follow=True))
        assert lockout.is_account_locked(name), said.content[:3000]
        return AccountLock.objects.fresh().open().filter(reason="manual").latest("pk")

    def row_of(name: str) -> Any:
        lockout.unlock_account(name)
        return lock(name)

    # One row, a selection, all that match, one user, a selection of users.
    row = row_of(spellings[-1])
    page = url("lockout_admin_activelock", "unlock", row.pk)
    assert "unlocked" in confirmed(browser, page, browser.get(page))
    row = row_of(spellings[0])
    chosen = {"action": "unlock", ACTION_CHECKBOX_NAME: [row.pk]}
    assert "unlocked" in confirmed(browser, active, browser.post(active, chosen))
    row_of(spellings[0])
    page = url(users, "unlock", account.pk)
    assert "unlocked" in confirmed(browser, page, browser.get(page))
    row_of(spellings[0])
    people = url(users, "changelist")
    chosen = {"action": "unlock_accounts", ACTION_CHECKBOX_NAME: [account.pk]}
    assert "unlocked" in confirmed(browser, people, browser.post(people, chosen))
    row_of("bob")
    row_of(spellings[0])
    some = AccountLock.objects.fresh().open().latest("pk")
    every = {"action": "unlock", "select_across": "1", ACTION_CHECKBOX_NAME: [some.pk]}
    assert "ended" in confirmed(browser, active, browser.post(active, every))
    assert not AccountLock.objects.fresh().open().exists()


def said_by(*command: str) -> str:
    out, err = io.StringIO(), io.StringIO()
    call_command(*command, stdout=out, stderr=err)
    return out.getvalue() + err.getvalue()


def lock_commands(spellings: list[str]) -> None:
    said_by("lockout_lock", "alice", spellings[-1], "--seconds", "600")
    lines = said_by("lockout_list", "--json").splitlines()
    assert {json.loads(line)["username"] for line in lines} == {"alice", spellings[-1]}
    said_by("lockout_list")
    assert "Unlocked 1 username." in said_by("lockout_unlock", spellings[0])
    assert "was not locked" in said_by("lockout_unlock", spellings[0], "nobody")
    assert "Unlocked 1 username." in said_by("lockout_unlock", "--all")


def commands() -> None:
    wanted = [("failures", "account=yes"), ("failures", "time=all"), ("locks", "time=all")]
    with tempfile.TemporaryDirectory() as folder:
        for records, where in [
            *wanted,
            ("failures", "username=alice"),
        ]:
            for number, file_format in enumerate(FORMATS):
                path = Path(folder) / f"{records}-{number}.{file_format.extension}"
                said_by(
                    "lockout_export", records, "--where", where, "--output", str(path), "--force"
                )
                assert path.stat().st_size
    said_by("lockout_prune", "--dry-run")
    said_by("lockout_prune", "--days", "0.000001")
    said_by("lockout_groups")
    assert not FailedLogin.objects.exists()


def main() -> None:
    setup_test_environment()
    for alias in connections:
        call_command("migrate", run_syncdb=True, database=alias, verbosity=0)
    model = os.environ["USER_MODEL"].partition(".")[2]
    users = get_user_model()._meta.label_lower.replace(".", "_")
    browser, account, spellings = populate(model)
    attack(account, spellings)
    screens(browser, users, account, spellings)
    exports(browser)
    actions(browser, users, account, spellings)
    lock_commands(spellings)
    commands()
    assert AccountLock.objects.db == os.environ.get("RECORDS", "default")
    sys.stdout.write(f"{model} on {connection.vendor}: all is well\n")


if __name__ == "__main__":
    main()
