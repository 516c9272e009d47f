"""Who may do what: role, page, action, forged POST."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin import site
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.test import Client

from lockout_admin import lockout
from lockout_admin.evidence import leads
from lockout_admin.models import AccountLock, ActiveLock, FailedLogin, SuccessfulLogin

from .conftest import list_url, open_null, page_url

ROLES = ["stranger", "analyst", "support", "security", "root"]
MODELS = ["failedlogin", "successfullogin", "activelock", "accountlock"]

#: Method, page -> the status for each of the roles.
PAGES = [
    ("get", "failedlogin list", [403, 200, 200, 200, 200]),
    ("get", "failedlogin page", [403, 200, 200, 200, 200]),
    ("get", "successfullogin list", [403, 200, 200, 200, 200]),
    ("get", "successfullogin page", [403, 200, 200, 200, 200]),
    ("get", "successfullogin export", [403, 403, 403, 200, 200]),
    ("get", "successfullogin history", [403, 200, 200, 200, 200]),
    ("get", "successfullogin add", [403] * 5),
    ("post", "successfullogin add", [403] * 5),
    ("get", "successfullogin delete", [403] * 5),
    ("post", "successfullogin delete", [403] * 5),
    ("post", "successfullogin page", [403] * 5),
    ("get", "activelock list", [403, 200, 200, 200, 200]),
    ("get", "activelock page", [403, 200, 200, 200, 200]),
    ("get", "activelock export", [403, 403, 403, 200, 200]),
    ("post", "activelock export", [403, 403, 403, 200, 200]),
    ("get", "accountlock list", [403, 200, 200, 200, 200]),
    ("get", "accountlock page", [403, 200, 200, 200, 200]),
    ("get", "accountlock policy", [403, 200, 200, 200, 200]),
    ("post", "accountlock policy", [405] * 5),
    ("get", "accountlock policy/try", [403, 200, 200, 200, 200]),
    ("post", "accountlock policy/try", [403, 200, 200, 200, 200]),
    ("put", "accountlock policy/try", [405] * 5),
    ("get", "accountlock search", [403, 200, 200, 200, 200]),
    ("post", "accountlock search", [405] * 5),
    ("get", "accountlock name", [403, 200, 200, 200, 200]),
    ("post", "accountlock name", [405] * 5),
    ("get", "accountlock name/unlock", [403, 403, 200, 200, 200]),
    ("post", "accountlock name/unlock", [403, 403, 200, 200, 200]),
    ("get", "accountlock network", [403, 200, 200, 200, 200]),
    ("post", "accountlock network", [405] * 5),
    ("get", "activelock history", [302] * 5),
    ("get", "accountlock history", [403, 200, 200, 200, 200]),
    ("get", "activelock unlock", [403, 403, 200, 200, 200]),
    ("post", "activelock unlock", [403, 403, 200, 200, 200]),
    ("get", "activelock record", [403] * 5),
    ("post", "activelock record", [403, 403, 302, 302, 302]),
    ("get", "activelock add", [403, 403, 403, 200, 200]),
    ("post", "activelock add", [403, 403, 403, 302, 302]),
    ("get", "failedlogin add", [403] * 5),
    ("post", "failedlogin add", [403] * 5),
    ("get", "accountlock add", [403] * 5),
    ("post", "accountlock add", [403] * 5),
    ("get", "failedlogin delete", [403] * 5),
    ("post", "failedlogin delete", [403] * 5),
    ("get", "activelock delete", [403] * 5),
    ("post", "activelock delete", [403] * 5),
    ("post", "accountlock delete", [403] * 5),
    ("post", "failedlogin page", [403] * 5),
    ("post", "activelock page", [403] * 5),
    ("post", "accountlock page", [403] * 5),
]


@pytest.fixture
def records(fail: Any, enter: Any, lock: Any) -> dict[str, Any]:
    row = lock()
    success = enter()
    return {
        "failedlogin": fail(),
        "successfullogin": success,
        "activelock": row,
        "accountlock": row,
    }


def url_of(page: str, records: dict[str, Any]) -> str:
    model, name = page.split()
    if name == "network":
        return leads.to_network("admin", "203.0.113.7")
    if name.startswith("name"):
        return leads.to_name("admin", "alice") + ("unlock/" if "/" in name else "")
    if name in {"list", "add", "record", "export", "policy", "policy/try", "search"}:
        return list_url(model) + ("" if name == "list" else f"{name}/")
    return page_url(records[model], model, {"page": "change"}.get(name, name))


@pytest.mark.parametrize("role", ROLES)
def test_pages(staff: Any, records: Any, role: str) -> None:
    get_user_model().objects.create_user("eve")
    form = {"username": "eve", "duration": "900", "note": "Stolen", "post": "yes"}
    browser, place = staff(role), ROLES.index(role)
    answers = [
        (method, page, getattr(browser, method)(url_of(page, records), sent).status_code)
        for method, page, _statuses in PAGES
        for sent in [form if method == "post" else {}]
    ]
    expected = [(method, page, statuses[place]) for method, page, statuses in PAGES]
    assert answers == expected
    assert FailedLogin.objects.get().username == "alice"
    assert SuccessfulLogin.objects.earliest("pk").username == "alice"
    assert AccountLock.objects.earliest("pk").label == "alice"


@pytest.mark.parametrize("model", MODELS)
def test_nobody_comes_in_without_being_staff(alice: Any, records: Any, model: str) -> None:
    browser = Client()
    browser.force_login(alice)
    assert browser.get(list_url(model)).status_code == 302
    assert browser.get(page_url(records["activelock"], "activelock", "unlock")).status_code == 302


@pytest.mark.parametrize(
    ("model", "role", "actions"),
    [
        ("activelock", "analyst", []),
        ("activelock", "support", ["unlock"]),
        ("activelock", "root", ["unlock", "export_selected"]),
        ("failedlogin", "analyst", []),
        ("failedlogin", "support", []),
        ("failedlogin", "root", ["export_selected"]),
        ("successfullogin", "support", []),
        ("successfullogin", "root", ["export_selected"]),
        ("accountlock", "support", []),
        ("accountlock", "root", ["export_selected"]),
    ],
)
def test_actions_that_are_offered(
    staff: Any, records: Any, model: str, role: str, actions: list[str]
) -> None:
    form = staff(role).get(list_url(model)).context["action_form"]
    assert (
        [name for name, _ in form.fields["action"].choices if name] == actions
        if actions
        else form is None
    )


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("action", ["unlock", "delete_selected", "no_such_action"])
def test_forged_actions(staff: Any, records: Any, role: str, model: str, action: str) -> None:
    form = {
        "action": action,
        ACTION_CHECKBOX_NAME: [records[model].pk],
        "select_across": 1,
        "post": "yes",
    }
    answer = staff(role).post(list_url(model), {**form, "reason": "Ticket 4711", "index": 0})
    assert answer.status_code in {200, 302, 403}
    assert lockout.is_account_locked("alice")
    assert FailedLogin.objects.exists()
    assert SuccessfulLogin.objects.exists()
    assert AccountLock.objects.exists()


def test_the_unlock_link_is_for_those_who_may(staff: Any, records: Any) -> None:
    assert "lockout-unlock" in staff("support").get(list_url("activelock")).content.decode()
    assert "lockout-unlock" not in staff("analyst").get(list_url("activelock")).content.decode()


def test_who_may_not_look_cannot_unlock(staff: Any, records: Any) -> None:
    browser = staff("stranger")
    user = get_user_model().objects.get(username="stranger")
    user.user_permissions.set(Permission.objects.filter(codename="unlock_accountlock"))
    assert browser.get(page_url(records["activelock"], "activelock", "unlock")).status_code == 403


def test_a_permission_that_was_taken_away_counts_at_once(staff: Any, records: Any) -> None:
    url = page_url(records["activelock"], "activelock", "unlock")
    sam = staff("support")
    token = dict(sam.get(url).context["hidden"])["token"]
    Group.objects.all().delete()
    assert sam.post(url, {"token": token, "reason": "Ticket 4711"}).status_code == 403
    assert lockout.is_account_locked("alice")


def test_the_action_asks_for_the_permission_itself(rf: Any, alice: Any, records: Any) -> None:
    request = rf.post("/")
    request.user = alice
    screen: Any = site.get_model_admin(ActiveLock)
    with pytest.raises(PermissionDenied):
        screen.unlock(request, ActiveLock.objects.all())


# -- lockout_groups -----------------------------------------------------------------------------


def test_the_groups(db: None) -> None:
    for _ in range(2):
        call_command("lockout_groups", stdout=open_null())
    permissions = {
        group.name: set(group.permissions.values_list("codename", flat=True))
        for group in Group.objects.all()
    }
    support = {
        *("view_failedlogin", "view_successfullogin", "view_accountlock", "view_networkrule"),
        *("view_incident", "unlock_accountlock", "view_trusteddevice", "revoke_trusteddevice"),
    }
    assert permissions == {
        "lockout support": support,
        "lockout security": support
        | {
            "lock_accountlock",
            "export_failedlogin",
            "export_successfullogin",
            "export_accountlock",
            "view_auditentry",
            *("change_incident", "view_exemption", "change_exemption", "receive_alerts"),
            *(f"{verb}_networkrule" for verb in ("add", "change", "delete", "export")),
        },
    }


def test_the_groups_need_the_permissions(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lockout_admin.management.commands.lockout_groups.GROUPS", {"x": ["fly"]})
    with pytest.raises(CommandError, match=r"manage\.py migrate"):
        call_command("lockout_groups")
    assert not Group.objects.exists()


def test_the_groups_say_so(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("lockout_groups")
    call_command("lockout_groups")
    assert "'lockout support' created" in (out := capsys.readouterr().out)
    assert "'lockout support' is up to date" in out
