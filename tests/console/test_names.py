"""The page for a name: how it stands, what to tell the caller, and the button that helps."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.test import Client
from django.utils import timezone, translation
from django.utils.html import strip_tags

from lockout_admin import lockout
from lockout_admin.engine import attempts
from lockout_admin.engine.store import store
from lockout_admin.evidence import advice, days, leads, names
from lockout_admin.evidence.names import NameDossier
from lockout_admin.evidence.sight import Sight
from lockout_admin.identity.subject import Subject
from lockout_admin.models import (
    AccountLock,
    AuditEntry,
    FailedLogin,
    Outbox,
    SuccessfulLogin,
    TrustedDevice,
)

from .conftest import FIREFOX, list_url, said

ALL = Sight(*[True] * 6)


def url_of(name: str = "alice") -> str:
    return leads.to_name("admin", name)


def text_of(answer: Any) -> str:
    body = answer.content.decode().partition('id="content-main"')[2]
    return " ".join(unescape(strip_tags(body)).split())


def read(browser: Client, name: str = "alice") -> str:
    answer = browser.get(url_of(name))
    assert answer.status_code == 200
    return text_of(answer)


@pytest.fixture
def sam(browsers: Any) -> Client:
    browser: Client = browsers("support")
    return browser


def trust(account: Any, number: int = 7) -> TrustedDevice:
    return TrustedDevice.objects.create(
        id=number,
        account=str(account.pk),
        ip_address="203.0.113.7",
        until=timezone.now() + timedelta(days=30),
    )


# -- How it stands ------------------------------------------------------------------------------


def test_a_free_name_gets_an_answer(sam: Client, alice: Any, fail: Any, enter: Any) -> None:
    fail(ago=240)
    enter(ago=3600)
    page = read(sam)
    assert "Nothing keeps this name out." in page
    assert "with the right password you can log in" in page
    assert re.search(r"The last failed login was 4\sminutes ago, on 20", page)
    assert re.search(r"The last login was 1\shour ago", page)


def test_a_name_that_nothing_is_known_of_gets_one_too(sam: Client) -> None:
    page = read(sam, "nobody")
    assert "No account has this name. Please spell the name" in page
    assert "Nobody has failed to log in with this name in 30 days." in page
    assert "This name was never locked." in page
    assert "Nothing in 30 days." in page


def test_a_lock_by_a_rule_says_which_since_when_and_why(sam: Client, lock: Any) -> None:
    lock()
    page = read(sam)
    said = r"Locked by the rule account after 4 failures, since 20.*, until 20.* \(9 min left"
    assert re.search(said, page)
    assert "After too many wrong passwords the name is locked until" in page


def test_one_failure_is_one(sam: Client, lock: Any) -> None:
    lock(failures=1)
    assert "after 1 failure, since" in read(sam)


def test_a_lock_by_hand_says_who_and_why(sam: Client, lock: Any) -> None:
    lock(reason="manual", locked_by="olga", note="Phishing report", failures=0)
    page = read(sam)
    assert "Locked by hand, by olga, since" in page
    assert "Phishing report" in page
    assert "Our staff has locked the name until" in page


def test_a_lock_by_a_program_may_have_no_note(sam: Client, lock: Any) -> None:
    lock(reason="manual", failures=0)
    assert "Locked by hand, by a program" in read(sam)


def test_of_two_locks_the_one_by_hand_is_told(lock: Any) -> None:
    lock(seconds=9000)
    by_hand = lock(reason="manual", failures=0)
    dossier = NameDossier("alice", ALL)
    assert dossier.lock == by_hand
    assert len(dossier.open_locks) == 2


def test_a_throttled_name_says_until_when(sam: Client, alice: Any) -> None:
    for _slot in range(4):
        attempts.begin("alice")
    page = read(sam)
    assert "All tries of the rule account are taken, until" in page
    assert "Wait until" in page


def test_a_limit_that_was_reached_without_a_lock_is_told(clock: Any, sam: Client) -> None:
    for _try in range(4):
        with lockout.attempt("alice"):
            pass
    AccountLock.objects.all().delete()
    cache.clear()
    page = sam.get(url_of())
    assert "Locked by the rule account, until" in text_of(page)
    assert "question" not in page.context


def test_a_lock_that_only_the_store_knows_can_be_ended_here(sam: Client, lock: Any) -> None:
    AccountLock.objects.filter(pk=lock().pk).delete()
    page = sam.get(url_of())
    assert page.context["question"]["total"] == 1
    assert AccountLock.objects.get().label == "alice"


@pytest.mark.parametrize("name", ["Alice", "ＡＬＩＣＥ", " alice"])
def test_any_spelling_of_a_name_is_the_name(sam: Client, lock: Any, name: str) -> None:
    lock()
    assert "Locked by the rule account" in read(sam, name)


# -- Unlocking ----------------------------------------------------------------------------------


def answer_of(sam: Client, url: str, **changes: Any) -> dict[str, Any]:
    question = sam.get(url).context["question"]
    return {**dict(question["hidden"]), "reason": "Ticket 4711", **changes}


def unlock(sam: Client, **changes: Any) -> Any:
    answer = answer_of(sam, url_of(), **changes)
    return sam.post(f"{url_of()}unlock/", answer, follow=True)


def test_a_name_is_unlocked_in_place(sam: Client, alice: Any, lock: Any) -> None:
    row = lock()
    answer = unlock(sam)
    assert said(answer) == "“alice” is unlocked."
    assert answer.redirect_chain == [(url_of(), 302)]
    assert "Nothing keeps this name out." in text_of(answer)
    assert not lockout.is_account_locked("alice")
    row.refresh_from_db()
    assert (row.ended_by, row.end_note) == ("support", "Ticket 4711")
    assert "Ticket 4711" in AuditEntry.objects.get().details
    assert LogEntry.objects.get().object_id == str(row.pk)
    # The history on the page says it, too.
    assert "unlocked by support Ticket 4711" in read(sam)


def test_the_reason_waits_for_the_keys(sam: Client, lock: Any) -> None:
    lock()
    page = sam.get(url_of()).content.decode()
    assert re.findall(r"<input[^>]*autofocus[^>]*>", page)[0].count('name="reason"') == 1
    assert page.count("autofocus") == 1


def test_without_a_reason_it_asks_again(sam: Client, lock: Any) -> None:
    lock()
    answer = unlock(sam, reason="")
    assert "This field is required." in answer.content.decode()
    assert lockout.is_account_locked("alice")
    # That page can be answered as well.
    hidden = dict(answer.context["hidden"])
    sam.post(f"{url_of()}unlock/", {**hidden, "reason": "Ticket 4711"})
    assert not lockout.is_account_locked("alice")


def test_a_lock_by_hand_needs_a_word_of_its_own(sam: Client, lock: Any) -> None:
    lock(reason="manual", failures=0)
    unlock(sam)
    assert lockout.is_account_locked("alice")
    unlock(sam, by_hand="on")
    assert not lockout.is_account_locked("alice")


def test_the_answer_is_for_one_name(sam: Client, lock: Any) -> None:
    lock()
    lock("bob")
    answer = answer_of(sam, url_of("alice"))
    assert sam.post(f"{url_of('bob')}unlock/", answer).status_code == 403
    assert lockout.is_account_locked("bob")


def test_a_name_that_is_free_by_now_says_so(sam: Client, lock: Any) -> None:
    lock()
    answer = answer_of(sam, url_of())
    lockout.unlock_account("alice")
    said_then = sam.post(f"{url_of()}unlock/", answer, follow=True)
    assert said_then.redirect_chain[-1][0] == url_of()
    assert not AuditEntry.objects.exists()


def test_who_may_not_unlock_has_no_button(staff: Any, lock: Any) -> None:
    lock()
    analyst = staff("analyst")
    answer = analyst.get(url_of())
    assert "question" not in answer.context
    assert 'method="post" action="/admin/lockout_admin' not in answer.content.decode()
    assert analyst.post(f"{url_of()}unlock/", {"reason": "Ticket"}).status_code == 403
    assert lockout.is_account_locked("alice")


def test_two_locks_are_counted_on_the_button(sam: Client, lock: Any) -> None:
    lock()
    lock(reason="manual", failures=0)
    page = read(sam)
    assert "2 locks end." in page
    assert "Unlock 2" in page


# -- Whose it is --------------------------------------------------------------------------------


def test_accounts_are_told_and_for_some_in_full(staff: Any, alice: Any) -> None:
    assert "alice@example.com" not in read(staff("support"))
    page = staff("root").get(url_of())
    assert "alice@example.com" in text_of(page)
    assert f'href="/admin/auth/user/{alice.pk}/change/"' in page.content.decode()


def test_an_account_that_is_switched_off_is_told_to_who_sees_users(staff: Any, alice: Any) -> None:
    get_user_model().objects.update(is_active=False)
    assert "switched off" not in read(staff("support"))
    page = read(staff("root"))
    assert "The account is switched off: no password opens it." in page


def test_a_site_without_that_screen_has_no_link_to_an_account(
    browsers: Any, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(get_user_model()._meta, "model_name", "nobody")
    browser = browsers("root")
    monkeypatch.setattr("lockout_admin.evidence.sight.Sight.of", lambda has_perm: ALL)
    assert "alice" in read(browser)


def test_a_name_of_somebody_else_s_address_is_not_that_account(sam: Client, alice: Any) -> None:
    assert "No account has this name." in read(sam, "alice@example.com")


def test_where_an_address_logs_in_it_leads_to_the_name_and_back_for_who_may_see_it(
    staff: Any, sam: Client, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = {"username", "email"}
    monkeypatch.setattr("lockout_admin.identity.names.lookup_fields", lambda: fields)
    page = sam.get(url_of("alice@example.com"))
    assert f'href="{url_of("alice")}"' in page.content.decode()
    back = f'href="{url_of("alice@example.com")}"'
    assert back in staff("root").get(url_of()).content.decode()
    assert back not in sam.get(url_of()).content.decode()


def test_devices_are_shown_and_lead_to_their_end(sam: Client, alice: Any, enter: Any) -> None:
    device = trust(alice)
    enter(account=str(alice.pk), device=device.pk)
    page = sam.get(url_of())
    form = re.search(r'action="(/admin/lockout_admin/trusteddevice/[^"]*)"', page.text)
    assert form
    asked = sam.post(unescape(form[1]), {"action": "revoke", "_selected_action": device.pk})
    assert "Whoever uses one of these browsers" in asked.content.decode()
    assert "In a browser that you have logged in with before" not in text_of(page)


def test_the_owner_of_a_locked_name_hears_of_ways_in(
    sam: Client, alice: Any, lock: Any, settings: Any
) -> None:
    settings.ROOT_URLCONF = "tests.notifications.urls"
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "BASE_URL": "https://example.org/"}
    trust(alice)
    lock()
    told = advice.to_say(NameDossier("alice", ALL))
    assert "In a browser that you have logged in with before, you can log in all the same." in told
    assert any("Or have a mail sent to you: https://example.org/" in one for one in told)


@pytest.mark.parametrize("base_url", ["", "https://example.org"])
def test_a_site_without_that_page_sends_nobody_there(
    alice: Any, lock: Any, settings: Any, base_url: str
) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "BASE_URL": base_url}
    lock()
    assert "mail" not in " ".join(advice.to_say(NameDossier("alice", ALL)))


def test_the_last_minute_is_told_as_such(alice: Any, lock: Any, clock: Any) -> None:
    row = lock()
    clock.move_to(row.until - timedelta(seconds=42))
    (told, *_more) = advice.to_say(NameDossier("alice", ALL))
    assert "(less than a minute from now)" in told


def test_nobody_is_told_to_log_in_with_a_name_that_no_account_has(db: None) -> None:
    told = advice.to_say(NameDossier("nobody", ALL))
    assert told[:2] == [
        "No account has this name. Please spell the name that you log in with.",
        "No lock is on this name.",
    ]


@pytest.mark.parametrize(
    ("base_url", "address"),
    [
        ("https://example.org/", "https://example.org/reset/"),
        # Nobody can be led there.
        ("", ""),
    ],
)
def test_whose_password_is_not_taken_chooses_a_new_one(
    alice: Any, settings: Any, base_url: str, address: str
) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "BASE_URL": base_url}
    assert "choose" not in " ".join(advice.to_say(NameDossier("alice", ALL)))
    settings.ROOT_URLCONF = "tests.console.reset"
    said = f"choose a new one: {address}" if address else "you need a new one."
    told = advice.to_say(NameDossier("alice", ALL))
    assert f"If your password is not taken, {said}" in told


# -- What happened ------------------------------------------------------------------------------


def test_failures_are_told_by_network(sam: Client, fail: Any, enter: Any) -> None:
    for address in ("203.0.113.7", "203.0.113.7", "2001:db8::1", "2001:db8::2"):
        fail(ip_address=address)
    fail(ip_address=None)
    enter()
    sources = {
        one.network: (one.failures, one.is_known) for one in NameDossier("alice", ALL).sources
    }
    assert sources == {"203.0.113.7/32": (2, True), "2001:db8::/64": (2, False)}
    page = read(sam)
    assert "yes, lately" in page
    assert "none lately" in page


def test_more_networks_than_fit_are_counted(sam: Client, fail: Any) -> None:
    for number in range(names.LINES + 2):
        fail(ip_address=f"203.0.113.{number}")
    assert "and 2 more" in read(sam)


def test_old_failures_are_none(fail: Any) -> None:
    fail(ago=31 * 24 * 3600)
    dossier = NameDossier("alice", ALL)
    assert dossier.failures == []
    assert dossier.last_failure is None


def test_logins_of_the_account_are_shown_under_any_name(alice: Any, enter: Any) -> None:
    enter("alice")
    enter("alice@example.com", account=str(alice.pk), ago=60)
    enter("bob")
    enter("alice", event=SuccessfulLogin.Event.LOGOUT)
    dossier = NameDossier("alice", ALL)
    assert [row.username for row in dossier.logins] == ["alice", "alice@example.com"]


def test_a_login_says_what_is_unusual(sam: Client, enter: Any) -> None:
    enter(event=SuccessfulLogin.Event.VERIFIED)
    row = enter(agent=FIREFOX, ago=60)
    SuccessfulLogin.objects.filter(pk=row.pk).update(ip_address=None, user_agent=None)
    page = read(sam)
    assert "right password, no session" in page
    assert "Firefox" in page


def test_locks_say_how_they_ended(sam: Client, lock: Any) -> None:
    now = timezone.now()
    AccountLock.objects.filter(pk=lock().pk).update(
        ended_at=now, ended_by="", end_note="", until=now
    )
    AccountLock.objects.filter(pk=lock().pk).update(until=now - timedelta(hours=1))
    AccountLock.objects.filter(pk=lock().pk).update(enforced=False)
    lock(reason="manual", note="Stolen", failures=0)
    lock(reason="manual", failures=0)
    page = read(sam)
    for text in ("unlocked by a program", "by itself", "would have locked", "locked now"):
        assert text in page
    assert "locked by a program Stolen" in page


def test_mails_are_told_without_their_address(sam: Client, alice: Any) -> None:
    Outbox.objects.create(
        kind=Outbox.Kind.LOCKED,
        notifier="x",
        subject=Subject.of("alice").key,
        username="alice",
        account=str(alice.pk),
        nonce="n",
        state=Outbox.State.SENT,
    )
    page = read(sam)
    assert "told of a lock" in page
    assert "alice@example.com" not in page


def test_the_picture_counts_each_day(fail: Any, enter: Any, lock: Any, clock: Any) -> None:
    for ago in (0, 60, 24 * 3600, 31 * 24 * 3600):
        fail(ago=ago)
    enter()
    enter(event=SuccessfulLogin.Event.LOGOUT)
    AccountLock.objects.filter(pk=lock().pk).update(refused=7, settled=True)
    shown = NameDossier("alice", ALL).days
    today, yesterday = shown.days[-1], shown.days[-2]
    assert (today.failures, today.refused, today.logins) == (2, 7, 1)
    assert (yesterday.failures, yesterday.refused, yesterday.logins) == (1, 0, 0)
    assert sum(day.failures for day in shown.days) == 3
    assert [bar.kind for bar in shown.bars] == ["failures", "failures", "refused", "logins"]
    assert all(bar.y >= 0 and bar.y + bar.height <= 146 for bar in shown.bars)


def test_the_picture_of_a_busy_name_counts_each_day_too(
    fail: Any, enter: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "SAMPLE", 2)
    for ago in (0, 60, 24 * 3600, 48 * 3600, 31 * 24 * 3600):
        fail(ago=ago)
        enter(ago=ago)
    shown = NameDossier("alice", ALL).days
    assert [day.failures for day in shown.days][-4:] == [0, 1, 1, 2]
    assert [day.logins for day in shown.days][-4:] == [0, 1, 1, 2]


def test_the_picture_has_a_table(sam: Client, fail: Any, enter: Any) -> None:
    fail()
    enter()
    page = sam.get(url_of()).content.decode()
    assert page.count("<rect") == 2
    assert "<details" in page


def test_a_name_may_hold_anything(sam: Client, fail: Any, lock: Any) -> None:
    name = "<script>alert(1)</script>{{ x }}\u202e%00/../?#"
    fail(name)
    lock(name)
    answer = sam.get(url_of(FailedLogin.objects.get().username))
    assert answer.status_code == 200
    assert "<script>alert" not in answer.content.decode()
    assert answer.context["question"]["total"] == 1


def test_the_empty_name_has_a_page(sam: Client) -> None:
    assert "All failures on this name" not in read(sam, "")


def test_it_speaks_the_reader_s_language(sam: Client) -> None:
    with translation.override("fa"):
        assert sam.get(url_of(), headers={"accept-language": "fa"}).status_code == 200


def test_a_moment_stays_in_one_piece_where_lines_run_to_the_left(alice: Any, lock: Any) -> None:
    row = lock()
    until = timezone.localtime(row.until) if timezone.is_aware(row.until) else row.until
    told = f"{until:%Y-%m-%d}\u00a0{until:%H:%M}"
    with translation.override("fa"):
        assert any(f"\u2068{told}\u2069" in one for one in advice.to_say(NameDossier("alice", ALL)))
    assert any(f"{until:%Y-%m-%d %H:%M}" in one for one in advice.to_say(NameDossier("alice", ALL)))


# -- Who sees what ------------------------------------------------------------------------------

PARTS = {
    "view_accountlock": ["Nothing keeps", "What to tell the caller", "Locks"],
    "view_failedlogin": ["Accounts", "Failures by network"],
    "view_successfullogin": ["Last logins"],
}


@pytest.mark.parametrize("permission", PARTS)
def test_a_part_that_somebody_may_not_see_is_not_there(
    staff: Any, alice: Any, fail: Any, enter: Any, permission: str
) -> None:
    fail()
    enter()
    browser = staff("stranger")
    stranger = get_user_model().objects.get(username="stranger")
    stranger.user_permissions.set(Permission.objects.filter(codename=permission))
    page = read(browser)
    every = {text for texts in PARTS.values() for text in texts}
    assert {text for text in every if text in page} == set(PARTS[permission])
    assert "Trusted devices" not in page


@pytest.mark.parametrize("permission", ["view_networkrule", "view_trusteddevice"])
def test_who_may_see_nothing_of_a_name_is_refused(staff: Any, permission: str) -> None:
    browser = staff("stranger")
    stranger = get_user_model().objects.get(username="stranger")
    stranger.user_permissions.set(Permission.objects.filter(codename=permission))
    assert browser.get(url_of()).status_code == 403
    assert browser.post(f"{url_of()}unlock/").status_code == 403


def test_nobody_comes_in_without_being_staff(alice: Any) -> None:
    browser = Client()
    browser.force_login(alice)
    assert browser.get(url_of()).status_code == 302
    assert browser.post(f"{url_of()}unlock/").status_code == 302


@pytest.mark.parametrize("part", ["x", "alice", "é", "%00", "A" * 500])
@pytest.mark.parametrize("page", ["", "unlock/"])
def test_what_is_no_address_of_a_name_is_not_found(sam: Client, part: str, page: str) -> None:
    url = f"{list_url('accountlock')}name/{part}/{page}"
    assert sam.get(url).status_code == 404


def test_the_page_only_reads(sam: Client) -> None:
    assert sam.post(url_of()).status_code == 405


def test_a_store_that_does_not_answer_hides_no_lock(
    sam: Client, lock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock()
    monkeypatch.setattr(store, "get_many", lambda keys: None)
    assert "Locked by the rule account" in read(sam)


def test_who_may_not_see_locks_has_nothing_to_say(lock: Any) -> None:
    lock()
    assert advice.to_say(NameDossier("alice", Sight(failures=True))) == []


def test_what_is_of_no_day_is_not_counted() -> None:
    now = timezone.now()
    moments = [now, now + timedelta(days=1)]
    far = [(now - timedelta(days=1), 5), (now + timedelta(days=2), 5), (now, 1)]
    assert days.summed(far, moments) == [1]
