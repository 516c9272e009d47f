"""Honest people beside an attack: some behind its own address, the others elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from .browser import Browser
from .people import BESIDE, Person
from .tally import Answer
from .target import Site

#: How many of `BESIDE` share the attacker's address.
BEHIND = 8
#: Addresses for measurements (RFC 2544), which nobody has.
_ELSEWHERE = "198.18.0.{}"


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One of them. He knows his password, and comes once."""

    person: Person
    address: str
    is_behind: bool
    #: He comes in a browser that he has logged in with before.
    is_known: bool
    #: He mistypes once, then types right.
    mistypes: bool


def neighbours(attacker: str) -> list[Neighbour]:
    """Return them in the order in which they come, behind and elsewhere in turn."""
    found = []
    for number, person in enumerate(BESIDE):
        is_behind = number % 2 == 0 and number // 2 < BEHIND
        address = attacker if is_behind else _ELSEWHERE.format(number + 1)
        is_known = number // 2 % 2 == 0
        found.append(Neighbour(person, address, is_behind, is_known, number % 5 == 2))
    return found


@dataclass(slots=True)
class Neighbours:
    """What happens to them."""

    #: From which address the attack comes.
    attacker: str
    site: Site | None = None
    #: What the browsers keep that the site knows.
    devices: dict[str, str] = field(default_factory=dict)
    came: int = 0
    #: Whether behind, whether known.
    met: Counter[tuple[bool, bool]] = field(default_factory=Counter)
    refused: Counter[tuple[bool, bool]] = field(default_factory=Counter)

    async def come_before(self, site: Site) -> None:
        """Have those log in whose browsers are to be known."""
        self.site = site
        for one in neighbours(self.attacker):
            if one.is_known:
                async with Browser(site, one.address) as browser:
                    await browser.log_in(one.person)
                    self.devices[one.person.username] = browser.device

    async def come(self, progress: float) -> None:
        """Have as many come as are due when so much of the attack is over."""
        everybody = neighbours(self.attacker)
        while self.came < min(1.0, progress) * len(everybody):
            one = everybody[self.came]
            self.came += 1
            await self._visit(one)

    async def _visit(self, one: Neighbour) -> None:
        assert self.site is not None
        device = self.devices.get(one.person.username, "")
        async with Browser(self.site, one.address, device) as browser:
            if one.mistypes:
                await browser.log_in(one.person, f"{one.person.password[:-1]}#")
            answer = await browser.log_in(one.person)
        kind = (one.is_behind, one.is_known)
        self.met[kind] += answer is not Answer.LOST
        self.refused[kind] += answer is Answer.REFUSED

    def lines(self) -> Iterator[str]:
        """Yield how many were refused."""
        for is_behind, place in ((True, "behind the attacker's address"), (False, "elsewhere")):
            known, new = (
                f"{self.refused[is_behind, is_known]} of {self.met[is_behind, is_known]}"
                for is_known in (True, False)
            )
            yield f"People {place} refused: {known} in a known browser, {new} in a new one"
