"""Work that a task begins and ends, though its client hangs up in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

from asgiref.sync import sync_to_async

T = TypeVar("T")


async def to_the_end(work: Callable[[], T]) -> T:
    """Run `work` in the thread of Django's sync code; put a cancellation off until it is through.

    A thread can't be cancelled: it would go on alone, and nobody would know of the slot it takes or
    the record it writes. A cancellation that came meanwhile is raised in the end, and replaces
    whatever `work` raised.
    """
    run = _Run(work)
    cancelled: asyncio.CancelledError | None = None
    while not run.is_over():
        try:
            await asyncio.wait(run.awaited(), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled:
        raise cancelled
    answer: T = run.outcome.result()
    return answer


class _Run:
    """One piece of work in a thread.

    Its outcome is a future and no task: a loop that shuts down cancels all tasks, the one that
    waits for the thread too.
    """

    def __init__(self, work: Callable[[], Any]) -> None:
        self.work = work
        self.loop = asyncio.get_running_loop()
        self.outcome: asyncio.Future[Any] = self.loop.create_future()
        self.began = False
        self._claim = Lock()
        self.task = self._task()

    def is_over(self) -> bool:
        """Tell whether it is through; see that it begins at all."""
        if self.task.done() and not self.began:
            if not self.task.cancelled():
                self.task.result()  # there are no threads any more
            self.task = self._task()
        return self.outcome.done()

    def awaited(self) -> set[asyncio.Future[Any]]:
        """Return what there is to wait for."""
        return {self.outcome} if self.began else {self.outcome, self.task}

    def _task(self) -> asyncio.Task[None]:
        return asyncio.ensure_future(sync_to_async(self._run)())

    def _run(self) -> None:
        # A task may be cancelled when a thread has just taken it up: the next one finds it begun.
        if not self._claim.acquire(blocking=False):
            return
        self.began = True
        try:
            answer = self.work()
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            self.loop.call_soon_threadsafe(self.outcome.set_exception, error)
        else:
            self.loop.call_soon_threadsafe(self.outcome.set_result, answer)
