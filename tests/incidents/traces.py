"""Attacks as their own programs know them: who is tried, with what, from where, how fast.

Everything here is written from the attacker's side, and before anything detects it. What became of
each try is what the real engine answered (`player.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_interface
from itertools import count, cycle, islice
from random import Random
from typing import Final

BRUTE_FORCE: Final = "brute-force"
SPRAYING: Final = "spraying"
STUFFING: Final = "stuffing"
DISTRIBUTED: Final = "distributed"

MINUTE, HOUR = 60, 3600

#: So many fresh wrong passwords on one name in a row, and no person has mistyped: at 7.5 % typos
#: a login, it is one of 10^22.
KNOWN_ON_A_NAME: Final = 20
#: So many names fail from one place, with a try each, and nobody there comes in.
KNOWN_BY_NAMES: Final = 25

FIREFOX: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SCRIPT: Final = "python-requests/2.31.0"


@dataclass(frozen=True, slots=True)
class Try:
    """One login, tried."""

    #: Seconds after the trace begins.
    at: float
    username: str
    password: str
    address: str
    agent: str = SCRIPT
    #: The attack that it is part of; empty: an honest one.
    attack: str = ""


@dataclass(slots=True)
class Attack:
    """The truth about one attack."""

    label: str
    #: The kind that a person gives it, and those that another might where two are mixed.
    kinds: tuple[str, ...]
    tries: list[Try]
    #: After so many of its tries whoever reads along knows.
    known_after: int
    #: What a person reads it to be about; ``None``: several answers are right.
    about: str | None = None
    #: Seconds that its last guess may be found later than it could be: a turn of the grouping, and
    #: time to be told.
    grace: float = 60.0
    names: set[str] = field(init=False)
    networks: set[str] = field(init=False)

    def __post_init__(self) -> None:
        self.tries = [replace(one, attack=self.label) for one in self.tries]
        self.names = {one.username for one in self.tries}
        self.networks = {network_of(one.address) for one in self.tries}

    @property
    def known_at(self) -> float:
        """Seconds after which it can be known."""
        return sorted(one.at for one in self.tries)[self.known_after - 1]


def network_of(address: str) -> str:
    """Return the network of one customer: /32, or /64."""
    return str(ip_interface(f"{address}/{64 if ':' in address else 32}").network)


# -- Where from and with what -----------------------------------------------------------------


def everywhere(first: int = 0) -> Iterator[str]:
    """Yield addresses, each of another network, half of them IPv6."""
    for number in count(first):  # pragma: no branch - it has no end
        yield f"198.{18 + number // 65536 % 2}.{number // 256 % 256}.{number % 256}"
        yield f"2001:db8:{number % 65536:x}:{number // 65536:x}::5"


def fresh(label: str = "") -> Iterator[str]:
    """Yield passwords, no two alike."""
    return (f"guess {label}{number}" for number in count())


def ghosts(times: int, label: str = "ghost") -> list[str]:
    """Return names that nobody has."""
    return [f"{label}-{number}" for number in range(times)]


# -- The kinds --------------------------------------------------------------------------------


def brute_force(
    name: str,
    pace: float,
    times: int,
    addresses: Sequence[str] = ("198.51.100.66",),
    right: Mapping[int, str] | None = None,
) -> Attack:
    """Fresh guesses on one name, from one network, or from a few one after the other."""
    passwords = dict(enumerate(islice(fresh(name), times))) | dict(right or {})
    share = -(-times // len(addresses))
    tries = [
        Try(number * pace, name, passwords[number], addresses[number // share])
        for number in range(times)
    ]
    return Attack(f"brute {name}", (BRUTE_FORCE,), tries, KNOWN_ON_A_NAME, name)


def spraying(
    names: Sequence[str],
    pace: float,
    passwords: Sequence[str] = ("Winter2026!",),
    addresses: Sequence[str] = ("198.51.100.23",),
    label: str = "spray",
) -> Attack:
    """One password on all names, then the next: from one network, or a few by turns."""
    rounds = [(name, password) for password in passwords for name in names]
    tries = [
        Try(number * pace, name, password, address)
        for number, ((name, password), address) in enumerate(
            zip(rounds, cycle(addresses), strict=False)
        )
    ]
    known = KNOWN_BY_NAMES * len(addresses)
    return Attack(label, (SPRAYING,), tries, min(known, len(names)))


def stuffing(
    names: Sequence[str],
    pace: float,
    right: Mapping[str, str],
    addresses: Sequence[str] = ("198.51.100.99",),
    label: str = "stuffing",
) -> Attack:
    """Pairs of a name and a password that leaked elsewhere, each once; some are right here too."""
    leaked = fresh(label)
    tries = [
        Try(number * pace, name, right.get(name) or next(leaked), address)
        for number, (name, address) in enumerate(zip(names, cycle(addresses), strict=False))
    ]
    # From many addresses, what tells is what they have in common: names that nobody has.
    known = KNOWN_BY_NAMES * (1 if len(addresses) == 1 else 4)
    return Attack(label, (STUFFING,), tries, min(known, len(names)))


def botnet(names: Sequence[str], pace: float, password: str) -> Attack:
    """The same password once on each name, each from a network of its own."""
    tries = [
        Try(number * pace, name, password, address, FIREFOX)
        for number, (name, address) in enumerate(zip(names, everywhere(), strict=False))
    ]
    return Attack("botnet", (SPRAYING, STUFFING), tries, min(100, len(tries)))


# -- Honest people beside it ------------------------------------------------------------------


def passers_by(
    names: Sequence[str], password: str, seconds: float, a_second: float, seed: str = "beside"
) -> list[Try]:
    """Return people who log in from home, with 7.5 % typos (Blocki and Zhang, "DALock", 2022)."""
    random = Random(seed)
    tries = []
    at = random.expovariate(a_second)
    while at < seconds:
        number = random.randrange(len(names))
        home = f"192.0.{(number >> 8) % 2 * 2}.{number % 256}"
        when = at
        typos = 0
        while typos < 3 and random.random() < 0.075:
            typos += 1
            # Everybody has a password of his own in truth, and mistypes that.
            typo = f"{password[:-1]}{random.choice('abcdefghijkl#+')}{names[number]}"
            tries.append(Try(when, names[number], typo, home, FIREFOX))
            when += random.uniform(4, 14)
        tries.append(Try(when, names[number], password, home, FIREFOX))
        at += random.expovariate(a_second)
    return sorted(tries, key=lambda one: one.at)
