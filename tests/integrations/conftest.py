"""People who log in by an application of ASGI, each with a browser and an address."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import anyio.to_thread
import httpx
import pytest
from django.contrib.auth import get_user_model
from django.db import connections

from ..conftest import HOME

ELSEWHERE = "198.51.100.66"
COOKIE = "lockout_device"


class Caller:
    """Somebody who posts JSON, with a jar of cookies."""

    def __init__(self, app: Any, ip: str = HOME, base: str = "http://site.example") -> None:
        self.app, self.ip, self.base = app, ip, base
        self.jar = httpx.Cookies()
        self.tries = 0

    async def post(
        self, path: str, password: str, username: str = "alice", **headers: str
    ) -> httpx.Response:
        """Send one login."""
        return await self._send("POST", path, headers, {"username": username, "password": password})

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """Ask for a page."""
        return await self._send("GET", path, headers)

    async def _send(
        self, method: str, path: str, headers: dict[str, str], body: Any = None
    ) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, client=(self.ip, 4711))
        headers = {"User-Agent": "Firefox", **headers}
        async with httpx.AsyncClient(
            transport=transport, base_url=self.base, cookies=self.jar
        ) as client:
            answer = await client.request(method, path, json=body, headers=headers)
            self.jar = client.cookies
        return answer

    async def log_in(self, path: str, password: str = "right", username: str = "alice") -> int:
        """Try once; return the status."""
        return (await self.post(path, password, username)).status_code

    async def guess(self, path: str, times: int, username: str = "alice") -> list[int]:
        """Try fresh wrong passwords; return the statuses."""
        self.tries += times
        return [
            await self.log_in(path, f"guess {self.tries}.{number}", username)
            for number in range(times)
        ]


@pytest.fixture(autouse=True)
def _threads_close_what_they_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have threads of the framework do what Django does not for a database in memory."""
    run_sync = anyio.to_thread.run_sync

    async def run(work: Callable[[], Any], *arguments: Any, **more: Any) -> Any:
        return await run_sync(partial(_closing, work), *arguments, **more)

    monkeypatch.setattr(anyio.to_thread, "run_sync", run)


def _closing(work: Callable[[], Any]) -> Any:
    try:
        return work()
    finally:
        for wrapper in [one for one in connections.all() if one.connection]:
            wrapper.connection.close()
            wrapper.connection = None


@pytest.fixture
def alice(transactional_db: None) -> Any:
    """An account holder whose password is ``right``."""
    return get_user_model().objects.create_user("alice", "alice@example.com", "right")
