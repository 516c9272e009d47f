"""Many at once from one network, on real servers."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from .attack import CONNECTIONS, Guess, storm
from .servers import CacheServer, site

pytestmark = pytest.mark.race

N = 4
#: Names that strangers may fail from one network in an hour.
NAMES = 10
KEYS = json.dumps({"TRUSTED_PROXIES": 1})


def from_(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": address}


@pytest.mark.parametrize("store", ["cache", "table"])
def test_what_is_in_flight_may_overshoot_the_limit_of_a_network_and_nothing_more(
    postgres: str, redis: CacheServer, tmp_path: Path, store: str
) -> None:
    guesses = [Guess(f"person-{n}", headers=from_("203.0.113.9")) for n in range(600)]
    where: dict[str, Any] = {
        "DATABASE_URL": postgres,
        "CACHE_URL": redis.url,
        "STORE": store,
        "KEYS": KEYS,
    }
    with site(tmp_path, **where) as target:
        storm(f"{target.url}/login/", guesses)
        evaluated = target.passwords_hashed
        again = storm(f"{target.url}/login/", guesses[:100])
        locks = target.python(
            "from lockout_admin.models import AccountLock\n"
            "print(*AccountLock.objects.values_list('scope', 'label').distinct().get())"
        )
    print(f"{store}: {evaluated} of 600 names evaluated, the limit is {NAMES}")
    assert NAMES <= evaluated <= NAMES + CONNECTIONS
    assert again == {429: 100}
    assert locks == "network 203.0.113.9/32"


def test_two_networks_on_one_name_have_one_limit(
    postgres: str, redis: CacheServer, tmp_path: Path
) -> None:
    guesses = [Guess(headers=from_(f"203.0.113.{n % 2}")) for n in range(400)]
    where: dict[str, Any] = {"DATABASE_URL": postgres, "CACHE_URL": redis.url, "KEYS": KEYS}
    with site(tmp_path, **where) as target:
        storm(f"{target.url}/login/", guesses)
        assert target.passwords_hashed == N


def test_an_office_that_comes_in_at_once_is_refused_nothing(
    postgres: str, redis: CacheServer, tmp_path: Path
) -> None:
    """Sixty right passwords of sixty people, some of whom have just mistyped."""
    where: dict[str, Any] = {"DATABASE_URL": postgres, "CACHE_URL": redis.url, "KEYS": KEYS}
    with site(tmp_path, **where) as target:
        target.python(
            "from django.contrib.auth import get_user_model\n"
            "for n in range(60):\n"
            "    get_user_model().objects.create_user(f'person-{n}', password='right')"
        )
        mistyped = [Guess(f"person-{n}", headers=from_("203.0.113.9")) for n in range(5)]
        assert storm(f"{target.url}/login/", mistyped) == {401: 5}
        right = [Guess(f"person-{n}", "right", from_("203.0.113.9")) for n in range(60)]
        assert storm(f"{target.url}/login/", right) == {200: 60}


def test_an_office_whose_passwords_have_all_expired_is_refused_nothing(
    postgres: str, redis: CacheServer, tmp_path: Path
) -> None:
    """Sixty people in browsers that are known, each with two tries in vain, and a new password."""
    where: dict[str, Any] = {"DATABASE_URL": postgres, "CACHE_URL": redis.url, "KEYS": KEYS}
    with site(tmp_path, **where, HASH_ITERATIONS="1000") as target, ExitStack() as stack:
        people = [f"person-{n}" for n in range(60)]
        target.python(
            "from django.contrib.auth import get_user_model\n"
            f"for name in {people}:\n"
            "    get_user_model().objects.create_user(name, password='right')"
        )
        office = stack.enter_context(ThreadPoolExecutor(32))
        browsers = {
            name: stack.enter_context(httpx.Client(headers=from_("203.0.113.9"), timeout=60))
            for name in people
        }

        def all_try(password: str) -> set[int]:
            def tries(name: str) -> int:
                body = {"username": name, "password": password}
                return browsers[name].post(f"{target.url}/login/", json=body).status_code

            return set(office.map(tries, people))

        assert all_try("right") == {200}
        assert [all_try("expired"), all_try("expired, again")] == [{401}, {401}]
        target.python(
            "from django.contrib.auth import get_user_model\n"
            "for user in get_user_model().objects.all():\n"
            "    user.set_password('new')\n"
            "    user.save()"
        )
        assert all_try("new") == {200}
