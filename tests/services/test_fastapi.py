"""FastAPI in two processes beside the Django site under gunicorn: one limit, one console."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from .attack import Guess, storm
from .servers import CacheServer, Site, beside, site

pytestmark = pytest.mark.race

GUESSES = 200
N = 4
#: Names that one network may fail in an hour.
NAMES = 10
WAYS = ["ablock", "block", "abackends", "backends"]
COUNTS = """
from lockout_admin.models import AccountLock, FailedLogin
print(FailedLogin.objects.count(), AccountLock.objects.count())
"""
ROWS = """
from lockout_admin.models import FailedLogin
for row in FailedLogin.objects.order_by("id").select_related("user_agent"):
    print(row.ip_address, row.user_agent and row.user_agent.text, row.path)
"""


@dataclass
class Both:
    """The Django site, and FastAPI on the same services."""

    django: Site
    fastapi: str

    def urls(self, way: str) -> list[str]:
        """Return the login of each, FastAPI's first."""
        return [f"{self.fastapi}/{way}/", f"{self.django.url}/login/"]

    def post(
        self,
        number: int,
        username: str = "alice",
        password: str = "wrong",
        way: str = "ablock",
        **headers: str,
    ) -> httpx.Response:
        """Try once, by the one or the other."""
        body = {"username": username, "password": password}
        return httpx.post(self.urls(way)[number % 2], json=body, headers=headers, timeout=60)


@pytest.fixture(params=["cache", "table"])
def both(
    request: pytest.FixtureRequest, postgres: str, redis: CacheServer, tmp_path: Path
) -> Iterator[Both]:
    settings = {
        "DATABASE_URL": postgres,
        "CACHE_URL": redis.url,
        "STORE": request.param,
        "CONN_MAX_AGE": "0",
        "KEYS": '{"TRUSTED_PROXIES": ["127.0.0.1"]}',
    }
    with (
        site(tmp_path, workers=2, threads=8, **settings) as django,
        beside(django, tmp_path, "tests.services.fastapi_site:application") as fastapi,
    ):
        yield Both(django, fastapi)


@pytest.mark.parametrize("way", WAYS)
def test_of_200_at_once_over_both_n_are_evaluated(way: str, both: Both) -> None:
    guesses = [
        Guess(headers={"X-Forwarded-For": f"6.6.6.6, 198.51.100.{number}"})
        for number in range(GUESSES)
    ]
    statuses = storm(both.urls(way), guesses)
    assert (both.django.passwords_hashed, statuses) == (N, {401: N, 429: GUESSES - N})
    assert both.django.python(COUNTS) == f"{N} 1"


def test_what_the_one_has_counted_the_other_refuses_and_staff_end_once(both: Both) -> None:
    assert [both.post(number).status_code for number in range(N)] == [401] * N
    for number in (0, 1):
        refused = both.post(number, Accept="application/json")
        assert refused.status_code == 429
        assert refused.headers["Content-Type"] == "application/json"
        assert refused.json()["code"] == "locked"
        assert 0 < int(refused.headers["Retry-After"]) == refused.json()["retry_after"] <= 600
    both.django.run("-m", "django", "lockout_unlock", "alice")
    assert [both.post(number).status_code for number in (0, 1)] == [401] * 2


def test_the_rows_of_both_say_where_from_with_what_and_which_way(both: Both) -> None:
    for number, agent in enumerate(["curl", "Firefox"]):
        headers = {"X-Forwarded-For": f"6.6.6.6, 198.51.100.{number}", "User-Agent": agent}
        both.post(number, **headers)
    rows = both.django.python(ROWS).splitlines()
    assert rows == ["198.51.100.0 curl /ablock/", "198.51.100.1 Firefox /login/"]


def test_spraying_over_both_meets_one_limit(both: Both) -> None:
    def spray(number: int, address: str) -> int:
        forwarded = {"X-Forwarded-For": address}
        return both.post(number, f"name{number}", way="abackends", **forwarded).status_code

    statuses = [spray(number, "198.51.100.7") for number in range(NAMES + 4)]
    assert statuses == [401] * NAMES + [429] * 4
    assert both.django.passwords_hashed == NAMES
    assert [spray(number, "198.51.100.8") for number in (0, 1)] == [401] * 2


@pytest.mark.parametrize("first", [0, 1], ids=["FastAPI", "Django"])
def test_a_browser_that_is_trusted_by_the_one_is_so_by_the_other(first: int, both: Both) -> None:
    cookies = both.post(first, password="right").cookies
    storm(both.urls("ablock"), [Guess()] * 20)
    device = {"Cookie": f"lockout_device={cookies['lockout_device']}"}
    for number in (0, 1):
        assert both.post(number, password="right", **device).status_code == 200
        assert both.post(number, password="right").status_code == 429
