"""Honest weeks: people behind shared addresses, and what their software does without them.

They are rows, made by the models' own builders, since 300,000 logins by the engine take too long.
What the engine would have refused of them is little: whoever has logged in before has a device.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import islice
from random import Random
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password

from lockout_admin.identity.client import Client
from lockout_admin.identity.subject import Subject
from lockout_admin.models import FailedLogin, SuccessfulLogin, UserAgent

from .traces import FIREFOX, HOUR, MINUTE

DAY: Final = 24 * HOUR
#: Blocki and Zhang, "DALock", PoPETs 2022.
MISTYPED: Final = 0.075
PASSWORD: Final = "right horse battery"
MAIL: Final = "Dalvik/2.1.0 (Linux; U; Android 15) K-9 Mail/8.0"
PROBE: Final = "kube-probe/1.33"
#: Visits by hour and by weekday, Monday first.
_HOURS: Final = (
    2,
    1,
    1,
    1,
    2,
    4,
    9,
    22,
    40,
    38,
    30,
    24,
    20,
    30,
    32,
    27,
    22,
    18,
    16,
    14,
    12,
    9,
    6,
    4,
)
_WEEKDAYS: Final = (1.3, 1.2, 1.15, 1.1, 1.0, 0.65, 0.6)


@dataclass(frozen=True, slots=True)
class Visit:
    """One login of an honest person, or of what logs in for one."""

    #: Seconds after midnight of the first day, a Monday.
    at: float
    username: str
    address: str
    agent: str = FIREFOX
    succeeds: bool = True
    repeated: bool = False
    common: bool = False
    #: The number of a browser that the account has logged in with before.
    device: int | None = None


@dataclass(frozen=True, slots=True)
class Resident:
    """Somebody with an account."""

    number: int
    username: str
    place: str
    has_device: bool


class Site:
    """Everybody who has an account on a site, and how often they come.

    Of ten people four are behind their provider's gateways, two in offices of 500, one at a school,
    and three at home, half of these with IPv6.
    """

    def __init__(self, people: int, logins_a_day: float, seed: str = "site") -> None:
        self.random = Random(f"{seed}/{people}")
        self.logins_a_day = logins_a_day
        self.people = [
            Resident(number, f"user{number}", self._place(number), number % 7 != 0)
            for number in range(people)
        ]

    @property
    def names(self) -> list[str]:
        """The names of all accounts."""
        return [person.username for person in self.people]

    def _place(self, number: int) -> str:
        kind, block = number % 10, number // 10
        if kind < 4:
            return f"100.128.0.{block // 250 % 8 + 1}"
        if kind < 6:
            return f"100.129.0.{block // 250 + 1}"
        if kind < 7:
            return f"100.130.0.{block // 60 + 1}"
        return f"100.131.{number // 250 % 250}.{number % 250 + 1}"

    def address_of(self, person: Resident) -> str:
        """Return where somebody comes from now: in IPv6, the address changes within the home."""
        if person.number % 10 == 9:
            host = self.random.getrandbits(64) | 1
            return f"2a00:1:{person.number // 4:x}:0:{host >> 48:x}:{host >> 32 & 65535:x}::1"
        return person.place

    def a_day(self, day: int) -> list[Visit]:
        """Return the visits of one day, in order."""
        times = int(self.logins_a_day * _WEEKDAYS[day % 7])
        found: list[Visit] = []
        for _ in range(times):
            hour = self.random.choices(range(24), _HOURS)[0]
            at = day * DAY + hour * HOUR + self.random.uniform(0, HOUR)
            found += self._logs_in(at, self.random.choice(self.people))
        return sorted(found, key=_when)

    def _logs_in(self, at: float, person: Resident) -> Iterator[Visit]:
        device = person.number + 1 if person.has_device else None
        address = self.address_of(person)
        typos = 0
        while typos < 3 and self.random.random() < MISTYPED:
            typos += 1
            name = person.username
            if self.random.random() < 0.06:  # the name, not the password
                name = f"{name[:-1]}{self.random.choice('qwertz')}"
            is_common = self.random.random() < 0.02
            yield Visit(at, name, address, succeeds=False, common=is_common, device=device)
            at += self.random.uniform(4, 14)
        yield Visit(at, person.username, address, device=device)

    # -- What is not like every day -----------------------------------------------------------

    def expired(self, day: int, people: Sequence[Resident]) -> list[Visit]:
        """The Monday on which all passwords have expired: each tries the old one, once or thrice.

        They come when the office opens, all within an hour and a half.
        """
        found = []
        for person in people:
            at = day * DAY + 8 * HOUR + self.random.triangular(0, 1.5 * HOUR, 0.4 * HOUR)
            device = person.number + 1 if person.has_device else None
            for turn in range(self.random.choice((1, 2, 2, 3))):
                found.append(
                    Visit(
                        *(at, person.username, person.place),
                        succeeds=False,
                        repeated=turn > 0,
                        device=device,
                    )
                )
                at += self.random.uniform(5, 30)
            # By now somebody has told them: it is changed with a mail, which takes a while.
            at += self.random.uniform(60, 600)
            found.append(Visit(at, person.username, person.place, device=device))
        return found

    def roll_out(self, day: int, people: Sequence[Resident]) -> list[Visit]:
        """A password manager for everybody: it fills in the mail address, and old passwords."""
        found = []
        for person in people:
            at = day * DAY + self.random.uniform(9, 17) * HOUR
            typed = [f"{person.username}@example.com", person.username, person.username]
            for name in typed[: self.random.randrange(1, 4)]:
                found.append(Visit(at, name, person.place, succeeds=False))
                at += self.random.uniform(10, 40)
            found.append(Visit(at, person.username, person.place))
        return found

    def stale_clients(self, day: int, people: Sequence[Resident]) -> list[Visit]:
        """Phones that ask for mail once a minute, all night, with the password of yesterday."""
        return [
            Visit(
                *(day * DAY + 20 * HOUR + number * MINUTE + person.number % 60, person.username),
                *(person.place, MAIL),
                succeeds=False,
                repeated=number > 0,
            )
            for person in people
            for number in range(11 * 60)
        ]

    def mail_client(self, day: int, person: Resident) -> list[Visit]:
        """A client that logs in each ten seconds: it leaves a row in a quarter of an hour."""
        return [
            Visit(day * DAY + number * 15 * MINUTE, person.username, person.place, MAIL)
            for number in range(96)
        ]

    def health_check(self, day: int) -> list[Visit]:
        """A probe that asks each minute whether a wrong password is still wrong."""
        return [
            Visit(
                *(day * DAY + number * MINUTE, "healthcheck", "192.0.2.250", PROBE),
                succeeds=False,
                repeated=number > 0,
            )
            for number in range(1440)
        ]

    def household(self, day: int) -> list[Visit]:
        """Five people behind one IPv6 prefix, who share a tablet and its wrong guesses."""
        family = [f"family{number}" for number in range(5)]
        found = []
        for hour in (7, 17, 20):
            for place, name in enumerate(family):
                at = day * DAY + hour * HOUR + place * 7 * MINUTE
                address = f"2a00:7:7:7:{self.random.randrange(1, 65535):x}::{place + 1:x}"
                for other in (name, family[(place + 1) % 5])[: 1 + (place + day) % 2]:
                    found.append(Visit(at, other, address, succeeds=False))
                    at += 9
                found.append(Visit(at, name, address))
        return found

    def school_class(self, day: int, people: Sequence[Resident]) -> list[Visit]:
        """A class that types what the board says: wrong the first time, for all of them."""
        found = []
        for person in people:
            at = day * DAY + 10 * HOUR + self.random.uniform(0, 4 * MINUTE)
            found.append(Visit(at, person.username, person.place, succeeds=False))
            at += self.random.uniform(60, 200)
            found.append(Visit(at, person.username, person.place))
        return found

    def a_week(self, first_day: int = 0) -> Iterator[Visit]:
        """Yield everything that happens in a week, in order, day by day."""
        office = [one for one in self.people if one.place == "100.129.0.1"]
        school = [one for one in self.people if one.place == "100.130.0.1"]
        night: list[Visit] = []
        for number in range(7):
            day = first_day + number
            found = [*night, *self.a_day(day), *self.health_check(day), *self.household(day)]
            found += self.mail_client(day, self.people[0])
            found += self.stale_clients(day, self.people[number * 5 : number * 5 + 4])
            if number == 0:
                found += self.expired(day, office)
            if number == 2:
                found += self.roll_out(day, office[: len(office) // 2])
            if number == 3:
                found += self.school_class(day, school[:30])
            # What begins in the evening goes on after midnight.
            night = [one for one in found if one.at >= (day + 1) * DAY]
            yield from sorted((one for one in found if one.at < (day + 1) * DAY), key=_when)
        yield from sorted(night, key=_when)


def _when(visit: Visit) -> float:
    return visit.at


# -- Into the database ------------------------------------------------------------------------


def settle(names: Sequence[str], joined: datetime, passwords: dict[str, str] | None = None) -> None:
    """Give people their accounts, each with the password that everybody has, or one of his own."""
    model: Any = get_user_model()
    special = {name: make_password(password) for name, password in (passwords or {}).items()}
    usual = make_password(PASSWORD)
    model.objects.bulk_create(
        [
            model(username=name, password=special.get(name, usual), date_joined=joined)
            for name in names
        ],
        batch_size=2000,
    )


class Scribe:
    """Writes visits as the rows that they leave."""

    def __init__(self, start: datetime) -> None:
        self.start = start
        self.subject_of = cache(Subject.of)
        self.accounts: dict[str, str] = {}
        self.agents: set[str] = set()
        self.written = 0

    def write(self, visits: Iterable[Visit]) -> int:
        """Write rows; return how many."""
        if not self.accounts:
            pairs = get_user_model().objects.values_list("username", "pk")
            self.accounts = {name: str(pk) for name, pk in pairs}
        before = self.written
        rest = iter(visits)
        while batch := list(islice(rest, 5000)):
            self._remember_agents(batch)
            failed = [self._failure(one) for one in batch if not one.succeeds]
            came_in = [self._success(one) for one in batch if one.succeeds]
            FailedLogin.objects.bulk_create(failed, batch_size=500)
            SuccessfulLogin.objects.bulk_create(came_in, batch_size=500)
            self.written += len(batch)
        return self.written - before

    def _remember_agents(self, visits: Iterable[Visit]) -> None:
        for agent in {visit.agent for visit in visits} - self.agents:
            UserAgent.objects.remember(agent)
            self.agents.add(agent)

    def _failure(self, visit: Visit) -> FailedLogin:
        return FailedLogin.objects.build(
            self.subject_of(visit.username),
            Client(visit.address, visit.agent, "/login/"),
            timestamp=self.start + timedelta(seconds=visit.at),
            repeated=visit.repeated,
            common=visit.common,
            device=visit.device,
            browser=visit.device,
        )

    def _success(self, visit: Visit) -> SuccessfulLogin:
        return SuccessfulLogin.objects.build(
            self.subject_of(visit.username),
            Client(visit.address, visit.agent, "/login/"),
            timestamp=self.start + timedelta(seconds=visit.at),
            account=self.accounts.get(visit.username, ""),
            device=visit.device,
            browser=visit.device,
        )


def in_steps(visits: Iterable[Visit], seconds: float) -> Iterator[tuple[float, list[Visit]]]:
    """Yield what comes in each step of so many seconds, and the moment at which the step ends."""
    step: list[Visit] = []
    end = seconds
    for visit in visits:
        while visit.at >= end:
            yield end, step
            step = []
            end += seconds
        step.append(visit)
    yield end, step
