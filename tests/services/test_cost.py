"""What an attempt costs beyond plain Django, in SQL statements and cache calls."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .servers import CacheServer, site

pytestmark = pytest.mark.race

RIGHT = {"get_many": 1, "add": 1, "delete_many": 1}
WRONG = {"get_many": 1, "add": 2}
LOCKED = {"get_many": 1, "incr": 1}


#: A hundred thousand networks, none of them ours.
LISTS = """
from lockout_admin.models import NetworkRule
NetworkRule.objects.bulk_create(
    NetworkRule(cidr=f"{a}.{b}.{c}.0/24", first=f"{a}.{b}.{c}.0")
    for a in range(1, 5) for b in range(100) for c in range(250)
)
"""


@pytest.fixture(params=["no lists", "long lists"])
def report(
    postgres: str, redis: CacheServer, tmp_path: Path, request: pytest.FixtureRequest
) -> dict[str, Any]:
    with site(tmp_path, workers=1, threads=1, DATABASE_URL=postgres, CACHE_URL=redis.url) as target:
        if request.param == "long lists":
            target.python(LISTS)
        told: dict[str, Any] = json.loads(target.run("-m", "tests.services.cost"))
    print(json.dumps(told, indent=1))
    return told


def test_costs_stay_within_their_bounds(report: dict[str, Any]) -> None:
    # One of sixteen leaves its moment and its address, and so does the first after a minute.
    assert report["first refusal"] == {"sql": 0, "cache": {**LOCKED, "set_many": 1}}
    assert report["refusal"] == {"sql": 0, "cache": LOCKED}
    assert report["forty refusals"] == {
        "sql": 0,
        "cache": {"get_many": 40, "incr": 40, "set_many": 1},
    }
    for success in ("success", "success after a release"):
        # The SELECT, and the row of the login.
        assert report[success] == {"sql": 2, "cache": RIGHT}
    for failure in ("first failure", "failure 1", "failure 2", "failure 3"):
        assert report[failure] == {"sql": 2, "cache": WRONG}
    # A trusted device, beside strangers who have locked the name.
    assert report["success of a device"] == {"sql": 2, "cache": RIGHT}
    assert report["failure of a device"] == {"sql": 2, "cache": WRONG}
    assert report["refusal of a device"]["sql"] == 0
    # The row of the lock, the mark on the failure, a look for counts to keep; entry and counter.
    locking = {**WRONG, "add": WRONG["add"] + 1, "set_many": 1}
    assert report["failure that locks"] == {"sql": 5, "cache": locking}
    # A count that ends is written down; slots go if they have not changed hands.
    ended = {"get_many": 2, "add": 1, "delete_many": 2}
    assert report["success after a failure"] == {"sql": 3, "cache": ended}
