"""An attempt that is left to a later backend ends with its request at the latest."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.auth import aauthenticate, alogin, authenticate, get_user_model, login
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.signals import user_logged_in
from django.core.exceptions import PermissionDenied
from django.core.signals import request_finished, request_started
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import AsyncClient, Client
from django.urls import path

from lockout_admin.decorators import apply_account_lock
from lockout_admin.engine import attempts, receivers
from lockout_admin.engine.calls import left_guess
from lockout_admin.models import FailedLogin
from lockout_admin.testing import isolated_lockouts
from tests.conftest import HOME, request_from

from .conftest import Knows, backends, left_behind

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls(__name__)]

NOTHING = (0, 0)
A_FAILURE = (1, 1)
LEFT_OPEN = (1, 0)


class First(Knows):
    @apply_account_lock(names="username")
    def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
        return self.check(username, password)


class Third(First):
    right = "third"

    @apply_account_lock(names="username")
    def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
        return self.check(username, password)


class Unguarded(BaseBackend):
    """Lets in who knows another password than the guarded ones."""

    def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
        found = get_user_model().objects.filter(username=username).first()
        return found if password == "unguarded" else None


class ByToken(BaseBackend):
    """Lets in who has a token, whatever else he sends."""

    def authenticate(self, request: Any, **credentials: Any) -> Any:
        return get_user_model().objects.filter(username=request.POST.get("token")).first()


CHAIN = (First, Unguarded, Third)
OPEN = {"username": "alice", "password": "unguarded"}


def let_go_of_the_database() -> None:
    """Close a thread's connection; Django leaves one to a database in memory open."""
    BaseDatabaseWrapper.close(connection)


def only_authenticate(request: Any) -> HttpResponse:
    authenticate(request, **OPEN)
    return HttpResponse()


def log_in(request: Any) -> HttpResponse:
    login(request, authenticate(request, **OPEN))
    return HttpResponse()


def by_token(request: Any) -> HttpResponse:
    name = request.POST.get("username", "alice")
    login(request, authenticate(request, username=name, password=request.POST["password"]))
    return HttpResponse()


def broken(request: Any) -> HttpResponse:
    authenticate(request, **OPEN)
    raise ZeroDivisionError


def in_a_stream(request: Any) -> StreamingHttpResponse:
    def chunks() -> Any:
        yield b"before"
        authenticate(request, **OPEN)
        yield b"after"

    return StreamingHttpResponse(chunks())


def in_a_thread(request: Any) -> HttpResponse:
    def work() -> None:
        authenticate(request, **OPEN)
        let_go_of_the_database()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return HttpResponse()


def many_names(request: Any) -> HttpResponse:
    for username in ("alice", "bob", "carol"):
        authenticate(request, username=username, password="wrong")
    return HttpResponse()


async def a_log_in(request: Any) -> HttpResponse:
    await alogin(request, await aauthenticate(request, **OPEN))
    return HttpResponse()


async def a_log_in_elsewhere(request: Any) -> HttpResponse:
    def work() -> Any:
        user = authenticate(request, **OPEN)
        let_go_of_the_database()
        return user

    await alogin(request, await asyncio.to_thread(work))
    return HttpResponse()


async def a_only_authenticate(request: Any) -> HttpResponse:
    await aauthenticate(request, **OPEN)
    return HttpResponse()


async def a_mixed(request: Any) -> HttpResponse:
    await aauthenticate(request, **OPEN)
    await sync_to_async(authenticate)(request, username="alice", password="right")
    return HttpResponse()


async def a_in_a_task(request: Any) -> HttpResponse:
    await asyncio.create_task(aauthenticate(request, **OPEN))
    return HttpResponse()


#: What came in with the right password then, from the same browser: no slot is held.
FORGIVEN = (0, 1)

VIEWS: list[Callable[..., Any]] = [
    only_authenticate,
    log_in,
    by_token,
    broken,
    in_a_stream,
    in_a_thread,
    many_names,
    a_log_in,
    a_log_in_elsewhere,
    a_only_authenticate,
    a_mixed,
    a_in_a_task,
]
urlpatterns = [path(f"{view.__name__}/", view) for view in VIEWS]


@pytest.fixture(params=["with the middleware", "without"])
def middleware(request: Any, settings: Any) -> str:
    if request.param == "without":
        settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "lockout" not in name]
    return str(request.param)


def client() -> Client:
    return Client(raise_request_exception=False, REMOTE_ADDR=HOME)


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        ("log_in", NOTHING),
        ("a_log_in", NOTHING),
        ("only_authenticate", A_FAILURE),
        ("broken", A_FAILURE),
        ("a_only_authenticate", A_FAILURE),
        ("a_mixed", FORGIVEN),
        ("many_names", A_FAILURE),
        ("in_a_stream", A_FAILURE),
    ],
)
def test_it_ends_as_the_request_does(view: str, expected: Any, alice: Any, middleware: str) -> None:
    with backends(*CHAIN):
        answer = client().post(f"/{view}/")
        list(answer) if answer.streaming else answer.content
    assert left_behind() == expected
    assert left_guess() is None


@pytest.mark.parametrize(
    ("view", "expected"),
    [("in_a_thread", A_FAILURE), ("a_in_a_task", A_FAILURE), ("a_log_in_elsewhere", NOTHING)],
)
def test_the_middleware_finds_what_other_threads_and_tasks_left(
    view: str, expected: Any, alice: Any
) -> None:
    with backends(*CHAIN):
        client().post(f"/{view}/")
    assert left_behind() == expected


async def test_it_ends_under_asgi_too(middleware: str) -> None:
    # The test client ends the request in a thread of its own: always the same one.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    await get_user_model().objects.acreate_user("alice", password="right")
    with backends(*CHAIN):
        for view, expected in (("a_log_in", NOTHING), ("a_only_authenticate", A_FAILURE)):
            await AsyncClient().post(f"/{view}/")
            await sync_to_async(let_go_of_the_database, thread_sensitive=False)()
            assert await sync_to_async(left_behind)() == expected


def test_who_brings_a_token_of_his_own_has_no_free_guesses(alice: Any, middleware: str) -> None:
    get_user_model().objects.create_user("mallory")
    with backends(First, ByToken, Third):
        for number in range(30):
            client().post("/by_token/", {"password": f"guess {number}", "token": "mallory"})
    assert len(Knows.asked) == 4


class ByAddress(Knows):
    @apply_account_lock(names=("username", "email"))
    def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
        self.asked.append((username, password))
        users = get_user_model().objects.filter(email=username)
        return users.first() if password == self.right else None


def test_nor_has_whose_username_is_the_address_of_somebody(alice: Any, middleware: str) -> None:
    address = "alice@example.com"
    users = get_user_model().objects
    users.filter(pk=alice.pk).update(email=address)
    users.create_user(address)
    with backends(ByAddress, ByToken, Third):
        for number in range(30):
            form = {"username": address, "password": f"guess {number}", "token": address}
            client().post("/by_token/", form)
    assert len(Knows.asked) == 4
    assert left_behind(address)[1] == 4


@pytest.mark.parametrize("address", ["", "zoe@example.com"])
def test_who_has_a_username_for_himself_is_in_by_his_token(
    address: str, alice: Any, middleware: str
) -> None:
    users = get_user_model().objects
    users.create_user(address or "mallory", address)
    typed = address or "mallory"
    with backends(ByAddress, ByToken, Third):
        client().post("/by_token/", {"username": typed, "password": "wrong", "token": typed})
    assert left_behind(typed) == NOTHING


def test_the_next_visitor_has_no_part_in_it(alice: Any) -> None:
    # A thread of a server, which had no word of the end of the request.
    with backends(*CHAIN), ThreadPoolExecutor(1) as thread:
        thread.submit(authenticate, request_from("203.0.113.1"), **OPEN).result()
        assert left_behind() == LEFT_OPEN
        visitor = request_from("203.0.113.2")
        thread.submit(authenticate, visitor, username="bob", password="wrong").result()
        thread.submit(let_go_of_the_database).result()
    rows = FailedLogin.objects.values_list("username", "ip_address").order_by("username")
    assert [*rows] == [("alice", "203.0.113.1"), ("bob", "203.0.113.2")]


@pytest.mark.parametrize("signal", [request_started, request_finished])
def test_django_says_when_a_request_is_over(signal: Any, alice: Any) -> None:
    with backends(*CHAIN):
        authenticate(HttpRequest(), **OPEN)
        receivers.request_is_over()
    assert left_behind() == A_FAILURE
    assert any("request_is_over" in str(receiver[0][0]) for receiver in signal.receivers)


@pytest.mark.parametrize("request_", [None, HttpRequest()])
def test_scripts_have_attempts_of_their_own(request_: Any, alice: Any) -> None:
    with backends(*CHAIN):
        assert authenticate(request_, **OPEN) == alice
        assert left_behind() == LEFT_OPEN
        Third().authenticate(None, "alice", "another")
    assert left_behind() == (2, 2)


def test_the_same_guess_goes_on_where_it_was_left(alice: Any) -> None:
    with backends(*CHAIN):
        First().authenticate(None, "alice", "third")
        assert Third().authenticate(None, "alice", "third") == alice
    assert left_behind() == NOTHING


@pytest.mark.parametrize(
    ("request_", "username", "password"),
    [(None, "alice", "fourth"), (None, "bob", "third"), (HttpRequest(), "alice", "third")],
)
def test_another_guess_is_another_attempt(
    request_: Any, username: str, password: str, alice: Any
) -> None:
    with backends(*CHAIN):
        First().authenticate(None, "alice", "third")
        Third().authenticate(request_, username, password)
    assert FailedLogin.objects.filter(username="alice").exists()


def test_tasks_that_copy_a_context_share_no_attempt(alice: Any) -> None:
    with backends(*CHAIN):
        First().authenticate(None, "alice", "wrong")
        copies = [copy_context() for _ in range(8)]
        for number, context in enumerate(copies):
            if len(Knows.asked) < 4:
                context.run(Third().authenticate, None, "alice", f"guess {number}")
    assert len(Knows.asked) == FailedLogin.objects.count()


def test_what_one_test_left_open_is_nothing_to_the_next(alice: Any) -> None:
    with backends(*CHAIN):
        First().authenticate(None, "alice", "wrong")
        assert left_guess()
        with isolated_lockouts():
            assert left_guess() is None


def test_a_backend_that_is_listed_twice_makes_one_attempt(alice: Any) -> None:
    with backends(First, First):
        for number in range(3):
            authenticate(username="alice", password=f"guess {number}")
    assert left_behind() == (3, 3)
    assert len(Knows.asked) == 6


def test_names_tried_in_one_request_have_counts_of_their_own(alice: Any) -> None:
    with backends(First, Third):
        client().post("/many_names/")
    assert [left_behind(name) for name in ("alice", "bob", "carol")] == [A_FAILURE] * 3


class Calls(BaseBackend):
    """A guarded backend that calls another guarded one, from sync and async code."""

    @apply_account_lock(names="username")
    def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
        return First().authenticate(request, username, password)

    @apply_account_lock(names="username")
    async def aauthenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
        return await super().aauthenticate(request, username=username, password=password)


class CallsAsync(Calls):
    """One that calls another in async code."""

    @apply_account_lock(names="username")
    async def aauthenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
        return await Calls().aauthenticate(request, username=username, password=password)


@pytest.mark.parametrize("backend", [Calls, CallsAsync])
@pytest.mark.parametrize("method", [authenticate, async_to_sync(aauthenticate)])
def test_a_backend_that_calls_another_makes_one_attempt(
    method: Any, backend: type, alice: Any
) -> None:
    with backends(backend):
        for number in range(3):
            method(username="alice", password=f"guess {number}")
        assert left_behind() == (3, 3)
        assert method(username="alice", password="right") == alice
        assert left_behind() == (3, 3)


def test_a_backend_that_refuses_between_two_ends_it(alice: Any, monkeypatch: Any) -> None:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise PermissionDenied

    monkeypatch.setattr(Unguarded, "authenticate", refuse)
    with backends(*CHAIN):
        assert authenticate(None, **OPEN) is None
    assert left_behind() == A_FAILURE


class Silent(Knows):
    """Does not say by which names it finds an account."""

    @apply_account_lock
    def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
        return self.check(username, password)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("alice", NOTHING),
        ("alicé", A_FAILURE),  # counted as the same, and maybe somebody else
        ("alice@example.com", A_FAILURE),  # anybody may give an address
        ("bob", A_FAILURE),
    ],
)
@pytest.mark.parametrize("first", [Silent, First])
def test_a_login_under_another_name_says_nothing_of_the_guess(
    typed: str, expected: Any, first: type, alice: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(Unguarded, "authenticate", lambda *args, **credentials: alice)
    request = HttpRequest()
    with backends(first, Unguarded, Third):
        authenticate(request, username=typed, password="unguarded")
        user_logged_in.send(sender=None, request=request, user=alice)
    assert left_behind(typed) == expected


def test_a_login_of_another_request_says_nothing(alice: Any) -> None:
    with backends(*CHAIN):
        authenticate(HttpRequest(), **OPEN)
        user_logged_in.send(sender=None, request=HttpRequest(), user=alice)
        assert left_behind() == LEFT_OPEN


def test_a_login_by_a_wrapper_around_the_request_says_it(alice: Any) -> None:
    class Wrapper:
        def __init__(self, request: Any) -> None:
            self._request = request

    request = HttpRequest()
    with backends(*CHAIN):
        wrapped: Any = Wrapper(request)
        authenticate(wrapped, **OPEN)
        user_logged_in.send(sender=None, request=request, user=alice)
    assert left_behind() == NOTHING


def test_no_fault_of_ours_breaks_a_login(alice: Any, monkeypatch: Any, caplog: Any) -> None:
    def broken(*args: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(attempts, "succeed", broken)
    with backends(*CHAIN):
        assert client().post("/log_in/").status_code == 200
    assert "signal_not_followed" in caplog.text
