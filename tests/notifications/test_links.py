"""The link of a mail, and the code: for the owner, for a quarter of an hour, once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as site
from django.contrib.auth import authenticate, get_user_model
from django.core import mail, signing
from django.db import DatabaseError, DataError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from freezegun.api import FrozenDateTimeFactory

from lockout_admin import lockout
from lockout_admin.models import AccountLock, Outbox, TrustedDevice
from lockout_admin.notifications import links, outbox

from ..conftest import request_from
from .conftest import code_in, link_in, send

END = {"do": "end"}
LOGIN = {"do": "login"}
Guess = Callable[..., Any]
pytestmark = pytest.mark.usefixtures("clock")


def is_locked() -> bool:
    return lockout.is_account_locked("alice")


def asked(browser: Client, name: str = "alice") -> Any:
    browser.post("/account/ask/", {"name": name})
    (message,) = send()
    return message


# -- The link -----------------------------------------------------------------------------------


def test_a_link_is_good_for_one_use(mailed_link: str, browser: Client, guess: Guess) -> None:
    assert browser.post(mailed_link, END).status_code == 200
    guess(times=4)
    assert browser.post(mailed_link, END).status_code == 410
    assert is_locked()


def test_a_link_lasts_a_quarter_of_an_hour(
    mailed_link: str, browser: Client, clock: FrozenDateTimeFactory, guess: Guess
) -> None:
    clock.tick(links.LASTS - 1)
    guess(times=4)
    assert browser.get(mailed_link).status_code == 200
    clock.tick(2)
    assert browser.get(mailed_link).status_code == 410
    assert browser.post(mailed_link, END).status_code == 410
    assert is_locked()


@pytest.mark.parametrize(
    "forged",
    [
        "x",
        "InRlc3Qi:1abcde:forged",
        "..%2F..",
        "%00",
        "\u202e",
        "a" * 3000,
        signing.dumps("no such message", salt="lockout_admin.link"),
        signing.dumps(["a", "list"], salt="lockout_admin.link"),
        signing.dumps(7, salt="lockout_admin.link"),
    ],
)
def test_a_forged_link_opens_nothing(forged: str, mailed_link: str, browser: Client) -> None:
    path = f"/account/link/{forged}/"
    assert {browser.get(path).status_code, browser.post(path, END).status_code} <= {404, 410}
    assert is_locked()


def test_a_link_signed_for_something_else_opens_nothing(mailed_link: str, browser: Client) -> None:
    nonce = Outbox.objects.get().nonce
    for token in (signing.dumps(nonce), links.asked_cookie(nonce), nonce):
        assert browser.post(f"/account/link/{token}/", END).status_code == 410


def test_a_link_signed_with_another_secret_opens_nothing(
    mailed_link: str, browser: Client, settings: Any
) -> None:
    token = signing.dumps(Outbox.objects.get().nonce, key="mallory", salt="lockout_admin.link")
    assert browser.post(f"/account/link/{token}/", END).status_code == 410


def test_a_link_ends_its_own_accounts_locks_only(
    mailed_link: str, browser: Client, guess: Guess, settings: Any
) -> None:
    get_user_model().objects.create_user("bob", "bob@example.com", "right")
    guess("bob", times=4)
    browser.post(mailed_link, END)
    assert not is_locked()
    assert lockout.is_account_locked("bob")


def test_programs_that_open_links_do_nothing(mailed_link: str, browser: Client) -> None:
    for _ in range(3):
        assert browser.get(mailed_link).status_code == 200
        assert browser.head(mailed_link).status_code == 200
        assert browser.get(f"{mailed_link}?do=end").status_code == 200
    assert browser.options(mailed_link).status_code == 405
    assert is_locked()
    assert browser.post(mailed_link, END).status_code == 200
    assert not is_locked()


def test_a_form_of_another_site_does_nothing(mailed_link: str) -> None:
    browser = Client(enforce_csrf_checks=True)
    assert browser.post(mailed_link, END).status_code == 403
    assert is_locked()


def test_a_button_that_is_not_there_spends_no_link(
    mailed_link: str, browser: Client, settings: Any
) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "DEVICE_COOKIE_NAME": ""}
    assert browser.post(mailed_link, {"do": "rm"}).status_code == 200
    assert browser.post(mailed_link).status_code == 200
    assert browser.post(mailed_link, {"do": "login"}).status_code == 200  # there are no devices
    assert is_locked()
    browser.post(mailed_link, END)
    assert not is_locked()


def test_with_a_link_a_browser_logs_in_while_strangers_are_locked(
    mailed_link: str, browser: Client
) -> None:
    right = {"username": "alice", "password": "right", "next": "/"}
    assert browser.post("/login/", right).status_code == 429
    assert browser.post(mailed_link, {"do": "login"}).status_code == 303
    assert is_locked()
    assert browser.post("/login/", right).status_code == 302
    assert Client().post("/login/", right).status_code == 429
    assert browser.post(mailed_link, {"do": "login"}).status_code == 410


def test_a_link_trusts_the_browser_for_its_own_name_only(
    mailed_link: str, browser: Client, guess: Guess
) -> None:
    get_user_model().objects.create_user("bob", password="right")
    guess("bob", times=4)
    browser.post(mailed_link, {"do": "login"})
    form = {"username": "bob", "password": "right"}
    assert browser.post("/login/", form).status_code == 429


def test_a_link_opens_in_any_browser(mailed_link: str) -> None:
    other = Client(REMOTE_ADDR="198.51.100.7")
    assert b"The lock has ended" in other.post(mailed_link, END).content


def test_a_link_is_void_after_a_change_of_the_password(
    mailed_link: str, browser: Client, alice: Any, guess: Guess
) -> None:
    alice.set_password("new")
    alice.save()
    guess(times=4)
    assert browser.get(mailed_link).status_code == 410
    assert browser.post(mailed_link, END).status_code == 410
    assert is_locked()


@pytest.mark.parametrize("change", [{"email": "mallory@example.com"}, {"is_active": False}])
def test_a_link_is_void_for_an_account_that_has_changed(
    change: dict[str, Any], mailed_link: str, browser: Client, alice: Any
) -> None:
    get_user_model().objects.filter(pk=alice.pk).update(**change)
    assert browser.post(mailed_link, END).status_code == 410
    assert is_locked()


def test_a_link_is_void_when_the_account_is_gone(
    mailed_link: str, browser: Client, alice: Any
) -> None:
    alice.delete()
    assert browser.post(mailed_link, END).status_code == 410


def test_a_lock_by_hand_binds_the_owner(mailed_link: str, browser: Client, settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "CONTACT": "+49 30 123"}
    lockout.lock_account("alice", 3600, by="sam", note="reported phished")
    for answer in (browser.get(mailed_link), browser.post(mailed_link, END)):
        assert b"Only they can end this lock" in answer.content
        assert b"+49 30 123" in answer.content
        assert b"phished" not in answer.content
    assert AccountLock.objects.open().count() == 2
    lockout.unlock_account("alice")
    assert browser.post(mailed_link, END).status_code == 200  # it was not spent


def test_a_lock_that_only_staff_end_is_told_on_the_page(
    settings: Any, request: pytest.FixtureRequest, browser: Client
) -> None:
    rules = {"account": None, "account-daily": None, "account-total": {"limit": 4}}
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "PRESET": "nist", "RULES": rules}
    link = request.getfixturevalue("mailed_link")
    for answer in (browser.get(link), browser.post(link, END), browser.post(link, LOGIN)):
        assert "Only somebody of this site can end this lock" in answer.content.decode()
    assert is_locked()


def test_a_device_that_a_preset_binds_is_not_offered(
    settings: Any, request: pytest.FixtureRequest, browser: Client
) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "PRESET": "pci"}
    link = request.getfixturevalue("mailed_link")
    assert "Log in here" not in browser.get(link).content.decode()
    assert browser.post(link, END).status_code == 200
    assert not is_locked()


def test_a_lock_by_hand_binds_whoever_has_the_code(alice: Any, browser: Client) -> None:
    lockout.lock_account("alice", 3600)
    code = code_in(asked(browser))
    answer = browser.post("/account/code/", {"code": code, "do": "end"})
    assert b"Only they can end this lock" in answer.content
    assert is_locked()


def test_the_host_header_leads_no_link_astray(alice: Any, guess: Guess) -> None:
    guess(times=4, request=request_from(host="mallory.example"))
    browser = Client(headers={"host": "mallory.example"})
    browser.post("/account/ask/", {"name": "alice"}, HTTP_X_FORWARDED_HOST="mallory.example")
    for message in send():
        assert "mallory" not in str(message.message())
        assert link_in(message)


def test_a_link_leads_nobody_past_a_second_factor(mailed_link: str, browser: Client) -> None:
    browser.post(mailed_link, END)
    assert site.SESSION_COOKIE_NAME not in browser.cookies
    assert browser.get("/admin/").status_code == 302


def test_a_link_page_is_in_no_cache_and_in_no_other_sites_log(
    mailed_link: str, browser: Client
) -> None:
    for answer in (browser.get(mailed_link), browser.post(mailed_link, END)):
        assert answer["Referrer-Policy"] == "same-origin"
        assert "no-store" in answer["Cache-Control"]


def test_the_page_has_no_inline_script_and_no_inline_style(
    mailed_link: str, browser: Client
) -> None:
    for path in (mailed_link, "/account/ask/", "/account/code/"):
        text = browser.get(path).content.decode()
        assert "<script" not in text
        assert "<style" not in text
        assert "style=" not in text
        assert " onclick" not in text


# -- The code -----------------------------------------------------------------------------------


def test_a_code_is_good_for_one_use(alice: Any, browser: Client, guess: Guess) -> None:
    code = code_in(asked(browser))
    assert browser.post("/account/code/", {"code": code, **END}).status_code == 200
    guess(times=4)
    answer = browser.post("/account/code/", {"code": code, **END})
    assert b"This code is wrong, or over" in answer.content
    assert is_locked()


def test_the_link_and_the_code_of_a_mail_are_spent_together(
    alice: Any, browser: Client, guess: Guess
) -> None:
    message = asked(browser)
    browser.post(link_in(message), END)
    guess(times=4)
    browser.post("/account/code/", {"code": code_in(message), **END})
    assert is_locked()


def test_a_code_is_tried_five_times(alice: Any, browser: Client, guess: Guess) -> None:
    message = asked(browser)
    code = code_in(message)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    guess(times=4)
    for _ in range(links.MOST_TRIES):
        browser.post("/account/code/", {"code": wrong, **END})
    browser.post("/account/code/", {"code": code, **END})
    assert is_locked()
    browser.post(link_in(message), END)
    assert not is_locked()


def test_a_code_is_bound_to_the_browser_that_asked(
    alice: Any, browser: Client, guess: Guess
) -> None:
    code = code_in(asked(browser))
    guess(times=4)
    other = Client()
    other.post("/account/ask/", {"name": "nobody"})
    for stranger in (Client(), other):
        answer = stranger.post("/account/code/", {"code": code, **END})
        assert b"This code is wrong, or over" in answer.content
    assert is_locked()


@pytest.mark.parametrize("cookie", ["", "x", "a:b:c", "\u00e9", "a" * 5000])
def test_a_forged_cookie_is_no_browser_that_asked(cookie: str, alice: Any, browser: Client) -> None:
    code = code_in(asked(browser))
    browser.cookies["lockout_asked"] = cookie
    assert b"wrong, or over" in browser.post("/account/code/", {"code": code, **END}).content


@pytest.mark.parametrize("typed", ["{} {}", "{}-{}", " {}{} ", "fa"])
def test_a_code_is_read_as_people_type_it(typed: str, alice: Any, browser: Client) -> None:
    code = code_in(asked(browser))
    if typed == "fa":
        typed = code.translate({ord("0") + n: 0x06F0 + n for n in range(10)})
    text = typed.format(code[:3], code[3:])
    assert b"The lock has ended" in browser.post("/account/code/", {"code": text, **END}).content


@pytest.mark.parametrize("typed", ["", "abc", "12345", "1" * 30, "\0", "½½½½½½"])
def test_what_is_no_code_is_wrong(typed: str, alice: Any, browser: Client) -> None:
    asked(browser)
    answer = browser.post("/account/code/", {"code": typed, **END})
    assert b"This code is wrong, or over" in answer.content


def test_a_code_lasts_a_quarter_of_an_hour_from_when_it_was_sent(
    alice: Any, browser: Client, clock: FrozenDateTimeFactory, guess: Guess
) -> None:
    browser.post("/account/ask/", {"name": "alice"})
    clock.tick(3600)
    (message,) = send()
    clock.tick(links.LASTS - 1)
    guess(times=4)
    answer = browser.post("/account/code/", {"code": code_in(message), **END})
    assert b"The lock has ended" in answer.content


def test_a_code_is_void_after_a_quarter_of_an_hour(
    alice: Any, browser: Client, clock: FrozenDateTimeFactory
) -> None:
    code = code_in(asked(browser))
    clock.tick(links.LASTS + 1)
    assert b"wrong, or over" in browser.post("/account/code/", {"code": code, **END}).content


def test_a_code_that_was_not_sent_opens_nothing(alice: Any, browser: Client) -> None:
    browser.post("/account/ask/", {"name": "alice"})
    code = links.code_of(Outbox.objects.get().nonce)
    assert b"wrong, or over" in browser.post("/account/code/", {"code": code, **END}).content


def test_the_cookie_is_for_the_page_of_the_code_alone(alice: Any, browser: Client) -> None:
    cookie = browser.post("/account/ask/", {"name": "alice"}).cookies["lockout_asked"]
    assert cookie["path"] == "/account/code/"
    assert cookie["httponly"] is True
    assert cookie["samesite"] == "Lax"
    assert not cookie["secure"]
    answer = browser.post("/account/ask/", {"name": "alice"}, secure=True)
    assert answer.cookies["lockout_asked"]["secure"]


# -- Asking -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["alice", "nobody", "a\0b", "\ud800", "x" * 255, "' OR 1=1 --"])
def test_the_answer_is_the_same_for_every_name(name: str, alice: Any, browser: Client) -> None:
    answer = browser.post("/account/ask/", {"name": name.encode("utf-8", "replace")})
    assert (answer.status_code, answer["Location"]) == (303, "/account/code/")
    assert len(answer.cookies["lockout_asked"].value) in range(60, 120)
    assert Outbox.objects.count() == 1


def test_the_cost_is_the_same_for_every_name(alice: Any, browser: Client) -> None:
    browser.post("/account/ask/", {"name": "first"})
    statements = set()
    for name in ("alice", "nobody", "alice@example.com"):
        with CaptureQueriesContext(connection) as asked_for:
            browser.post("/account/ask/", {"name": name})
        statements.add(tuple(query["sql"].split()[0] for query in asked_for.captured_queries))
    assert statements == {("SAVEPOINT", "INSERT", "RELEASE")}  # the test is in a transaction


def test_names_are_not_looked_at_before_the_sender(alice: Any, browser: Client) -> None:
    browser.post("/account/ask/", {"name": "alice"})
    assert Outbox.objects.get().account == ""
    assert mail.outbox == []


def test_a_network_asks_for_so_many_mails_an_hour(
    alice: Any, settings: Any, clock: FrozenDateTimeFactory
) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "ASKED_MAILS_PER_NETWORK": 3}
    for number in range(5):
        answer = Client().post("/account/ask/", {"name": f"name {number}"})
        assert answer.status_code == 303
        assert answer.cookies["lockout_asked"].value
    assert Outbox.objects.count() == 3
    Client(REMOTE_ADDR="198.51.100.7").post("/account/ask/", {"name": "alice"})
    assert Outbox.objects.count() == 4
    clock.tick(3601)
    Client().post("/account/ask/", {"name": "alice"})
    assert Outbox.objects.count() == 5


def test_a_page_of_an_empty_name_asks_again(browser: Client, db: None) -> None:
    assert browser.post("/account/ask/", {"name": " "}).status_code == 200
    assert browser.get("/account/ask/").status_code == 200
    assert browser.head("/account/ask/").status_code == 200
    assert Outbox.objects.count() == 0


def test_a_site_without_mail_offers_none(
    alice: Any, browser: Client, guess: Guess, settings: Any
) -> None:
    settings.LOCKOUT_ADMIN = {"CACHE": "default"}
    guess(times=4)
    assert Outbox.objects.count() == 0
    answer = browser.post("/account/ask/", {"name": "alice"})
    assert b"This site sends no mails" in answer.content
    assert Outbox.objects.count() == 0
    refused = browser.post("/login/", {"username": "alice", "password": "right"})
    assert b"Get in by e-mail" not in refused.content


def test_a_refused_person_is_offered_a_mail(alice: Any, browser: Client, guess: Guess) -> None:
    guess(times=4)
    refused = browser.post("/login/", {"username": "alice", "password": "right"})
    assert b'<a href="/account/ask/">Is this your account? Get in by e-mail</a>' in refused.content


def test_an_owner_gets_in_after_one_mail(alice: Any, browser: Client, guess: Guess) -> None:
    guess(times=10)
    browser.post(link_in(asked(browser)) if not is_locked() else link_in(send()[0]), END)
    assert authenticate(request_from(), username="alice", password="right") == alice


def test_of_two_who_use_a_link_at_once_one_does(mailed_link: str) -> None:
    token = mailed_link.split("/")[-2]
    first, second = links.opened(token), links.opened(token)
    assert first is not None
    assert second is not None
    assert [first.spend(), second.spend()] == [True, False]


def test_whoever_comes_too_late_is_told(
    mailed_link: str, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links.Opening, "spend", lambda opening: False)
    assert browser.post(mailed_link, END).status_code == 410
    assert is_locked()


def test_a_lock_goes_on_for_what_others_failed(
    clock: FrozenDateTimeFactory, browser: Client, guess: Guess, db: None
) -> None:
    for name in ("alissa", "alisa"):
        get_user_model().objects.create_user(name, f"{name}@example.com", "right")
        guess(name, times=4)
        clock.tick(61)
    links_sent = {message.to[0]: link_in(message) for message in send()}
    guess("alisa", times=4)
    answer = browser.post(links_sent["alissa@example.com"], END)
    assert b"The lock goes on" in answer.content
    assert lockout.is_account_locked("alisa")


@pytest.mark.parametrize("error", [DataError, DatabaseError])
def test_a_database_that_refuses_a_name_tells_nothing_of_it(
    error: type[Exception], alice: Any, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A column of an older character set."""
    insert = outbox._insert

    def refuses(rows: Any) -> Any:
        if not all(row.username.isascii() for row in rows):
            raise error
        return insert(rows)

    monkeypatch.setattr(outbox, "_insert", refuses)
    answer = browser.post("/account/ask/", {"name": "ålice"})
    assert (answer.status_code, answer["Location"]) == (303, "/account/code/")
    assert [row.username for row in Outbox.objects.all()] == (
        [r"\xe5lice"] if error is DataError else []
    )


# -- Log in here --------------------------------------------------------------------------------

LOG_IN = {"do": "login"}


def trusted() -> list[str]:
    """Return the accounts for which some browser is trusted."""
    return list(TrustedDevice.objects.values_list("account", flat=True))


def test_a_browser_is_trusted_once(mailed_link: str, browser: Client, alice: Any) -> None:
    assert b"Log in here" in browser.get(mailed_link).content
    answer = browser.post(mailed_link, LOG_IN)
    assert (answer.status_code, answer["Location"]) == (303, "/admin/login/")
    assert browser.post(mailed_link, LOG_IN).status_code == 410
    assert browser.post(mailed_link, END).status_code == 410
    assert trusted() == [str(alice.pk)]
    assert is_locked()  # for strangers


def test_the_code_trusts_the_first_window(alice: Any, browser: Client) -> None:
    code = code_in(asked(browser))
    assert browser.post("/account/code/", {"code": code, **LOG_IN}).status_code == 303
    assert trusted() == [str(alice.pk)]


def test_a_lock_by_hand_trusts_nobody(mailed_link: str, browser: Client) -> None:
    lockout.lock_account("alice", 3600)
    assert b"Only they can end" in browser.post(mailed_link, LOG_IN).content
    assert trusted() == []


def test_who_is_late_is_not_trusted(
    mailed_link: str, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links.Opening, "spend", lambda opening: False)
    assert browser.post(mailed_link, LOG_IN).status_code == 410
    assert trusted() == []


@pytest.mark.parametrize(
    ("login_url", "path"),
    [
        ("login", "/login/"),
        ("/login/", "/login/"),
        ("/accounts/login/", "/admin/login/"),  # Django's own, where nothing is
        ("no-such-page", "/admin/login/"),
        ("/app/#/login", "/app/#/login"),  # a front end
        ("https://sso.example/", "https://sso.example/"),
    ],
)
def test_who_is_let_in_is_led_to_where_people_log_in(
    login_url: str, path: str, mailed_link: str, browser: Client, settings: Any
) -> None:
    settings.LOGIN_URL = login_url
    assert browser.post(mailed_link, LOG_IN)["Location"] == path


def test_a_login_page_in_languages_is_one(mailed_link: str, browser: Client, settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.notifications.languages"
    assert browser.post(mailed_link, LOG_IN)["Location"] == "/accounts/login/"


def test_a_site_without_a_login_page_leads_to_its_front(
    mailed_link: str, browser: Client, settings: Any
) -> None:
    settings.ROOT_URLCONF = "tests.notifications.without_login"
    assert browser.post(mailed_link, LOG_IN)["Location"] == "/"
