"""Many guesses at once, over many connections."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import httpx

CONNECTIONS = 64


@dataclass(frozen=True)
class Guess:
    """One login to send."""

    username: str = "alice"
    password: str = "wrong"
    headers: dict[str, str] = field(default_factory=dict)


def storm(url: str | Sequence[str], guesses: Iterable[Guess]) -> Counter[int]:
    """Send guesses over 64 connections as fast as they are answered; count the statuses.

    To several URLs in turn.
    """
    return asyncio.run(_storm([url] if isinstance(url, str) else url, list(guesses)))


async def _storm(urls: Sequence[str], guesses: list[Guess]) -> Counter[int]:
    statuses: Counter[int] = Counter()
    waiting = enumerate(guesses)
    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    async with httpx.AsyncClient(limits=limits, timeout=120) as client:

        async def connection() -> None:
            for number, guess in waiting:
                body = {"username": guess.username, "password": guess.password}
                url = urls[number % len(urls)]
                answer = await client.post(url, json=body, headers=guess.headers)
                statuses[answer.status_code] += 1

        await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    return statuses
