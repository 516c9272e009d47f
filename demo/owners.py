"""Whether the owners of attacked accounts still get in: in their own browser, and in a new one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from .browser import Browser
from .people import Person
from .tally import Answer
from .target import Site

_ASK = "/account/ask/"
_MAIL = "/mail/"
_PAUSE_SECS = 0.5
#: How often the mail is looked for.
_LOOKS = 40
_LETTER = re.compile(r"<bdi>([^@<]+)@[^<]*</bdi>")
_LINK = re.compile(r'href="https?://[^/"]+(/account/link/[^"]+)"')


@dataclass(slots=True)
class Owners:
    """People who log in before the attack and after it."""

    people: Sequence[Person]
    pause: Callable[[], Awaitable[None]] = lambda: asyncio.sleep(_PAUSE_SECS)
    site: Site | None = None
    #: What their browsers keep.
    devices: dict[str, str] = field(default_factory=dict)

    async def come_before(self, site: Site) -> None:
        """Have each log in in the browser that knows him from then on."""
        self.site = site
        for person in self.people:
            home, _work = person.places
            async with Browser(site, home) as browser:
                await browser.log_in(person)
                self.devices[person.username] = browser.device

    async def lines_after(self) -> list[str]:
        """Return how many get in now: with their password, then with a mail."""
        if self.site is None or not self.people:
            return []
        every = len(self.people)
        known = await self._in_their_own(self.site)
        async with AsyncExitStack() as stack:
            refused = {}
            for person in self.people:
                _home, work = person.places
                browser = await stack.enter_async_context(Browser(self.site, work))
                if await browser.log_in(person) is not Answer.LOGGED_IN:
                    refused[person] = browser
            new = every - len(refused)
            told = await self._by_mail(refused) if refused else ""
        return [
            f"Owners who get in: {known} of {every} in their own browser, {new} in a new one{told}"
        ]

    async def _in_their_own(self, site: Site) -> int:
        known = 0
        for person in self.people:
            home, _work = person.places
            device = self.devices.get(person.username, "")
            async with Browser(site, home, device) as browser:
                known += await browser.log_in(person) is Answer.LOGGED_IN
        return known

    async def _by_mail(self, refused: dict[Person, Browser]) -> str:
        reader = next(iter(refused.values()))
        old = set(_links(await reader.read(_MAIL)).values())
        asked = [
            person
            for person, browser in refused.items()
            # The page that asks for the code.
            if await browser.submit(_ASK, {"name": person.username}) == 303
        ]
        if not asked:
            return "; no mail is sent"
        links = await self._letters(reader, asked, old)
        entered = 0
        for person, link in links.items():
            await refused[person].submit(link, {"do": "login"})
            entered += await refused[person].log_in(person) is Answer.LOGGED_IN
        return f", {entered} more with a mail"

    async def _letters(
        self, reader: Browser, asked: Sequence[Person], old: set[str]
    ) -> dict[Person, str]:
        """Wait for the mails; return the links of those that came."""
        found: dict[str, str] = {}
        for _ in range(_LOOKS):
            links = _links(await reader.read(_MAIL))
            found |= {name: link for name, link in links.items() if link not in old}
            if found.keys() >= {person.username for person in asked}:
                break
            await self.pause()
        return {person: found[person.username] for person in asked if person.username in found}


def _links(page: str) -> dict[str, str]:
    """Return the newest link of each name in the demo's post."""
    found: dict[str, str] = {}
    for letter in page.split("<article")[1:]:
        name, link = _LETTER.search(letter), _LINK.search(letter)
        if name and link:
            found.setdefault(name[1], link[1])
    return found
