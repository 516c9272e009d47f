"""A stranger answers a challenge before a password is looked at; an owner's device never does."""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any

import altcha
import pytest
from django.contrib.auth import authenticate, get_user_model
from django.http import HttpResponse
from django.test import Client as Browser
from django.test import RequestFactory, override_settings
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from freezegun.api import FrozenDateTimeFactory

from lockout_admin import lockout
from lockout_admin.backends import LockoutBackend
from lockout_admin.defences import alarm, challenge
from lockout_admin.defences.challenge import COOKIE, HEADER, Challenge, Solved
from lockout_admin.defences.telling import Telling
from lockout_admin.defences.work import LASTS, ProofOfWork
from lockout_admin.engine.store import store
from lockout_admin.exceptions import AccountLocked, ChallengeRequired
from lockout_admin.identity.visit import cookie_of, header_of
from lockout_admin.models import FailedLogin, NetworkRule, TrustedDevice
from tests.notifications.urls import urlpatterns as of_owners

WORK = "lockout_admin.defences.work.ProofOfWork"
STRANGER = "198.51.100.77"
KEYS = {
    "CHALLENGE": WORK,
    "CHALLENGE_DIFFICULTY": 3,
    "TRUSTED_PROXIES": 0,
    "BASE_URL": "https://shop.example",
}


def plain(request: Any) -> HttpResponse:
    """A login that somebody wrote by hand."""
    user = authenticate(request, username=request.POST["username"], password="right")
    return HttpResponse(status=204 if user else 403)


urlpatterns = [*of_owners, path("plain/", csrf_exempt(plain))]


@pytest.fixture(autouse=True)
def _on() -> Iterator[None]:
    with override_settings(LOCKOUT_ADMIN=KEYS, ROOT_URLCONF=__name__):
        yield


@pytest.fixture
def olga(db: None) -> Any:
    return get_user_model().objects.create_user("olga", "olga@example.com", "right")


def solve(asked: Any) -> str:
    """Do what the browser does."""
    made = altcha.Challenge.from_dict(asked)
    found = altcha.solve_challenge(made)
    assert found
    return altcha.Payload(made, found).to_base64()


def attempt(name: str, password: str, answer: str = "", address: str = STRANGER) -> Any:
    """Log in as Django does; return the user, ``None`` or the refusal."""
    headers = {HEADER: answer} if answer else {}
    request = RequestFactory(REMOTE_ADDR=address, headers=headers).post("/login/")
    try:
        return LockoutBackend().authenticate(request, username=name, password=password)
    except AccountLocked as refusal:
        return refusal


def asked(name: str, address: str = STRANGER) -> Any:
    """Fail twice, and return what is asked."""
    assert [attempt(name, f"wrong {one}", address=address) for one in range(2)] == [None, None]
    refusal = attempt(name, "right", address=address)
    assert isinstance(refusal, ChallengeRequired)
    return refusal.challenge


# -- Who is asked -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["olga", "nobody-olga"])
def test_after_two_failures_a_stranger_is_asked_and_nothing_is_compared(
    olga: Any, name: str
) -> None:
    asked(name)
    for number in range(20):
        assert isinstance(attempt(name, f"more {number}"), ChallengeRequired)
    assert FailedLogin.objects.filter(username=name).count() == 2


def test_who_answers_is_let_in(olga: Any) -> None:
    assert attempt("olga", "right", solve(asked("olga"))) == olga


def test_the_answer_to_one_may_be_for_another_name(olga: Any) -> None:
    answer = solve(asked("somebody-else"))
    asked("olga", address="198.51.100.78")
    assert attempt("olga", "right", answer) == olga


def test_a_wrong_password_with_an_answer_counts(olga: Any) -> None:
    answer = solve(asked("olga"))
    assert attempt("olga", "wrong again", answer) is None
    assert FailedLogin.objects.filter(username="olga").count() == 3


def test_an_answer_is_good_once(olga: Any) -> None:
    answer = solve(asked("olga"))
    assert attempt("olga", "wrong again", answer) is None
    refusal = attempt("olga", "right", answer)
    assert isinstance(refusal, ChallengeRequired)
    assert attempt("olga", "right", solve(refusal.challenge)) == olga


def test_an_answer_ends(olga: Any, clock: FrozenDateTimeFactory) -> None:
    answer = solve(asked("olga"))
    clock.tick(LASTS + 1)
    assert isinstance(attempt("olga", "right", answer), ChallengeRequired)


@pytest.mark.parametrize("answer", ["x", "e30=", "W10=", "é", "x" * 5000, "eyJjaGFsbGVuZ2UiOjF9"])
def test_what_is_no_answer_is_none(olga: Any, answer: str) -> None:
    asked("olga")
    assert isinstance(attempt("olga", "right", answer), ChallengeRequired)


def test_an_answer_to_what_the_site_did_not_ask_is_none(olga: Any) -> None:
    asked("olga")
    made = altcha.create_challenge(
        "PBKDF2/SHA-256", 1, counter=0, hmac_secret="mine", hmac_key_secret="mine"
    )
    assert isinstance(attempt("olga", "right", solve(made.to_dict())), ChallengeRequired)


def test_a_site_in_another_namespace_has_its_own(olga: Any) -> None:
    with override_settings(LOCKOUT_ADMIN={**KEYS, "NAMESPACE": "elsewhere"}):
        answer = solve(asked("olga"))
    asked("olga")
    assert isinstance(attempt("olga", "right", answer), ChallengeRequired)


def test_a_new_secret_honours_what_the_old_one_asked(olga: Any, settings: Any) -> None:
    answer = solve(asked("olga"))
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a new one for the challenges"
    assert attempt("olga", "right", answer) == olga


def test_a_network_is_asked_after_five_failures_on_any_names(olga: Any) -> None:
    for number in range(5):
        assert attempt(f"network-{number}", "wrong") is None
    assert isinstance(attempt("olga", "right"), ChallengeRequired)
    assert attempt("olga", "right", address="198.51.100.79") == olga


def test_an_hour_later_nobody_is_asked(olga: Any, clock: FrozenDateTimeFactory) -> None:
    asked("olga")
    clock.tick(3601)
    assert attempt("olga", "right") == olga


def test_a_repetition_is_no_reason(olga: Any) -> None:
    assert [attempt("olga", "the old one") for _ in range(3)] == [None] * 3
    assert attempt("olga", "right") == olga


@override_settings(LOCKOUT_ADMIN={**KEYS, "CHALLENGE_AFTER_NAME": 0, "CHALLENGE_AFTER_NETWORK": 0})
def test_both_numbers_can_be_none(olga: Any) -> None:
    assert [attempt("olga", f"wrong {one}") for one in range(3)] == [None] * 3
    assert attempt("olga", "right") == olga


def test_a_trusted_device_is_never_asked(olga: Any) -> None:
    browser = Browser(REMOTE_ADDR="203.0.113.80")
    form = {"username": "olga", "password": "right"}
    assert browser.post("/login/", form).status_code == 302
    asked("olga", address="203.0.113.80")
    with alarm_on():
        assert browser.post("/login/", form).status_code == 302
        assert browser.post("/login/", {**form, "password": "wrong"}).status_code == 200
        assert browser.post("/login/", form).status_code == 302


def test_a_device_that_nobody_trusts_any_more_is_a_stranger(olga: Any) -> None:
    browser = Browser(REMOTE_ADDR="203.0.113.80")
    form = {"username": "olga", "password": "right"}
    assert browser.post("/login/", form).status_code == 302
    TrustedDevice.objects.all().delete()
    asked("olga")
    assert browser.post("/login/", form).status_code == 429


def test_code_without_a_request_is_not_asked(olga: Any) -> None:
    asked("olga")
    with lockout.attempt("olga", password="right") as under_way:
        under_way.succeeded(olga)


# -- The whole site -----------------------------------------------------------------------------


class alarm_on:  # noqa: N801
    """An alarm, as another process would have found it."""

    def __enter__(self) -> None:
        site = alarm._site()
        now = timezone.now().timestamp()
        store.set_many({site.key("state"): [now, now]}, 600)
        site.looked = None

    def __exit__(self, *raised: object) -> None:
        alarm._sites.clear()


def test_in_an_alarm_every_stranger_is_asked(olga: Any) -> None:
    with alarm_on():
        refusal = attempt("olga", "right")
        assert isinstance(refusal, ChallengeRequired)
        assert attempt("olga", "right", solve(refusal.challenge)) == olga


def test_a_process_knows_of_an_alarm_from_its_first_attempt_on(olga: Any) -> None:
    with alarm_on():
        alarm._sites.clear()
        assert isinstance(attempt("olga", "right"), ChallengeRequired)


def test_an_allowed_network_is_not_asked_in_an_alarm(olga: Any) -> None:
    NetworkRule.objects.create(cidr=f"{STRANGER}/32", action=NetworkRule.Action.ALLOW)
    with alarm_on():
        assert attempt("olga", "right") == olga


# -- One request, several passwords -------------------------------------------------------------


def test_in_one_request_an_answer_is_for_one_password(olga: Any) -> None:
    answer = solve(asked("olga"))
    request = RequestFactory(REMOTE_ADDR=STRANGER, headers={HEADER: answer}).post("/batch/")
    with lockout.attempt("olga", request, password="one"):
        pass
    with pytest.raises(ChallengeRequired):
        lockout.attempt("olga", request, password="two").__enter__()


def test_in_one_request_an_answer_is_for_one_name(olga: Any) -> None:
    """However many backends there are: each name that is tried costs an answer."""
    asked("paul")
    answer = solve(asked("olga"))
    request = RequestFactory(REMOTE_ADDR=STRANGER, headers={HEADER: answer}).post("/batch/")
    others = ("ModelBackend", "AllowAllUsersModelBackend", "RemoteUserBackend")
    paths = ["lockout_admin.backends.LockoutBackend"]
    paths += [f"django.contrib.auth.backends.{name}" for name in others]
    with override_settings(AUTHENTICATION_BACKENDS=paths):
        with lockout.attempt("olga", request, password="one"):
            pass
        with pytest.raises(ChallengeRequired):
            lockout.attempt("paul", request, password="one").__enter__()


def test_in_one_request_each_backend_may_be_asked_about_it(olga: Any) -> None:
    answer = solve(asked("olga"))
    request = RequestFactory(REMOTE_ADDR=STRANGER, headers={HEADER: answer}).post("/login/")
    backends = [
        "lockout_admin.backends.LockoutBackend",
        "django.contrib.auth.backends.ModelBackend",
    ]
    with alarm_on(), override_settings(AUTHENTICATION_BACKENDS=backends):
        for _ in backends:
            with lockout.attempt("olga-1", request, password="one"):
                pass
        with pytest.raises(ChallengeRequired):
            lockout.attempt("olga-1", request, password="one").__enter__()


# -- When parts fail ----------------------------------------------------------------------------


class Broken(Challenge):
    def ask(self) -> dict[str, Any]:
        raise ConnectionError

    def solved(self, answer: str) -> Solved | None:
        raise ConnectionError


class OneWord(Challenge):
    """The example of the documentation: a word that everybody knows."""

    template = "lockout_admin/no-such-template.html"

    def ask(self) -> dict[str, Any]:
        return {"question": "What is the word?"}

    def solved(self, answer: str) -> Solved | None:
        return Solved(answer, 60) if answer.startswith("sesame") else None


def with_challenge(kind: Any) -> Any:
    return override_settings(LOCKOUT_ADMIN={**KEYS, "CHALLENGE": kind})


def test_a_challenge_that_cannot_be_made_asks_nobody(
    olga: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with with_challenge(f"{__name__}.Broken"):
        assert [attempt("olga", f"wrong {one}") for one in range(2)] == [None, None]
        assert attempt("olga", "right", "an answer") == olga
    assert "challenge_not_made" in caplog.text
    assert "answer_not_checked" in caplog.text


@pytest.mark.parametrize("kind", [len, int, "lockout_admin.no.such"])
def test_what_is_no_challenge_asks_nobody(olga: Any, kind: Any) -> None:
    with with_challenge(kind):
        assert [attempt("olga", f"wrong {one}") for one in range(2)] == [None, None]
        assert attempt("olga", "right") == olga


def test_an_answer_that_the_store_cannot_keep_is_none(
    olga: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = solve(asked("olga"))
    add = store.add
    monkeypatch.setattr(
        store, "add", lambda key, *rest: None if "answered" in key else add(key, *rest)
    )
    assert isinstance(attempt("olga", "right", answer), ChallengeRequired)


def test_an_answer_outlasts_a_store_that_dies_half_way(
    olga: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The attempt begins anew with the next engine; the answer is spent, and still its own."""
    answer = solve(asked("olga"))
    run = store.run
    times: list[int] = []

    def twice(work: Callable[[Any], Any]) -> Any:
        if "_enter" not in str(work.__code__.co_names) or times:
            return run(work)
        times.append(1)
        run(work)
        return run(work)

    monkeypatch.setattr(store, "run", twice)
    assert attempt("olga", "right", answer) == olga
    assert times == [1]


def test_a_challenge_of_the_site(olga: Any) -> None:
    with with_challenge(OneWord):
        assert asked("olga") == {"question": "What is the word?"}
        assert isinstance(attempt("olga", "right", "abracadabra"), ChallengeRequired)
        assert attempt("olga", "right", "sesame") == olga


# -- What people and programs are told ----------------------------------------------------------


def post(browser: Browser, password: str = "right", **more: Any) -> Any:
    form = {"username": "olga", "password": password}
    return browser.post("/login/", form, REMOTE_ADDR=STRANGER, **more)


def test_the_login_form_brings_the_challenge_and_the_way_out(olga: Any) -> None:
    asked("olga")
    browser = Browser()
    page = post(browser)
    assert page.status_code == 429
    text = page.content.decode()
    assert 'class="lockout-challenge"' in text
    assert "lockout_admin/challenge.js" in text
    assert "Get in by e-mail" in text
    assert "<script>" not in text
    assert "style=" not in text
    browser.cookies[COOKIE] = solve(asked_in(text))
    assert post(browser).status_code == 302


def asked_in(text: str) -> Any:
    """Return what a page asks."""
    return json.loads(unescape(text.partition('data-challenge="')[2].partition('"')[0]))


def test_a_name_that_nobody_has_gets_the_same_page(olga: Any) -> None:
    pages = []
    for number, name in enumerate(("olga", "nobody-olga")):
        asked(name, address=f"198.51.100.{number}")
        form = {"username": name, "password": "right"}
        page = Browser().post("/login/", form, REMOTE_ADDR=f"198.51.100.{number}")
        text = page.content.decode().replace(name, "x")
        pages.append(re.sub(r'data-challenge="[^"]*"|csrf[^>]*>', "", text))
    assert pages[0] == pages[1]


@pytest.mark.parametrize("kind", ["refused page", "broken template"])
def test_a_page_of_its_own_brings_it_too(
    olga: Any, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    challenged = WORK if kind == "refused page" else OneWord
    with with_challenge(challenged):
        asked("olga")
        form = {"username": "olga", "password": "right"}
        page = Browser().post("/plain/", form, REMOTE_ADDR=STRANGER)
    assert page.status_code == 429
    assert ('class="lockout-challenge"' in page.content.decode()) is (kind == "refused page")
    assert ("challenge_not_rendered" in caplog.text) is (kind != "refused page")


def test_json_brings_the_challenge_and_takes_the_answer_in_a_header(olga: Any) -> None:
    asked("olga")
    headers = {"accept": "application/json"}
    answer = post(Browser(), headers=headers)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "1"
    said = answer.json()
    assert said["code"] == "challenged"
    assert said["challenge"]["parameters"]["algorithm"] == "PBKDF2/SHA-256"
    solved = {**headers, HEADER: solve(said["challenge"])}
    assert post(Browser(), headers=solved).status_code == 302


def test_the_refusal_survives_pickling() -> None:
    refusal = pickle.loads(pickle.dumps(ChallengeRequired({"a": 1})))
    assert refusal.challenge == {"a": 1}
    assert refusal.reason == AccountLocked.CHALLENGED
    assert "computation" in str(refusal)


def test_requests_of_asgi_have_headers_and_cookies() -> None:
    scope = {"headers": [(b"X-Lockout-Answer", b"one"), (b"cookie", b"lockout_answer=two")]}
    assert (header_of(scope, HEADER), cookie_of(scope, COOKIE)) == ("one", "two")
    assert (header_of({}, HEADER), cookie_of(object(), COOKIE)) == ("", "")
    assert challenge.in_force() is ProofOfWork


def test_a_site_that_only_watches_asks_nobody_and_says_whom_it_would_have(
    olga: Any, settings: Any, caplog: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(challenge, "_told", Telling())
    caplog.set_level("INFO", "lockout_admin")
    settings.LOCKOUT_ADMIN = {**KEYS, "MODE": "monitor"}
    for number in range(5):
        assert attempt("olga", f"wrong {number}") is None
    assert attempt("olga", "right") == olga
    lines = [one.message for one in caplog.records if "authn_challenge_monitored" in one.message]
    assert len(lines) == 1
    assert alarm._unanswered(alarm._site(), timezone.now()) == 0
