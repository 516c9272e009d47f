"""Plans of attack: each is an endless, repeatable stream of guesses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, cycle
from random import Random
from typing import Final

from django.contrib.auth.password_validation import CommonPasswordValidator

from . import vocabulary as words
from .people import ATTACKED, BESIDE, CAROL, HOLDERS, Person
from .traffic import any_ipv6, directory


@dataclass(frozen=True, slots=True)
class Guess:
    """One login to try."""

    username: str
    password: str
    user_agent: str
    #: Where it comes from: the demo is behind a proxy, as most sites are.
    forwarded_for: str


#: The addresses of botnets: of each its own, among those for measurements (RFC 2544). Whoever
#: attacks from the addresses of another attack is, to the site, the same attacker.
_BOTNETS: Final = {"stuffing": 16, "distributed": 80, "malice": 144}

Plan = Callable[[str], Iterator[Guess]]


def brute(username: str) -> Iterator[Guess]:
    """Every password there is, on one name."""
    for password in _passwords():
        yield Guess(username, password, words.REQUESTS, "203.0.113.66")


def spray(username: str) -> Iterator[Guess]:
    """One password on all names, then the next: few tries for each name."""
    # What is tried on their own names is not what they are to show.
    names = [person.username for person in HOLDERS if person not in BESIDE] + directory(
        Random("spray"), 200
    )
    for password in _passwords(*words.SEASONAL_PASSWORDS):
        for name in names:
            yield Guess(name, password, words.CURL, "198.51.100.23")


def stuffing(username: str) -> Iterator[Guess]:
    """Names with the passwords they had elsewhere, once each, by a botnet; one is still right."""
    random = Random("stuffing")
    names = directory(random, 5000)
    for turn in count():
        for place, name in enumerate(names):
            if place == 24 and not turn:
                yield Guess(CAROL.username, CAROL.password, words.GO, _bot("stuffing", random))
            suffix = str(turn) if turn else ""
            password = f"{random.choice(words.PASSWORDS)}{suffix}"
            address = _bot("stuffing", random)
            yield Guess(f"{name}{suffix}@example.net", password, words.GO, address)


def distributed(username: str) -> Iterator[Guess]:
    """One name from everywhere: each guess claims another address and another browser."""
    random = Random("distributed")
    for password in _passwords():
        address = random.choice((_bot("distributed", random), any_ipv6(random)))
        yield Guess(username, password, random.choice(words.STALE_BROWSERS), address)


def malice(username: str) -> Iterator[Guess]:
    """Ten names failed for ever, from everywhere, to keep their owners out."""
    random = Random("malice")
    names = [person.username for person in ATTACKED]
    # He does not want to get in: any password will do.
    for number in count():
        for name in names:
            yield Guess(name, f"whatever {number}", words.WGET, _bot("malice", random))


def dictionary(username: str) -> Iterator[Guess]:
    """The passwords that are on every list, on three names, from one address."""
    names = _few_names(username)
    for word in cycle(sorted(CommonPasswordValidator().passwords)):
        for name in names:
            yield Guess(name, word, words.HYDRA, "203.0.113.101")


def patient(username: str) -> Iterator[Guess]:
    """One name for thirty days, each guess from a new address, never four within a minute."""
    random = Random("patient")
    for password in _passwords():
        yield Guess(username, password, random.choice(words.STALE_BROWSERS), any_ipv6(random))


PLANS: Final[dict[str, Plan]] = {
    "brute": brute,
    "spray": spray,
    "stuffing": stuffing,
    "distributed": distributed,
    "dictionary": dictionary,
    "patient": patient,
    "malice": malice,
}


def owners_of(kind: str, username: str) -> list[Person]:
    """Return the account holders whom an attack is after."""
    if kind in ("spray", "malice"):
        return list(ATTACKED)
    names = {"stuffing": [CAROL.username], "dictionary": _few_names(username)}.get(kind, [username])
    return [person for person in HOLDERS if person.username in names]


def _bot(kind: str, random: Random) -> str:
    return f"198.19.{_BOTNETS[kind] + random.randrange(64)}.{random.randrange(1, 255)}"


def _few_names(username: str) -> list[str]:
    # Hers is one that leaked.
    others = [person.username for person in ATTACKED if person is not CAROL]
    return list(dict.fromkeys([username, *others]))[:3]


def _passwords(*first: str) -> Iterator[str]:
    yield from first
    for turn, password in zip(count(), cycle(words.PASSWORDS), strict=False):
        # The published passwords of the demo are not among them, so a guess that gets in is a find.
        yield password if turn < len(words.PASSWORDS) else f"{password}{turn}"
