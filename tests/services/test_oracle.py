"""No answer to a stranger tells whether there is such an account, and neither does its time.

Over HTTP on PostgreSQL and Redis, all rules on and mails set up. A hash takes some milliseconds
here: enough to be missed, and not so long that the rest is lost in its noise. Django hashes in vain
for names that nobody has, with the same hasher. ``LONG=1`` takes 400 samples of each.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from .ranks import shift
from .servers import CacheServer, Site, site

pytestmark = pytest.mark.race

SAMPLES = 400 if os.environ.get("LONG") else 120
#: How often chance may make one of all comparisons of a round look like a difference. What counts
#: is found in each of three rounds.
CHANCE = 0.001
ROUNDS = 3
ROOT = Path(__file__).parents[2]
TOKEN = "t" * 32
#: The demo as in production: its login page, its mails, all rules.
SETTINGS = """
from demo.settings import *
from django.contrib.auth.hashers import PBKDF2PasswordHasher
class CheapHasher(PBKDF2PasswordHasher):
    iterations = 10_000
DEBUG = False
PASSWORD_HASHERS = ["oracle.CheapHasher"]
"""
OWNERS = """
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
password = make_password("right")
User.objects.bulk_create(
    User(username=name, email=f"{{name}}@example.com", password=password) for name in {names})
"""
#: Pairs of names whose slots are taken together: they are held for a minute.
SOME = 40
#: All slots of a name are held: so many attempts are under way.
TAKEN = """
from lockout_admin.engine import attempts
for name in {names}:
    for _ in range(4):
        attempts.begin(name, None)
"""


@dataclass(frozen=True)
class Answer:
    """What came back, but for the name and the token of a form; and after how long."""

    seconds: float = field(compare=False)
    status: int
    body: str
    headers: tuple[tuple[str, str], ...]
    cookies: tuple[str, ...]
    #: To send back.
    jar: str = field(compare=False)
    #: What a refusal says: of two names one may have begun a second later.
    wait: int = field(compare=False)


#: Of those the value is the same as well.
_TELLING = {"location", "content-type", "content-length", "cache-control", "vary", "allow"}


@dataclass
class Stranger:
    """Sends requests over one connection, each name from an address of its own."""

    connection: http.client.HTTPConnection
    addresses: Iterator[int] = field(default_factory=lambda: count(1))

    def address(self) -> str:
        """Return one that nobody had."""
        number = next(self.addresses)
        return f"93.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"

    def send(self, path: str, body: Any, name: str, address: str, cookies: str = "") -> Answer:
        """Send a form, JSON (a mapping in `body`), or a GET (`None`)."""
        headers = {
            "X-Forwarded-For": address,
            "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0",
            "Content-Type": "application/json",
            "Cookie": f"csrftoken={TOKEN}; {cookies}",
        }
        sent = json.dumps(body)
        if not isinstance(body, Mapping):
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            sent = urlencode([*(body or ()), ("csrfmiddlewaretoken", TOKEN)])
        verb, sent = ("GET", "") if body is None else ("POST", sent)
        begun = time.perf_counter()
        self.connection.request(verb, path, sent, headers)
        response = self.connection.getresponse()
        text = response.read().decode()
        seconds = time.perf_counter() - begun
        given = [value for key, value in response.getheaders() if key.lower() == "set-cookie"]
        told = sorted(
            (key.lower(), value if key.lower() in _TELLING else "")
            for key, value in response.getheaders()
        )
        text = re.sub(r'(name="csrfmiddlewaretoken" value=)"\w+"', r"\1", text)
        wait = response.getheader("Retry-After") or "0"
        return Answer(
            seconds,
            response.status,
            re.sub(rf"\b{wait} seconds\b", "WAIT", text.replace(name, "NAME")),
            tuple(told),
            tuple(sorted(cookie.partition("=")[0] for cookie in given)),
            "; ".join(cookie.partition(";")[0] for cookie in given),
            int(wait),
        )


#: State -> the answers for each kind of name.
Answers = dict[str, dict[str, list[Answer]]]


@contextmanager
def stranger(target: Site) -> Iterator[Stranger]:
    connection = http.client.HTTPConnection(urlsplit(target.url).netloc, timeout=60)
    try:
        yield Stranger(connection)
    finally:
        connection.close()


def nothing_is_told(measure: Callable[[int], Answers]) -> None:
    """Measure, and on doubt again; fail where answers differ, or times do each time."""
    doubts: dict[tuple[str, str, str], float] = {}
    for number in range(ROUNDS):
        answers = measure(number)
        for state, by_kind in answers.items():
            kinds = list(by_kind.values())
            for one in zip(*kinds, strict=True):
                assert len(set(one)) == 1, (state, set(one))
                assert max(answer.wait for answer in one) - min(answer.wait for answer in one) < 3
        found = differences(answers)
        for case, (z, _) in found.items():
            print(f"{number} {case} {z:+.2f}")
        alike = CHANCE / len(found)
        now = {case: z for case, (z, chance) in found.items() if chance < alike}
        # The same way each time.
        doubts = {
            case: z for case, z in now.items() if number == 0 or doubts.get(case, 0.0) * z > 0
        }
        if not doubts:
            return
    pytest.fail(f"Times tell: {doubts}")


def differences(answers: Answers) -> dict[tuple[str, str, str], tuple[float, float]]:
    """Compare the times of each two kinds of names in each state."""
    found = {}
    for state, by_kind in answers.items():
        times = {kind: [answer.seconds for answer in given] for kind, given in by_kind.items()}
        kinds = sorted(times)
        for number, one in enumerate(kinds):
            for other in kinds[number + 1 :]:
                found[state, one, other] = shift(times[one], times[other])
    return found


def turns(kinds: Iterable[str], number: int) -> list[str]:
    """Return the kinds in an order of this turn: nobody is first more often."""
    ordered = list(kinds)
    Random(number).shuffle(ordered)
    return ordered


def test_the_rank_test_finds_a_tenth_of_a_millisecond_and_no_noise() -> None:
    noise = Random(8)
    times = [[noise.gauss(5, 0.3) + noise.expovariate(4) for _ in range(400)] for _ in range(3)]
    assert shift(times[0], times[1])[1] > 0.001
    z, chance = shift([value + 0.1 for value in times[0]], times[2])
    assert z > 0
    assert chance < 0.001


# -- Names --------------------------------------------------------------------------------------

STATES = ["wrong", "wrong 2", "wrong 3", "notified", "locked", "asked", "code page", "code"]


def logins(visitor: Stranger, names: Mapping[str, str], turn: int, answers: Answers) -> None:
    """Lead each name through all states, in turns."""
    addresses = {kind: visitor.address() for kind in names}
    jars: dict[str, str] = {}
    for step, state in enumerate(STATES):
        for kind in turns(names, turn * len(STATES) + step):
            name, address = names[kind], addresses[kind]
            if state == "asked":
                answer = visitor.send("/account/ask/", [("name", name)], name, address)
                jars[kind] = answer.jar
            elif state == "code page":
                answer = visitor.send("/account/code/", None, name, address, jars[kind])
            elif state == "code":
                form = [("code", "123456"), ("do", "end")]
                answer = visitor.send("/account/code/", form, name, address, jars[kind])
            else:
                form = [("username", name), ("password", f"guess {step}")]
                answer = visitor.send("/login/", form, name, address)
            answers.setdefault(state, {}).setdefault(kind, []).append(answer)


EXPECTED = {
    **dict.fromkeys(["wrong", "wrong 2", "wrong 3", "notified", "code page", "code"], 200),
    "locked": 429,
    "throttled": 429,
    "asked": 303,
}


def test_no_answer_and_no_time_tells_whether_there_is_an_account(
    postgres: str, redis: CacheServer, tmp_path: Path
) -> None:
    (tmp_path / "oracle.py").write_text(SETTINGS)
    more = {
        "DATABASE_URL": postgres,
        "CACHE_URL": redis.url,
        "DJANGO_SETTINGS_MODULE": "oracle",
        "PYTHONPATH": f"{tmp_path}:{ROOT}",
        "DEMO_DATA_DIR": str(tmp_path / "data"),
        "BASE_URL": "http://testserver",
    }

    with site(tmp_path, "gunicorn", 1, 4, **more) as target, stranger(target) as visitor:

        def measure(number: int) -> Answers:
            answers: Answers = {}
            pairs = [
                {"existing": f"known{number}{turn:04}", "unknown": f"ghost{number}{turn:04}"}
                for turn in range(2 * SAMPLES)
            ]
            target.python(OWNERS.format(names=[pair["existing"] for pair in pairs]))
            for turn, pair in enumerate(pairs[:SAMPLES]):
                logins(visitor, pair, turn, answers)
            held = pairs[SAMPLES:]
            for turn, pair in enumerate(held):
                if turn % SOME == 0:
                    some = held[turn : turn + SOME]
                    names = [name for taken in some for name in taken.values()]
                    target.python(TAKEN.format(names=names))
                for kind in turns(pair, turn):
                    name = pair[kind]
                    form = [("username", name), ("password", "guess")]
                    answer = visitor.send("/login/", form, name, visitor.address())
                    answers.setdefault("throttled", {}).setdefault(kind, []).append(answer)
            statuses = {
                state: {answer.status for given in by_kind.values() for answer in given}
                for state, by_kind in answers.items()
            }
            assert statuses == {state: {status} for state, status in EXPECTED.items()}
            return answers

        nothing_is_told(measure)
        outbox = "from lockout_admin.models import *; print(Outbox.objects.filter(kind='locked')"
        assert int(target.python(f"{outbox}.count())")) >= 2 * SAMPLES


# -- Pairs of names -----------------------------------------------------------------------------


def test_nobody_is_told_whether_a_name_and_an_address_belong_together(
    postgres: str, redis: CacheServer, tmp_path: Path
) -> None:
    more = {
        "DATABASE_URL": postgres,
        "CACHE_URL": redis.url,
        "BACKEND": "tests.services.accounts.EitherNameBackend",
        "HASH_ITERATIONS": "10000",
        "KEYS": json.dumps({"TRUSTED_PROXIES": 1}),
    }
    with site(tmp_path, "gunicorn", 1, 4, **more) as target, stranger(target) as visitor:

        def measure(number: int) -> Answers:
            answers: Answers = {}
            own = [f"known{number}{turn:04}" for turn in range(2 * SAMPLES + 1)]
            target.python(OWNERS.format(names=own))
            for turn in range(SAMPLES):
                pairs = {
                    "together": (own[turn], own[turn]),
                    "of two": (own[SAMPLES + turn], own[SAMPLES + turn + 1]),
                    "of nobody": (f"ghost{number}{turn:04}", f"ghost{number}{turn:04}"),
                }
                for kind in turns(pairs, turn):
                    name, other = pairs[kind]
                    body = {
                        "username": name,
                        "email": f"{other}@example.com",
                        "password": "guess",
                    }
                    answer = visitor.send("/login/", body, name, visitor.address())
                    answers.setdefault("several names", {}).setdefault(kind, []).append(answer)
            return answers

        nothing_is_told(measure)
