"""The screen of network rules: block, allow, and be warned."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from unittest.mock import Mock
from urllib.parse import quote_plus

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client, override_settings
from django.utils import timezone
from freezegun import freeze_time

from lockout_admin.admin import selections
from lockout_admin.models import AccountLock, AuditEntry, NetworkRule

from ..conftest import request_from
from .conftest import confirm, consent, insist, list_url, page_url, said

LIST = list_url("networkrule")
ADD = LIST + "add/"
FORM = {"cidr": "198.51.100.0/24", "action": "block", "duration": "86400", "reason": "Scanner"}


@pytest.fixture
def olga(staff: Any) -> Client:
    browser: Client = staff("security")
    return browser


def rule(cidr: str = "198.51.100.0/24", **fields: Any) -> NetworkRule:
    made: NetworkRule = NetworkRule.objects.create(cidr=cidr, **fields)
    return made


def cidrs(answer: Any) -> list[str]:
    return [row.cidr for row in answer.context["cl"].result_list]


def errors(answer: Any) -> str:
    if answer.context is None:
        return ""
    form = answer.context["adminform"].form
    return " ".join(str(error) for some in form.errors.values() for error in some)


def deeds() -> list[tuple[str, str, str]]:
    rows = AuditEntry.objects.order_by("pk")
    return list(rows.values_list("actor", "action", "label"))


# -- Blocking -----------------------------------------------------------------------------------


def test_blocking_a_network(olga: Client) -> None:
    answer = olga.post(ADD, {**FORM, "_save": "Save"}, follow=True)
    row = NetworkRule.objects.get()
    assert (row.cidr, row.action, row.reason, row.source) == (
        "198.51.100.0/24",
        "block",
        "Scanner",
        "",
    )
    assert row.created_by == "security"
    assert row.until is not None
    assert abs(row.until - timezone.now() - timedelta(days=1)) < timedelta(minutes=1)
    assert deeds() == [("security", "block", "198.51.100.0/24")]
    assert LogEntry.objects.get().change_message.startswith("block 198.51.100.0/24 until ")
    assert cidrs(answer) == ["198.51.100.0/24"]


def test_allowing_one_for_ever(olga: Client) -> None:
    olga.post(ADD, {**FORM, "action": "allow", "duration": "ever"})
    row = NetworkRule.objects.get()
    assert (row.action, row.until) == ("allow", None)
    assert deeds() == [("security", "allow", "198.51.100.0/24")]


def test_blocking_until_a_moment(olga: Client) -> None:
    until = timezone.localtime() + timedelta(days=3)
    olga.post(ADD, {**FORM, "duration": "at", "at": f"{until:%Y-%m-%dT%H:%M:%S}"})
    row = NetworkRule.objects.get()
    assert row.until is not None
    assert abs(row.until - until) < timedelta(seconds=1)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"cidr": "198.51.100.7/24"}, "Do you mean the network 198.51.100.0/24, or 198.51.100.7?"),
        ({"cidr": "2001:db8::7/64"}, "Do you mean the network 2001:db8::/64, or 2001:db8::7?"),
        ({"cidr": "everybody"}, "is no address and no network"),
        ({"cidr": "198.51.100.0/33"}, "is no address and no network"),
        ({"cidr": "fe80::1%eth0"}, "is no address and no network"),
        ({"cidr": "198.51.100.0/24, 192.0.2.0/24"}, "is no address and no network"),
        ({"cidr": ""}, "required"),
        ({"reason": ""}, "required"),
        ({"reason": "x"}, "at least 3"),
        ({"action": "bless"}, "not one of the available choices"),
        ({"duration": "5"}, "not one of the available choices"),
        ({"duration": "at"}, "Give the moment."),
        ({"duration": "at", "at": "2001-01-01T00:00"}, "This moment is over."),
        ({"duration": "at", "at": "9999-01-01T00:00"}, "out of range"),
        ({"duration": "at", "at": "soon"}, "Enter a valid date/time."),
    ],
)
def test_what_is_wrong_is_said(olga: Client, changes: Any, expected: str) -> None:
    assert expected in errors(olga.post(ADD, {**FORM, **changes}))
    assert not NetworkRule.objects.exists()


def test_one_spelling_of_a_network(olga: Client) -> None:
    olga.post(ADD, {**FORM, "cidr": " 2001:0DB8:0:0:0::/48 "})
    assert NetworkRule.objects.get().cidr == "2001:db8::/48"


def test_a_second_rule_for_the_same_network_is_a_change_of_the_first(olga: Client) -> None:
    rule()
    assert "There is a rule for 198.51.100.0/24 already" in errors(olga.post(ADD, FORM))


def test_one_that_has_ended_is_in_nobodys_way(olga: Client) -> None:
    rule(until=timezone.now())
    olga.post(ADD, FORM)
    assert NetworkRule.objects.get().reason == "Scanner"


def test_one_that_a_list_brought_is_in_nobodys_way(olga: Client) -> None:
    rule(source="drop")
    olga.post(ADD, FORM)
    assert NetworkRule.objects.count() == 2


def test_what_is_allowed_can_not_be_blocked(olga: Client) -> None:
    rule(action="allow")
    assert "is allowed, which is stronger" in errors(olga.post(ADD, FORM))


# -- Warnings -----------------------------------------------------------------------------------


@pytest.mark.parametrize("cidr", ["0.0.0.0/0", "0.0.0.0/1", "::/0", "2000::/3"])
@pytest.mark.parametrize("action", ["block", "allow"])
def test_everybody_needs_a_consent(olga: Client, cidr: str, action: str) -> None:
    form = {**FORM, "cidr": cidr, "action": action}
    assert "a good part of all addresses" in errors(olga.post(ADD, form))
    assert not NetworkRule.objects.exists()
    insist(olga, ADD, form)
    assert NetworkRule.objects.get().cidr == cidr


def test_ones_own_address_needs_a_consent(olga: Client) -> None:
    olga.defaults["REMOTE_ADDR"] = "198.51.100.9"
    assert "You are in 198.51.100.0/24 yourself" in errors(olga.post(ADD, FORM))
    insist(olga, ADD, FORM)
    assert NetworkRule.objects.exists()


@pytest.mark.parametrize("cidr", ["10.1.2.3", "192.168.0.0/16", "fd00::/8", "127.0.0.1", "::1"])
def test_a_private_network_needs_a_consent(olga: Client, cidr: str) -> None:
    answer = olga.post(ADD, {**FORM, "cidr": cidr})
    assert "is private" in errors(answer)
    assert "TRUSTED_PROXIES was never set" in errors(answer)
    with override_settings(LOCKOUT_ADMIN={"CACHE": "default", "TRUSTED_PROXIES": 1}):
        answer = olga.post(ADD, {**FORM, "cidr": cidr})
        assert "TRUSTED_PROXIES" not in errors(answer)


def test_a_network_with_a_proxy_needs_a_consent(olga: Client) -> None:
    proxies = ["198.51.100.128/25", "2001:db8::1", "unix"]
    with override_settings(LOCKOUT_ADMIN={"CACHE": "default", "TRUSTED_PROXIES": proxies}):
        assert "has proxies of this site" in errors(olga.post(ADD, FORM))
        assert "has proxies" in errors(olga.post(ADD, {**FORM, "cidr": "2001:db8::/64"}))
        assert not errors(olga.post(ADD, {**FORM, "cidr": "192.0.2.0/24"}))


def test_a_network_with_recent_logins_needs_a_consent(olga: Client, enter: Any) -> None:
    for name, ago in (("alice", 3600), ("alice", 60), ("bob", 7200), ("eve", 8 * 86400)):
        enter(name, ago=ago)
    form = {**FORM, "cidr": "203.0.113.0/24"}
    answer = olga.post(ADD, form)
    assert "2 accounts logged in from 203.0.113.0/24 in the last 7 days" in errors(answer)
    insist(olga, ADD, form)
    assert NetworkRule.objects.exists()


def test_a_logout_is_no_login(olga: Client, enter: Any) -> None:
    enter(event="logout")
    olga.post(ADD, {**FORM, "cidr": "203.0.113.0/24"})
    assert NetworkRule.objects.exists()


def test_who_is_allowed_may_be_private_and_known(olga: Client, enter: Any) -> None:
    enter()
    olga.post(ADD, {**FORM, "cidr": "203.0.113.7", "action": "allow"})
    olga.post(ADD, {**FORM, "cidr": "10.0.0.0/8", "action": "allow"})
    assert NetworkRule.objects.count() == 2


def test_a_consent_to_one_network_is_none_to_another(olga: Client) -> None:
    given = consent(olga.post(ADD, {**FORM, "cidr": "10.0.0.0/8"}))
    assert errors(olga.post(ADD, {**FORM, "cidr": "172.16.0.0/12", **given}))


def test_a_consent_is_that_of_who_was_asked(olga: Client, staff: Any) -> None:
    form = {**FORM, "cidr": "10.0.0.0/8"}
    given = consent(olga.post(ADD, form))
    assert "is private" in errors(staff("root").post(ADD, {**form, **given}))
    assert not NetworkRule.objects.exists()


# -- Changing, deleting -------------------------------------------------------------------------


def test_changing_a_rule(olga: Client) -> None:
    row = rule(reason="Scanner", created_by="sam")
    page = page_url(row)
    assert "as it is: for ever" in olga.get(page).content.decode()
    olga.post(page, {**FORM, "duration": "keep", "reason": "Worse"})
    row.refresh_from_db()
    assert (row.reason, row.until, row.created_by) == ("Worse", None, "sam")
    olga.post(page, FORM)
    row.refresh_from_db()
    assert row.until is not None
    assert "as it is: until" in olga.get(page).content.decode()
    assert deeds() == [("security", "change", "198.51.100.0/24")] * 2


def test_what_a_list_brought_is_changed_by_its_next_load_only(olga: Client) -> None:
    page = page_url(rule(source="drop", reason="SBL1"))
    answer = olga.get(page)
    assert answer.status_code == 200
    assert "SBL1" in answer.content.decode()
    assert olga.post(page, FORM).status_code == 403


def test_deleting_one(olga: Client) -> None:
    olga.post(page_url(rule(), page="delete"), {"post": "yes"})
    assert not NetworkRule.objects.exists()
    assert deeds() == [("security", "delete", "198.51.100.0/24")]


def select(browser: Client, *rows: NetworkRule, across: bool = False, query: str = "") -> Any:
    """Start the deletion of some rules, or of all that a filter finds."""
    chosen = [row.pk for row in rows] or [NetworkRule.objects.all()[0].pk]
    form = {"action": "delete_selected", "select_across": int(across)}
    return browser.post(LIST + query, {**form, ACTION_CHECKBOX_NAME: chosen})


def many(number: int, **fields: Any) -> None:
    networks = [f"10.{n // 250}.{n % 250}.0" for n in range(number)]
    NetworkRule.objects.bulk_create(
        NetworkRule(cidr=f"{first}/24", first=first, **fields) for first in networks
    )


def test_deleting_some(olga: Client) -> None:
    rows = [rule(f"198.51.100.{number}") for number in range(60)]
    answer = select(olga, *rows[:55])
    content = answer.content.decode()
    assert content.count("<li><bdi") == 50
    assert "<strong>55</strong> rules will be deleted." in content
    assert "and 5 more" in content
    assert NetworkRule.objects.count() == 60
    assert said(confirm(olga, LIST, answer)) == "55 network rules were deleted."
    assert NetworkRule.objects.count() == 5
    assert deeds() == [("security", "delete", row.cidr) for row in rows[:55]]
    assert LogEntry.objects.count() == 55


def test_all_that_a_filter_finds_are_deleted_however_many(olga: Client) -> None:
    many(1100)
    allowed = rule(action="allow")
    answer = select(olga, across=True, query="?action=block")
    assert len(answer.context["hidden"]) == 4
    later = rule("192.0.2.0/24")
    answer = confirm(olga, LIST + "?action=block", answer)
    assert said(answer) == "1,100 network rules were deleted."
    assert set(NetworkRule.objects.all()) == {allowed, later}
    assert len(deeds()) == 1100


def test_a_filter_that_finds_more_by_now_asks_again(olga: Client) -> None:
    rule("192.0.2.0/24")
    rule(until=timezone.now())
    answer = select(olga, across=True, query="?state=ended")
    NetworkRule.objects.update(until=timezone.now())
    answer = confirm(olga, LIST + "?state=ended", answer)
    assert "There are more now. Please look again." in answer.content.decode()
    assert NetworkRule.objects.count() == 2
    assert said(confirm(olga, LIST + "?state=ended", answer)) == "2 network rules were deleted."


def test_a_long_deletion_goes_on_once_it_is_confirmed_again(olga: Client, monkeypatch: Any) -> None:
    many(3)
    answer = select(olga, across=True)
    monkeypatch.setattr(selections, "CHUNK", 2)
    monkeypatch.setattr(selections, "time", Mock(monotonic=Mock(side_effect=[0, 21])))
    answer = confirm(olga, LIST, answer)
    monkeypatch.undo()
    content = answer.content.decode()
    assert "There are more. Confirm again to continue." in content
    assert "2 network rules were deleted." in content
    assert said(confirm(olga, LIST, answer)) == "1 network rule was deleted."
    assert not NetworkRule.objects.exists()


def test_a_deletion_is_confirmed_soon_by_who_was_asked_for_what_was_shown(
    olga: Client, staff: Any
) -> None:
    one, other = rule(), rule("192.0.2.0/24")
    answer = select(olga, one)
    token = dict(answer.context["hidden"])["token"]
    assert confirm(staff("root"), LIST, answer).status_code == 403
    assert confirm(olga, LIST, select(olga, other), token=token).status_code == 403
    with freeze_time(timezone.now() + timedelta(minutes=16)):
        assert "This took a while" in confirm(olga, LIST, answer).content.decode()
    assert NetworkRule.objects.count() == 2


def test_rules_that_somebody_else_deleted_are_said(olga: Client) -> None:
    row = rule()
    rule("192.0.2.0/24")
    answer = select(olga, row)
    NetworkRule.objects.filter(pk=row.pk).delete()
    assert "0 network rules were deleted." in said(confirm(olga, LIST, answer))
    assert select(olga, row).status_code == 302
    assert said(olga.get(LIST)) == "None of these is there any more."


# -- Looking ------------------------------------------------------------------------------------


@pytest.fixture
def some(db: None) -> None:
    rule("198.51.100.0/24", reason="Scanner", created_by="sam")
    rule("198.51.100.7", action="allow", reason="Our own")
    rule("192.0.2.0/24", source="drop", until=timezone.now() + timedelta(days=1))
    rule("2001:db8::/32", until=timezone.now())


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", 4),
        ("?net=198.51.100.7", 2),
        ("?net=198.51.100.0/25", 2),
        ("?net=198.51.100.9", 1),
        ("?net=0.0.0.0/0", 3),
        ("?net=2001:db8::1", 1),
        ("?net=198.51.100.7,192.0.2.1", 3),
        ("?action=allow", 1),
        ("?state=ended", 1),
        ("?state=open", 3),
        ("?reason=scan", 1),
        ("?by=sam", 1),
        ("?source=drop", 1),
        ("?source=-", 3),
        ("?net=x", 0),
        ("?q=198.51.100.7", 2),
        ("?q=scanner", 1),
        ("?q=drop", 1),
        ("?q=sam", 1),
        ("?q=%20", 4),
        ("?q=fe80::1%25eth0", 0),
        ("?q=a%00b", 0),
        ("?o=1", 4),
    ],
)
def test_rules_are_found(olga: Client, some: None, query: str, expected: int) -> None:
    assert len(cidrs(olga.get(LIST + query))) == expected


def test_rules_are_put_in_the_order_of_their_networks(olga: Client, some: None) -> None:
    assert cidrs(olga.get(LIST + "?o=1"))[:3] == [
        "192.0.2.0/24",
        "198.51.100.0/24",
        "198.51.100.7/32",
    ]


def test_a_row_says_what_it_is(olga: Client, some: None) -> None:
    content = olga.get(LIST).content.decode()
    for text in ("lockout-rule-block", "lockout-rule-allow", "lockout-rule-ended", "for ever"):
        assert text in content


@pytest.mark.parametrize(
    ("codenames", "statuses"),
    [
        ([], [403, 403, 403, 403]),
        (["view_networkrule"], [200, 403, 200, 403]),
        (["change_networkrule"], [200, 403, 200, 403]),
        (["add_networkrule"], [403, 200, 403, 403]),
        (["delete_networkrule"], [403, 403, 403, 200]),
    ],
)
def test_each_permission_is_for_its_own(
    db: None, codenames: list[str], statuses: list[int]
) -> None:
    user = get_user_model().objects.create_user("sam", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    browser = Client()
    browser.force_login(user)
    row = rule()
    pages = [LIST, ADD, page_url(row), page_url(row, page="delete")]
    assert [browser.get(page).status_code for page in pages] == statuses


def test_a_link_fills_the_form_in(olga: Client) -> None:
    answer = olga.get(ADD + "?cidr=198.51.100.7/32&action=block")
    form = answer.context["adminform"].form
    assert form["cidr"].value() == "198.51.100.7/32"


def test_what_a_link_says_is_no_html(olga: Client) -> None:
    content = olga.get(ADD + "?cidr=%22%3E%3Cscript%3E").content.decode()
    assert '"><script>' not in content


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "198.51.100.0/24 is blocked until 20"),
        ({"duration": "ever"}, "198.51.100.0/24 is blocked."),
        ({"action": "allow"}, "198.51.100.0/24 is allowed until 20"),
        ({"action": "allow", "duration": "ever"}, "198.51.100.0/24 is allowed."),
    ],
)
def test_the_list_says_what_holds_now(olga: Client, changes: Any, expected: str) -> None:
    answer = olga.post(ADD, {**FORM, **changes, "_save": "Save"}, follow=True)
    assert said(answer).startswith(expected)
    assert "Block or allow a network" in answer.content.decode()


def test_one_after_the_other(olga: Client) -> None:
    answer = olga.post(ADD, {**FORM, "_addanother": "Save"}, follow=True)
    assert "198.51.100.0/24" in said(answer)
    assert answer.context["adminform"]


# -- From a row to the form ---------------------------------------------------------------------


def block_links(browser: Client, url: str) -> list[str]:
    return re.findall(r'class="lockout-block" href="([^"]+)"', browser.get(url).content.decode())


def form_for(network: str) -> str:
    return f"{ADD}?action=block&amp;cidr={quote_plus(network)}"


@pytest.mark.parametrize("model", ["failedlogin", "successfullogin"])
def test_each_row_leads_to_the_block_of_its_network(
    olga: Client, fail: Any, enter: Any, model: str
) -> None:
    row = {"failedlogin": fail, "successfullogin": enter}[model]()
    expected = [form_for("203.0.113.7/32")]
    assert block_links(olga, list_url(model)) == expected
    assert block_links(olga, page_url(row)) == expected


def test_of_an_address_of_ipv6_the_network_is_that_of_a_customer(olga: Client, fail: Any) -> None:
    fail(ip_address="2001:db8::7")
    assert block_links(olga, list_url("failedlogin")) == [form_for("2001:db8::/64")]


def test_a_row_without_an_address_leads_nowhere(olga: Client, fail: Any) -> None:
    fail(ip_address=None)
    assert block_links(olga, list_url("failedlogin")) == []


@pytest.mark.parametrize("model", ["activelock", "accountlock"])
def test_a_lock_leads_to_the_block_of_where_it_was_attacked_from(
    olga: Client, alice: Any, guess: Any, model: str
) -> None:
    guess(times=5, request=request_from("203.0.113.9"))
    expected = form_for("203.0.113.9/32")
    assert block_links(olga, page_url(AccountLock.objects.get(), model)) == [expected] * 2


@pytest.mark.parametrize("role", ["support", "analyst"])
def test_who_may_not_block_gets_no_link(
    staff: Any, fail: Any, enter: Any, lock: Any, role: str
) -> None:
    browser = staff(role)
    pages = [list_url(model) for model in ("failedlogin", "successfullogin", "activelock")]
    pages += [page_url(fail()), page_url(enter()), page_url(lock())]
    assert [link for page in pages for link in block_links(browser, page)] == []


@pytest.mark.urls("tests.console.urls")
def test_an_admin_site_without_that_page_gets_no_link(olga: Client, fail: Any) -> None:
    fail()
    answer = olga.get("/console/lockout_admin/failedlogin/")
    assert answer.status_code == 200
    assert "lockout-block" not in answer.content.decode()
