"""Who got in is recorded: each login once, whoever let the user in, and whatever else fails."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from django.contrib.auth import (
    aauthenticate,
    alogin,
    authenticate,
    get_user_model,
    login,
    logout,
)
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends.db import SessionStore
from django.db import DatabaseError, connection, transaction
from django.db.models.signals import pre_save
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext
from django.urls import path
from django.utils import timezone

from lockout_admin import lockout
from lockout_admin.decorators import apply_account_lock
from lockout_admin.defences import lists
from lockout_admin.engine import recording, successes
from lockout_admin.engine.journal import Journal, current_journal
from lockout_admin.identity.client import Client as Visitor
from lockout_admin.identity.subject import Subject
from lockout_admin.models import FailedLogin, SuccessfulLogin, UserAgent
from lockout_admin.signals import login_succeeded

from .conftest import HOME, request_from
from .urls import urlpatterns as pages

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

BACKEND = "django.contrib.auth.backends.ModelBackend"
RIGHT = {"username": "alice", "password": "right"}
LOGIN = "login"
VERIFIED = "verified"


class EmailBackend(ModelBackend):
    """Finds an account by its address."""

    @apply_account_lock(names="email")
    def authenticate(
        self, request: Any, username: Any = None, password: Any = None, **kwargs: Any
    ) -> Any:
        user = get_user_model().objects.filter(email=username).first()
        return user if user and user.check_password(password) else None


def with_session(request: Any) -> Any:
    request.session = SessionStore()
    return request


def user_named(name: str) -> Any:
    return get_user_model().objects.get(username=name)


def log_in(request: HttpRequest) -> HttpResponse:
    """What a login view does, as often as it is told to."""
    user = authenticate(request, **{name: request.POST[name] for name in RIGHT})
    for _ in range(int(request.POST.get("times", 1))):
        login(request, user)
    return HttpResponse()


def idiom_of_old(request: HttpRequest) -> HttpResponse:
    """Authenticates without the request, and loads the user anew."""
    user = authenticate(username="alice", password="right")
    assert user
    login(request, user_named(user.get_username()), backend=BACKEND)
    return HttpResponse()


def single_sign_on(request: HttpRequest) -> HttpResponse:
    login(request, user_named("alice"), backend=BACKEND)
    return HttpResponse()


def become(request: HttpRequest) -> HttpResponse:
    login(request, user_named("alice"), backend=BACKEND)
    login(request, user_named("bob"), backend=BACKEND)
    return HttpResponse()


def rolled_back(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        log_in(request)
        transaction.set_rollback(True)
    return HttpResponse()


def checks_itself(request: HttpRequest) -> HttpResponse:
    lockout.handle_successful_login("alice@example.com", request)
    login(request, user_named("alice"), backend=BACKEND)
    return HttpResponse()


def api(request: HttpRequest) -> HttpResponse:
    """HTTP Basic: a password with each request, and no session."""
    sent = request.headers["Authorization"].partition(" ")[2]
    name, _, password = base64.b64decode(sent).decode().partition(":")
    user = authenticate(request, username=name, password=password)
    return HttpResponse(status=200 if user else 401)


async def log_in_async(request: HttpRequest) -> HttpResponse:
    user = await aauthenticate(request, username="alice", password="right")
    assert user
    await alogin(request, user)
    return HttpResponse()


def leave(request: HttpRequest) -> HttpResponse:
    logout(request)
    return HttpResponse()


urlpatterns = [
    *pages,
    path("log-in/", log_in),
    path("log-in-async/", log_in_async),
    path("old/", idiom_of_old),
    path("sso/", single_sign_on),
    path("become/", become),
    path("rolled-back/", rolled_back),
    path("itself/", checks_itself),
    path("api/", api),
    path("leave/", leave),
]


def recorded(*fields: str) -> list[Any]:
    rows = SuccessfulLogin.objects.order_by("id")
    return list(rows.values_list(*(fields or ("username", "event")), flat=len(fields) == 1))


def basic(name: str = "alice", **headers: Any) -> Client:
    sent = base64.b64encode(f"{name}:right".encode()).decode()
    return Client(headers={"Authorization": f"Basic {sent}", **headers})


# -- What a row says ----------------------------------------------------------------------------


def test_a_login_says_who_from_where_with_what(client: Client, alice: Any) -> None:
    started = timezone.now()
    headers = {"User-Agent": "Firefox"}
    client.post("/login/?next=/", RIGHT, headers=headers, REMOTE_ADDR="203.0.113.9")
    row = SuccessfulLogin.objects.get()
    assert row.username == "alice"
    assert row.account == str(alice.pk)
    assert row.ip_address == "203.0.113.9"
    assert row.user_agent.text == "Firefox"
    assert row.path == "/login/"
    assert row.event == LOGIN
    assert started <= row.timestamp <= timezone.now()
    assert str(row).startswith("alice (20")


@pytest.mark.parametrize("typed", ["ALICE", " Alice ", "ａｌｉｃｅ"])
def test_the_name_is_the_one_that_was_typed(alice: Any, typed: str) -> None:
    lockout.handle_successful_login(typed, request_from())
    assert SuccessfulLogin.objects.get().username == typed.strip()


def test_an_address_by_mail_is_the_name_and_the_key_is_the_account(
    client: Client, alice: Any, settings: Any
) -> None:
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.EmailBackend"]
    client.post("/log-in/", {"username": "alice@example.com", "password": "right"})
    assert recorded("username", "account") == [("alice@example.com", str(alice.pk))]


def test_the_evidence_outlives_the_account(client: Client, alice: Any) -> None:
    key = str(alice.pk)
    client.post("/log-in/", RIGHT)
    alice.delete()
    assert recorded("account") == [key]


@pytest.mark.parametrize("user", [None, object(), Mock(pk="\0" * 300)])
def test_a_user_may_be_anything(alice: Any, user: Any) -> None:
    attempt = successes.Success(
        SuccessfulLogin.objects.build(Subject.of("alice"), Visitor()),
        Visitor(),
        None,
    )
    attempt.session_begins(user)
    (account,) = recorded("account")
    assert len(account) <= 255
    assert "\0" not in account


# -- Once a login -------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["/log-in/", "/login/", "/old/", "/sso/"])
def test_each_login_is_one_row(client: Client, alice: Any, url: str) -> None:
    client.post(url, RIGHT)
    assert recorded() == [("alice", LOGIN)]


@pytest.mark.django_db(transaction=True)
async def test_an_async_login_is_one_row(alice: Any) -> None:
    await AsyncClient().post("/log-in-async/")
    rows = [row async for row in SuccessfulLogin.objects.values_list("username", "event")]
    assert rows == [("alice", LOGIN)]


def test_a_view_that_logs_in_twice_has_logged_in_once(client: Client, alice: Any) -> None:
    client.post("/log-in/", {**RIGHT, "times": 2})
    assert recorded() == [("alice", LOGIN)]


def test_a_password_checked_elsewhere_and_its_session_are_one_row(
    client: Client, alice: Any
) -> None:
    client.post("/itself/")
    assert recorded("username", "account", "event") == [("alice@example.com", str(alice.pk), LOGIN)]


def test_whoever_becomes_another_has_begun_two_sessions(client: Client, alice: Any) -> None:
    get_user_model().objects.create_user("bob")
    client.post("/become/")
    assert recorded() == [("alice", LOGIN), ("bob", LOGIN)]


def test_a_client_that_is_logged_in_without_a_password_is_recorded(alice: Any) -> None:
    Client().force_login(alice)
    assert recorded("username", "event", "ip_address") == [("alice", LOGIN, None)]


def test_each_login_of_a_client_is_a_row(client: Client, alice: Any) -> None:
    for _ in range(3):
        client.post("/log-in/", RIGHT)
    assert recorded() == [("alice", LOGIN)] * 3


def test_a_wrong_password_is_no_success(client: Client, alice: Any) -> None:
    client.post("/login/", {**RIGHT, "password": "wrong"})
    assert recorded() == []


# -- Without the middleware ---------------------------------------------------------------------


@pytest.fixture
def bare(settings: Any) -> None:
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "lockout" not in name]


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("url", ["/log-in/", "/login/", "/sso/"])
def test_each_login_is_one_row_without_the_middleware(client: Client, alice: Any, url: str) -> None:
    client.post(url, RIGHT)
    assert recorded() == [("alice", LOGIN)]


@pytest.mark.usefixtures("bare")
def test_a_second_login_is_a_second_row(client: Client, alice: Any) -> None:
    for _ in range(2):
        client.post("/log-in/", {**RIGHT})
    assert recorded() == [("alice", LOGIN)] * 2


def test_a_row_that_retention_took_meanwhile_is_written_anew(alice: Any) -> None:
    request = with_session(request_from())
    user = authenticate(request, **RIGHT)
    assert user
    SuccessfulLogin.objects.all().delete()
    login(request, user)
    assert recorded() == [("alice", LOGIN)]


def test_a_row_that_can_t_be_marked_breaks_no_login(
    alice: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    request = with_session(request_from())
    user = authenticate(request, **RIGHT)
    monkeypatch.setattr(SuccessfulLogin, "objects", Mock(filter=Mock(side_effect=DatabaseError)))
    login(request, user)
    assert "success_not_recorded" in caplog.text


# -- Without a session --------------------------------------------------------------------------


def test_a_right_password_without_a_session_is_said_to_be_that(alice: Any) -> None:
    assert basic().get("/api/").status_code == 200
    assert recorded() == [("alice", VERIFIED)]


def test_a_second_factor_that_is_pending_leaves_its_password(client: Client, alice: Any) -> None:
    basic().get("/api/")
    client.post("/sso/")  # the code was right
    assert recorded() == [("alice", VERIFIED), ("alice", LOGIN)]


def test_a_client_that_logs_in_with_each_request_leaves_one_row_a_while(
    clock: Any, alice: Any
) -> None:
    for _ in range(3):
        for _ in range(20):
            basic().get("/api/")
            clock.tick(30)
        clock.tick(successes.QUIET_SECS)
    assert recorded() == [("alice", VERIFIED)] * 3


@pytest.mark.parametrize(
    ("headers", "address"),
    [({"User-Agent": "curl"}, HOME), ({"User-Agent": ""}, "203.0.113.6"), ({}, "2001:db8::1")],
)
def test_what_is_new_is_recorded_at_once(alice: Any, headers: dict[str, str], address: str) -> None:
    for _ in range(2):
        basic(**{"User-Agent": "Firefox"}).get("/api/", REMOTE_ADDR=HOME)
        basic(**headers).get("/api/", REMOTE_ADDR=address)
    assert len(recorded()) == 2


def test_who_comes_from_nowhere_is_recorded_once_a_while(alice: Any) -> None:
    for _ in range(3):
        authenticate(None, **RIGHT)
    assert recorded("ip_address", "user_agent") == [(None, None)]


def test_a_login_is_no_reason_to_leave_out_a_password(client: Client, alice: Any) -> None:
    client.post("/log-in/", RIGHT)
    basic().get("/api/")
    assert recorded("event") == [LOGIN, VERIFIED]


def test_what_is_left_out_is_not_told_either(alice: Any) -> None:
    heard = Mock()
    login_succeeded.connect(heard)
    try:
        for _ in range(3):
            authenticate(None, **RIGHT)
    finally:
        login_succeeded.disconnect(heard)
    assert heard.call_count == 1
    assert heard.call_args.kwargs["success"].pk
    assert heard.call_args.kwargs["request"] is None


# -- What must not break ------------------------------------------------------------------------


def test_a_rollback_of_the_view_takes_no_login_with_it(alice: Any) -> None:
    request = with_session(request_from())
    request.POST = RIGHT
    journal = Journal.opened_for(request)
    token = current_journal.set(journal)
    try:
        rolled_back(request)
        assert recorded() == []
    finally:
        current_journal.reset(token)
        journal.close()
    assert recorded() == [("alice", LOGIN)]


@pytest.mark.django_db(transaction=True)
def test_a_rollback_takes_no_login_with_it_on_a_real_connection(client: Client, alice: Any) -> None:
    client.post("/rolled-back/", RIGHT)
    assert recorded() == [("alice", LOGIN)]


@pytest.mark.parametrize("error", [DatabaseError("full"), ValueError("not ours")])
@pytest.mark.parametrize("url", ["/log-in/", "/sso/"])
def test_a_database_that_refuses_the_row_breaks_no_login(
    client: Client, alice: Any, monkeypatch: Any, caplog: Any, error: Exception, url: str
) -> None:
    monkeypatch.setattr(recording, "record_success", Mock(side_effect=error))
    assert client.post(url, RIGHT).status_code == 200
    assert "sessionid" in client.cookies
    assert len([line for line in caplog.records if line.levelname == "ERROR"]) == 1


def test_a_receiver_of_another_app_breaks_no_login(client: Client, alice: Any) -> None:
    def raises(**signal: Any) -> None:
        raise RuntimeError

    pre_save.connect(raises, SuccessfulLogin)
    login_succeeded.connect(raises)
    try:
        client.post("/log-in/", RIGHT)
    finally:
        pre_save.disconnect(raises, SuccessfulLogin)
        login_succeeded.disconnect(raises)
    assert recorded() == [("alice", LOGIN)]


def test_a_login_that_another_receiver_breaks_is_recorded(client: Client, alice: Any) -> None:
    def raises(**signal: Any) -> None:
        raise RuntimeError

    user_logged_in.connect(raises)
    client.raise_request_exception = False
    try:
        client.post("/log-in/", RIGHT)
    finally:
        user_logged_in.disconnect(raises)
    assert recorded() == [("alice", LOGIN)]


@pytest.mark.usefixtures("bare")
def test_a_right_password_costs_one_statement_more(alice: Any) -> None:
    UserAgent.objects.remember("Firefox")
    request = request_from(**{"User-Agent": "Firefox"})
    lists.is_allowed(HOME)  # a process reads them once
    with CaptureQueriesContext(connection) as plain:
        ModelBackend().authenticate(request, "alice", "right")
    with CaptureQueriesContext(connection) as guarded:
        authenticate(request, **RIGHT)
    assert len(plain) == 1
    ours = [query["sql"] for query in guarded if "lockout_admin_" in query["sql"]]
    assert len(ours) == 2  # what the rules count, and the row
    assert "INSERT INTO" in ours[-1]


def test_the_admin_keeps_out_who_is_no_staff_and_the_password_was_right(
    client: Client, alice: Any
) -> None:
    client.post("/admin/login/", RIGHT)
    assert recorded() == [("alice", VERIFIED)]


# -- Settings -----------------------------------------------------------------------------------


def test_a_site_may_record_failures_only(client: Client, alice: Any, settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {"CACHE": "default", "LOG_SUCCESSES": False}
    client.post("/log-in/", RIGHT)
    basic().get("/api/")
    assert recorded() == []


@pytest.mark.parametrize("recorded_too", [False, True])
def test_logouts_are_recorded_on_demand(
    client: Client, alice: Any, settings: Any, recorded_too: bool
) -> None:
    settings.LOCKOUT_ADMIN = {"CACHE": "default", "LOG_LOGOUTS": recorded_too}
    client.post("/log-in/", RIGHT)
    for _ in range(2):  # the second time, nobody is logged in
        client.post("/leave/")
    logouts = [("alice", "logout")] if recorded_too else []
    assert recorded() == [("alice", LOGIN), *logouts]


# -- Common passwords ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("password", "common"),
    [
        ("password", True),
        (" PassWord ", True),
        ("123456", True),
        ("kX9#mQ2$vL", False),
        ("password" * 20, False),
        (b"password", None),
    ],
)
def test_a_failure_says_whether_the_password_is_a_common_one(
    db: None, password: Any, common: bool | None
) -> None:
    authenticate(request_from(), username="alice", password=password)
    assert FailedLogin.objects.get().common is common


def test_of_a_password_that_was_checked_elsewhere_nobody_knows(db: None) -> None:
    lockout.handle_failed_login("alice", request_from())
    assert FailedLogin.objects.get().common is None


def test_old_rows_stay_apart_from_what_is_new(clock: Any, alice: Any) -> None:
    authenticate(None, **RIGHT)
    clock.tick(timedelta(seconds=successes.QUIET_SECS - 1))
    authenticate(None, **RIGHT)
    assert len(recorded()) == 1
    clock.tick(2)
    authenticate(None, **RIGHT)
    assert len(recorded()) == 2
