"""The page for a network: what holds for it, whom it tried, who honestly comes from there."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from lockout_admin.evidence import days, leads, origins
from lockout_admin.evidence.origins import NetworkDossier
from lockout_admin.evidence.sight import Sight
from lockout_admin.identity.network import network_of, number_of, wide_network_of
from lockout_admin.models import AccountLock, NetworkRule
from lockout_admin.models.fields import parse_network

from .conftest import list_url
from .test_names import text_of

ALL = Sight(*[True] * 6)
NET = "203.0.113.0/24"


def url_of(network: str = NET) -> str:
    return leads.to_network("admin", network)


def dossier(network: str = NET, sight: Sight = ALL) -> NetworkDossier:
    return NetworkDossier(parse_network(network), sight)


def read(browser: Client, network: str = NET) -> str:
    answer = browser.get(url_of(network))
    assert answer.status_code == 200
    return text_of(answer)


@pytest.fixture
def olga(browsers: Any) -> Client:
    browser: Client = browsers("security")
    return browser


@pytest.fixture
def lock_network(lock: Any) -> Any:
    def lock_network(label: str, **fields: Any) -> AccountLock:
        row: AccountLock = lock(label, scope="network", rule="spraying", **fields)
        AccountLock.objects.filter(pk=row.pk).update(subject=None)
        row.refresh_from_db()
        return row

    return lock_network


def rule(cidr: str, action: str = "block", **fields: Any) -> NetworkRule:
    made = NetworkRule(cidr=cidr, action=action, **fields)
    made.save()
    return made


# -- What holds for it --------------------------------------------------------------------------


def test_a_network_that_nothing_is_known_of(olga: Client) -> None:
    page = read(olga)
    assert "Nothing keeps it out." in page
    assert "No failure in 30 days." in page
    assert "No rule is about it." in page


@pytest.mark.parametrize("cidr", ["203.0.113.0/24", "203.0.0.0/16", "0.0.0.0/0"])
def test_a_rule_for_all_of_it_blocks_it(olga: Client, cidr: str) -> None:
    rule(cidr, reason="Scanner")
    page = read(olga)
    assert f"Blocked by the rule on {cidr}, since" in page
    assert "until: for ever." in page
    assert "Scanner" in page


def test_a_rule_for_a_part_does_not(olga: Client) -> None:
    rule("203.0.113.7", until=timezone.now() + timedelta(hours=1))
    page = read(olga)
    assert "Nothing keeps it out." in page
    assert "203.0.113.7/32" in page


def test_a_rule_that_has_ended_does_not(olga: Client) -> None:
    rule(NET, until=timezone.now() - timedelta(hours=1))
    assert "Nothing keeps it out." in read(olga)
    assert "Change or end" not in read(olga)


def test_the_narrower_rule_holds_and_of_two_alike_the_one_that_allows(olga: Client) -> None:
    rule("203.0.0.0/16")
    rule(NET, "allow")
    assert "Allowed: no rule on networks holds for it" in read(olga)
    rule(NET)
    assert "Allowed" in read(olga)
    assert "Blocked" in read(olga, "203.0.99.0/24")


def test_a_rule_by_hand_holds_before_those_of_lists(olga: Client) -> None:
    rule("203.0.113.0/24", source="published")
    rule("203.0.0.0/16", action="allow")
    assert "Allowed" in read(olga, "203.0.113.0/24")


def test_a_lock_of_a_rule_is_told(olga: Client, lock_network: Any, fail: Any) -> None:
    fail()
    lock_network("203.0.113.7/32")
    assert "Locked by the rule spraying after 4 failures" in read(olga, "203.0.113.7")
    assert "1 part of it is locked." in read(olga)


def test_a_lock_that_has_ended_is_history(olga: Client, lock_network: Any) -> None:
    row = lock_network("203.0.113.7/32")
    AccountLock.objects.filter(pk=row.pk).update(ended_at=timezone.now(), ended_by="olga")
    page = read(olga, "203.0.113.7")
    assert "Nothing keeps it out." in page
    assert "unlocked by olga" in page


def test_a_lock_of_the_wide_network_holds(olga: Client, lock_network: Any) -> None:
    lock_network("2001:db8:1::/48")
    assert "Locked by the rule spraying" in read(olga, "2001:db8:1:2::/64")


def test_a_lock_of_another_scope_of_a_site_s_own_holds_for_no_network() -> None:
    assert not dossier().is_held_by(AccountLock(label="everybody"))
    assert not dossier().is_held_by(AccountLock(label="2001:db8::/64"))


# -- Who came from there ------------------------------------------------------------------------

RANGES = [
    # An address, the network of attempts, the wide one, and what has no index of its own.
    ("203.0.113.7", "203.0.113.7"),
    ("2001:db8:1:2::/64", "2001:db8:1:2::9"),
    ("2001:db8:1::/48", "2001:db8:1:2::9"),
    ("203.0.113.0/24", "203.0.113.7"),
    ("2001:db8::/32", "2001:db8:1:2::9"),
    ("0.0.0.0/0", "203.0.113.7"),
]


@pytest.mark.parametrize(("network", "address"), RANGES)
def test_who_came_from_there_is_counted(
    alice: Any, fail: Any, enter: Any, network: str, address: str
) -> None:
    other = "198.51.100.1" if network != "0.0.0.0/0" else "2001:db9::1"
    fail(ip_address=address, ago=31 * 24 * 3600)
    fail("bob", ip_address=address, ago=24 * 3600)
    for _time in range(2):
        fail(ip_address=address)
    fail("carol", ip_address=other)
    fail("dave", ip_address=None)
    found = dossier(network)
    assert found.failures.by_name() == [("alice", 2), ("bob", 1)]
    assert found.failures.said == (3, False)
    assert found.failures.rows[-1].username == "bob"
    assert found.known_names == {"alice"}
    assert [day.failures for day in found.days.days][-2:] == [1, 2]


def test_honest_people_are_named(olga: Client, enter: Any, alice: Any) -> None:
    enter()
    enter(ago=3600)
    enter(event="logout")
    enter("bob")
    page = read(olga)
    assert "logins: 3, names: 2" in page
    assert "People log in from there: see below who would be kept out." in page
    assert dossier().logins.by_name() == [("alice", 2), ("bob", 1)]


def test_names_that_an_account_has_stand_out(olga: Client, fail: Any, alice: Any) -> None:
    fail()
    fail("postgres")
    page = olga.get(url_of()).content.decode()
    assert page.count("lockout-urgent") == 1
    assert f'href="{leads.to_name("admin", "postgres")}"' in page


@pytest.mark.parametrize(
    ("kind", "others"), [("failedlogin", "successfullogin"), ("successfullogin", "failedlogin")]
)
def test_names_that_have_no_room_are_counted_and_led_to(
    staff: Any, fail: Any, enter: Any, kind: str, others: str
) -> None:
    for number in range(23):
        (fail if kind == "failedlogin" else enter)(f"name{number}")
    browser = staff("stranger")
    stranger = get_user_model().objects.get(username="stranger")
    for codename, is_told in ((f"view_{kind}", True), (f"view_{others}", False)):
        stranger.user_permissions.set(Permission.objects.filter(codename=codename))
        page = unescape(browser.get(url_of()).content.decode())
        assert ("and 3 more" in page) is is_told
        url = f"{list_url(kind)}?time=30d&net=203.0.113.0%2F24"
        assert (f'<a href="{url}">and 3 more' in page) is is_told
    stranger.user_permissions.set(Permission.objects.filter(codename=f"view_{kind}"))
    assert browser.get(url).context["cl"].result_count == 23


def test_of_the_newest_of_a_busy_address_there_are_at_least_so_many_names(
    olga: Client, fail: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(origins, "ROWS", 22)
    for number in range(25):
        fail(f"name{number}")
    assert "and 2+ more" in read(olga, "203.0.113.7")


def test_rules_for_parts_hide_no_rule_for_all_of_it(
    olga: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(22):
        rule(f"203.0.113.{number}")
    made = rule("203.0.0.0/16")
    page = unescape(olga.get(url_of()).content.decode())
    assert "Blocked by the rule on" in page
    assert f"networkrule/{made.pk}/change/" in page
    url = f"{list_url('networkrule')}?net=203.0.113.0%2F24"
    assert f'<a href="{url}">and 3 more' in page
    monkeypatch.setattr(origins, "RULES", 2)
    assert "Blocked by the rule on" in read(olga)


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any range has more rows than a page reads."""
    for name, value in (("SAMPLE", 3), ("NEWEST", 4), ("ROWS", 3)):
        monkeypatch.setattr(origins, name, value)


def test_logouts_are_no_logins_on_the_days_of_a_busy_address(
    busy: None, enter: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(days, "CAP", 3)
    for event, hours in (
        *[("login", 0)] * 5,
        *[("logout", 0)] * 2,
        *[("login", 24)] * 2,
        *[("logout", 24)] * 2,
        ("login", 48),
    ):
        enter(event=event, ago=hours * 3600)
    counted = [day.logins for day in dossier("203.0.113.7").days.days]
    assert counted == [0] * 27 + [1, 2, 3]


def test_of_a_busy_range_the_newest_are_seen(busy: None, fail: Any, olga: Client) -> None:
    for hours in range(8):
        fail(f"name{hours}", ago=hours * 24 * 3600, ip_address=f"203.0.113.{9 - hours}")
    found = dossier()
    assert [row.username for row in found.failures.rows] == ["name0", "name1", "name2"]
    assert found.failures.is_cut
    counted = [day.is_counted for day in found.days.days]
    assert counted == [False] * 27 + [True] * 3
    page = read(olga)
    assert "failures: 3+, names: 3 (of the newest)" in page
    assert "?" in page


def test_a_busy_range_without_news_is_said_to_be_cut(busy: None, fail: Any) -> None:
    for number in range(6):
        fail(ip_address="203.0.113.7", ago=1000 + number)
    for number in range(6):
        fail(ip_address="198.51.100.1", ago=number)
    found = dossier().failures
    assert found.rows == []
    assert found.is_cut


def test_a_busy_range_of_few_rows_in_thirty_days_is_not_cut(busy: None, fail: Any) -> None:
    for number in range(6):
        fail(ago=(40 + number) * 24 * 3600)
    fail()
    found = dossier()
    assert found.failures.said == (1, False)
    assert all(day.is_counted for day in found.days.days)


def test_a_busy_range_is_all_there_is_of_a_small_log(
    fail: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(origins, "SAMPLE", 3)
    for number in range(4):
        fail(ago=(number + 28) * 24 * 3600)
    found = dossier().failures
    assert len(found.rows) == 2
    assert not found.is_cut


def test_of_a_busy_address_days_are_counted_all_the_same(busy: None, fail: Any) -> None:
    for number in range(5):
        fail(ago=number * 24 * 3600)
    found = dossier("203.0.113.7")
    assert len(found.failures.rows) == 3
    assert sum(day.failures for day in found.days.days) == 5
    assert all(day.is_counted for day in found.days.days)


@pytest.mark.parametrize("network", ["2001:db8:1:2::/64", "2001:db8:1::/48"])
def test_of_a_busy_network_of_attempts_days_are_counted_all_the_same(
    busy: None, fail: Any, network: str
) -> None:
    address = "2001:db8:1:2::9"
    numbers = {
        "network": number_of(network_of(address)),
        "wide_network": number_of(wide_network_of(address)),
    }
    for number in range(5):
        fail(ago=number * 24 * 3600, ip_address=address, **numbers)
    found = dossier(network)
    assert found.failures.said == (3, True)
    assert sum(day.failures for day in found.days.days) == 5


def test_only_so_many_parts_are_looked_up(
    fail: Any, lock_network: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(origins, "_LOCKABLE", 1)
    for number in range(3):
        fail(ip_address=f"203.0.113.{number}", ago=number)
        lock_network(f"203.0.113.{number}/32")
    assert [row.label for row in dossier().locks] == ["203.0.113.0/32"]


# -- What can be done ---------------------------------------------------------------------------


BLOCK = "networkrule/add/?action=block&cidr=203.0.113.0%2F24"
ALLOW = "networkrule/add/?action=allow&cidr=203.0.113.0%2F24"


def test_it_leads_to_rules_and_to_its_evidence(olga: Client) -> None:
    made = rule("203.0.113.7")
    page = unescape(olga.get(url_of()).content.decode())
    for url in (
        BLOCK,
        ALLOW,
        f"networkrule/{made.pk}/change/",
        "failedlogin/export/?time=all&net=203.0.113.0%2F24",
        "successfullogin/export/?time=all&net=203.0.113.0%2F24",
        "failedlogin/?time=all&net=203.0.113.0%2F24",
    ):
        assert f"/admin/lockout_admin/{url}" in page
    assert "Change or end" in page


@pytest.mark.parametrize("action", ["block", "allow"])
def test_a_rule_of_just_this_network_is_changed_and_no_second_one_put_beside_it(
    olga: Client, action: str
) -> None:
    rule(NET, action)
    page = unescape(olga.get(url_of()).content.decode())
    assert "Change or end" in page
    assert BLOCK not in page
    assert ALLOW not in page


@pytest.mark.parametrize(("action", "offered"), [("block", {ALLOW}), ("allow", set())])
def test_who_may_not_change_a_rule_is_offered_what_the_form_takes(
    staff: Any, action: str, offered: set[str]
) -> None:
    browser = staff("stranger")
    stranger = get_user_model().objects.get(username="stranger")
    may = ["view_networkrule", "add_networkrule"]
    stranger.user_permissions.set(Permission.objects.filter(codename__in=may))
    rule(NET, action)
    page = unescape(browser.get(url_of()).content.decode())
    assert {one for one in (BLOCK, ALLOW) if one in page} == offered


@pytest.mark.parametrize(
    ("cidr", "fields"),
    [
        ("203.0.0.0/16", {}),
        (NET, {"source": "spamhaus-drop"}),
        (NET, {"until": timezone.now() - timedelta(hours=1)}),
    ],
)
def test_another_rule_than_that_leaves_the_choice(
    olga: Client, cidr: str, fields: dict[str, Any]
) -> None:
    rule(cidr, **fields)
    page = unescape(olga.get(url_of()).content.decode())
    assert BLOCK in page
    assert ALLOW in page


def test_a_rule_of_a_list_is_not_changed_here(olga: Client) -> None:
    rule(NET, source="spamhaus-drop")
    page = read(olga)
    assert "spamhaus-drop" in page
    assert "Change or end" not in page


def test_who_may_not_block_nor_export_is_offered_neither(staff: Any) -> None:
    rule(NET)
    page = unescape(staff("support").get(url_of()).content.decode())
    for text in ("networkrule/add/", "/export/", "Change or end"):
        assert text not in page


@pytest.mark.parametrize(
    ("permission", "parts"),
    [
        ("view_failedlogin", {"Names tried", "The last 30 days"}),
        ("view_successfullogin", {"Who logs in from there", "The last 30 days"}),
        ("view_accountlock", {"Locks", "Nothing keeps it out."}),
        ("view_networkrule", {"Rules about it", "Nothing keeps it out."}),
    ],
)
def test_a_part_that_somebody_may_not_see_is_not_there(
    staff: Any, permission: str, parts: set[str]
) -> None:
    browser = staff("stranger")
    stranger = get_user_model().objects.get(username="stranger")
    stranger.user_permissions.set(Permission.objects.filter(codename=permission))
    page = read(browser)
    every = {"Names tried", "Who logs in from there", "Locks", "Rules about it"}
    every |= {"The last 30 days", "Nothing keeps it out."}
    assert {part for part in every if part in page} == parts


def test_who_may_see_nothing_of_it_is_refused(staff: Any) -> None:
    assert staff("stranger").get(url_of()).status_code == 403


def test_nobody_comes_in_without_being_staff(alice: Any) -> None:
    browser = Client()
    browser.force_login(alice)
    assert browser.get(url_of()).status_code == 302


@pytest.mark.parametrize(
    "text", ["x", "203.0.113.0/33", "fe80::1%25eth0", "1.2.3", "%00", "9" * 40, "::/129"]
)
def test_what_is_no_network_is_not_found(olga: Client, text: str) -> None:
    assert olga.get(f"{list_url('accountlock')}network/{text}/").status_code == 404


@pytest.mark.parametrize("text", ["203.0.113.77/24", "::ffff:203.0.113.0/120", NET])
def test_any_spelling_of_a_network_is_the_network(olga: Client, text: str) -> None:
    page = olga.get(url_of(text)).content.decode()
    assert re.search(r"<h1><bdi dir=\"ltr\">203\.0\.113\.0/24", page)


def test_the_page_only_reads(olga: Client) -> None:
    assert olga.post(url_of()).status_code == 405
