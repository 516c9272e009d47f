"""A client that hangs up gives its slot back or is recorded, wherever it does."""

from __future__ import annotations

import asyncio
import sys
import types
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import aauthenticate, get_user_model
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest
from django.test import AsyncClient

from lockout_admin.backends import LockoutBackend
from lockout_admin.decorators import apply_account_lock
from lockout_admin.engine import attempts
from lockout_admin.engine.patience import to_the_end
from lockout_admin.engine.receivers import request_is_over
from lockout_admin.models import FailedLogin
from lockout_admin.testing import isolated_lockouts

from .conftest import Knows, backends, left_behind

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        sys.version_info < (3, 12),
        reason="CPython 3.11 may crash in asgiref where a task is cancelled at work in a thread",
    ),
]

SHIPPED = "lockout_admin.backends.LockoutBackend"


class Last(Knows):
    right = "other"

    @apply_account_lock(names="username")
    def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
        return self.check(username, password)


@types.coroutine
def cancelled_at(coroutine: Coroutine[Any, Any, Any], when: range) -> Iterator[Any]:
    """Run a coroutine, and cancel its task each time it waits for the n-th time, n in `when`."""
    step: Callable[[], Any] = partial(coroutine.send, None)
    number = -1
    while True:
        number += 1
        try:
            waiting = step()
        except StopIteration as stop:
            return stop.value
        if number in when:
            task = asyncio.current_task()
            assert task
            task.cancel()
        try:
            yield waiting
        except BaseException as error:  # noqa: BLE001 - handed on
            step = partial(coroutine.throw, error)
        else:
            step = partial(coroutine.send, None)


async def _run(coroutine: Coroutine[Any, Any, Any], when: range) -> Any:
    return await cancelled_at(coroutine, when)


async def outcomes(attempt: Callable[[], Coroutine[Any, Any, Any]], times: int) -> list[Any]:
    """Cancel an attempt at its first wait, its second, … until it gets through."""
    found: list[Any] = []
    task: asyncio.Task[Any] | None = None
    while task is None or task.cancelled():
        first = len(found)
        with isolated_lockouts():
            await FailedLogin.objects.all().adelete()
            task = asyncio.ensure_future(_run(attempt(), range(first, first + times)))
            await asyncio.wait({task})
            found.append(await sync_to_async(left_behind)())
    return found


def direct(password: str) -> Coroutine[Any, Any, Any]:
    return LockoutBackend().aauthenticate(None, "alice", password)


async def by_two_backends(password: str) -> Any:
    try:
        return await aauthenticate(HttpRequest(), username="alice", password=password)
    finally:
        await to_the_end(request_is_over)  # Django's handler does, by a signal


def by_a_view(password: str) -> Coroutine[Any, Any, Any]:
    return AsyncClient().post("/login/", {"username": "alice", "password": password})


NOTHING = (0, 0)
A_FAILURE = (1, 1)


@pytest.mark.urls("tests.urls")
@pytest.mark.parametrize("times", [1, 2, 50])
@pytest.mark.parametrize("password", ["right", "wrong"])
@pytest.mark.parametrize("way", [direct, by_two_backends, by_a_view])
async def test_a_cancelled_attempt_gives_back_or_records(
    way: Any, password: str, times: int
) -> None:
    await get_user_model().objects.acreate_user("alice", password="right")
    # A direct call asks no other backend.
    listed = [SHIPPED] if way is direct else [SHIPPED, Last]
    with backends(*listed):
        found = await outcomes(partial(way, password), times)
    assert len(found) > 3
    assert {*found} <= {NOTHING, A_FAILURE}
    assert found[-1] == (NOTHING if password == "right" else A_FAILURE)


async def test_who_hangs_up_before_the_password_is_looked_at_has_not_failed() -> None:
    assert (await outcomes(partial(direct, "wrong"), 1))[0] == NOTHING


async def test_who_hangs_up_while_it_is_looked_at_has(monkeypatch: pytest.MonkeyPatch) -> None:
    async def slow(*args: Any, **kwargs: Any) -> Any:
        verifying.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(ModelBackend, "aauthenticate", slow)
    verifying = asyncio.Event()
    task = asyncio.ensure_future(direct("wrong"))
    await verifying.wait()
    task.cancel()
    await asyncio.wait({task})
    assert await sync_to_async(left_behind)() == A_FAILURE


async def test_a_deadline_is_still_a_deadline() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await direct("wrong")
    assert await sync_to_async(left_behind)() == NOTHING


def test_a_loop_that_shuts_down_leaves_nothing_behind(alice: Any) -> None:
    async def main() -> None:
        asyncio.ensure_future(direct("wrong"))  # noqa: RUF006 - run() cancels it
        for _ in range(3):
            await asyncio.sleep(0)

    asyncio.run(main())
    assert left_behind() in (NOTHING, A_FAILURE)


async def _cancel_all() -> None:
    own = asyncio.current_task()
    for task in asyncio.all_tasks():
        if task is not own:
            task.cancel()


@pytest.mark.parametrize("steps", range(12))
async def test_tasks_that_are_all_cancelled_leave_nothing_behind(steps: int) -> None:
    task = asyncio.ensure_future(direct("wrong"))
    for _ in range(steps):
        await asyncio.sleep(0)
    for _ in range(5):
        await _cancel_all()
        await asyncio.sleep(0)
    await asyncio.wait({task})
    assert await sync_to_async(left_behind)() in (NOTHING, A_FAILURE)


async def test_work_is_done_once_however_often_it_is_cancelled() -> None:
    done = []
    task = asyncio.ensure_future(to_the_end(lambda: done.append(1)))
    for _ in range(9):
        await asyncio.sleep(0)
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == [1]


async def test_work_is_done_once_though_its_thread_began_as_its_task_was_cancelled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken_up: list[Callable[[], Any]] = []
    is_through = asyncio.Event()

    def torn(function: Callable[[], Any]) -> Any:
        async def run() -> None:
            if not taken_up:
                taken_up.append(function)  # a thread has it already
                raise asyncio.CancelledError
            await sync_to_async(function)()
            taken_up[0]()
            is_through.set()

        return run

    monkeypatch.setattr("lockout_admin.engine.patience.sync_to_async", torn)
    done: list[int] = []
    await to_the_end(lambda: done.append(1))
    await is_through.wait()
    assert done == [1]


async def test_work_without_threads_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_threads(*args: Any) -> Any:
        async def run() -> None:
            raise RuntimeError("cannot schedule new futures after shutdown")

        return run

    monkeypatch.setattr("lockout_admin.engine.patience.sync_to_async", no_threads)
    with pytest.raises(RuntimeError):
        await to_the_end(lambda: None)


async def test_errors_of_the_guard_reach_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **kwargs: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(attempts, "begin", broken)
    with pytest.raises(ZeroDivisionError):
        await direct("wrong")
