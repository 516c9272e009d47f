"""Ninety days of attempts on a site: what people mistype, and what attackers try."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address
from random import Random
from typing import Final

from . import vocabulary as words
from .people import ALICE, ATTACKED, BESIDE, CAROL, HOLDERS

DAYS: Final = 90
FORM = "/login/"
ADMIN = "/admin/login/"
API = "/api/login/"
#: The accounts that ``manage.py attack`` is after: their first lock is to be as short as any.
TRIED: Final = (ALICE.username, CAROL.username)
#: Those whom it is to show: the slow rules are to leave them tries.
_SHOWN: Final = frozenset(person.username for person in (*ATTACKED, *BESIDE))

#: Visits by hour (UTC) and by weekday, Monday first: a site that people use at work.
_HOURS: Final = (1, 1, 1, 1, 1, 3, 8, 22, 40, 38, 30, 24, 18, 30, 32, 27, 22, 16, 10, 8, 7, 6, 4, 2)
_WEEKDAYS: Final = (1.3, 1.1, 1.05, 1.0, 0.85, 0.25, 0.2)


@dataclass(frozen=True, slots=True)
class Visit:
    """One attempt of the past."""

    when: datetime
    username: str
    address: str
    user_agent: str
    path: str = FORM
    succeeds: bool = False
    #: The same wrong password as before, from the same network.
    repeated: bool = False
    #: A password that is on every list.
    common: bool = False


def visits(seed: int, now: datetime) -> list[Visit]:
    """Return the attempts of the ninety days before `now`, oldest first; repeatable."""
    streams = (
        everyday,
        at_once,
        at_both_places,
        noise,
        brute_force,
        spraying,
        stuffing,
        botnet,
        name_list,
        patient,
        old_password,
        ongoing,
    )
    # A generator of its own for each: a change to one stream leaves the others as they were.
    attempts = [
        visit for stream in streams for visit in stream(Random(f"{seed}/{stream.__name__}"), now)
    ]
    return sorted(
        (visit for visit in attempts if visit.when < now),
        key=lambda visit: (visit.when, visit.username),
    )


def everyday(random: Random, now: datetime) -> Iterator[Visit]:
    """People who mistype: mostly once, then they are in."""
    places = {person.username: _places(random) for person in HOLDERS}
    for day in range(DAYS, -1, -1):
        midnight = (now - timedelta(days=day)).replace(hour=0, minute=0, second=0, microsecond=0)
        for _ in range(int(random.gauss(52, 7) * _WEEKDAYS[midnight.weekday()])):
            name = random.choice(list(places))
            hour = random.choices(range(24), _HOURS)[0]
            when = midnight + timedelta(hours=hour, seconds=random.uniform(0, 3600))
            if name in TRIED and when > now - timedelta(hours=26):
                continue  # no lock of yesterday makes the one that an attack leads to longer
            # Nor does a clumsy day leave no try to those who come beside an attack.
            most = 1 if name in _SHOWN and when > now - timedelta(hours=26) else 6
            yield from _typos(random, when, name, *random.choice(places[name]), most)


def at_once(random: Random, now: datetime) -> Iterator[Visit]:
    """People who type what they mean, in the hours of the office; some by an app of ours."""
    places = {person.username: _places(random) for person in HOLDERS}
    for days in range(DAYS, -1, -1):
        for _ in range(int(60 * _WEEKDAYS[(now - timedelta(days=days)).weekday()])):
            name = random.choice(list(places))
            hour = random.choices(range(24), _HOURS)[0]
            when = _midnight(now, days) + timedelta(hours=hour, seconds=random.uniform(0, 3600))
            address, agent = random.choice(places[name])
            path = API if random.random() < 0.1 else FORM
            yield Visit(when, name, address, agent, path, succeeds=True)


def at_both_places(random: Random, now: datetime) -> Iterator[Visit]:
    """Each account holder at home and at work, where he comes from beside an attack as well."""
    for person in HOLDERS:
        for address in person.places:
            when = now - timedelta(days=random.uniform(2, 9))
            yield Visit(when, person.username, address, words.BROWSERS[0], succeeds=True)


def _places(random: Random) -> list[tuple[str, str]]:
    site = random.randrange(0x100, 0x2000)
    subnet = random.randrange(0x10000)
    home = f"2001:db8:{site:x}:{subnet:x}::{random.randrange(1, 99):x}"
    office = f"192.0.2.{random.choice((10, 11, 12, random.randrange(20, 250)))}"
    return [(office, random.choice(words.BROWSERS[:5])), (home, random.choice(words.BROWSERS))]


def _typos(
    random: Random, when: datetime, name: str, address: str, user_agent: str, most: int
) -> Iterator[Visit]:
    times = random.choices((1, 2, 3, 4, 6), (74, 17, 5, 3, 1))[0]
    for _ in range(min(times, most)):
        typed = _mistyped(random, name) if random.random() < 0.06 else name
        yield Visit(when, typed, address, user_agent)
        when += timedelta(seconds=random.uniform(4, 14))
    if random.random() < 0.93:
        yield Visit(when, name, address, user_agent, succeeds=True)


def _mistyped(random: Random, name: str) -> str:
    at = random.randrange(len(name) - 1)
    swapped = name[:at] + name[at + 1] + name[at] + name[at + 2 :]
    return random.choice((swapped, name.capitalize(), f"{name}@example.com", f"{name} "))


def noise(random: Random, now: datetime) -> Iterator[Visit]:
    """The bots that try every site on earth, a few times a day."""
    for _ in range(14 * DAYS):
        when = now - timedelta(days=random.uniform(3, DAYS))
        agent = random.choice((words.REQUESTS, words.CURL, words.GO, *words.STALE_BROWSERS))
        path = random.choice((ADMIN, ADMIN, FORM))
        yield Visit(when, random.choice(words.SYSTEM_NAMES[:12]), any_ipv4(random), agent, path)


def brute_force(random: Random, now: datetime) -> Iterator[Visit]:
    """One name, one source, a word list: three nights."""
    for days, name in ((72, "admin"), (41, "alice"), (16, "m.mueller")):
        source = any_ipv4(random)
        when = _midnight(now, days) + timedelta(hours=1, minutes=random.randrange(60))
        path = ADMIN if name == "admin" else FORM
        for number in range(6000):
            when += timedelta(seconds=random.uniform(1, 4))
            # A word list begins with what is most common.
            yield Visit(when, name, source, words.REQUESTS, path, common=number < 2000)


def spraying(random: Random, now: datetime) -> Iterator[Visit]:
    """One password for all names, then a pause: under every limit that counts by name alone."""
    names = directory(random, 520) + [person.username for person in HOLDERS]
    sources = [any_ipv4(random) for _ in range(3)]
    for days in (63, 62, 61, 34, 33):
        when = _midnight(now, days) + timedelta(hours=5)
        for name in names:
            when += timedelta(seconds=random.uniform(1, 6))
            yield Visit(when, name, random.choice(sources), words.BROWSERS[0], common=True)


def stuffing(random: Random, now: datetime) -> Iterator[Visit]:
    """Names and passwords from another site's leak, each pair once; who reused a password is in."""
    sources = [any_ipv4(random) for _ in range(40)]
    when = _midnight(now, 20) + timedelta(hours=2)
    leaked = [f"{name}@example.net" for name in directory(random, 5200)]
    leaked.insert(len(leaked) // 3, "carol")
    for name in leaked:
        when += timedelta(seconds=random.expovariate(2))
        yield Visit(
            when,
            name,
            random.choice(sources),
            random.choice((words.GO, *words.STALE_BROWSERS)),
            API,
            name == "carol",
        )


def botnet(random: Random, now: datetime) -> Iterator[Visit]:
    """Hundreds of addresses, IPv6 among them, on the names of people for two days."""
    bots = [any_ipv6(random) if random.random() < 0.6 else any_ipv4(random) for _ in range(600)]
    # The slow rules would remember it for thirty days.
    names = [person.username for person in HOLDERS if person.username not in _SHOWN]
    names += directory(random, 40)
    start = _midnight(now, 9)
    for _ in range(3600):
        when = start + timedelta(seconds=random.triangular(0, 48 * 3600, 12 * 3600))
        yield Visit(
            when, random.choice(names), random.choice(bots), random.choice(words.STALE_BROWSERS)
        )


def name_list(random: Random, now: datetime) -> Iterator[Visit]:
    """The list of names that SSH servers know, on the admin's login."""
    for days in (83, 70, 55, 47, 28, 12, 4):
        source = random.choice((any_ipv4, any_ipv6))(random)
        agent = random.choice((words.HYDRA, words.CURL, words.REQUESTS))
        when = _midnight(now, days) + timedelta(seconds=random.uniform(0, 80_000))
        for name in words.SYSTEM_NAMES:
            for _ in range(random.randrange(3, 9)):
                when += timedelta(seconds=random.uniform(0.3, 2))
                yield Visit(when, name, source, agent, ADMIN, common=True)


def patient(random: Random, now: datetime) -> Iterator[Visit]:
    """One guess in twenty minutes, each from another address: never four in a minute."""
    when = _midnight(now, 30)
    while when < _midnight(now, 20):
        when += timedelta(minutes=random.uniform(15, 25))
        yield Visit(when, "ceo", any_ipv4(random), random.choice(words.STALE_BROWSERS), API)


def old_password(random: Random, now: datetime) -> Iterator[Visit]:
    """A phone that asks for mail all night, with the password that its owner has just changed."""
    for days, name in ((38, "heidi"), (5, "oscar")):
        home, _ = _places(random)[1]
        when = _midnight(now, days) + timedelta(hours=21)
        for night in range(9, 0, -1):
            yield Visit(when - timedelta(days=night), name, home, words.BROWSERS[5], API, True)
        for number in range(60):
            yield Visit(when, name, home, words.BROWSERS[5], API, repeated=number > 0)
            when += timedelta(seconds=random.uniform(580, 620))


def ongoing(random: Random, now: datetime) -> Iterator[Visit]:
    """Two attacks that have not ended, so that there is something to see now."""
    for name, source in (("root", "198.51.100.77"), ("j.garcia", "2001:db8:bad:c0de::1")):
        when = now - timedelta(hours=4, minutes=random.randrange(30))
        while when < now:
            yield Visit(when, name, source, words.HYDRA, common=when.second % 2 == 0)
            when += timedelta(seconds=random.uniform(2, 9))


def directory(random: Random, size: int) -> list[str]:
    """Return the names of `size` people."""
    names = [f"{first}.{last}" for first in words.FIRST_NAMES for last in words.LAST_NAMES]
    pool = [*names, *(f"{name}{year}" for year in (1, 7, 84, 91) for name in names)]
    return random.sample(pool, size)


def _midnight(now: datetime, days: int) -> datetime:
    return (now - timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)


def any_ipv4(random: Random) -> str:
    """Return an IPv4 address that nobody has (RFC 5737)."""
    return f"{random.choice(('198.51.100', '203.0.113'))}.{random.randrange(1, 255)}"


def any_ipv6(random: Random) -> str:
    """Return an IPv6 address that nobody has (RFC 3849)."""
    return str(
        IPv6Address(
            (0x20010DB8 << 96) | (random.randrange(0x4000, 0xFFFF) << 80) | random.getrandbits(80)
        )
    )
