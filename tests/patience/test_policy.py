"""Policy against engine: what is printed is never exceeded, and is reached within a tenth.

Through Django's ``authenticate()``, over thirty days of moved time for each policy and pace.
``LONG=1`` adds policies that let thousands through.
"""

from __future__ import annotations

import os
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.utils import timezone

from lockout_admin import lockout
from lockout_admin.engine.rules import ACCOUNT, DAY, HOUR, LockTerms, Rule
from lockout_admin.models import FailedLogin
from lockout_admin.policy.report import PERIODS, Report

from ..conftest import request_from
from ..policy.attacker import most_within

pytestmark = pytest.mark.django_db

PACES = [1, 5, 20.5, 60, 300, 900, 3600]
LONG = bool(os.environ.get("LONG"))

#: Two rules whose counts stand, beside one that starts anew.
TIERS = {
    "account": {"limit": 3, "interval": 600, "lock": 1800, "growth": 1},
    "account-daily": {"limit": 6, "interval": 6 * HOUR, "lock": 2 * HOUR},
    "account-total": {"limit": 40, "interval": 14 * DAY, "lock": DAY},
}
#: One that starts anew.
ANEW = Rule("anew", ACCOUNT, limit=4, interval=DAY, lock=LockTerms(DAY), starts_anew=True)
#: The same, with locks that grow and are forgotten.
GROWING = Rule(
    "slow",
    ACCOUNT,
    limit=3,
    interval=2 * HOUR,
    lock=LockTerms(12 * HOUR, growth=2, longest=3 * DAY, remembered=2 * DAY),
    starts_anew=True,
)
#: One whose lock outlasts its count: the patient never meet it.
STRICT = Rule("strict", ACCOUNT, limit=2, interval=HOUR, lock=LockTerms(DAY))
POLICIES: dict[str, dict[str, Any]] = {
    **{preset: {"PRESET": preset} for preset in ("owasp", "pci", "nist", "cis", "cnil")},
    "tiers": {"RULES": TIERS},
    "two days": {
        "RULES": {
            "account": None,
            "account-daily": {"limit": 8, "interval": 2 * DAY, "lock": DAY},
            "account-total": None,
        }
    },
    "anew": {"RULES": [ANEW]},
}
if LONG:  # pragma: no cover
    POLICIES |= {
        "strict": {"RULES": [STRICT]},
        "growing": {"RULES": [GROWING]},
        "both": {"RULES": [STRICT, GROWING]},
    }


class Attack:
    """A stranger at one name, from ever new addresses; he sleeps while it is locked."""

    def __init__(self, clock: Any, pace: float) -> None:
        self.clock = clock
        self.pace = pace
        self.name = f"victim-{pace}"

    def run(self, seconds: float) -> list[float]:
        """Return when his passwords were evaluated."""
        end = timezone.now() + timedelta(seconds=seconds)
        for number in count():  # pragma: no branch
            if timezone.now() >= end:
                break
            request = request_from(
                f"198.{18 + number // 65536}.{number // 256 % 256}.{number % 256}"
            )
            authenticate(request, username=self.name, password=f"guess {number}")
            lock = lockout.get_lock(self.name)
            self.clock.tick(max(self.pace, lock.remaining if lock else 0))
        rows = FailedLogin.objects.filter(username=self.name).order_by("timestamp")
        return [when.timestamp() for when in rows.values_list("timestamp", flat=True)]


@pytest.mark.parametrize("policy", POLICIES)
def test_what_is_printed_is_what_the_engine_does(policy: str, clock: Any, settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {"CACHE": "default", **POLICIES[policy]}
    printed = Report.now().figures[0].most
    attacks = [Attack(clock, pace).run(30 * DAY) for pace in PACES]
    for period in ("hour", "day", "month"):
        bound = printed[period]
        reached = max(most_within(whens, PERIODS[period][0]) for whens in attacks)
        assert bound is not None
        assert bound - max(1, 0.1 * bound) <= reached <= bound
