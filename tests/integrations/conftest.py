"""People who log in by an application of ASGI, each with a browser and an address."""

from __future__ import annotations

from typing import Any

import httpx

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
        transport = httpx.ASGITransport(self.app, client=(self.ip, 4711))
        headers = {"User-Agent": "Firefox", **headers}
        async with httpx.AsyncClient(
            transport=transport, base_url=self.base, cookies=self.jar
        ) as client:
            body = {"username": username, "password": password}
            answer = await client.post(path, json=body, headers=headers)
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
