"""The screen of failed logins."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.conf import settings
from django.contrib.admin import site
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.utils.html import escape

from lockout_admin.admin import ranges
from lockout_admin.admin.filtering import FilterSetListFilter
from lockout_admin.evidence import leads
from lockout_admin.evidence.bidi import with_addresses
from lockout_admin.evidence.filters import FailureFilter
from lockout_admin.models import FailedLogin

from .conftest import FIREFOX, list_url, names, page_url, said

LIST = list_url("failedlogin")


@pytest.fixture
def analyst(staff: Any) -> Client:
    browser: Client = staff("analyst")
    return browser


def test_the_newest_is_first(analyst: Client, fail: Any) -> None:
    for number in range(3):
        fail(f"name{number}", ago=number)
    assert names(analyst.get(LIST)) == ["name0", "name1", "name2"]


def test_a_record_that_nobody_changes_has_no_history(staff: Any, fail: Any, enter: Any) -> None:
    browser = staff("root")
    for row in (fail(), enter()):
        assert page_url(row, page="history") not in browser.get(page_url(row)).content.decode()


def test_a_row_says_all(analyst: Client, alice: Any, fail: Any) -> None:
    fail()
    page = analyst.get(LIST).content.decode()
    for text in (
        "alice",
        "203.0.113.7",
        "/24",
        FIREFOX,
        "Firefox",
        "/login/",
        "counted",
        "lockout-plain",
    ):
        assert text in page


@pytest.mark.parametrize(
    "link",
    [
        leads.to_name("admin", "alice"),
        leads.to_network("admin", "2001:db8::7"),
        leads.to_network("admin", "2001:db8::/64"),
        f"{LIST}?time=all&agent=%22Mozilla%22",
    ],
)
def test_cells_lead_to_what_is_known_of_them(analyst: Client, fail: Any, link: str) -> None:
    fail(ip_address="2001:db8::7", agent="Mozilla", ago=90 * 24 * 3600)
    assert f'href="{link}"' in unescape(analyst.get(LIST + "?time=all").content.decode())
    assert analyst.get(link).status_code == 200


def test_what_is_unknown_is_left_out(analyst: Client, fail: Any) -> None:
    failure = fail("nobody", ip_address=None)
    type(failure).objects.update(user_agent=None)
    page = analyst.get(LIST).content.decode()
    assert "lockout-quiet" in page
    assert '<td class="field-source">-</td>' in page
    assert '<td class="field-agent">-</td>' in page
    assert "none" in analyst.get(page_url(failure)).content.decode()


def test_a_name_that_is_empty_leads_nowhere(analyst: Client, fail: Any) -> None:
    fail("")
    page = analyst.get(LIST).content.decode()
    assert "<em>empty</em>" in page
    assert "username=&" not in unescape(page)


def test_addresses_read_from_left_to_right_in_every_language(analyst: Client, fail: Any) -> None:
    fail("علی", ip_address="2001:db8::7", agent="Mozilla")
    analyst.cookies[settings.LANGUAGE_COOKIE_NAME] = "fa"
    page = analyst.get(LIST, headers={"Accept-Language": "fa"}).content.decode()
    assert re.search('<a [^>]*><bdi dir="ltr">2001:<wbr>db8:<wbr>:<wbr>7</bdi></a>', page)
    assert re.search('<a [^>]*title="Mozilla">.*?<bdi dir="ltr">Mozilla</bdi>', page)
    assert '<bdi dir="ltr">203.0.113.0/24</bdi>' in page
    assert "<bdi>علی</bdi>" in page
    assert re.search('<input[^>]*name="net"[^>]*dir="ltr"', page)


@pytest.mark.parametrize(
    ("sentence", "parts"),
    [
        ("203.0.113.0/24, 2001:db8::/32.", ["203.0.113.0/24", "2001:db8::/32"]),
        ("Several: one, 10. & <b>", []),
        ("Until 2026-11-29 22:34:24, or 22:35.", ["2026-11-29 22:34:24", "22:35"]),
        ("Since 2026-11-29T22:34:24+00:00", ["2026-11-29T22:34:24+00:00"]),
    ],
)
def test_addresses_in_a_sentence(sentence: str, parts: list[str]) -> None:
    assert re.findall('<bdi dir="ltr">(.*?)</bdi>', with_addresses(sentence)) == parts
    assert re.sub("</?bdi.*?>", "", with_addresses(sentence)) == escape(sentence)


def test_an_account_that_is_spelt_otherwise_is_not_said_not_to_exist(
    analyst: Client, fail: Any
) -> None:
    get_user_model().objects.create_user("Alice.Smith")
    fail("alice.smith")
    # MariaDB finds it.
    said = "exists" if connection.vendor == "mysql" else "no account of this spelling"
    assert f'title="{said}"' in analyst.get(LIST).content.decode()


def test_an_account_is_found_in_lower_case(analyst: Client, alice: Any, fail: Any) -> None:
    fail("ALICE")
    assert "lockout-plain" in analyst.get(LIST).content.decode()


def test_a_failure_has_a_page(analyst: Client, fail: Any) -> None:
    page = analyst.get(page_url(fail(agent="x" * 300))).content.decode()
    assert "x" * 300 in page
    assert 'name="_save"' not in page


@pytest.mark.parametrize(
    ("term", "usernames"),
    [
        ("ALICE", "alice"),
        ("al", "alice albert"),
        ("203.0.113.0/24", "alice bob"),
        ("2001:db8::1", "albert"),
        ("fe80::1%eth0", ""),
        (" ", "alice albert bob"),
        ("a" * 300, ""),
    ],
)
def test_search(analyst: Client, fail: Any, term: str, usernames: str) -> None:
    fail("alice")
    fail("albert", ip_address="2001:db8::1")
    fail("bob")
    assert set(names(analyst.get(LIST, {"q": term}))) == set(usernames.split())


def test_a_search_keeps_the_filters(analyst: Client, fail: Any) -> None:
    fail("alice", outcome="locked")
    fail("alan")
    page = analyst.get(LIST, {"q": "al", "outcome": "locked,cleared", "o": "1"})
    assert names(page) == ["alice"]
    assert '<input type="hidden" name="outcome" value="locked,cleared">' in page.content.decode()
    assert '<input type="hidden" name="o" value="1">' in page.content.decode()


def test_the_way_back_from_a_row_keeps_the_filters(analyst: Client, fail: Any) -> None:
    failure = fail()
    page = unescape(analyst.get(LIST, {"net": "203.0.113.0/24"}).content.decode())
    assert f"{page_url(failure)}?_changelist_filters=net%3D203.0.113.0%252F24" in page


def test_an_error_is_shown_in_its_place(analyst: Client, fail: Any) -> None:
    fail()
    page = analyst.get(LIST, {"net": "/33"})
    assert names(page) == []
    assert '<div id="id_net_error" role="alert"><p class="lockout-error">' in page.content.decode()
    assert re.search(
        '<input[^>]*name="net"[^>]*aria-describedby="id_net_helptext id_net_error"',
        page.content.decode(),
    )
    assert said(page) == "No row is selected, because a filter is not valid: Address or network"


def test_the_findings_of_a_pattern_are_links(analyst: Client, fail: Any) -> None:
    for number in range(5):
        fail(f"name{number}")
    page = unescape(analyst.get(LIST, {"pattern": "names", "time": "1h"}).content.decode())
    assert "?net=203.0.113.7&time=1h" in page
    assert "5 names" in page
    assert "Nothing of this kind." in analyst.get(LIST, {"pattern": "addresses"}).content.decode()


@pytest.mark.parametrize(
    ("order", "usernames"),
    [
        ("0", "old mid new"),
        ("-0", "new mid old"),
        ("3", "new mid old"),
        ("-3", "old mid new"),
        ("1", "new mid old"),
    ],
)
def test_order(analyst: Client, fail: Any, order: str, usernames: str) -> None:
    fail("old", ip_address="10.0.0.3", ago=30)
    fail("mid", ip_address="10.0.0.2", ago=20)
    fail("new", ip_address="10.0.0.1", ago=10)
    assert names(analyst.get(LIST, {"o": order})) == usernames.split()


def test_the_filters_own_their_parameters(rf: Any) -> None:
    model_admin = site.get_model_admin(FailedLogin)
    params = {"net": ["10.0."], "other": ["x"]}
    spec = FilterSetListFilter(rf.get("/"), params, FailedLogin, model_admin)
    assert params == {"other": ["x"]}
    assert spec.expected_parameters() == FailureFilter.names()


def test_a_password_that_came_before_is_marked(analyst: Client, fail: Any) -> None:
    fail("alice", repeated=True)
    fail("bob")
    assert (
        'counted <small class="lockout-known">repeated</small>'
        in analyst.get(LIST).content.decode()
    )
    assert names(analyst.get(LIST, {"repeated": "yes"})) == ["alice"]
    assert names(analyst.get(LIST, {"repeated": "no"})) == ["bob"]


@pytest.mark.parametrize(
    ("query", "where", "led_to"),
    [
        ("username=alice", "Last 90 days", "username=alice&time=90d"),
        ("net=10.0.1.0/24&time=7d", "Last 90 days", "net=10.0.1.0%2F24&time=90d"),
        ("q=ali&p=2&before=2020-01-01", "Any time", "q=ali&time=all"),
    ],
)
def test_an_empty_list_leads_to_the_next_range_that_is_not(
    analyst: Client, fail: Any, query: str, where: str, led_to: str
) -> None:
    for _ in range(2):
        fail(ago=40 * 24 * 3600, ip_address="10.0.1.1")
    answer = analyst.get(f"{LIST}?{query}")
    told = unescape(said(answer))
    assert f"Nothing in this time. {where}: 2." in told
    url = told.partition('href="')[2].partition('"')[0]
    assert url == f"?{led_to}"
    assert names(analyst.get(LIST + url)) == ["alice", "alice"]


@pytest.mark.parametrize(
    "query",
    [
        # Nothing at any time, something in this time.
        *("username=bob", "time=all&username=bob", "time=90d"),
        # This would go through all of the table.
        *("path=/login/", "username=lic&match=contains", "pattern=names"),
        *("net=nonsense", "q=%00"),
    ],
)
def test_of_other_times_nothing_is_said(analyst: Client, fail: Any, query: str) -> None:
    fail(ago=40 * 24 * 3600)
    assert "Nothing in this time" not in said(analyst.get(f"{LIST}?{query}"))


SCANS = ["repeated=yes", "common=yes", "account=yes", "path=/login/", "pattern=names"]


@pytest.mark.parametrize("query", [*SCANS, "username=lic&match=contains"])
def test_what_no_index_serves_is_searched_in_the_newest_rows_and_then_before_them(
    query: str, analyst: Client, fail: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No filter reads more rows than a list may; the links lead through all of the range."""
    monkeypatch.setattr(ranges, "SEARCHED", 3)
    asked = f"?{query}&time=7d"
    seen, links = [], 0
    get_user_model().objects.create_user("alice")
    for minutes in range(8):
        fail("alice", ago=60 * minutes, repeated=True, common=True, path="/login/")
    while asked:
        answer = analyst.get(LIST + asked)
        seen += names(answer)
        told = unescape(said(answer))
        asked = told.partition('href="')[2].partition('"')[0]
        links += bool(asked)
        assert ("Searched: the newest 3 rows of this time, since " in told) is bool(asked)
        assert "Nothing in this time" not in told
    assert links == 2
    assert len(seen) == (0 if query == "pattern=names" else 8)


def test_an_empty_search_of_the_newest_rows_leads_to_those_before(
    analyst: Client, fail: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranges, "SEARCHED", 3)
    fail("alice", ago=600, repeated=True)
    for minutes in range(3):
        fail("bob", ago=60 * minutes)
    answer = analyst.get(f"{LIST}?repeated=yes")
    told = unescape(said(answer))
    assert (names(answer), "Searched: the newest 3 rows" in told) == ([], True)
    assert names(analyst.get(LIST + told.partition('href="')[2].partition('"')[0])) == ["alice"]


def test_what_an_index_serves_is_read_to_its_end(
    analyst: Client, fail: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranges, "SEARCHED", 3)
    for minutes in range(8):
        fail("alice", ago=60 * minutes, repeated=True)
    for query in ("", "username=alice", "username=alice&repeated=yes", "outcome=counted"):
        answer = analyst.get(f"{LIST}?{query}")
        assert (len(names(answer)), "Searched" in said(answer)) == (8, False)


def test_a_file_has_all_of_the_range(
    admin_client: Client, fail: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranges, "SEARCHED", 3)
    for minutes in range(8):
        fail("alice", ago=60 * minutes, repeated=True)
    asked = f"{LIST}export/?repeated=yes"
    assert admin_client.get(asked).context["rows"] == "8"
    form = {"format": "0", "resource": "0", "failedloginresource_username": "on"}
    answer: Any = admin_client.post(asked, form)
    assert b"".join(answer.streaming_content).count(b"alice") == 8
