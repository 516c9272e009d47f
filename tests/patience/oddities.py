"""Honest traffic that looks odd; each from its own seed, and nobody has tuned for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from ..incidents.crowds import PASSWORD, Resident, Site
from ..incidents.traces import FIREFOX, HOUR, MINUTE, Try
from .unseen import AGENTS, DAY

APP = "ShopApp/5.0.0 (Android 15) okhttp/4.12"
PROBE = "UptimeRobot/2.0"


def comes_in(
    random: Random, at: float, person: str, address: str, agent: str, wrong: Sequence[str]
) -> Iterator[Try]:
    """Yield wrong passwords, some seconds apart, and then the right one."""
    for password in wrong:
        yield Try(at, person, password, address, agent)
        at += random.uniform(5, 40)
    yield Try(at, person, PASSWORD, address, agent)


def typos(random: Random, name: str, share: float, most: int = 3) -> list[str]:
    """Return what somebody mistypes before he gets it right."""
    found: list[str] = []
    while len(found) < most and random.random() < share:
        found.append(f"{PASSWORD[: random.randrange(4, 18)]}{name}{len(found)}")
    return found


def hum(site: Site, seconds: float, a_day: float, apart: set[str]) -> list[Try]:
    """Return the usual traffic, of those who are not apart, from where they usually are."""
    random = Random("hum")
    people = [one for one in site.people if one.username not in apart]
    tries: list[Try] = []
    at = random.expovariate(a_day / DAY)
    while at < seconds:
        one = random.choice(people)
        wrong = typos(random, one.username, 0.075)
        tries += comes_in(random, at, one.username, site.address_of(one), FIREFOX, wrong)
        at += random.expovariate(a_day / DAY)
    return tries


def term_start(students: Sequence[str]) -> list[Try]:
    """Two thousand students behind two addresses: every seventh mistypes, in a browser of his."""
    random = Random("term")
    tries: list[Try] = []
    for number, name in enumerate(students):
        at = random.triangular(0, 8 * HOUR, HOUR)
        wrong = typos(random, name, 0.15)
        address = f"141.30.1.{1 + number % 2}"
        tries += comes_in(random, at, name, address, random.choice(AGENTS), wrong)
    return tries


def app_release(people: Sequence[Resident], hours: float, stored: str = "") -> list[Try]:
    """An app that has stored a wrong password tries it each fifteen minutes, at its own second."""
    random = Random("app")
    tries = []
    for person in people:
        at = random.uniform(0, 15 * MINUTE)
        # A third is somewhere else than usual by now: on the way.
        away = random.random() < 0.3
        address = f"80.187.{random.randrange(12)}.1" if away else person.place
        password = stored or f"{PASSWORD[:-3]}{person.username}"
        while at < hours * HOUR:
            tries.append(Try(at, person.username, password, address, APP))
            at += 15 * MINUTE
        tries.append(Try(at, person.username, PASSWORD, address, APP))
    return tries


def expiry_monday(people: Sequence[Resident]) -> list[Try]:
    """Everybody tries the expired password, once to four times, then has a new one."""
    random = Random("expiry")
    tries: list[Try] = []
    for person in people:
        at = random.triangular(0, 2 * HOUR, HOUR / 2)
        old = f"old {person.username}"
        wrong = [old, old, f"older {person.username}", old][: random.randrange(1, 5)]
        later = at + random.uniform(3, 20) * MINUTE
        tries += [
            Try(at + 12 * n, person.username, one, person.place, FIREFOX)
            for n, one in enumerate(wrong)
        ]
        tries.append(Try(later, person.username, PASSWORD, person.place, FIREFOX))
    return tries


def training_room(trainees: Sequence[str], address: str) -> list[Try]:
    """Twenty trainees see what a lock is: six wrong passwords each, a break, and then in."""
    random = Random("training")
    tries = []
    for name in trainees:
        at = random.uniform(0, 4 * MINUTE)
        tries += [Try(at + 6 * n, name, f"wrong {n}", address, FIREFOX) for n in range(6)]
        tries.append(Try(at + 20 * MINUTE, name, PASSWORD, address, FIREFOX))
    return tries


def probe(places: int, hours: float, name: str = "monitoring") -> list[Try]:
    """A probe asks each minute, from places by turns, with the password that was changed."""
    times = int(hours * 60)
    return [
        Try(n * 60.0, name, "Monitor!2019", f"69.162.124.{1 + n % places}", PROBE)
        for n in range(times)
    ]


def outage(people: Sequence[Resident], before: bool = True) -> list[Try]:
    """The directory is down for fifty minutes: whoever comes fails three times, and comes again."""
    random = Random("outage")
    tries: list[Try] = []
    for person in people:
        address = person.place
        if before and random.random() < 0.5:
            at = random.uniform(0, HOUR)
            tries.append(Try(at, person.username, PASSWORD, address, FIREFOX))
        at = HOUR + random.uniform(0, 48 * MINUTE)
        # The right password, which nobody can tell; as good as a wrong one of his own.
        own = f"right but down {person.username}"
        tries += [Try(at + 15 * n, person.username, own, address, FIREFOX) for n in range(3)]
        at = 2 * HOUR + random.uniform(0, 40 * MINUTE)
        tries.append(Try(at, person.username, PASSWORD, address, FIREFOX))
    return tries


def black_friday(site: Site, a_day: float, hours: float) -> list[Try]:
    """Ten times as many as usual; one in three from elsewhere; every fifth has long forgotten."""
    random = Random("black friday")
    tries: list[Try] = []
    at = 0.0
    while at < hours * HOUR:
        at += random.expovariate(a_day / DAY)
        one = random.choice(site.people)
        address = site.address_of(one)
        if random.random() < 0.33:
            address = f"80.187.{random.randrange(40)}.{random.randrange(1, 6)}"
        share = 0.6 if random.random() < 0.2 else 0.075
        wrong = typos(random, one.username, share)
        agent = random.choice(AGENTS) if one.number % 2 else FIREFOX
        tries += comes_in(random, at, one.username, address, agent, wrong)
    return tries


def migration(people: Sequence[Resident]) -> list[Try]:
    """All accounts are new here; people type the mail address, once or twice, then the name."""
    random = Random("migration")
    tries: list[Try] = []
    for person in people:
        at = random.uniform(0, 8 * HOUR)
        for _ in range(random.choice((0, 1, 1, 2))):
            mail = f"{person.username}@old-shop.example"
            tries.append(Try(at, mail, PASSWORD + person.username, person.place, FIREFOX))
            at += random.uniform(8, 40)
        tries.append(Try(at, person.username, PASSWORD, person.place, FIREFOX))
    return tries


def swapped_fields(people: Sequence[Resident]) -> list[Try]:
    """A new form moves the fields: the password is typed where the name belongs."""
    random = Random("swapped")
    tries: list[Try] = []
    for person in people:
        at = random.triangular(0, 3 * HOUR, HOUR / 2)
        if random.random() < 0.5:
            secret = f"{random.choice('QWERTZ')}{random.getrandbits(40):x}!"
            tries.append(Try(at, secret, person.username, person.place, FIREFOX))
        tries.append(Try(at + 15, person.username, PASSWORD, person.place, FIREFOX))
    return tries


def conference(people: Sequence[str]) -> list[Try]:
    """Attendees behind the one address of a hotel that nobody was at; every fifth mistypes."""
    random = Random("conference")
    tries: list[Try] = []
    for name in people:
        at = random.uniform(0, 2 * HOUR)
        wrong = typos(random, name, 0.2)
        tries += comes_in(random, at, name, "195.20.20.20", random.choice(AGENTS), wrong)
    return tries


def renumbered(people: Sequence[Resident]) -> list[Try]:
    """A provider gives everybody another address overnight; some have to look a password up."""
    random = Random("renumbered")
    tries: list[Try] = []
    for person in people:
        at = random.uniform(0, 10 * HOUR)
        address = f"188.40.{person.number // 200}.{person.number % 200 + 1}"
        wrong = typos(random, person.username, 0.15)
        tries += comes_in(random, at, person.username, address, FIREFOX, wrong)
    return tries
