"""What an attempt costs beyond plain Django, in SQL statements and cache calls."""

from __future__ import annotations

import json
from pathlib import Path

from .servers import CacheServer, site


def test_costs_stay_within_their_bounds(postgres: str, redis: CacheServer, tmp_path: Path) -> None:
    with site(tmp_path, workers=1, threads=1, DATABASE_URL=postgres, CACHE_URL=redis.url) as target:
        report = json.loads(target.run("-m", "tests.services.cost"))
    print(json.dumps(report, indent=1))
    for refusal in ("first refusal", "refusal"):
        assert report[refusal] == {"sql": 0, "cache": {"get_many": 1, "incr": 1}}
    for success in ("success", "success after a release"):
        assert report[success]["sql"] <= 1
    for failure in ("first failure", "failure 1", "failure 2", "failure 3", "failure that locks"):
        assert report[failure]["sql"] <= 3
    assert max(sum(cost["cache"].values()) for cost in report.values()) <= 3
    # Ending a count is written down, once.
    assert report["success after a failure"]["sql"] <= 2
