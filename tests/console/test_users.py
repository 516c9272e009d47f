"""The users' own admin."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin import ModelAdmin, site
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from lockout_admin import lockout
from lockout_admin.admin import LockedUserAdminMixin
from lockout_admin.models import AccountLock, SuccessfulLogin

from .conftest import confirm, said, undone

pytestmark = pytest.mark.urls("tests.console.urls")

LIST = "/console/auth/user/"


@pytest.fixture
def sam(staff: Any) -> Client:
    """Sam may change users, too."""
    browser: Client = staff("support")
    user = get_user_model().objects.get(username="support")
    user.user_permissions.set(Permission.objects.filter(codename="change_user"))
    return browser


def page(user: Any, name: str = "change") -> str:
    return reverse(f"admin:auth_user_{name}", args=[user.pk], current_app="console")


def shown(answer: Any) -> dict[str, Any]:
    return {user.username: user.lockout_until for user in answer.context["cl"].result_list}


def test_the_list_says_until_when(sam: Client, alice: Any, lock: Any) -> None:
    row = lock("ALICE")
    answer = sam.get(LIST)
    assert shown(answer) == {"alice": row.until, "support": None}
    for text in (
        'class="lockout-remaining"',
        "lockout_admin/console.css",
        "lockout_admin/countdown.js",
    ):
        assert text in answer.content.decode()


def test_a_lock_that_only_the_cache_has_is_shown(sam: Client, alice: Any, lock: Any) -> None:
    lock()
    AccountLock.objects.all().delete()
    assert shown(sam.get(LIST))["alice"] is not None


@pytest.mark.parametrize(("value", "users"), [("yes", {"alice"}), ("no", {"support"})])
def test_a_lock_that_only_the_cache_has_is_found(
    sam: Client, alice: Any, lock: Any, value: str, users: set[str]
) -> None:
    lock("ALICE")
    AccountLock.objects.all().delete()
    assert set(shown(sam.get(LIST, {"locked": value}))) == users


def test_a_lock_that_only_the_cache_has_is_ended(sam: Client, alice: Any, lock: Any) -> None:
    lock()
    AccountLock.objects.all().delete()
    asked = sam.get(page(alice, "unlock"))
    assert undone(asked) == ["alice"]
    assert said(confirm(sam, page(alice, "unlock"), asked)) == "“alice” is unlocked."
    assert not lockout.is_account_locked("alice")
    assert AccountLock.objects.get().ended_by == "support"


@pytest.mark.parametrize(
    ("value", "users"), [("yes", {"alice", "Bob", "Eve.Smith"}), ("no", {"support"}), ("x", set())]
)
def test_the_filter(sam: Client, alice: Any, lock: Any, value: str, users: set[str]) -> None:
    get_user_model().objects.create_user("Bob")
    get_user_model().objects.create_user("Eve.Smith")
    lock("ALICE")
    lock("Bob")
    lock("eve.smith")
    assert set(shown(sam.get(LIST, {"locked": value}))) == users


def test_unlocking_a_selection(sam: Client, alice: Any, lock: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("lockout_admin.engine.releases.CHUNK", 1)
    lock()
    lock("mallory")
    form = {
        "action": "unlock_accounts",
        ACTION_CHECKBOX_NAME: [alice.pk],
        "select_across": 1,
        "index": 0,
    }
    asked = sam.post(LIST, form)
    assert (asked.context["total"], undone(asked)) == (1, ["alice"])
    assert said(confirm(sam, LIST, asked)) == "“alice” is unlocked."
    assert not lockout.is_account_locked("alice")
    assert lockout.is_account_locked("mallory")
    assert {str(entry.get_edited_object()) for entry in LogEntry.objects.all()} == {
        "alice",
        str(AccountLock.objects.get(label="alice")),
    }


def test_all_who_are_locked_are_unlocked_while_the_filter_loses_them(
    sam: Client, alice: Any, lock: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("lockout_admin.engine.releases.CHUNK", 2)
    users = [get_user_model().objects.create_user(f"name{number}") for number in range(5)]
    for user in users:
        lock(user.username)
    form = {
        "action": "unlock_accounts",
        ACTION_CHECKBOX_NAME: [alice.pk],
        "select_across": 1,
        "index": 0,
    }
    asked = sam.post(LIST + "?locked=yes", form)
    assert asked.context["total"] == 5
    assert said(confirm(sam, LIST + "?locked=yes", asked)) == "5 locks ended."
    assert not AccountLock.objects.open().exists()


def test_no_more_names_are_shown_than_fit(
    sam: Client, alice: Any, lock: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("lockout_admin.engine.releases.CHUNK", 2)
    monkeypatch.setattr("lockout_admin.engine.releases.SHOWN", 3)
    keys = [get_user_model().objects.create_user(f"name{number}").pk for number in range(5)]
    for number in range(5):
        lock(f"name{number}")
    asked = sam.post(
        LIST, {"action": "unlock_accounts", ACTION_CHECKBOX_NAME: [alice.pk, *keys], "index": 0}
    )
    assert (len(undone(asked)), asked.context["more"]) == (3, 2)


def test_the_action_at_the_bottom_of_the_list(sam: Client, alice: Any, lock: Any) -> None:
    lock()
    form = {
        "action": ["unlock_accounts", ""],
        "select_across": ["0", "0"],
        ACTION_CHECKBOX_NAME: [alice.pk],
    }
    assert said(confirm(sam, LIST, sam.post(LIST, {**form, "index": 0}))) == "“alice” is unlocked."


def test_a_user_has_a_way_to_be_unlocked(sam: Client, alice: Any, lock: Any) -> None:
    assert page(alice, "unlock") not in sam.get(page(alice)).content.decode()
    lock()
    assert page(alice, "unlock") in sam.get(page(alice)).content.decode()
    answer = confirm(sam, page(alice, "unlock"), sam.get(page(alice, "unlock")))
    assert answer.redirect_chain == [(page(alice), 302)]
    assert not lockout.is_account_locked("alice")


def test_the_way_to_unlock_a_user_and_back_keeps_the_filters(
    sam: Client, alice: Any, lock: Any
) -> None:
    lock()
    query = "?_changelist_filters=q%3Dal"
    assert page(alice, "unlock") + query in sam.get(page(alice) + query).content.decode()
    assert sam.get(page(alice, "unlock") + query).context["back"] == page(alice) + query


def test_a_user_is_still_changed(sam: Client, alice: Any, lock: Any) -> None:
    lock()
    sam.post(
        page(alice),
        {
            "username": "alice",
            "first_name": "Alice",
            "date_joined_0": "2026-01-01",
            "date_joined_1": "12:00",
        },
    )
    alice.refresh_from_db()
    assert alice.first_name == "Alice"


def test_a_lock_that_came_after_the_question_stays(sam: Client, alice: Any, lock: Any) -> None:
    get_user_model().objects.create_user("bob")
    lock()
    form = {"action": "unlock_accounts", ACTION_CHECKBOX_NAME: [1], "select_across": 1, "index": 0}
    asked = sam.post(LIST, form)
    lock("bob")
    assert said(confirm(sam, LIST, asked)) == "“alice” is unlocked."
    assert lockout.is_account_locked("bob")


def test_who_may_not_know_sees_nothing(staff: Any, alice: Any, lock: Any) -> None:
    lock()
    browser = staff("stranger")
    get_user_model().objects.get(username="stranger").user_permissions.set(
        Permission.objects.filter(codename="view_user")
    )
    for url in (LIST, page(alice)):
        assert "locked until" not in browser.get(url).content.decode().lower()
    assert browser.get(LIST, {"locked": "yes"}).status_code in {302, 400}
    assert browser.get(page(alice, "unlock")).status_code == 403


def test_who_may_only_know_cannot_unlock(staff: Any, alice: Any, lock: Any) -> None:
    lock()
    browser = staff("analyst")
    get_user_model().objects.get(username="analyst").user_permissions.add(
        Permission.objects.get(codename="change_user")
    )
    answer = browser.get(page(alice)).content.decode()
    assert "lockout-remaining" in answer
    assert page(alice, "unlock") not in answer
    assert browser.post(page(alice, "unlock")).status_code == 403


@pytest.mark.parametrize("taken", ["view_accountlock", "change_user"])
def test_who_may_not_look_cannot_unlock(sam: Client, alice: Any, lock: Any, taken: str) -> None:
    lock()
    user = get_user_model().objects.get(username="support")
    codenames = {"view_accountlock", "unlock_accountlock", "change_user"} - {taken}
    user.groups.clear()
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    assert sam.get(page(alice, "unlock")).status_code == 403


def test_no_such_user(sam: Client) -> None:
    assert sam.get(f"{LIST}999/unlock/").status_code == 403


def test_a_new_user_is_not_asked_for_a_lock(staff: Any) -> None:
    assert staff("root").get(f"{LIST}add/").status_code == 200


def test_the_mixin_keeps_actions(db: None) -> None:
    class Admin(LockedUserAdminMixin, UserAdmin):  # type: ignore[type-arg]
        actions: Any = ("greet",)

    assert Admin(get_user_model(), site).actions == ["greet", "unlock_accounts"]


def test_the_mixin_leaves_actions_off_that_are_off(db: None) -> None:
    class Admin(LockedUserAdminMixin, UserAdmin):  # type: ignore[type-arg]
        actions: Any = None

    assert Admin(get_user_model(), site).actions is None


def test_the_lock_is_shown_once_where_there_are_no_sections(
    rf: Any, admin_user: Any, alice: Any
) -> None:
    class Admin(LockedUserAdminMixin, ModelAdmin):  # type: ignore[type-arg]
        """Shows all fields there are."""

    request = rf.get("/")
    request.user = admin_user
    fields = flatten_fieldsets(Admin(get_user_model(), site).get_fieldsets(request, alice))
    assert fields.count("locked_until_with_unlock") == 1


def test_the_last_logins_are_on_the_page_of_a_user(staff: Any, alice: Any, enter: Any) -> None:
    browser = staff("root")
    for number in range(7):
        enter("alice@example.com", account=str(alice.pk), ip_address=f"198.51.100.{number}")
    enter("alice", account="4711", ip_address="198.51.100.77")
    SuccessfulLogin.objects.filter(ip_address="198.51.100.6").update(user_agent=None)
    shown = browser.get(page(alice)).content.decode()
    assert shown.count("logged in") == 5
    assert "198.51.100.6" in shown
    assert "198.51.100.1" not in shown
    assert "198.51.100.77" not in shown
    assert "successfullogin/?time=all" not in shown  # this site has no page of logins


def test_a_user_without_logins_has_none_recorded(staff: Any, alice: Any) -> None:
    assert "none recorded" in staff("root").get(page(alice)).content.decode()


def test_who_may_not_see_logins_does_not_see_them_there(sam: Client, alice: Any) -> None:
    user = get_user_model().objects.get(username="support")
    user.groups.clear()
    codenames = ["view_user", "view_accountlock"]
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    assert "last logins" not in sam.get(page(alice)).content.decode().lower()


def test_the_page_of_a_user_leads_to_its_failures(staff: Any, sam: Client, alice: Any) -> None:
    link = "/console/lockout_admin/failedlogin/?time=all&amp;username=alice"
    assert link in staff("root").get(page(alice)).content.decode()
    user = get_user_model().objects.get(username="support")
    user.groups.clear()
    user.user_permissions.add(Permission.objects.get(codename="view_successfullogin"))
    told = sam.get(page(alice)).content.decode()
    assert "none recorded" in told
    assert link not in told
