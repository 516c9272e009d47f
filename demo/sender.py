"""Sends guesses to a site: as fast as agreed, over a few connections, until a bound is met."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from itertools import islice

import httpx

from .attacks import Guess
from .tally import Answer, Tally
from .target import API, FORM, Site, Target, TargetError


def nothing(guess: Guess, answer: Answer) -> None:
    """Write nothing down."""


async def nobody(*args: object) -> None:
    """Come neither before an attack nor beside it."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How fast, how many, how long, how wide."""

    #: Attempts a second.
    rate: float
    attempts: int
    seconds: float
    connections: int


@dataclass(slots=True)
class Sender:
    """One attack on one site."""

    target: Target
    bounds: Bounds
    api: bool
    tally: Tally
    #: Called after each answer.
    report: Callable[[Tally], None]
    #: Others who log in: before the attack, and as it goes on (from 0 to 1).
    before: Callable[[Site], Awaitable[None]] = nobody
    beside: Callable[[float], Awaitable[None]] = nobody
    #: Called with each guess that was answered, and the answer.
    note: Callable[[Guess, Answer], None] = nothing
    token: str = ""

    def run(self, guesses: Iterator[Guess]) -> None:
        """Send the guesses; the tally holds what came back, even when this is interrupted."""
        asyncio.run(self._run(guesses))

    async def _run(self, guesses: Iterator[Guess]) -> None:
        async with self._client() as client:
            base_url, self.token = await self._find(client)
            client.base_url = httpx.URL(base_url)
            await self.before(Site(base_url, self.target.authority))
            schedule = enumerate(islice(guesses, self.bounds.attempts))
            start = time.monotonic()
            async with asyncio.TaskGroup() as group:
                for _ in range(self.bounds.connections):
                    group.create_task(self._work(client, schedule, start))

    def _client(self) -> httpx.AsyncClient:
        limits = httpx.Limits(
            max_connections=self.bounds.connections,
            max_keepalive_connections=self.bounds.connections,
        )
        return httpx.AsyncClient(
            limits=limits,
            timeout=30,
            follow_redirects=False,
            trust_env=False,  # a proxy from the environment would carry the attack off this machine
            headers={"Host": self.target.authority},
            # A session that was won must not ride along with the next guess.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )

    async def _find(self, client: httpx.AsyncClient) -> tuple[str, str]:
        """Return the URL that answers and a CSRF token of its login form."""
        for base_url in self.target.base_urls():
            try:
                response = await client.get(f"{base_url}{FORM}")
            except httpx.TransportError:
                continue
            return base_url, _csrf_token(response)
        raise TargetError(
            f"Nothing answers at http://{self.target.authority}."
            " Start the demo in another terminal: python3 manage.py demo"
        )

    async def _work(
        self, client: httpx.AsyncClient, schedule: Iterator[tuple[int, Guess]], start: float
    ) -> None:
        for number, guess in schedule:
            due = start + number / self.bounds.rate
            await asyncio.sleep(due - time.monotonic())
            if time.monotonic() - start >= self.bounds.seconds:
                return
            await self._send(client, number, guess)
            self.tally.seconds = time.monotonic() - start
            self.report(self.tally)
            in_time = self.tally.seconds / self.bounds.seconds
            await self.beside(max((number + 1) / self.bounds.attempts, in_time))

    async def _send(self, client: httpx.AsyncClient, number: int, guess: Guess) -> None:
        request = self._request(client, guess)
        started = time.monotonic()
        try:
            response = await client.send(request)
        except httpx.HTTPError:
            self.tally.add(number, guess.username, Answer.LOST, time.monotonic() - started)
            return
        answer = Answer.of(response.status_code)
        if self.api and response.status_code == 200:
            answer = Answer.LOGGED_IN
        self.note(guess, answer)
        self.tally.add(
            number, guess.username, answer, time.monotonic() - started, response.status_code
        )

    def _request(self, client: httpx.AsyncClient, guess: Guess) -> httpx.Request:
        headers = {"User-Agent": guess.user_agent, "X-Forwarded-For": guess.forwarded_for}
        credentials = {"username": guess.username, "password": guess.password}
        if self.api:
            return client.build_request("POST", API, json=credentials, headers=headers)
        headers["Cookie"] = f"csrftoken={self.token}"
        return client.build_request(
            "POST", FORM, data={**credentials, "csrfmiddlewaretoken": self.token}, headers=headers
        )


def _csrf_token(response: httpx.Response) -> str:
    for cookie in response.headers.get_list("set-cookie"):
        name, _, value = cookie.partition("=")
        if name == "csrftoken":
            return str(value.partition(";")[0])
    raise TargetError(
        f"{response.url} is not the demo: it answered {response.status_code}, without a login form."
    )
