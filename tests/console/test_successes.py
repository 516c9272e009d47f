"""The screen of successful logins, and where other screens ask whether anybody got in."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.contrib.admin import site
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from lockout_admin.admin.successes import last_logins
from lockout_admin.admin.visits import VisitAdmin
from lockout_admin.models import FailedLogin, SuccessfulLogin

from .conftest import FIREFOX, list_url, names, page_url, said

LIST = list_url("successfullogin")
FAILURES = list_url("failedlogin")
INDEX = "/admin/lockout_admin/"


@pytest.fixture
def analyst(staff: Any) -> Client:
    browser: Client = staff("analyst")
    SuccessfulLogin.objects.all().delete()  # her own login
    return browser


def allow(username: str, *codenames: str) -> None:
    user = get_user_model().objects.get(username=username)
    user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))


def messages(answer: Any) -> str:
    return " ".join(map(str, answer.context["messages"]))


# -- The screen ---------------------------------------------------------------------------------


def test_the_newest_is_first(analyst: Client, enter: Any) -> None:
    for number in range(3):
        enter(f"name{number}", ago=number)
    assert names(analyst.get(LIST)) == ["name0", "name1", "name2"]


def test_a_row_says_all(analyst: Client, alice: Any, enter: Any) -> None:
    enter("alice@example.com", account=str(alice.pk), event="verified")
    page = analyst.get(LIST).content.decode()
    for text in ("alice@example.com", "<bdi>alice</bdi>", "203.0.113.7", "/24", FIREFOX[:50]):
        assert text in page
    assert "right password, no session" in page


def test_the_page_of_a_record_says_it_too(analyst: Client, alice: Any, enter: Any) -> None:
    page = analyst.get(page_url(enter(account=str(alice.pk)))).content.decode()
    for text in ("<bdi>alice</bdi>", "203.0.113.7", FIREFOX[:30], "/login/", "logged in"):
        assert text in page


@pytest.mark.parametrize("account", ["4711", "0b7a8f3e-uuid", "x" * 255, "9" * 30])
def test_an_account_that_is_gone_is_said_to_be(analyst: Client, enter: Any, account: str) -> None:
    enter(account=account)
    assert "deleted" in analyst.get(LIST).content.decode()


def test_an_account_that_was_not_told_is_unknown(analyst: Client, enter: Any) -> None:
    enter()
    assert "unknown" in analyst.get(LIST).content.decode()


def test_who_may_see_users_gets_to_them(analyst: Client, alice: Any, enter: Any) -> None:
    enter(account=str(alice.pk))
    url = f"/admin/auth/user/{alice.pk}/change/"
    assert url not in analyst.get(LIST).content.decode()
    allow("analyst", "view_user")
    assert url in analyst.get(LIST).content.decode()


def test_a_site_whose_users_have_no_admin_is_shown_names(
    analyst: Client, alice: Any, enter: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(account=str(alice.pk))
    allow("analyst", "change_user")
    monkeypatch.setattr(get_user_model()._meta, "model_name", "nobody")
    monkeypatch.setattr("lockout_admin.admin.successes._permission", lambda verb: "auth.view_user")
    allow("analyst", "view_user")
    page = analyst.get(LIST).content.decode()
    assert "<bdi>alice</bdi>" in page
    assert "/change/" in page  # of the record


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?username=ALICE", ["alice"]),
        ("?account=7", ["alice"]),
        ("?net=203.0.113.0/24", ["alice"]),
        ("?net=10.0.0.0/8", ["bob"]),
        ("?event=login", ["bob"]),
        ("?event=verified,logout", ["alice"]),
        ("?agent=curl", ["bob"]),
        ("?path=login", ["bob", "alice"]),
        ("?q=al", ["alice"]),
        ("?q=10.0.0.1", ["bob"]),
    ],
)
def test_filters(analyst: Client, enter: Any, query: str, found: list[str]) -> None:
    enter("alice", account="7", event="verified", ago=1)
    enter("bob", agent="curl/8", ip_address="10.0.0.1")
    assert names(analyst.get(LIST + query)) == found


@pytest.mark.parametrize("served", ["net=::/0", "agent=x", "account=7", "failed=eve"])
def test_a_path_is_looked_for_in_a_week_or_beside_a_filter_with_an_index(
    analyst: Client, enter: Any, served: str
) -> None:
    assert analyst.get(f"{LIST}?time=90d&path=api").context["cl"].result_count == 0
    assert "at most 7 days" in analyst.get(f"{LIST}?time=90d&path=api").content.decode()
    answer = analyst.get(f"{LIST}?time=90d&path=api&{served}").content.decode()
    assert "at most 7 days" not in answer


def test_logins_from_the_addresses_that_failed_on_a_name(
    analyst: Client, fail: Any, enter: Any
) -> None:
    fail("alice", ip_address="198.51.100.1")
    fail("alice", ip_address="198.51.100.2", ago=7200)
    fail("alice", ip_address=None)
    fail("zoe", ip_address="198.51.100.9")
    for number, address in enumerate(("198.51.100.1", "198.51.100.2", "198.51.100.9", None)):
        enter(f"victim{number}", ip_address=address)
    assert names(analyst.get(f"{LIST}?failed=ALICE&time=all")) == ["victim1", "victim0"]
    assert names(analyst.get(f"{LIST}?failed=alice&time=1h")) == ["victim0"]
    assert names(analyst.get(f"{LIST}?failed=nobody")) == []


def test_logins_are_not_asked_for_failures_by_who_may_not_see_these(
    staff: Any, fail: Any, enter: Any
) -> None:
    fail("alice")
    enter("bob")
    browser = staff("stranger")
    stranger = get_user_model().objects.get(username="stranger")
    stranger.user_permissions.set(Permission.objects.filter(codename="view_successfullogin"))
    assert "bob" in names(browser.get(f"{LIST}?time=all"))
    answer = browser.get(f"{LIST}?failed=alice&time=1h")
    assert names(answer) == []
    assert "Any time" not in said(answer)


# -- From one to the other ----------------------------------------------------------------------


@pytest.mark.parametrize("model", ["failedlogin", "successfullogin"])
def test_a_record_leads_to_all_of_its_name_and_address(
    analyst: Client, fail: Any, enter: Any, model: str
) -> None:
    row = {"failedlogin": fail, "successfullogin": enter}[model](ip_address="2001:db8::7")
    page = unescape(analyst.get(page_url(row)).content.decode())
    for other in (LIST, FAILURES):
        assert f'href="{other}?time=all&username=alice"' in page
        assert f'href="{other}?time=all&net=2001%3Adb8%3A%3A7"' in page


def test_a_record_without_name_and_address_leads_nowhere(analyst: Client, enter: Any) -> None:
    page = analyst.get(page_url(enter("", ip_address=None))).content.decode()
    assert "?time=all" not in page


def test_who_may_not_see_logins_is_not_led_to_them(analyst: Client, fail: Any, enter: Any) -> None:
    enter()
    user = get_user_model().objects.get(username="analyst")
    user.user_permissions.set(Permission.objects.filter(codename="view_failedlogin"))
    page = analyst.get(page_url(fail())).content.decode()
    assert f"{FAILURES}?" in page
    assert f"{LIST}?" not in page
    assert messages(analyst.get(f"{FAILURES}?username=alice")) == ""


def test_what_the_screens_share_is_in_one_place() -> None:
    for model in (FailedLogin, SuccessfulLogin):
        assert isinstance(site.get_model_admin(model), VisitAdmin)


def test_the_logins_on_the_page_of_a_user_lead_to_all_of_them(alice: Any, enter: Any) -> None:
    enter(account=str(alice.pk), ip_address=None)
    assert f'href="{LIST}?time=all&amp;account={alice.pk}"' in last_logins("admin", alice)


# -- Did they get in? ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "filters"),
    [
        ("username=alice", "failed=alice"),
        ("username=alice&time=1h", "failed=alice&time=1h"),
        ("username=alice&match=exact", "failed=alice"),
        ("net=198.51.100.0/24", "net=198.51.100.0%2F24"),
        ("net=198.51.100.0/24&username=alice", "net=198.51.100.0%2F24&failed=alice"),
        ("net=198.51.100.0/24&username=al&match=prefix", "net=198.51.100.0%2F24"),
    ],
)
def test_failures_of_a_name_or_network_say_how_many_got_in(
    analyst: Client, fail: Any, enter: Any, query: str, filters: str
) -> None:
    fail(ip_address="198.51.100.1")
    enter("carol", ip_address="198.51.100.1", event="verified")
    enter("carol", ip_address="198.51.100.1", event="logout")
    enter("bob", ip_address="203.0.113.1")
    told = unescape(messages(analyst.get(f"{FAILURES}?{query}")))
    assert "there was 1 login from these addresses" in told
    for filter_ in [*filters.split("&"), "event=login%2Cverified"]:
        assert filter_ in told
    url = told.partition('href="')[2].partition('"')[0]
    assert names(analyst.get(url)) == ["carol"]


def test_several_are_counted(analyst: Client, fail: Any, enter: Any) -> None:
    fail()
    enter()
    enter()
    assert "there were 2 logins from" in messages(analyst.get(f"{FAILURES}?username=alice"))


def test_counting_ends_somewhere(
    analyst: Client, fail: Any, enter: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lockout_admin.evidence.entered.CAP", 1)
    monkeypatch.setattr("lockout_admin.admin.failures.CAP", 1)
    fail()
    enter()
    enter()
    assert "1+ login" in messages(analyst.get(f"{FAILURES}?username=alice"))


def test_nobody_got_in(analyst: Client, fail: Any, enter: Any) -> None:
    fail(ip_address="198.51.100.1")
    enter()
    told = messages(analyst.get(f"{FAILURES}?username=alice"))
    assert "nobody logged in from these addresses" in told


@pytest.mark.parametrize(
    "query",
    [
        *("", "?time=1h", "?username=al&match=prefix", "?net=nonsense", "?outcome=locked"),
        # Without a failure there is no address.
        "?username=bob",
    ],
)
def test_of_other_selections_nothing_is_said(analyst: Client, fail: Any, query: str) -> None:
    fail()
    assert "logged in from" not in messages(analyst.get(FAILURES + query))


def test_an_action_says_nothing_of_it(staff: Any, fail: Any) -> None:
    row = fail()
    form = {"action": "export_selected", "_selected_action": [row.pk], "index": 0}
    answer = staff("root").post(f"{FAILURES}?username=alice", form)
    assert "logged in from" not in answer.content.decode()


# -- The first look -----------------------------------------------------------------------------


def test_the_first_look_draws_logins(analyst: Client, fail: Any, enter: Any) -> None:
    fail(ip_address="198.51.100.1")
    enter("bob")
    assert "lockout-chart-successes" in analyst.get(INDEX).content.decode()


def test_who_may_not_see_logins_gets_no_figure_of_them(
    analyst: Client, fail: Any, enter: Any
) -> None:
    fail()
    enter()
    user = get_user_model().objects.get(username="analyst")
    codenames = ["view_failedlogin", "view_accountlock"]
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    page = analyst.get(INDEX).content.decode()
    assert "lockout-chart-failures" in page
    assert "lockout-chart-successes" not in page


# -- What is known of a failure's password ------------------------------------------------------


@pytest.mark.parametrize(("common", "said"), [(True, True), (False, False), (None, False)])
def test_a_common_password_is_said_to_be_one(
    analyst: Client, fail: Any, common: bool | None, said: bool
) -> None:
    row = fail(common=common)
    cell = '<small class="lockout-known">common password</small>'
    assert (cell in analyst.get(FAILURES).content.decode()) is said
    assert (cell in analyst.get(page_url(row)).content.decode()) is said


@pytest.mark.parametrize(("value", "found"), [("yes", ["a"]), ("no", ["b"])])
def test_common_passwords_can_be_filtered(
    analyst: Client, fail: Any, value: str, found: list[str]
) -> None:
    for name, common in (("a", True), ("b", False), ("c", None)):
        fail(name, common=common)
    assert names(analyst.get(f"{FAILURES}?common={value}")) == found
