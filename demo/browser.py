"""A person's browser, with its cookies, at an address: over real HTTP."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import httpx

from .people import Person
from .tally import Answer
from .target import FORM, Site

DEVICE = "lockout_device"


class Browser:
    """Logs people in as they do it by hand."""

    def __init__(self, site: Site, address: str, device: str = "") -> None:
        headers = {"Host": site.authority, "X-Forwarded-For": address}
        self._client = httpx.AsyncClient(
            base_url=site.base_url,
            headers=headers,
            timeout=30,
            trust_env=False,
            verify=False,  # there is no TLS, and to read its certificates takes longer than a login
        )
        if device:
            self._client.cookies.set(DEVICE, device)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    @property
    def device(self) -> str:
        """Return the cookie by which the site knows this browser; empty: it does not."""
        return self._client.cookies.get(DEVICE) or ""

    async def log_in(self, person: Person, password: str = "") -> Answer:
        """Open the form and send it; return what the site answered."""
        credentials = {"username": person.username, "password": password or person.password}
        status = await self.submit(FORM, credentials)
        return Answer.of(status) if status else Answer.LOST

    async def submit(self, path: str, fields: dict[str, str]) -> int:
        """Open a page and send its form; return the status, 0 where nothing came back."""
        try:
            await self._client.get(path)
            token = self._client.cookies.get("csrftoken") or ""
            fields = {**fields, "csrfmiddlewaretoken": token}
            return (await self._client.post(path, data=fields)).status_code
        except httpx.HTTPError:
            return 0

    async def read(self, path: str) -> str:
        """Return a page; empty where there is none."""
        try:
            response = await self._client.get(path)
        except httpx.HTTPError:
            return ""
        return response.text if response.is_success else ""
