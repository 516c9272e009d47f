"""An attempt as a block of code: what leaves it how ends it so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import aauthenticate, authenticate
from django.core.cache import cache
from django.http import HttpRequest
from django.test import RequestFactory

from lockout_admin import lockout
from lockout_admin.engine import attempts, blocks, locks
from lockout_admin.models import AccountLock, FailedLogin

from .conftest import HOME, request_from
from .guard.conftest import left_behind

NOTHING, A_FAILURE = (0, 0), (1, 1)
pytestmark = pytest.mark.django_db


class OwnError(Exception):
    """A 401 that people raise inside."""


def say_nothing(attempt: lockout.AttemptBlock) -> None:
    pass


def say_failed(attempt: lockout.AttemptBlock) -> None:
    attempt.failed()
    attempt.failed()


def say_succeeded(attempt: lockout.AttemptBlock) -> None:
    attempt.succeeded()


def say_abandon(attempt: lockout.AttemptBlock) -> None:
    attempt.abandon()


def raise_401(attempt: lockout.AttemptBlock) -> None:
    raise OwnError


def fail_and_raise(attempt: lockout.AttemptBlock) -> None:
    attempt.failed()
    raise OwnError


def succeed_and_raise(attempt: lockout.AttemptBlock) -> None:
    attempt.succeeded()
    raise OwnError


def abandon_and_raise(attempt: lockout.AttemptBlock) -> None:
    attempt.abandon()
    raise OwnError


def stop(attempt: lockout.AttemptBlock) -> None:
    raise KeyboardInterrupt


WAYS = [
    (say_nothing, A_FAILURE),
    (say_failed, A_FAILURE),
    (say_succeeded, NOTHING),
    (say_abandon, NOTHING),
    (raise_401, A_FAILURE),
    (fail_and_raise, A_FAILURE),
    (succeed_and_raise, NOTHING),
    (abandon_and_raise, NOTHING),
    (stop, A_FAILURE),
]


@pytest.mark.parametrize(("way", "left"), WAYS)
def test_what_leaves_the_block_ends_the_attempt(way: Callable[[Any], None], left: Any) -> None:
    with suppress(OwnError, KeyboardInterrupt), lockout.attempt("alice") as attempt:
        way(attempt)
    assert left_behind() == left


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("way", "left"), WAYS[:-1])
async def test_so_it_does_in_async_code(way: Callable[[Any], None], left: Any) -> None:
    with suppress(OwnError):
        async with lockout.attempt("alice") as attempt:
            way(attempt)
    assert await sync_to_async(left_behind)() == left


def test_a_return_inside_is_a_failure() -> None:
    def view() -> str:
        with lockout.attempt("alice"):
            return "no word"

    assert view() == "no word"
    assert left_behind() == A_FAILURE


@pytest.mark.django_db(transaction=True)
async def test_who_hangs_up_inside_has_failed() -> None:
    async def login() -> None:
        async with lockout.attempt("alice"):
            checking.set()
            await asyncio.Event().wait()

    checking = asyncio.Event()
    task = asyncio.ensure_future(login())
    await checking.wait()
    task.cancel()
    await asyncio.wait({task})
    assert await sync_to_async(left_behind)() == A_FAILURE


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5, None])
async def test_who_hangs_up_on_the_way_in_has_taken_nothing(steps: int | None) -> None:
    async def login() -> None:
        async with lockout.attempt("alice") as attempt:
            attempt.abandon()

    task = asyncio.ensure_future(login())
    if steps is None:
        await asyncio.wait({task})
    for _ in range(steps or 0):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    assert await sync_to_async(left_behind)() == NOTHING


def test_the_limit_holds_and_is_told(clock: Any) -> None:
    locked = []
    for _ in range(4):
        with lockout.attempt("alice") as attempt:
            attempt.failed()
        locked.append(attempt.locked)
    assert locked == [False, False, False, True]
    with pytest.raises(lockout.AccountLocked), lockout.attempt("alice"):
        raise AssertionError("nobody gets in here")


def test_those_under_way_hold_their_slots(clock: Any) -> None:
    with (
        lockout.attempt("alice"),
        lockout.attempt("ALICE "),
        lockout.attempt("alice"),
        lockout.attempt("alice"),
    ):
        assert FailedLogin.objects.count() == 0
    # Blocks inside of a block on the same name are part of it.
    assert left_behind() == A_FAILURE


def test_another_name_inside_is_another_attempt() -> None:
    with lockout.attempt("alice") as outer:
        outer.abandon()
        with lockout.attempt("bob"):
            pass
        assert not authenticate(username="carol", password="wrong")
    assert set(FailedLogin.objects.values_list("username", flat=True)) == {"bob", "carol"}


def test_a_guarded_backend_inside_is_part_of_it(alice: Any) -> None:
    for _ in range(9):
        with lockout.attempt("alice", HttpRequest()) as attempt:
            attempt.succeeded(authenticate(HttpRequest(), username="alice", password="right"))
    with lockout.attempt("alice") as attempt:
        assert not authenticate(username="alice", password="wrong")
        attempt.failed()
    assert left_behind() == A_FAILURE


@pytest.mark.django_db(transaction=True)
async def test_so_it_is_in_async_code() -> None:
    async with lockout.attempt("alice") as attempt:
        assert not await aauthenticate(username="alice", password="wrong")
        attempt.failed()
    assert await sync_to_async(left_behind)() == A_FAILURE


def test_a_batch_of_passwords_inside_is_as_many_attempts(alice: Any) -> None:
    evaluated = 0
    with lockout.attempt("alice") as attempt:
        for number in range(20):
            authenticate(username="alice", password=f"guess {number}")
            with (
                suppress(lockout.AccountLocked),
                lockout.attempt("alice", password=f"guess {number}"),
            ):
                evaluated += 1
        attempt.failed()
    assert FailedLogin.objects.count() == 4
    assert evaluated <= 4


def test_a_call_inside_with_the_name_of_another_is_no_part_of_it(alice: Any) -> None:
    noise: dict[str, Any] = {"username": "noise", "email": "alice@example.com"}
    with lockout.attempt("noise") as attempt:
        assert authenticate(**noise, password="right") is None
        attempt.abandon()


def test_what_is_refused_inside_has_evaluated_nothing() -> None:
    lockout.lock_account("bob")
    for _ in range(9):
        with pytest.raises(lockout.AccountLocked), lockout.attempt("alice"):
            lockout.raise_if_locked("bob")
    assert left_behind() == NOTHING


@pytest.mark.parametrize("password", [None, 7, ["x"], {}, "\ud800", b"x", object()])
def test_a_password_of_any_kind_is_taken(password: Any) -> None:
    with lockout.attempt("alice", request_from(), password=password) as attempt:
        attempt.failed()
    assert left_behind() == A_FAILURE


def test_a_success_ends_what_was_failed_from_the_same_network(alice: Any) -> None:
    for _ in range(3):
        with lockout.attempt("alice", request_from(HOME)) as attempt:
            attempt.failed()
    with lockout.attempt("alice", request_from(HOME)) as attempt:
        attempt.succeeded(alice)
    assert set(FailedLogin.objects.values_list("outcome", flat=True)) == {"cleared"}


def test_a_success_of_an_account_that_django_does_not_know(clock: Any) -> None:
    with lockout.attempt("alice", request_from(HOME)) as attempt:
        attempt.succeeded({"sub": 7})
    assert left_behind() == NOTHING


def test_nobody_comes_in_while_his_own_name_is_locked(alice: Any) -> None:
    lockout.lock_account("alice", 3600)
    with lockout.attempt("alice@example.com") as attempt:
        with pytest.raises(lockout.AccountLocked):
            attempt.succeeded(alice)
        with pytest.raises(RuntimeError):
            attempt.abandon()
    assert left_behind("alice@example.com") == A_FAILURE


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("leave", [say_nothing, raise_401])
async def test_nobody_comes_in_by_async_code_either(leave: Any, alice: Any) -> None:
    await lockout.alock_account("alice", 3600)

    async def enter() -> None:
        async with lockout.attempt("alice@example.com") as attempt:
            attempt.succeeded(alice)
            leave(attempt)

    with pytest.raises(lockout.AccountLocked):
        await enter()
    assert await sync_to_async(left_behind)("alice@example.com") == A_FAILURE


@pytest.mark.parametrize(
    ("request_", "is_foreign"),
    [
        (None, False),
        (HttpRequest(), False),
        (object(), False),
        ({"type": "http"}, True),
    ],
)
def test_connections_are_closed_where_no_request_of_django_does_so(
    request_: Any, is_foreign: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[int] = []
    monkeypatch.setattr(blocks, "close_idle_connections", lambda: closed.append(1))
    with lockout.attempt("alice", request_):
        pass
    assert bool(closed) == is_foreign


def test_a_repeated_password_is_told_from_a_fresh_one() -> None:
    for password in ("old", "old", "new"):
        with lockout.attempt("alice", request_from(HOME), password=password):
            pass
    assert list(FailedLogin.objects.order_by("id").values_list("repeated", flat=True)) == [
        False,
        True,
        False,
    ]


def test_two_words_that_differ_are_a_fault_of_the_caller() -> None:
    with lockout.attempt("alice") as attempt:
        attempt.failed()
        with pytest.raises(RuntimeError):
            attempt.succeeded()
    assert left_behind() == A_FAILURE


def test_a_word_outside_is_a_fault_of_the_caller() -> None:
    attempt = lockout.attempt("alice")
    with pytest.raises(RuntimeError):
        attempt.succeeded()
    with attempt:
        pass
    with pytest.raises(RuntimeError):
        attempt.abandon()
    with pytest.raises(RuntimeError), attempt:
        raise AssertionError("each attempt is a block of its own")
    assert left_behind() == A_FAILURE


def test_a_fault_on_the_way_in_is_the_callers_to_see(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(attempts, "begin", broken)
    with pytest.raises(ZeroDivisionError), lockout.attempt("alice"):
        raise AssertionError("nothing was reserved")


# -- Where it came from -------------------------------------------------------------------------

SCOPE = {
    "type": "http",
    "path": "/token",
    "client": ("203.0.113.9", 4711),
    "headers": [
        (b"user-agent", b"Safari\xff"),
        (b"x-forwarded-for", b"198.51.100.1"),
        (b"x-forwarded-for", b"198.51.100.2"),
        (b"x_forwarded_for", b"6.6.6.6"),
    ],
}


class StarletteRequest:
    """A request of Starlette, as far as it matters here."""

    scope = SCOPE


class DrfRequest:
    """A request of Django REST framework: what it does not have itself, the one inside has."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    def __getattr__(self, name: str) -> Any:
        return getattr(self._request, name)


DJANGO = RequestFactory(REMOTE_ADDR="203.0.113.9", headers={"User-Agent": "Safari\xff"})


@pytest.mark.parametrize(
    "request_",
    [SCOPE, StarletteRequest(), DJANGO.post("/token"), DrfRequest(DJANGO.post("/token"))],
    ids=["scope", "starlette", "django", "drf"],
)
def test_every_kind_of_request_tells_where_it_came_from(request_: Any) -> None:
    with lockout.attempt("alice", request_):
        pass
    row = FailedLogin.objects.get()
    assert (row.ip_address, row.path) == ("203.0.113.9", "/token")
    assert row.user_agent
    assert row.user_agent.text == "Safari\xff"


def test_proxies_are_trusted_as_elsewhere(settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "TRUSTED_PROXIES": 2}
    with lockout.attempt("alice", SCOPE):
        pass
    assert FailedLogin.objects.get().ip_address == "198.51.100.1"


@pytest.mark.parametrize(
    ("ip_address", "stored"), [("203.0.113.7", "203.0.113.7"), ("nonsense", None), (None, None)]
)
def test_without_a_request_the_caller_tells(ip_address: Any, stored: Any) -> None:
    with lockout.attempt("alice", ip_address=ip_address, user_agent="curl", path="imap"):
        pass
    row = FailedLogin.objects.get()
    assert (row.ip_address, row.path) == (stored, "imap")
    assert row.user_agent
    assert row.user_agent.text == "curl"


@pytest.mark.parametrize("scope", [{}, {"client": None, "headers": None}, {"client": ["::1", 0]}])
def test_a_scope_that_says_nothing_will_do(scope: Any) -> None:
    with lockout.attempt("alice", scope):
        pass
    assert FailedLogin.objects.get().path == ""


# -- How a name stands --------------------------------------------------------------------------


def test_a_name_is_free_throttled_or_locked(clock: Any) -> None:
    free = lockout.get_standing("alice")
    assert (free.verdict, free.until, free.rule, free.remaining) == ("free", None, "", 0)
    held = [lockout.attempt("alice", SCOPE)._begin() for _ in range(4)]
    assert len(held) == 4
    throttled = lockout.get_standing("alice")
    assert (throttled.verdict, throttled.rule) == ("throttled", "account")
    assert throttled.remaining == 60
    lockout.lock_account("alice", 3600)
    by_hand = lockout.get_standing("alice")
    assert (by_hand.verdict, by_hand.rule, by_hand.remaining) == ("locked", "", 3600)


def test_the_rule_that_throttles_is_told(clock: Any) -> None:
    for number in range(10):
        with lockout.attempt("bob", SCOPE, password=f"guess {number}") as attempt:
            attempt.failed()
        clock.tick(30)
    standing = lockout.get_standing("bob")
    assert (standing.verdict, standing.rule) == ("locked", "account-daily")
    clock.tick(standing.remaining)
    assert lockout.get_standing("bob").verdict == "free"
    with lockout.attempt("bob"):
        throttled = lockout.get_standing("bob")
    assert (throttled.verdict, throttled.rule) == ("throttled", "account-daily")


def test_a_lock_that_only_the_database_knows_is_told(
    clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lockout.lock_account("bob", 3600)
    # It is released and put on again while somebody asks.
    monkeypatch.setattr(locks, "find", lambda subject: None)
    standing = lockout.get_standing("bob")
    assert (standing.verdict, standing.rule, standing.remaining) == ("locked", "", 3600)


def test_a_lock_of_a_rule_is_told_with_its_name(clock: Any) -> None:
    for _ in range(4):
        with lockout.attempt("bob"):
            pass
    assert lockout.get_standing("BOB").rule == "account"


def test_a_limit_that_was_reached_without_a_lock_is_one(clock: Any) -> None:
    for _ in range(4):
        with lockout.attempt("bob"):
            pass
    AccountLock.objects.all().delete()
    cache.clear()
    standing = lockout.get_standing("bob")
    assert (standing.verdict, standing.rule, standing.remaining) == ("locked", "account", 60)


@pytest.mark.django_db(transaction=True)
async def test_standing_has_an_async_twin() -> None:
    assert (await lockout.aget_standing("alice")).verdict is lockout.Verdict.FREE
