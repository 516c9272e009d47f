"""The screen of active locks, and that of every lock that was."""

from __future__ import annotations

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.timezone import localtime
from freezegun import freeze_time

from lockout_admin import lockout
from lockout_admin.admin.facts import ENFORCEMENT, facts_of
from lockout_admin.engine.known import Enforcement
from lockout_admin.engine.store import Keys, store
from lockout_admin.evidence import leads
from lockout_admin.exceptions import AccountLocked
from lockout_admin.models import AccountLock, AuditEntry, FailedLogin

from ..conftest import HOME
from .conftest import consent, insist, list_url, names, page_url, said

ACTIVE, HISTORY = list_url("activelock"), list_url("accountlock")
ADD = ACTIVE + "add/"


@pytest.fixture
def olga(staff: Any) -> Client:
    browser: Client = staff("security")
    return browser


def facts(browser: Client, url: str = ACTIVE) -> Any:
    return browser.get(url).context["cl"].result_list[0].facts


def test_the_form_locks_and_does_not_save(olga: Client, lock: Any) -> None:
    page = olga.get(ADD).content.decode()
    assert 'value="Lock"' in page
    assert "Add active lock" not in page
    assert 'value="Save"' not in page
    assert "Lock a username" not in olga.get(page_url(lock(), "activelock")).content.decode()


# -- Active locks -------------------------------------------------------------------------------


def test_fresh_attacks_are_shown_before_what_staff_locked_for_a_month(
    olga: Client, lock: Any
) -> None:
    lock("long", 600)
    lock("staff", 30 * 86_400, reason="manual")
    lock("short", 60)
    over = lock("over")
    AccountLock.objects.filter(pk=over.pk).update(until=over.started_at)
    assert names(olga.get(ACTIVE)) == ["short", "long", "staff"]
    assert names(olga.get(ACTIVE, {"o": "6"})) == ["short", "long", "staff"]
    assert names(olga.get(ACTIVE, {"o": "-6"})) == ["staff", "long", "short"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (59, "59 s left"),
        (3599, "59 min left"),
        (86_399, "23 h 59 min left"),
        (2e6, "23 d 3 h left"),
    ],
)
@freeze_time("2026-11-26 12:00:00")
def test_the_time_that_is_left_is_told_in_two_units_and_exactly(
    olga: Client, lock: Any, seconds: float, said: str
) -> None:
    ends = lock(seconds=int(seconds)).until
    page = olga.get(ACTIVE).content.decode()
    cell = page.partition('class="field-left">')[2].partition("</td>")[0]
    assert f"<span>{said}</span>" in cell
    exact = f"{localtime(ends):%Y-%m-%d %H:%M:%S} CST (UTC-06:00)"
    assert f'title="{exact}"' in cell
    assert strip_tags(cell) == f"{said}, {exact}"


@pytest.mark.parametrize(
    ("has_account", "fields", "tone"),
    [
        (True, {}, "urgent"),
        (True, {"reason": "manual"}, "plain"),
        (False, {}, "quiet"),
        (False, {"reason": "manual"}, "quiet"),
    ],
)
def test_only_an_attack_on_an_account_that_exists_is_urgent(
    olga: Client, lock: Any, has_account: bool, fields: Any, tone: str
) -> None:
    if has_account:
        get_user_model().objects.create_user("alice")
    lock(**fields)
    cell = olga.get(ACTIVE).content.decode().partition('class="field-about">')[2]
    assert f'class="lockout-pill lockout-{tone}"' in cell.partition("</td>")[0]
    assert ("account" if has_account else "nobody") in strip_tags(cell.partition("</td>")[0])


def test_nothing_calls_locking_a_name_adding(olga: Client, lock: Any) -> None:
    assert f'href="{ADD}" class="addlink">Add' not in olga.get("/admin/").content.decode()
    page = olga.get(ACTIVE).content.decode()
    assert f'href="{ADD}" class="addlink">Lock a username' in page


def test_a_lock_that_the_cache_does_not_enforce_says_so_in_the_list(
    olga: Client, lock: Any
) -> None:
    row = lock()
    assert "enforced" not in olga.get(ACTIVE).content.decode()
    store.delete_many([Keys(row.scope, row.key).lock])
    assert "to be restored" in olga.get(ACTIVE).content.decode()


def test_a_lock_says_what_led_to_it(olga: Client, alice: Any, guess: Any) -> None:
    guess(times=4)
    for _ in range(3):
        with pytest.raises(AccountLocked):
            lockout.raise_if_locked("alice")
        guess()
    FailedLogin.objects.filter(pk=FailedLogin.objects.first().pk).update(ip_address="192.0.2.1")
    FailedLogin.objects.filter(ip_address=None).update(ip_address="192.0.2.2")
    seen = facts(olga)
    assert (seen.has_account, seen.addresses, seen.locks, seen.refused.count) == (True, 2, 1, 3)


def test_earlier_locks_are_counted(olga: Client, lock: Any) -> None:
    for ago in (40, 20, 0):
        row = lock("eve", 60)
        started = row.started_at - timedelta(days=ago)
        AccountLock.objects.filter(pk=row.pk).update(
            started_at=started, until=row.until - timedelta(days=ago)
        )
    assert facts(olga).locks == 2


@pytest.mark.parametrize(
    ("state", "label"), [("kept", "enforced"), ("lost", "to be restored"), ("down", "cache down")]
)
def test_whether_the_cache_enforces_it(
    olga: Client, lock: Any, monkeypatch: Any, state: str, label: str
) -> None:
    row = lock()
    if state == "lost":
        store.delete_many([Keys(row.scope, row.key).lock])
    if state == "down":
        monkeypatch.setattr(store, "get_many", lambda keys: None)
    assert str(ENFORCEMENT[facts(olga).enforcement][0]) == label


def test_each_lock_of_a_name_has_addresses_of_its_own(olga: Client, lock: Any, fail: Any) -> None:
    for ago, addresses in ((7200, ("192.0.2.1", "192.0.2.2")), (3600, ("192.0.2.3",))):
        for address in addresses:
            fail(ip_address=address, ago=ago + 5)
        row = lock(failures=len(addresses))
        AccountLock.objects.filter(pk=row.pk).update(
            started_at=timezone.now() - timedelta(seconds=ago)
        )
    rows = olga.get(HISTORY).context["cl"].result_list
    assert [facts_of(row).addresses for row in rows] == [1, 2]


def test_a_lock_by_hand_says_by_whom_and_why(olga: Client, lock: Any) -> None:
    lock("eve", reason="manual", locked_by="olga", note="<b>stolen</b>")
    page = olga.get(ACTIVE).content.decode()
    quoted = "<q><bdi>&lt;b&gt;stolen&lt;/b&gt;</bdi></q>"
    assert f'title="&lt;b&gt;stolen&lt;/b&gt; (locked by olga)">{quoted}' in page
    page = olga.get(page_url(AccountLock.objects.get(), "activelock")).content.decode()
    assert f"by hand<br><small><bdi>locked by olga</bdi></small><br>{quoted}" in page


def test_the_failures_are_a_click_away(olga: Client, guess: Any, fail: Any) -> None:
    fail("eve", ago=3600)
    guess("eve", times=4)
    page = unescape(olga.get(ACTIVE).content.decode())
    url = page.partition('class="field-failed"><a href="')[2].partition('"')[0]
    assert len(names(olga.get(url))) == 4


def test_no_failures_are_a_click_away_of_a_lock_by_hand(olga: Client, lock: Any) -> None:
    lock("eve", reason="manual", failures=0)
    assert 'class="field-failed">0</td>' in olga.get(ACTIVE).content.decode()


@pytest.mark.parametrize("model", ["activelock", "accountlock"])
def test_the_page_of_a_lock_leads_to_that_of_the_name(olga: Client, lock: Any, model: str) -> None:
    link = leads.to_name("admin", "alice")
    assert f'href="{link}"' in olga.get(page_url(lock(), model)).content.decode()


def test_a_lock_has_a_page(olga: Client, lock: Any) -> None:
    row = lock()
    page = olga.get(page_url(row, "activelock")).content.decode()
    assert f'href="{page_url(row, "activelock", "unlock")}"' in page
    assert 'name="_save"' not in page


def test_the_page_of_a_lock_that_has_ended_is_its_record(olga: Client, lock: Any) -> None:
    row = lock()
    lockout.unlock_account("alice", by="sam")
    answer = olga.get(page_url(row, "activelock"), follow=True)
    assert answer.redirect_chain == [(page_url(row), 302)]
    assert said(answer) == "“alice” has been unlocked already, by sam."


@pytest.mark.parametrize("key", ["0", "9" * 18, "9" * 40, "abc", "%00", "1'", "-1"])
@pytest.mark.parametrize("page", [ACTIVE, HISTORY, list_url("failedlogin")])
def test_a_record_that_is_not_there(olga: Client, page: str, key: str) -> None:
    assert olga.get(f"{page}{key}/change/").status_code == 302


@pytest.mark.parametrize(
    ("term", "found"), [("AL", []), ("al", ["alice"]), ("ALICE", ["alice"]), ("192.0.2.1", [])]
)
def test_search(olga: Client, lock: Any, term: str, found: list[str]) -> None:
    lock()
    assert names(olga.get(ACTIVE, {"q": term})) == found


# -- Locking by hand ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("duration", "seconds", "lasts"),
    [("900", "", 900), ("custom", "42", 42), ("86400", "42", 86400)],
)
def test_locking_by_hand(olga: Client, duration: str, seconds: str, lasts: int) -> None:
    form = {
        "username": " Eve ",
        "duration": duration,
        "seconds": seconds,
        "note": "Reported stolen",
    }
    answer = insist(olga, ADD, form)
    row = AccountLock.objects.get()
    assert lockout.is_account_locked("eve")
    assert (row.reason, row.locked_by, row.note) == ("manual", "security", "Reported stolen")
    assert row.until - row.started_at == timedelta(seconds=lasts)
    assert said(answer).startswith("“Eve” is locked until 20")


def test_locking_by_hand_is_audited_on_the_record(olga: Client) -> None:
    insist(olga, ADD, {"username": "eve", "duration": "900", "note": "Reported stolen"})
    entry = LogEntry.objects.get()
    assert entry.get_change_message() == "Locked for 15 min: Reported stolen"
    assert olga.get(entry.get_admin_url() or "").status_code == 200
    assert entry.get_edited_object() == AccountLock.objects.get()


def test_the_audit_of_a_lock_is_in_english(olga: Client, settings: Any) -> None:
    settings.LANGUAGE_CODE = "de"
    insist(olga, ADD, {"username": "eve", "duration": "900", "note": "Gestohlen"})
    assert LogEntry.objects.get().get_change_message() == "Locked for 15 min: Gestohlen"


def test_the_history_of_an_open_lock_is_that_of_its_record(olga: Client) -> None:
    insist(olga, ADD, {"username": "eve", "duration": "900", "note": "Reported stolen"})
    row = AccountLock.objects.get()
    answer = olga.get(page_url(row, "activelock", "history"), follow=True)
    assert answer.redirect_chain == [(page_url(row, page="history"), 302)]
    assert "Locked for 15 min: Reported stolen" in answer.content.decode()


EVE = {"username": "eve", "duration": "900", "note": "Reported stolen"}


def test_a_name_that_no_account_has_is_asked_about(olga: Client) -> None:
    answer = olga.post(ADD, EVE)
    page = answer.content.decode()
    assert "No account has the name “eve”." in page
    assert 'value="eve"' in page
    assert not AccountLock.objects.exists()


def test_a_name_that_an_account_has_is_locked_at_once(olga: Client, alice: Any) -> None:
    assert olga.post(ADD, {**EVE, "username": "Alice"}).status_code == 302


def test_ones_own_name_is_asked_about(olga: Client) -> None:
    answer = olga.post(ADD, {**EVE, "username": "SECURITY"})
    assert "is you" in answer.content.decode()
    assert not AccountLock.objects.exists()


def test_a_consent_is_to_one_warning_on_one_name(olga: Client, lock: Any) -> None:
    agreed = consent(olga.post(ADD, EVE))
    assert agreed["anyway"]
    assert olga.post(ADD, {**EVE, **agreed, "username": "mallory"}).status_code == 200
    lock("eve", 86400, reason="manual")
    assert olga.post(ADD, {**EVE, **agreed}).status_code == 200
    assert AccountLock.objects.count() == 1


def test_a_longer_lock_stays_until_somebody_says_otherwise(
    olga: Client, alice: Any, lock: Any
) -> None:
    longer = lock(seconds=30 * 86400, reason="manual")
    form = {**EVE, "username": "ALICE"}
    page = olga.post(ADD, form).content.decode()
    assert f"until {localtime(longer.until):%Y-%m-%d %H:%M:%S} already" in page
    assert [row.pk for row in AccountLock.objects.open()] == [longer.pk]
    answer = insist(olga, ADD, form)
    row = AccountLock.objects.open().get()
    assert row.label == "ALICE"
    assert said(answer) == f"“ALICE” is locked until {localtime(row.until):%Y-%m-%d %H:%M:%S}."
    longer.refresh_from_db()
    assert (longer.ended_by, longer.end_note) == ("security", "Reported stolen")
    audit = AuditEntry.objects.order_by("id").values_list("action", "label")
    assert list(audit) == [("unlock", "alice"), ("lock", "ALICE")]


def test_who_may_not_unlock_can_not_shorten_a_lock(staff: Any, alice: Any, lock: Any) -> None:
    lock(seconds=30 * 86400, reason="manual")
    analyst = staff("analyst")
    user = get_user_model().objects.get(username="analyst")
    user.user_permissions.add(Permission.objects.get(codename="lock_accountlock"))
    answer = analyst.post(ADD, {**EVE, "username": "alice"})
    assert answer.status_code == 200
    assert consent(answer) == {"anyway": ""}
    assert AccountLock.objects.count() == 1


def test_the_consent_of_somebody_else_does_not_count(
    staff: Any, olga: Client, alice: Any, lock: Any
) -> None:
    """Neither does one that somebody works out who may not give it."""
    lock(seconds=30 * 86400, reason="manual")
    form = {**EVE, "username": "alice"}
    agreed = consent(olga.post(ADD, form))
    assert agreed["anyway"]
    analyst = staff("analyst")
    user = get_user_model().objects.get(username="analyst")
    user.user_permissions.add(Permission.objects.get(codename="lock_accountlock"))
    assert analyst.post(ADD, {**form, **agreed}).status_code == 200
    user.user_permissions.add(Permission.objects.get(codename="unlock_accountlock"))
    assert analyst.post(ADD, {**form, **agreed}).status_code == 200
    assert AccountLock.objects.count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"username": ""},
        {"username": "\0"},
        {"username": "\u200b"},
        {"username": "a" * 256},
        {"note": ""},
        {"note": "  x "},
        {"note": "a" * 256},
        {"duration": "forever"},
        {"duration": ""},
        {"duration": "custom"},
        {"duration": "custom", "seconds": "0"},
        {"duration": "custom", "seconds": "9" * 20},
        {"duration": "custom", "seconds": "soon"},
    ],
)
def test_a_wrong_answer_locks_nobody(olga: Client, wrong: dict[str, str]) -> None:
    answer = olga.post(
        ADD, {"username": "eve", "duration": "900", "note": "Reported stolen", **wrong}
    )
    assert answer.status_code == 200
    assert answer.context["errors"]
    assert not AccountLock.objects.exists()


# -- Lock history -------------------------------------------------------------------------------


def test_history_says_how_a_lock_ended(olga: Client, lock: Any) -> None:
    lock("open")
    lock("released")
    over = lock("over", 60)
    AccountLock.objects.filter(pk=over.pk).update(until=over.started_at)
    lockout.unlock_account("released", by="sam", note="Ticket 4711")
    page = olga.get(HISTORY).content.decode()
    for text in (
        "locked now",
        'title="unlocked by sam: Ticket 4711"><bdi>sam</bdi>',
        "by itself",
        '"field-lasted">0 s<',
    ):
        assert text in page
    page = olga.get(page_url(AccountLock.objects.get(label="released"))).content.decode()
    assert "<bdi>unlocked by sam</bdi> <q><bdi>Ticket 4711</bdi></q>" in page


def test_an_open_lock_has_lasted_since_it_began(olga: Client, lock: Any, clock: Any) -> None:
    lock(seconds=30 * 86400)
    clock.tick(300)
    page = olga.get(HISTORY).content.decode()
    assert '"field-lasted">5 min<' in page
    assert "29 d 23 h left" in olga.get(ACTIVE).content.decode()


def test_a_program_can_unlock_too(olga: Client, lock: Any) -> None:
    row = lock()
    lockout.unlock_account("alice")
    assert "unlocked by a program" in olga.get(page_url(row)).content.decode()
    assert "by a program" in said(olga.get(page_url(row, "activelock"), follow=True))


@pytest.mark.parametrize(
    ("order", "usernames"),
    [("4", "one two"), ("-4", "two one"), ("6", "two one"), ("-6", "one two")],
)
def test_history_is_ordered_by_start_or_end(
    olga: Client, lock: Any, order: str, usernames: str
) -> None:
    one = lock("one")
    two = lock("two")
    AccountLock.objects.filter(pk=one.pk).update(ended_at=two.until)
    AccountLock.objects.filter(pk=two.pk).update(ended_at=two.started_at)
    assert names(olga.get(HISTORY, {"o": order})) == usernames.split()


def test_the_record_of_an_open_lock_offers_to_unlock(staff: Any, lock: Any) -> None:
    row = lock()
    link = page_url(row, "activelock", "unlock")
    assert link in staff("support").get(page_url(row)).content.decode()
    assert link not in staff("analyst").get(page_url(row)).content.decode()


def test_what_a_lock_refused_is_shown_when_it_has_ended(
    olga: Client, alice: Any, guess: Any
) -> None:
    guess(times=6)
    AccountLock.objects.update(until=timezone.now())
    seen = facts(olga, HISTORY).refused
    assert (seen.count, seen.addresses) == (2, (HOME,))
    page = olga.get(page_url(AccountLock.objects.get())).content.decode()
    assert f"/network/{HOME}/" in page
    assert seen.last.isoformat() in page


# -- Rules --------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [ACTIVE, HISTORY])
@pytest.mark.parametrize(("rule", "shown"), [("account-daily", "account-daily"), ("", "by hand")])
def test_the_lists_say_which_rule_locked(
    olga: Client, lock: Any, page: str, rule: str, shown: str
) -> None:
    lock(rule=rule)
    cell = olga.get(page).content.decode().partition('class="field-because">')[2]
    assert shown in cell.partition("</td>")[0]


def test_a_rule_that_only_watches_locks_nobody(olga: Client, lock: Any) -> None:
    row = lock(rule="account-daily", enforced=False)
    assert names(olga.get(ACTIVE)) == []
    assert "would have locked" in olga.get(HISTORY).content.decode()
    assert names(olga.get(HISTORY, {"state": "monitored"})) == ["alice"]
    assert names(olga.get(HISTORY, {"state": "open"})) == []
    assert facts(olga, HISTORY).enforcement == Enforcement.WATCHED
    assert "was never locked" in said(olga.get(page_url(row, "activelock"), follow=True))


@pytest.mark.parametrize("since", [0, 2])
def test_the_failures_of_a_slow_rule_are_a_click_away(
    olga: Client, lock: Any, fail: Any, since: int
) -> None:
    fail("eve", ago=40 * 3600)
    counted = [fail("eve", ago=hours * 3600) for hours in (20, 10, 0)]
    # Of a repeated lock, the record has the first failure after the lock before.
    lock("eve", rule="account-daily", first_failure=counted[since].pk, failures=3)
    assert facts(olga).addresses == 1
    page = unescape(olga.get(ACTIVE).content.decode())
    url = page.partition('class="field-failed"><a href="')[2].partition('"')[0]
    assert len(names(olga.get(url))) == 3


@pytest.mark.parametrize(
    ("label", "query"), [("203.0.113.0/24", "net=203.0.113.0%2F24"), ("everybody", "")]
)
def test_a_lock_may_be_on_no_name(
    olga: Client, lock: Any, fail: Any, label: str, query: str
) -> None:
    row = lock(scope="network")
    fail()
    AccountLock.objects.filter(pk=row.pk).update(subject=None, label=label)
    page = unescape(olga.get(page_url(row)).content.decode())
    assert ("?time=all&net=" in page) == bool(query)
    assert query in page
    assert "username=" not in page
    assert "nobody" not in olga.get(HISTORY).content.decode()
