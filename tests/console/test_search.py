"""One box, whatever is typed: it leads to the page that was meant, or to a short list."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import path
from django.utils import timezone
from django.utils.html import strip_tags

from lockout_admin.evidence import accounts, finding, leads, reach
from lockout_admin.evidence.finding import Where
from lockout_admin.evidence.reach import Column
from lockout_admin.evidence.sight import Sight
from lockout_admin.identity.network import number_of
from lockout_admin.identity.subject import Subject
from lockout_admin.models import (
    AccountLock,
    FailedLogin,
    Incident,
    IncidentNetwork,
    NetworkRule,
)
from lockout_admin.models.lookups import PartOf

from .conftest import list_url

TO_SAY = "What to tell the caller"
SEARCH = list_url("accountlock") + "search/"
ALL = Sight(*[True] * 6)
VALUES = [
    *("\0", "(", "%", "_", "'", '"', "\\", "/33", "1.2.3.4/33", "a" * 10_000, "9" * 30, "\ud800"),
    *("@", "%00@%", "fe80::1%eth0", "::/0", "0.0.0.0/0", "1.2.3.4, 5.6.7.8", ",", "\u202e", " "),
]


def ask(browser: Client, text: str, **more: str) -> Any:
    asked: dict[str, Any] = {"q": text.encode("utf-8", "surrogatepass"), **more}
    return browser.get(SEARCH, asked)


def name_page(name: str) -> str:
    return leads.to_name("admin", name)


def listed(page: Any) -> list[str]:
    return [name.text for _url, name, _said in page.context["names"]]


@pytest.fixture
def people(db: None) -> None:
    create = get_user_model().objects.create_user
    create("alice", "alice@example.com")
    create("j.garcia", "Jose.Garcia@example.com")
    create("m.garcia", "maria@example.com")


@pytest.mark.parametrize("text", ["alice", " alice ", "ALICE", "alice@example.com"])
@pytest.mark.parametrize("role", ["support", "analyst", "root"])
def test_an_account_is_led_to_by_its_name_or_its_address(
    staff: Any, people: None, text: str, role: str
) -> None:
    answer = ask(staff(role), text)
    assert (answer.status_code, answer.url) == (302, name_page("alice"))


def test_an_address_is_found_in_any_letter_case(staff: Any, people: None) -> None:
    assert ask(staff("support"), "jose.garcia@EXAMPLE.com").url == name_page("j.garcia")


def test_a_part_of_a_name_leads_to_a_list(staff: Any, people: None) -> None:
    assert listed(ask(staff("support"), "garcia")) == ["j.garcia", "m.garcia"]


def test_of_two_that_are_locked_the_account_comes_first(people: None, lock: Any) -> None:
    for name in ("a garcia that nobody is", "m.garcia"):
        lock(name)
    names = [name.text for name in finding.find("garcia", ALL).names]
    assert names == ["m.garcia", "a garcia that nobody is", "j.garcia"]


def test_a_part_that_one_name_has_leads_to_it(staff: Any, people: None) -> None:
    assert ask(staff("support"), ".GARCI").status_code == 200
    assert ask(staff("analyst"), "j.garc").url == name_page("j.garcia")


def test_names_that_nobody_has_are_found_as_well(staff: Any, fail: Any, enter: Any) -> None:
    fail("postgres")
    assert ask(staff("support"), "gres").url == name_page("postgres")


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("203.0.113.7", "203.0.113.7/32"),
        ("203.0.113.77/24", "203.0.113.0/24"),
        ("203.0.", "203.0.0.0/16"),
        ("203.0", "203.0.0.0/16"),
        ("203.0.113", "203.0.113.0/24"),
        ("2001:DB8::7", "2001:db8::7/128"),
        ("::ffff:203.0.113.7", "203.0.113.7/32"),
        # Pasted from a log or a browser.
        ("203.0.113.7:443", "203.0.113.7/32"),
        ("[2001:db8::7]:443", "2001:db8::7/128"),
        ("[2001:DB8::7]", "2001:db8::7/128"),
    ],
)
def test_an_address_or_a_network_leads_to_its_page(staff: Any, text: str, network: str) -> None:
    assert ask(staff("support"), text).url == leads.to_network("admin", network)


@pytest.mark.parametrize("text", ["203", "999.0", "203.0.x", "²03.0", "1.2.3.4.5"])
def test_what_only_looks_like_an_address_is_a_name(staff: Any, text: str) -> None:
    assert ask(staff("support"), text).context["found"].network is None


@pytest.mark.parametrize(
    "text", ["300.1.1.1", "300.1.1", "1.2.3.4/33", "1.2.3.4.5", "300.1.1.1:443", "2001:db8::1::2"]
)
def test_what_looks_like_an_address_and_is_none_is_told(staff: Any, text: str) -> None:
    page = unescape(ask(staff("support"), text).content.decode())
    assert f"“{text}” is no address and no network such as 203.0.113.0/24" in page
    # Nobody calls for that.
    assert TO_SAY not in page


@pytest.mark.parametrize("text", ["jane", "203", "j.r.r", "fe-ed", "a:b"])
def test_what_does_not_is_told_nothing_of_addresses(staff: Any, text: str) -> None:
    assert "is no address" not in ask(staff("support"), text).content.decode()


@pytest.mark.parametrize("text", ["203.0.113.7:443", "[203.0.113.7]:80"])
@pytest.mark.parametrize("model", ["failedlogin", "successfullogin", "networkrule", "incident"])
def test_the_boxes_of_lists_take_an_address_with_its_port(
    staff: Any, fail: Any, enter: Any, model: str, text: str
) -> None:
    fail()
    enter()
    NetworkRule.objects.create(cidr="203.0.113.7")
    now = timezone.now()
    incident = Incident.objects.create(kind="spraying", started_at=now, last_seen_at=now)
    number = number_of("203.0.113.7")
    IncidentNetwork.objects.create(incident=incident, network="203.0.113.7/32", number=number)
    page = staff("root").get(list_url(model), {"q": text})
    assert page.context["cl"].result_count == 1


def test_filters_take_an_address_with_its_port(staff: Any, fail: Any) -> None:
    fail()
    page = staff("root").get(list_url("failedlogin"), {"net": "203.0.113.7:443"})
    assert page.context["cl"].result_count == 1


def test_a_name_that_is_an_address_is_listed_beside_the_network(staff: Any) -> None:
    get_user_model().objects.create_user("203.0.113.7")
    page = ask(staff("support"), "203.0.113.7")
    assert listed(page) == ["203.0.113.7"]
    assert page.context["network_url"] == leads.to_network("admin", "203.0.113.7/32")


def test_what_was_typed_in_full_goes_before_what_has_it_in_it(staff: Any, lock: Any) -> None:
    create = get_user_model().objects.create_user
    for name in ("ann", "anna", "joann"):
        create(name)
    lock("joann")
    assert ask(staff("support"), "ann").url == name_page("ann")
    assert listed(ask(staff("analyst"), "ann", list="")) == ["ann", "joann", "anna"]


def test_a_name_that_was_only_tried_does_not_hide_an_account(
    staff: Any, people: None, fail: Any
) -> None:
    fail("garcia")
    assert listed(ask(staff("support"), "garcia")) == ["garcia", "j.garcia", "m.garcia"]


def test_a_locked_name_without_an_account_is_led_to(staff: Any, people: None, lock: Any) -> None:
    lock("garcia")
    assert ask(staff("support"), "garcia").url == name_page("garcia")


def test_the_list_says_what_it_knows_of_a_name(staff: Any, people: None, lock: Any) -> None:
    lock("j.garcia")
    page = strip_tags(ask(staff("support"), "garcia").content.decode())
    assert re.search(r"j\.garcia\s+locked now username of an account was locked", page)


def test_two_accounts_of_one_address_are_listed(staff: Any) -> None:
    create = get_user_model().objects.create_user
    create("one", "both@example.com")
    create("two", "both@example.com")
    assert listed(ask(staff("support"), "both@example.com")) == ["one", "two"]


def test_nothing_found_is_an_answer_too(staff: Any) -> None:
    page = unescape(ask(staff("support"), "zz<b>").content.decode())
    assert "Nothing has “zz<b>” in it." in page
    assert "what people are called is not" in page
    assert name_page("zz<b>") in page


def test_of_an_unknown_name_there_is_what_to_tell_the_caller(
    staff: Any, people: None, big: None
) -> None:
    browser = staff("support")
    page = browser.get(SEARCH, {"q": "jane"})
    told = [
        "No account has this name. Please spell the name that you log in with.",
        "No lock is on this name.",
        "Nobody has failed to log in with this name in 30 days.",
    ]
    assert page.context["says"] == told == browser.get(name_page("jane")).context["says"]
    assert TO_SAY in page.content.decode()
    assert name_page("jane") in page.content.decode()


@pytest.mark.parametrize("permission", ["view_accountlock", "view_successfullogin"])
def test_what_to_tell_does_not_tell_of_an_account_to_whom_it_is_not_for(
    staff: Any, people: None, permission: str
) -> None:
    browser = staff("stranger")
    stranger = get_user_model().objects.get(username="stranger")
    stranger.user_permissions.set(Permission.objects.filter(codename=permission))
    told = [ask(browser, name).context["says"] for name in ("alice", "nobody")]
    assert told[0] == told[1]
    assert not any("account" in said for said in told[0])


def test_who_sees_rules_only_is_told_nothing_of_names(staff: Any) -> None:
    browser = staff("stranger")
    stranger = get_user_model().objects.get(username="stranger")
    stranger.user_permissions.set(Permission.objects.filter(codename="view_networkrule"))
    page = ask(browser, "jane")
    assert page.context["says"] == []
    assert name_page("jane") not in page.content.decode()


def test_no_question_asks_for_one(staff: Any) -> None:
    page = ask(staff("support"), "")
    assert page.status_code == 200
    assert "Type a username" in page.content.decode()


@pytest.mark.parametrize("text", VALUES)
def test_anything_may_be_typed(staff: Any, people: None, fail: Any, text: str) -> None:
    fail(text)
    browser = staff("root")
    answer = browser.get(SEARCH, {"q": text.encode("utf-8", "surrogatepass")}, follow=True)
    assert answer.status_code == 200


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_it_only_reads(staff: Any, method: str) -> None:
    assert getattr(staff("root"), method)(SEARCH).status_code == 405


# -- Who may find what --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("permission", "text", "is_found"),
    [
        ("view_failedlogin", "alice", True),
        ("view_failedlogin", "alice@example.com", True),
        # Whether there is an account is told by neither locks nor logins.
        ("view_accountlock", "alice", False),
        ("view_successfullogin", "alice", False),
        ("view_successfullogin", "alice@example.com", False),
        ("view_networkrule", "alice", False),
        # Nor whose address begins how.
        ("view_failedlogin", "jose.g", False),
    ],
)
def test_nobody_finds_what_he_may_not_see(
    staff: Any, people: None, permission: str, text: str, is_found: bool
) -> None:
    browser = staff("stranger")
    stranger = get_user_model().objects.get(username="stranger")
    stranger.user_permissions.set(Permission.objects.filter(codename=permission))
    answer = ask(browser, text)
    assert answer.status_code == (302 if is_found else 200)
    assert "alice</bdi>" not in answer.content.decode()


def test_who_sees_users_finds_them_by_a_part_of_the_address(staff: Any, people: None) -> None:
    assert ask(staff("root"), "jose.g").url == name_page("j.garcia")


def test_who_may_see_nothing_has_no_box_and_no_page(staff: Any) -> None:
    browser = staff("stranger")
    assert ask(browser, "alice").status_code == 403
    assert "lockout-q" not in browser.get("/admin/").content.decode()


@pytest.mark.parametrize("role", ["support", "security", "analyst", "root"])
def test_the_box_waits_for_the_keys_on_the_first_page(staff: Any, role: str) -> None:
    page = staff(role).get("/admin/").content.decode()
    assert re.search(r'<input[^>]* id="lockout-q"[^>]* autofocus>', page)
    assert f'action="{SEARCH}"' in page
    assert page.count("autofocus") == 1


PAGES = [
    "/admin/lockout_admin/",
    SEARCH,
    name_page("alice"),
    leads.to_network("admin", "203.0.113.7"),
    *(list_url(one) for one in ("failedlogin", "successfullogin", "activelock", "accountlock")),
    *(list_url(one) for one in ("networkrule", "trusteddevice", "auditentry")),
    *(f"{list_url(one)}export/" for one in ("failedlogin", "accountlock", "networkrule")),
    *(f"{list_url('accountlock')}{one}/" for one in ("policy", "policy/try")),
    f"{list_url('activelock')}add/",
    f"{list_url('networkrule')}add/",
    f"{list_url('networkrule')}import/",
]


@pytest.mark.parametrize("url", PAGES)
def test_the_box_is_on_each_page_of_the_app(staff: Any, url: str) -> None:
    assert staff("root").get(url).content.decode().count('id="lockout-q"') == 1


def test_the_box_is_on_the_pages_of_a_record(staff: Any, fail: Any, lock: Any) -> None:
    browser, row = staff("root"), lock()
    for url in (
        f"{list_url('failedlogin')}{fail().pk}/change/",
        f"{list_url('accountlock')}{row.pk}/history/",
        f"{list_url('activelock')}{row.pk}/change/",
    ):
        assert browser.get(url).content.decode().count('id="lockout-q"') == 1
    # Here the reason waits for the keys.
    page = browser.get(f"{list_url('activelock')}{row.pk}/unlock/").content.decode()
    assert page.count("autofocus") == 1
    assert not re.search(r'<input[^>]*id="lockout-q"[^>]*autofocus', page)


def test_a_window_of_its_own_has_no_box(staff: Any) -> None:
    page = staff("root").get(f"{list_url('networkrule')}add/?_popup=1").content.decode()
    assert "lockout-q" not in page


# -- The first page of a site -------------------------------------------------------------------


def test_a_site_with_a_first_page_of_its_own_keeps_it() -> None:
    from lockout_admin.admin.history import LockHistoryAdmin  # noqa: PLC0415

    own = admin.AdminSite(name="own")
    own.index_template = "own.html"
    own.register(AccountLock, LockHistoryAdmin)
    assert own.index_template == "own.html"
    plain = admin.AdminSite(name="plain")
    plain.register(AccountLock, LockHistoryAdmin)
    assert plain.index_template == "lockout_admin/index.html"


bare = admin.AdminSite(name="admin")
urlpatterns = [path("admin/", bare.urls)]


@pytest.mark.urls(__name__)
def test_without_the_page_nothing_leads_there() -> None:
    assert not leads.to_search("admin")
    assert not leads.to_name("admin", "alice")
    assert not leads.to_network("admin", "203.0.113.7")
    assert not leads.to_records("admin", "failedlogin", username="alice")


# -- What can be searched -----------------------------------------------------------------------


@pytest.fixture
def big(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any table is a big one."""
    monkeypatch.setattr(reach, "SMALL", -1)


def test_of_a_big_table_the_beginning_is_found(staff: Any, people: None, big: None) -> None:
    assert ask(staff("support"), "j.gar").url == name_page("j.garcia")
    page = ask(staff("analyst"), "garcia")
    assert listed(page) == []
    said = unescape(page.content.decode())
    assert "auth_user.username" in said
    assert "manage.py lockout_search" in said
    # A part of a name is there, and was not looked for.
    assert "Nothing begins with “garcia”." in said
    assert "Nothing has" not in said
    assert '<details class="lockout-needs" open>' in said


def test_the_beginning_is_found_in_lower_case_too(staff: Any, people: None, big: None) -> None:
    assert ask(staff("support"), "J.Gar").url == name_page("j.garcia")


def test_an_address_that_no_index_has_is_not_looked_for(
    staff: Any, people: None, big: None
) -> None:
    page = ask(staff("support"), "alice@example.com")
    assert listed(page) == []
    assert "auth_user.email" in page.content.decode()


def test_nor_how_an_address_begins_that_no_index_has(staff: Any, people: None, big: None) -> None:
    page = ask(staff("root"), "alice@")
    assert listed(page) == []
    assert [str(column) for column in page.context["found"].unasked] == ["auth_user.email"]


def test_accounts_that_were_not_asked_for_a_part_of_an_address_are_told(
    staff: Any, people: None
) -> None:
    told = "Accounts are not searched for a part of an e-mail address: type all of it."
    support = staff("support")
    assert told in ask(support, "example.com").content.decode()
    assert listed(ask(staff("root"), "example.com")) == ["alice", "j.garcia", "m.garcia"]
    assert told not in ask(support, "garcia").content.decode()
    # To all of it there is no answer either, for whoever may not know.
    browser = staff("stranger")
    stranger = get_user_model().objects.get(username="stranger")
    stranger.user_permissions.set(Permission.objects.filter(codename="view_accountlock"))
    assert told not in ask(browser, "example.com").content.decode()


def test_an_index_is_enough_for_an_address(
    staff: Any, people: None, big: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(get_user_model()._meta.get_field("email"), "db_index", True)
    assert ask(staff("support"), "alice@example.com").url == name_page("alice")


@pytest.mark.django_db(transaction=True)
def test_an_index_that_the_site_made_is_seen(people: None) -> None:
    email = Column(get_user_model(), "email")
    assert not email.is_indexed
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX of_the_site ON auth_user (email)")
    try:
        assert email.is_indexed
    finally:
        with connection.cursor() as cursor:
            on = " ON auth_user" if connection.vendor == "mysql" else ""
            cursor.execute(f"DROP INDEX of_the_site{on}")


def test_a_column_that_the_database_can_not_search_finds_nothing(
    people: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Refused(PartOf):
        def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
            return "nonsense = 1", ()

        as_postgresql = as_mysql = as_sql

    monkeypatch.setattr(accounts, "PartOf", Refused)
    assert finding.find("garcia", ALL).names == []
    # The transaction goes on.
    assert get_user_model().objects.count() == 3


def test_names_beyond_those_that_fit_are_said(
    staff: Any, fail: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "SHOWN", 2)
    for number in range(3):
        fail(f"name{number}")
    found = finding.find("name", ALL)
    assert len(found.names) == 2
    assert found.is_cut
    assert "There may be more" in ask(staff("support"), "name").content.decode()


def test_a_sample_that_is_full_may_hide_names(fail: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "SAMPLE", 2)
    for _time in range(3):
        fail("alice")
    assert finding.find("lic", ALL).is_cut


def test_locks_of_networks_are_no_names(lock: Any) -> None:
    lock("203.0.113.0/24", scope="network")
    assert finding.find("113.0/2", ALL).names == []


def test_where_a_name_was_found(people: None, fail: Any, enter: Any, lock: Any) -> None:
    fail("alice")
    enter("alice")
    lock("alice")
    (alice,) = finding.find("alice", ALL).names
    # The part is in her address as well.
    assert alice.where == set(Where)


def test_a_masked_name_is_found(fail: Any) -> None:
    fail("whoever")
    masked = Subject.of("whoever").masked
    FailedLogin.objects.update(username=masked)
    (name,) = finding.find(masked, ALL).names
    assert (name.text, name.is_exact) == (masked, True)


# -- manage.py lockout_search -------------------------------------------------------------------

ONLY_POSTGRESQL = pytest.mark.skipif("connection.vendor != 'postgresql'")


def said_by(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    call_command("lockout_search", *options)
    return capsys.readouterr().out


def test_the_command_says_how_things_stand(
    db: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "auth_user.email: any part is found: it has at most 10,000 rows." in said_by(capsys)
    monkeypatch.setattr(reach, "SMALL", -1)
    told = said_by(capsys)
    assert "lockout_admin_failedlogin.username: only the beginning is found." in told
    assert "auth_user.email: nothing is looked for: no index has it." in told


@pytest.mark.skipif("connection.vendor == 'postgresql'")
@pytest.mark.parametrize("option", ["--sql", "--create", "--drop"])
def test_elsewhere_the_command_makes_nothing(
    db: None, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    assert "INDEX" not in said_by(capsys, option)


def test_a_part_of_an_address_that_accounts_were_not_asked_for_leads_nowhere(
    staff: Any, people: None, fail: Any
) -> None:
    for name in ("alice@", "nobody@example.com"):
        fail(name)
    support = staff("support")
    page = ask(support, "alice@")
    assert listed(page) == ["alice@"]
    assert "type all of it" in page.content.decode()
    # Whoever sees accounts has them searched.
    assert listed(ask(staff("root"), "alice@")) == ["alice@", "alice"]
    assert ask(support, "nobody@example.com").url == name_page("nobody@example.com")


@ONLY_POSTGRESQL
@pytest.mark.django_db(transaction=True)
def test_with_the_indexes_a_part_is_found_in_big_tables(
    capsys: pytest.CaptureFixture[str], big: None
) -> None:
    get_user_model().objects.create_user("j.garcia", "jose@example.com")
    assert "CREATE INDEX CONCURRENTLY" in said_by(capsys, "--sql")
    assert finding.find("garcia", ALL).names == []
    try:
        assert said_by(capsys, "--create").count("by a trigram index") == 5
        (found,) = finding.find("garcia", ALL).names
        assert found.text == "j.garcia"
        assert finding.find("ose@", ALL).names[0].text == "j.garcia"
        assert finding.find("JOSE@example.com", ALL).only_name is not None
        assert said_by(capsys, "--sql").strip() == ""
    finally:
        assert "trigram" not in said_by(capsys, "--drop")


@pytest.mark.django_db
def test_what_the_database_refuses_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    module = "lockout_admin.management.commands.lockout_search"
    email = Column(get_user_model(), "email")
    monkeypatch.setattr(f"{module}._creating", lambda columns: [(email, "CREATE nothing")])
    with pytest.raises(CommandError, match="CREATE nothing"):
        call_command("lockout_search", "--create")


def test_who_may_see_nothing_finds_nothing(people: None) -> None:
    for text in ("alice", "203.0.113.7"):
        found = finding.find(text, Sight())
        assert found.network is None
        assert found.only_name is None
