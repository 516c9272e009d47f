"""Three hundred guesses at once against a delay: as many are evaluated as wait for nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from .attack import Guess, storm
from .servers import CacheServer, site

pytestmark = pytest.mark.race

GUESSES = [Guess(password=f"guess {number}") for number in range(300)]
#: The wait is over, and whatever the store knew is gone.
LATER = """
from datetime import timedelta
from django.core.cache import cache
from django.db.models import F
from lockout_admin.models import AccountLock, FailedLogin
from lockout_admin.engine.statements import entries
FailedLogin.objects.update(timestamp=F("timestamp") - timedelta(minutes=11))
cache.clear()
entries().objects.all().delete()
print(FailedLogin.objects.count(), AccountLock.objects.count())
"""


@pytest.mark.parametrize(
    ("database", "store"), [("postgres", "redis"), ("mariadb", "memcached"), ("postgres", "table")]
)
def test_three_pass_at_once_and_then_one_at_a_time(
    database: str, store: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    where = {"DATABASE_URL": request.getfixturevalue(database), "RULES": "delay"}
    if store == "table":
        where["STORE"] = store
    else:
        cache: CacheServer = request.getfixturevalue(store)
        where["CACHE_URL"] = cache.url
    with site(tmp_path, **where) as target:
        for evaluated in (3, 4, 5):
            statuses = storm(f"{target.url}/login/", GUESSES)
            assert target.passwords_hashed == evaluated
            assert statuses.keys() == {401, 429}
            assert target.python(LATER) == f"{evaluated} 0"
