"""With the rules that were in force, a replay puts on the locks that are in the table."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from demo import people, records
from demo.history import Replay as Seed
from demo.traffic import visits
from lockout_admin import lockout
from lockout_admin.engine.rules import ACCOUNT, DAY, LockTerms, Rule
from lockout_admin.engine.ruleset import default_rules
from lockout_admin.models import AccountLock, FailedLogin
from lockout_admin.policy.comparison import Comparison, compare
from lockout_admin.policy.findings import Begun

from ..conftest import HOME
from ..defences.person import Person
from ..engine.conftest import ELSEWHERE
from ..measuring import unmeasured

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 4, 15, tzinfo=UTC)
NO_NETWORKS = dict.fromkeys(["network", "spraying", "network-wide", "spraying-wide"])
Key = tuple[Any, ...]


def replayed(since: datetime, until: datetime) -> tuple[set[Key], Comparison]:
    """Return the locks of a replay under the rules in force."""
    found: list[Begun] = []
    comparison = compare(since, until, on_lock=found.append)
    locks = {
        (lock.rule.name, lock.matter.scope, lock.matter.key, lock.start, lock.end) for lock in found
    }
    assert len(locks) == len(found)
    return locks, comparison


def in_the_table(since: datetime) -> set[Key]:
    rows = AccountLock.objects.filter(reason="limit", started_at__gte=since)
    return set(rows.values_list("rule", "scope", "key", "started_at", "until"))


# -- The demo ------------------------------------------------------------------------------------


@pytest.fixture
def ninety_days(settings: Any) -> None:
    """The demo's seed, which has the rules on names alone."""
    settings.LOCKOUT_ADMIN = {"CACHE": "default", "RULES": NO_NETWORKS}
    traffic = visits(1, NOW)
    history = unmeasured(Seed(1, NOW).run)(traffic)
    unmeasured(people.settle)()
    unmeasured(list)(records.write(history, traffic))


def test_the_demo_s_ninety_days_have_the_very_locks(ninety_days: None) -> None:
    for days in (91, 30):
        since = NOW - timedelta(days=days)
        locks, comparison = unmeasured(replayed)(since, NOW)
        assert locks == in_the_table(since)
        assert len(locks) > 1_000
        found = comparison.in_force.findings
        # Nothing that has a record was refused.
        assert (found.refused, found.kept_out) == (0, 0)
        assert found.evaluated == comparison.failures
    assert comparison.successes > 1_000


# -- Attempts of the engine ----------------------------------------------------------------------


def own_list() -> list[Rule]:
    """Return rules of which a right password ends one kind, and no other."""
    mine = Rule("mine", ACCOUNT, 5, 7 * DAY, LockTerms(300))
    return [*default_rules(), mine]


LONG = bool(os.environ.get("LONG"))
#: Small limits, so that a short trace meets all of them; and all presets.
RULES: dict[str, dict[str, Any]] = {
    "owasp": {"PRESET": "owasp"},
    "pci": {"PRESET": "pci"},
    "nist": {"PRESET": "nist"},
    "cnil": {"PRESET": "cnil"},
    "small": {
        "LOCK_MAX_SECS": 300,
        "RULES": {
            "account": {"limit": 2, "interval": 300},
            "account-daily": {"limit": 4},
            "account-total": {"limit": 7},
            "network": {"limit": 5},
            "spraying": {"limit": 2},
        },
    },
    "one": {"RULES": {"account": {"limit": 1}, "network": {"mode": "monitor", "limit": 3}}},
    "watching": {
        "RULES": {
            "account": {"mode": "monitor", "interval": 900},
            "account-daily": {"limit": 5, "lock": 60},
            "spraying": {"mode": "monitor", "limit": 2},
        }
    },
    "delaying": {"RULES": {"account": {"limit": 5}, "delay": {"limit": 2, "longest": 900}}},
    "watching site": {"MODE": "monitor"},
    "own list": {},
    "watching first": {"RULES": {"account": {"mode": "monitor", "interval": 60, "limit": 2}}},
    "no devices": {"RULES": {"device": None, "device-total": None, "network": {"limit": 6}}},
}


class Trace:
    """Random people at the login form, over moved time."""

    def __init__(self, seed: int, clock: Any) -> None:
        self.random = Random(seed)
        self.clock = clock
        for name in ("alice", "bob"):
            get_user_model().objects.create_user(name, password="right")
        self.people = [Person(HOME), Person(HOME), Person(ELSEWHERE), Person("2001:db8:1:2::1")]

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self.clock.tick(self.random.choice([1, 2, 5, 20, 61, 130, 900, 4_000, 40_000]))
            self.step()

    def step(self) -> None:
        name = self.random.choice(["alice", "alice", "alice", "Alice", "bob", "carol"])
        chance = self.random.random()
        if chance < 0.04:
            if lockout.is_account_locked(name):
                lockout.unlock_account(name, by="sam")
            return
        password = "right" if chance < 0.2 else f"wrong {self.random.randrange(40)}"
        unmeasured(self.random.choice(self.people).log_in)(password, name)


@pytest.mark.parametrize("seed", range(4 if LONG else 1))
@pytest.mark.parametrize("name", RULES)
def test_random_attempts_have_the_locks_that_the_engine_put_on(
    name: str, seed: int, settings: Any, clock: Any
) -> None:
    settings.LOCKOUT_ADMIN = {"CACHE": "default", **RULES[name]}
    if name == "own list":
        settings.LOCKOUT_ADMIN = {"CACHE": "default", "RULES": own_list()}
    since = timezone.now()
    trace = Trace(seed, clock)
    trace.run(250)
    locks, comparison = replayed(since, timezone.now() + timedelta(seconds=1))
    assert locks == in_the_table(since)
    assert locks
    found = comparison.in_force.findings
    assert (found.refused, found.kept_out) == (0, 0)
    assert found.evaluated == FailedLogin.objects.count()
