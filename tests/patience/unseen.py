"""Attacks that nobody has tuned for, written from the attacker's side; each from its own seed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from random import Random

from ..incidents.traces import (
    BRUTE_FORCE,
    DISTRIBUTED,
    FIREFOX,
    HOUR,
    MINUTE,
    SCRIPT,
    SPRAYING,
    STUFFING,
    Attack,
    Try,
    ghosts,
)
from .attacks import DICTIONARY, KEEPING_OUT, joined, later, word_list

DAY = 24 * HOUR
#: So many words on one name from three hosts, and whoever reads along knows.
KNOWN = 25
AGENTS = [
    f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0"
    for system in ("Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7", "X11; Linux")
    for version in range(128, 142)
]


def slow_spray(names: Sequence[str], days: int, right: dict[str, str]) -> Attack:
    """Three passwords a day on each name, from any address of a /24, each with another browser."""
    random = Random("slow spray")
    tries = []
    for day in range(days):
        for part in range(3):
            password = ("Autumn", "Welcome", "Company")[part] + f"{2026 + day}!"
            tries += [
                Try(
                    *(day * DAY + part * 8 * HOUR + random.uniform(0, 7 * HOUR), name),
                    right[name] if right.get(name) == password else password,
                    f"45.12.7.{random.randrange(1, 255)}",
                    random.choice(AGENTS),
                )
                for name in names
            ]
    return Attack("slow spray", (SPRAYING,), tries, 120)


def proxied_stuffing(
    known: Sequence[str], hits: dict[str, str], times: int = 5000, proxies: int = 200
) -> Attack:
    """Leaked pairs through residential proxies: a third is nobody's, one in a hundred is right."""
    random = Random("proxied")
    unknown = times * 3 // 10
    names = [*ghosts(unknown, "leak"), *random.sample(sorted(known), times - unknown - len(hits))]
    names += hits
    random.shuffle(names)
    homes = [f"{random.randrange(60, 99)}.{random.randrange(256)}.{n}.7" for n in range(proxies)]
    tries = [
        Try(
            *(number * 1.0 + random.random(), name, hits.get(name) or f"{name}-{random.random()}"),
            *(random.choice(homes), random.choice(AGENTS)),
        )
        for number, name in enumerate(names)
    ]
    return Attack("proxied stuffing", (STUFFING,), tries, 200)


def hourly_botnet(name: str, addresses: int = 40, hours: int = 24) -> Attack:
    """Each of forty addresses has one guess an hour at an administrator's name."""
    random = Random("hourly")
    tries = [
        Try(hour * HOUR + random.uniform(0, HOUR), name, f"Adm1n-{hour}-{place}", f"77.9.{place}.3")
        for hour in range(hours)
        for place in range(addresses)
    ]
    return Attack("hourly botnet", (DISTRIBUTED,), tries, 20, name)


def list_of(
    label: str, names: Sequence[str], address: str, password: str = "", agent: str = SCRIPT
) -> Attack:
    """Go through a list from one address: with one password, or with a pair each."""
    random = Random(label)
    at, tries = 0.0, []
    for name in names:
        at += random.uniform(2, 20)
        tries.append(Try(at, name, password or f"{name}{random.random()}", address, agent))
    return Attack(label, (SPRAYING if password else STUFFING,), tries, min(25, len(names)))


def long_pause(names: Sequence[str], hours: float = 20) -> Attack:
    """A list, half of it before a long night and half of it after."""
    half = len(names) // 2
    first = list_of("before", names[:half], "45.66.1.9", "Letmein2026")
    then = later(list_of("after", names[half:], "45.66.1.9", "Letmein2026"), hours * HOUR)
    return joined("long pause", (SPRAYING,), first, then)


def rotating_prefixes(names: Iterable[str], password: str = "", pace: float = 6) -> Attack:
    """Each try from another /64 of a /48."""
    random = Random("rotating")
    tries = [
        Try(
            *(number * pace, name, password or f"{name}{random.random()}"),
            *(f"2a0b:dead:5:{random.getrandbits(16):x}::1", random.choice(AGENTS)),
        )
        for number, name in enumerate(names)
    ]
    kind = SPRAYING if password else STUFFING
    return Attack("rotating prefixes", (kind,), tries, min(100, len(tries)))


def rotating_on_a_name(name: str, times: int) -> Attack:
    """Fresh guesses at one name, each from another /64 of a /48."""
    attack = rotating_prefixes([name] * times, pace=30)
    tries = [replace(one, password=f"guess {n}") for n, one in enumerate(attack.tries)]
    return Attack("rotating guesses", (DISTRIBUTED, BRUTE_FORCE), tries, 20, name)


def malice(names: Sequence[str], hours: float, places: int = 20) -> Attack:
    """Owners whose names are failed again and again, with one of three words."""
    random = Random("malice")
    tries = []
    for name in names:
        at = random.uniform(0, 5 * MINUTE)
        while at < hours * HOUR:
            place = f"91.4.{random.randrange(places)}.8"
            tries.append(Try(at, name, random.choice(("x", "asdf", "no")), place, FIREFOX))
            at += random.uniform(20, 5 * MINUTE)
    return Attack("malice", (KEEPING_OUT,), tries, 20 * len(names))


def spelled(name: str, right: str, times: int = 80) -> Attack:
    """Guesses at one account whose name is written in another way each time; the last is right."""
    ways = (name, name.upper(), name.title(), f" {name}", f"{name} ", name.replace("u", "Ｕ"))
    tries = [
        Try(n * 45.0, ways[n % len(ways)], f"spelled {n}", f"45.80.0.{1 + n % 3}", FIREFOX)
        for n in range(times)
    ]
    tries.append(Try(times * 45.0 + 4 * HOUR, name, right, "45.80.0.2", FIREFOX))
    return Attack("spelled", (BRUTE_FORCE,), tries, 20)


def top_list(names: Sequence[str], words: int = 12) -> Attack:
    """The most common passwords on the names of a department, from ten addresses by turns."""
    random = Random("top list")
    rounds = [(name, word) for word in word_list()[50 : 50 + words] for name in names]
    tries = [
        Try(n * 40.0, name, word, f"45.90.{n % 10}.4", random.choice(AGENTS))
        for n, (name, word) in enumerate(rounds)
    ]
    return Attack("top list", (SPRAYING, DICTIONARY), tries, 60)


def patient_dictionary(name: str, hours: int = 30) -> Attack:
    """A word each ten minutes from three hosts of a hoster, with a browser's agent."""
    words = word_list()
    tries = [
        Try(n * 600.0, name, words[n * 7], f"45.91.0.{5 + n % 3}", AGENTS[0])
        for n in range(hours * 6)
    ]
    return Attack("patient dictionary", (DICTIONARY,), tries, KNOWN, name)
