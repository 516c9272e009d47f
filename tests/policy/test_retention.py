"""What retention has deleted counts no more: figures are for what is left."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.management import call_command
from django.test import override_settings
from django.utils import timezone

from lockout_admin.models import FailedLogin
from lockout_admin.policy.report import Report

from ..conftest import request_from

pytestmark = pytest.mark.django_db

DAY = 24 * 60 * 60
A_DAY_IS_KEPT = {"CACHE": "default", "RETENTION_SECS": DAY}


def most_in_a_month() -> int:
    (account, *_others) = Report.now().figures
    found = account.most["month"]
    assert found
    return found


@override_settings(LOCKOUT_ADMIN=A_DAY_IS_KEPT)
def test_no_patience_gets_more_evaluated_than_the_figures_say(clock: Any, db: None) -> None:
    evaluated = 0
    for day in range(30):
        morning = timezone.now()
        for number in range(9):
            clock.tick(timedelta(seconds=DAY / 9))
            address = f"198.51.{day}.{number}"
            authenticate(request_from(address), username="alice", password=f"{day} {number}")
        evaluated += FailedLogin.objects.filter(timestamp__gt=morning).count()
        call_command("lockout_prune", verbosity=0)
    assert evaluated == 270
    assert evaluated <= most_in_a_month()


def test_a_shorter_retention_lets_more_through() -> None:
    default = most_in_a_month()
    with override_settings(LOCKOUT_ADMIN=A_DAY_IS_KEPT):
        assert most_in_a_month() > default
