"""Weeks, and odd days, of a club and of a company: nobody is taken for an attacker."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lockout_admin.incidents.grouping import group
from lockout_admin.models import FailedLogin, SuccessfulLogin

from ..incidents.conftest import MONDAY
from ..incidents.crowds import Scribe, Site, in_steps, settle
from ..incidents.test_honest import DAYS, half, live_a_day, reasons
from ..incidents.traces import HOUR

pytestmark = pytest.mark.django_db

#: And what goes on all day, or all night.
MACHINES = {
    "phones ask all night": lambda site, day: site.stale_clients(day, half(site)[::25]),
    "a client logs in all day": lambda site, day: site.mail_client(day, site.people[0]),
    "a health check with a wrong password": lambda site, day: site.health_check(day),
}


def live(site: Site, clock: Any, weeks: int, step: float) -> None:
    """Have weeks go by, with a turn of the grouping after each step."""
    settle([*site.names, *(f"family{n}" for n in range(5))], MONDAY - timedelta(days=365))
    scribe = Scribe(MONDAY)
    for week in range(weeks):
        for end, visits in in_steps(site.a_week(7 * week), step):
            if scribe.write(visits):
                clock.move_to(MONDAY + timedelta(seconds=end))
                group()


@pytest.mark.parametrize(("people", "logins"), [(120, 50), (1000, 1000)])
def test_honest_weeks_raise_no_incident(clock: Any, people: int, logins: int) -> None:
    live(Site(people, logins), clock, weeks=2, step=HOUR)
    assert FailedLogin.objects.count() > 20_000
    assert SuccessfulLogin.objects.count() > logins * 10
    assert reasons() == []


@pytest.mark.parametrize("label", DAYS | MACHINES)
def test_a_day_of_a_company_that_is_not_like_others_raises_none(
    label: str, company: Site, clock: Any
) -> None:
    live_a_day((DAYS | MACHINES)[label], company, clock)
    assert reasons() == []
