"""Attacks that take long to play, beside those that are played everywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import cycle, islice
from typing import Final

from django.contrib.auth.password_validation import CommonPasswordValidator

from ..incidents.traces import (
    BRUTE_FORCE,
    DISTRIBUTED,
    HOUR,
    KNOWN_ON_A_NAME,
    SPRAYING,
    Attack,
    Try,
    brute_force,
    everywhere,
    fresh,
    ghosts,
    spraying,
)

DICTIONARY: Final = "dictionary"
KEEPING_OUT: Final = "keeping-out"


def hosts(prefix: str = "198.51.100") -> list[str]:
    return [f"{prefix}.{number}" for number in range(1, 255)]


def word_list() -> list[str]:
    """Return the passwords that are on every list."""
    return sorted(CommonPasswordValidator().passwords)


def later(attack: Attack, seconds: float) -> Attack:
    """Return an attack, begun so much later."""
    tries = [replace(one, at=one.at + seconds) for one in attack.tries]
    return replace(attack, tries=tries)


def distributed(
    name: str, pace: float, times: int, first: int = 0, right: Mapping[int, str] | None = None
) -> Attack:
    """Fresh guesses on one name, each from another network."""
    passwords = dict(enumerate(islice(fresh(name), times))) | dict(right or {})
    sources = zip(passwords.values(), everywhere(first), strict=False)
    tries = [
        Try(number * pace, name, password, address)
        for number, (password, address) in enumerate(sources)
    ]
    return Attack(f"distributed {name}", (DISTRIBUTED,), tries, KNOWN_ON_A_NAME, name)


def dictionary(
    names: Sequence[str], pace: float, words: int, address: str = "198.51.100.101"
) -> Attack:
    """The word list on a few names, from one network."""
    guesses = [(name, word) for word in word_list()[:words] for name in names]
    tries = [Try(number * pace, name, word, address) for number, (name, word) in enumerate(guesses)]
    return Attack("dictionary", (DICTIONARY,), tries, KNOWN_ON_A_NAME * len(names))


def keeping_out(
    names: Sequence[str], pace: float, seconds: float, addresses: Sequence[str]
) -> Attack:
    """The same nonsense on the names of people, again and again: the lock is what it wants."""
    times = int(seconds / pace)
    turns = zip(range(times), cycle(names), strict=False)
    tries = [
        Try(number * pace, name, "x", addresses[number // len(names) % len(addresses)])
        for number, name in turns
    ]
    return Attack("malice", (KEEPING_OUT,), tries, KNOWN_ON_A_NAME * len(names))


# -- What is not that simple ------------------------------------------------------------------


def joined(label: str, kinds: tuple[str, ...], *parts: Attack) -> Attack:
    """Return attacks as the one that they are: by one hand."""
    tries = sorted((one for part in parts for one in part.tries), key=lambda one: one.at)
    return Attack(label, kinds, tries, parts[0].known_after)


def mixed(known: Sequence[str]) -> Attack:
    """Guess at one name, then go through a list of others, from the same address."""
    host = "198.51.100.187"
    first = brute_force("root", 5, 45, (host,))
    names = [*ghosts(20, "service"), *known[:8]]
    then = later(spraying(names, 5, addresses=(host,)), 45 * 5)
    return joined("mixed", (SPRAYING, BRUTE_FORCE), first, then)


def interrupted(names: Sequence[str], pause: float = 2 * HOUR) -> Attack:
    """Spray half of the names, wait for two hours, spray the rest: one attack."""
    half = len(names) // 2
    first = spraying(names[:half], 2)
    then = later(spraying(names[half:], 2), half * 2 + pause)
    return joined("interrupted", (SPRAYING,), first, then)


def moving(name: str) -> Attack:
    """Guess at one name, and take another network whenever one is spent."""
    attack = brute_force(
        name, 3, 240, ("198.51.100.1", "203.0.113.9", "198.51.100.2", "203.0.113.10")
    )
    return replace(attack, label="moving", kinds=(BRUTE_FORCE, DISTRIBUTED))
