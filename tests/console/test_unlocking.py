"""Unlocking: confirmed, reasoned, audited, counted."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from unittest.mock import Mock
from urllib.parse import quote

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import LogEntry
from django.core import signing
from django.test import Client

from lockout_admin import lockout
from lockout_admin.engine import entries
from lockout_admin.engine.locks import Lock
from lockout_admin.engine.store import store
from lockout_admin.models import AccountLock, AuditEntry
from lockout_admin.signals import account_unlocked

from ..conftest import request_from
from .conftest import confirm, list_url, names, page_url, said, undone

LIST = list_url("activelock")
LINK = re.compile('class="lockout-unlock" href="(.+?)"')


@pytest.fixture
def sam(staff: Any) -> Client:
    browser: Client = staff("support")
    return browser


def select(browser: Client, *rows: Any, across: bool = False, query: str = "") -> Any:
    """Start the action on some rows, or on all that match."""
    chosen = [row.pk for row in rows] or [1]
    form = {
        "action": "unlock",
        "select_across": int(across),
        ACTION_CHECKBOX_NAME: chosen,
        "index": 0,
    }
    return browser.post(LIST + query, form)


def test_one_lock(sam: Client, lock: Any) -> None:
    url = page_url(lock(), "activelock", "unlock")
    lock("bob")
    answer = confirm(sam, url, sam.get(url))
    row = AccountLock.objects.get(label="alice")
    assert (row.ended_by, row.end_note) == ("support", "Ticket 4711")
    assert lockout.get_lock("alice") is None
    assert lockout.is_account_locked("bob")
    assert said(answer) == "“alice” is unlocked."
    assert LogEntry.objects.get().get_change_message() == "Unlocked: Ticket 4711"


def test_a_selection(sam: Client, lock: Any) -> None:
    rows = [lock(f"name{number}") for number in range(4)]
    asked = select(sam, *rows[:3])
    assert asked.context["total"] == 3
    answer = confirm(sam, LIST, asked)
    assert said(answer) == "3 locks ended."
    assert names(answer) == ["name3"]
    assert LogEntry.objects.count() == 3


def test_all_that_match(sam: Client, lock: Any) -> None:
    for number in range(30):
        lock(f"name{number}")
    lock("other")
    query = "?username=name&match=prefix"
    asked = select(sam, across=True, query=query)
    assert (asked.context["total"], len(undone(asked)), asked.context["more"]) == (30, 20, 10)
    assert said(confirm(sam, LIST + query, asked)) == "30 locks ended."
    assert names(sam.get(LIST)) == ["other"]


def test_chunks(sam: Client, lock: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("lockout_admin.engine.releases.CHUNK", 2)
    for number in range(5):
        lock(f"name{number}")
    assert said(confirm(sam, LIST, select(sam, across=True))) == "5 locks ended."
    assert LogEntry.objects.count() == 5


def test_an_invalid_filter_reaches_nobody(sam: Client, lock: Any) -> None:
    lock()
    answer = select(sam, across=True, query="?time=5m")
    assert answer.status_code == 302
    assert lockout.is_account_locked("alice")


def test_a_lock_that_came_after_the_question_stays(sam: Client, lock: Any) -> None:
    lock("old")
    asked = select(sam, across=True)
    lock("new")
    assert said(confirm(sam, LIST, asked)) == "“old” is unlocked."
    assert lockout.is_account_locked("new")


def test_locks_that_come_to_light_after_the_question_are_asked_about(
    sam: Client, lock: Any
) -> None:
    """One that was written earlier, in a transaction that went on while the page was made."""
    late = lock("vip", 7200)
    AccountLock.objects.update(until=late.started_at)
    lock("bob", 7200)
    asked = select(sam, across=True)
    AccountLock.objects.filter(pk=late.pk).update(until=late.until)
    again = confirm(sam, LIST, asked)
    assert "There are more locks now" in again.content.decode()
    assert undone(again) == ["bob", "vip"]
    assert AccountLock.objects.open().count() == 2
    assert said(confirm(sam, LIST, again)) == "2 locks ended."


def test_a_lock_of_the_same_name_that_came_after_the_question_stays_too(
    sam: Client, lock: Any
) -> None:
    url = page_url(lock(seconds=6000), "activelock", "unlock")
    asked = sam.get(url)
    younger = lock(seconds=600, reason="manual", locked_by="olga")
    answer = confirm(sam, url, asked)
    assert said(answer) == "1 lock ended. 1 name has been locked anew meanwhile, and stays locked."
    kept = AccountLock.objects.open().get()
    assert (kept.pk, kept.grows) == (younger.pk, True)
    assert lockout.get_lock("alice") == Lock.of(younger)


def test_a_lock_that_stays_keeps_its_count_of_refusals(sam: Client, lock: Any) -> None:
    url = page_url(lock(), "activelock", "unlock")
    asked = sam.get(url)
    younger = lock()
    entries.count_refusal(younger.scope, younger.key, Lock.of(younger), None)
    confirm(sam, url, asked)
    assert (lockout.get_lock("alice") or Lock.of(younger)).refused == 1


def test_every_lock_of_the_name_ends(sam: Client, lock: Any) -> None:
    first = lock()
    lock("ALICE", reason="manual", locked_by="olga")
    url = page_url(first, "activelock", "unlock")
    asked = sam.get(url)
    assert (asked.context["total"], asked.context["more"]) == (2, 0)
    assert undone(asked) == ["ALICE", "alice"]
    assert said(confirm(sam, url, asked, by_hand="on")) == "2 locks ended."
    assert not lockout.is_account_locked("alice")


def test_what_ends_is_shown_with_its_reason_age_and_sources(
    sam: Client, alice: Any, guess: Any, clock: Any
) -> None:
    guess(times=6)
    lockout.lock_account("alice", 30 * 86400, by="olga", note="Left the company")
    clock.tick(30)
    url = page_url(AccountLock.objects.earliest("pk"), "activelock", "unlock")
    page = sam.get(url).content.decode()
    for text in (
        "locked by olga",
        "Left the company",
        "30 s ago",
        "/network/203.0.113.5/",
        "account",
    ):
        assert text in page


@pytest.mark.parametrize(
    ("ticked", "locked", "says"),
    [({}, True, "Tick this"), ({"by_hand": "on"}, False, "is unlocked")],
)
def test_a_lock_by_hand_wants_a_consent_of_its_own(
    sam: Client, lock: Any, ticked: dict[str, str], locked: bool, says: str
) -> None:
    url = page_url(lock(reason="manual", note="Phishing report"), "activelock", "unlock")
    asked = sam.get(url)
    assert "I have read why 1 lock was put on by hand." in asked.content.decode()
    answer = confirm(sam, url, asked, **ticked)
    assert says in answer.content.decode()
    assert lockout.is_account_locked("alice") == locked


def test_locks_by_hand_are_shown_first(sam: Client, lock: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("lockout_admin.engine.releases.SHOWN", 2)
    for number in range(3):
        lock(f"name{number}", reason="manual" if number == 1 else "limit")
    assert undone(select(sam, across=True)) == ["name1", "name2"]


def test_a_question_about_other_locks_is_no_answer(sam: Client, lock: Any) -> None:
    alice, bob, carol = lock(), lock("bob"), lock("carol")
    url = page_url(bob, "activelock", "unlock")
    asked = sam.get(url)
    answer = confirm(sam, page_url(alice, "activelock", "unlock"), asked)
    assert answer.status_code == 403
    asked = select(sam, bob)
    swapped: dict[str, Any] = {ACTION_CHECKBOX_NAME: [carol.pk]}
    assert confirm(sam, LIST, asked, **swapped).status_code == 403
    assert confirm(sam, LIST + "?reason=limit", asked).status_code == 403
    assert AccountLock.objects.open().count() == 3


def test_a_lock_that_a_filter_left_out_is_counted(sam: Client, lock: Any) -> None:
    lock()
    lock(reason="manual", locked_by="olga")
    lock("bob", reason="manual")
    asked = select(sam, across=True, query="?reason=limit")
    assert asked.context["total"] == 2
    answer = confirm(sam, LIST + "?reason=limit", asked, by_hand="on")
    assert said(answer) == "2 locks ended."
    assert names(sam.get(LIST)) == ["bob"]


def test_a_time_range_is_that_of_the_question(clock: Any, sam: Client, lock: Any) -> None:
    lock("old", 7200)
    clock.tick(600)
    lock("alice", 7200)
    lock("bob", 7200)
    clock.tick(890)
    query = "?time=15m"
    asked = select(sam, across=True, query=query)
    clock.tick(60)
    again = confirm(sam, LIST + query, asked, reason="")
    clock.tick(60)
    answer = confirm(sam, LIST + query, again)
    assert said(answer).startswith("2 locks ended.")
    assert answer.redirect_chain == [(LIST + query, 302)]
    assert names(sam.get(LIST)) == ["old"]


def test_the_audit_is_in_english(sam: Client, lock: Any, settings: Any) -> None:
    settings.LANGUAGE_CODE = "de"
    url = page_url(lock(), "activelock", "unlock")
    confirm(sam, url, sam.get(url))
    assert LogEntry.objects.get().get_change_message() == "Unlocked: Ticket 4711"


@pytest.mark.parametrize("page", ["list", "page"])
def test_the_way_there_and_back_keeps_the_filters(sam: Client, lock: Any, page: str) -> None:
    row = lock()
    query = "?q=al&reason=limit"
    url = (
        LIST + query
        if page == "list"
        else page_url(row, "activelock") + f"?_changelist_filters={quote(query[1:])}"
    )
    link = unescape(LINK.findall(sam.get(url).content.decode())[0])
    answer = confirm(sam, link, sam.get(link))
    assert answer.redirect_chain == [(LIST + query, 302)]


@pytest.mark.parametrize(
    "filters", ["https://evil.example/", "//evil.example", "q=a&q=b&next=//evil", "%00%FF", "&=&"]
)
def test_the_way_back_is_the_list(sam: Client, lock: Any, filters: str) -> None:
    url = page_url(lock(), "activelock", "unlock") + f"?_changelist_filters={quote(filters)}"
    assert sam.get(url).context["back"].partition("?")[0] == LIST


def test_each_is_signalled_once(sam: Client, lock: Any) -> None:
    heard: list[str] = []

    def hear(lock: AccountLock, **signal: Any) -> None:
        heard.append(lock.label)

    account_unlocked.connect(hear)
    lock("one")
    lock("two")
    confirm(sam, LIST, select(sam, across=True))
    account_unlocked.disconnect(hear)
    assert sorted(heard) == ["one", "two"]


@pytest.mark.parametrize("reason", ["", "  ", "ok", "x" * 256, "a\0b"])
def test_a_reason_is_required(sam: Client, lock: Any, reason: str) -> None:
    url = page_url(lock(), "activelock", "unlock")
    answer = confirm(sam, url, sam.get(url), reason=reason)
    assert answer.context["form"].errors
    assert lockout.is_account_locked("alice")


# -- Coming too late ----------------------------------------------------------------------------


def test_two_at_once(sam: Client, lock: Any) -> None:
    url = page_url(lock(), "activelock", "unlock")
    asked = sam.get(url)
    lockout.unlock_account("alice", by="olga")
    assert said(confirm(sam, url, asked)) == "“alice” has been unlocked already, by olga."
    assert AccountLock.objects.get().ended_by == "olga"


def test_two_at_once_on_a_selection(sam: Client, lock: Any) -> None:
    rows = [lock("one"), lock("two")]
    asked = select(sam, *rows)
    lockout.unlock_account("one", by="olga")
    assert "“two” is unlocked. 1 had already ended" in said(confirm(sam, LIST, asked))
    assert AccountLock.objects.get(label="one").ended_by == "olga"


def test_a_lock_that_ended_by_itself(clock: Any, sam: Client, lock: Any) -> None:
    url = page_url(lock(seconds=60), "activelock", "unlock")
    asked = sam.get(url)
    clock.tick(61)
    assert said(confirm(sam, url, asked)) == "The lock of “alice” has ended by itself."


def test_none_is_left(sam: Client, lock: Any) -> None:
    row = lock()
    lockout.unlock_account("alice")
    assert "None of these is locked any more." in said(sam.get(select(sam, row).url))


@pytest.mark.parametrize("key", [0, 2**63 - 1, 2**63, 10**40])
def test_no_such_lock(sam: Client, key: int) -> None:
    assert said(sam.get(f"{LIST}{key}/unlock/", follow=True)) == "There is no such lock."


def test_a_question_is_asked_again_when_it_is_old(clock: Any, sam: Client, lock: Any) -> None:
    url = page_url(lock(seconds=7200), "activelock", "unlock")
    asked = sam.get(url)
    clock.tick(901)
    answer = confirm(sam, url, asked)
    assert "look at the number again" in said(answer)
    assert "“alice” is unlocked." in said(confirm(sam, url, answer))


# -- What may go wrong --------------------------------------------------------------------------


def test_a_long_unlock_goes_on_with_what_was_confirmed(
    sam: Client, lock: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("lockout_admin.engine.releases.CHUNK", 2)
    for number in range(3):
        lock(f"name{number}")
    asked = select(sam, across=True)
    monkeypatch.setattr(
        "lockout_admin.engine.releases.time", Mock(monotonic=Mock(side_effect=[0, 21]))
    )
    answer = confirm(sam, LIST, asked)
    monkeypatch.undo()
    assert said(answer) == "2 locks ended. There are more. Confirm again to continue."
    assert "lockout-sends-itself" in answer.content.decode()
    lock("new")
    assert said(confirm(sam, LIST, answer)) == "3 locks ended."
    assert names(sam.get(LIST)) == ["new"]


def test_a_cache_that_is_down_is_told(sam: Client, lock: Any, monkeypatch: Any) -> None:
    url = page_url(lock(), "activelock", "unlock")
    asked = sam.get(url)
    monkeypatch.setattr(store, "clear", lambda keys, proof: False)
    assert "The cache does not answer." in said(confirm(sam, url, asked))


@pytest.mark.parametrize("token", ["", "x", signing.dumps(["1", 5, 5], salt="another")])
def test_a_forged_token(sam: Client, lock: Any, token: str) -> None:
    url = page_url(lock(), "activelock", "unlock")
    assert confirm(sam, url, sam.get(url), token=token).status_code == 403
    assert lockout.is_account_locked("alice")


def test_the_token_of_somebody_else(staff: Any, lock: Any) -> None:
    url = page_url(lock(), "activelock", "unlock")
    asked = staff("security").get(url)
    assert confirm(staff("support"), url, asked).status_code == 403


@pytest.mark.parametrize("keys", [["abc"], ["1", "\0"], ["9" * 30], ["1.5"]])
@pytest.mark.parametrize("action", ["unlock", "no_such_action", "delete_selected"])
def test_forged_selections(sam: Client, keys: list[str], action: str) -> None:
    form = {"action": action, ACTION_CHECKBOX_NAME: keys, "index": 0, "select_across": 0}
    assert sam.post(LIST, form).status_code == 400


# -- How the identity was confirmed ---------------------------------------------------------------


def test_how_the_identity_was_confirmed_is_kept(sam: Client, lock: Any) -> None:
    row = lock()
    url = page_url(row, "activelock", "unlock")
    confirm(sam, url, sam.get(url), confirmed="call-back")
    row.refresh_from_db()
    assert (row.confirmed, row.end_note) == ("call-back", "Ticket 4711")
    said = "Unlocked: Ticket 4711 (identity: call-back)"
    assert AuditEntry.objects.get().details == said
    assert LogEntry.objects.get().get_change_message() == said
    assert "identity confirmed: called back" in sam.get(page_url(row)).content.decode()


def test_nothing_is_made_up_where_nobody_said_it(sam: Client, lock: Any) -> None:
    row = lock()
    url = page_url(row, "activelock", "unlock")
    confirm(sam, url, sam.get(url))
    assert AccountLock.objects.get().confirmed == ""
    assert "identity confirmed" not in sam.get(page_url(row)).content.decode()


@pytest.mark.parametrize(
    ("is_required", "confirmed", "is_ended"),
    [(True, "", False), (True, "in-person", True), (False, "", True), (False, "trust me", False)],
)
def test_a_site_can_require_it(
    sam: Client, lock: Any, settings: Any, is_required: bool, confirmed: str, is_ended: bool
) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "IDENTITY_REQUIRED": is_required}
    url = page_url(lock(), "activelock", "unlock")
    confirm(sam, url, sam.get(url), confirmed=confirmed)
    assert lockout.is_account_locked("alice") is not is_ended


def test_what_is_said_most_often_is_offered(sam: Client, lock: Any) -> None:
    page = sam.get(page_url(lock(), "activelock", "unlock")).content.decode()
    assert 'list="reason-presets"' in page
    assert '<option value="The attack is over">' in page


def test_a_program_says_how_too(lock: Any, alice: Any) -> None:
    lock()
    with pytest.raises(ValueError, match="trust me"):
        lockout.unlock_account("alice", confirmed="trust me")
    assert lockout.is_account_locked("alice")
    assert lockout.unlock_account("alice", confirmed="ticket")
    assert AccountLock.objects.get().confirmed == "ticket"


def test_a_confirmation_shows_reason_age_and_sources_of_each(
    sam: Client, lock: Any, guess: Any
) -> None:
    guess("alice", times=4, request=request_from("203.0.113.9"))
    lock("dave", reason="manual", locked_by="olga", note="Left the company", failures=0)
    asked = select(sam, across=True)
    page = asked.content.decode()
    for text in ("Left the company", "locked by olga", "203.0.113.9", " ago", "too many failed"):
        assert text in page
    assert "I have read why 1 lock was put on by hand." in page
    confirm(sam, LIST, asked)
    assert AccountLock.objects.open().count() == 2
