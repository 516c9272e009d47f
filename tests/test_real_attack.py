"""A morning of a real SSH server (the public Loghub sample, 2,000 lines), replayed."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import RequestFactory

from lockout_admin.engine import attempts
from lockout_admin.exceptions import AccountLocked
from lockout_admin.models import AccountLock, FailedLogin

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).parent.parent
LOGS = sorted(ROOT.parent.glob("*/data/OpenSSH_2k.log"))
FAILURE = re.compile(
    r"^(?P<when>\w{3} +\d+ [\d:]{8}) .*?(?:message repeated (?P<times>\d+) times: \[ )?"
    r"Failed password for (?:invalid user )?(?P<username>.*) from (?P<address>[\d.]+) port"
)


@dataclass(frozen=True)
class Guess:
    when: datetime
    username: str
    address: str


def guesses() -> list[Guess]:
    found = []
    for line in LOGS[0].read_text().splitlines():
        if match := FAILURE.match(line):
            when = datetime.strptime(f"2015 {match['when']}", "%Y %b %d %H:%M:%S").replace(
                tzinfo=UTC
            )
            found += [Guess(when, match["username"], match["address"])] * int(match["times"] or 1)
    return found


@pytest.fixture
def replayed(clock: Any) -> Counter[str]:
    """Whether each guess got its password evaluated."""
    fate: Counter[str] = Counter()
    for guess in guesses():
        clock.move_to(guess.when)
        request = RequestFactory().post("/login/", REMOTE_ADDR=guess.address)
        try:
            attempts.fail(attempts.begin(guess.username, request))
            fate["evaluated"] += 1
        except AccountLocked:
            fate["refused"] += 1
    return fate


@pytest.mark.skipif(
    not LOGS, reason="OpenSSH_2k.log of Loghub is not in a data folder beside the checkout"
)
def test_most_of_a_real_attack_never_reaches_the_password(replayed: Counter[str]) -> None:
    assert replayed.total() == len(guesses()) > 500
    assert FailedLogin.objects.count() == replayed["evaluated"]
    # The rest are names that were tried once or twice, hours apart.
    assert replayed["refused"] > replayed["evaluated"]
    assert AccountLock.objects.filter(label="root").count() >= 5


@pytest.mark.skipif(
    not LOGS, reason="OpenSSH_2k.log of Loghub is not in a data folder beside the checkout"
)
def test_no_minute_of_it_evaluates_more_than_n_passwords_for_a_name(replayed: Counter[str]) -> None:
    moments: dict[int, list[datetime]] = {}
    for subject, when in FailedLogin.objects.order_by("timestamp", "pk").values_list(
        "subject", "timestamp"
    ):
        moments.setdefault(subject, []).append(when)
    for times in moments.values():
        assert all(
            (later - earlier).total_seconds() >= 60
            for earlier, later in zip(times, times[4:], strict=False)
        )
