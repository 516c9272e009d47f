"""A list that is tried from several networks at once is found at each, and becomes one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from lockout_admin.identity.subject import Subject
from lockout_admin.incidents.grouping import group
from lockout_admin.models import FailedLogin, Incident, IncidentEvent

from .player import incidents, names_of, networks_of
from .records import client_of
from .traces import FIREFOX, MINUTE, SCRIPT

pytestmark = pytest.mark.django_db

ONE, OTHER = "198.51.100.7", "203.0.113.8"
NAMES = [f"name{number}" for number in range(24)]


def tries(names: list[str], address: str, agent: str = SCRIPT) -> None:
    """Have each of the names fail once, in the last minute."""
    client = client_of(address, agent)
    now = timezone.now()
    FailedLogin.objects.bulk_create(
        FailedLogin.objects.build(Subject.of(name), client, timestamp=now - timedelta(seconds=at))
        for at, name in zip(range(len(names), 0, -1), names, strict=True)
    )


def halves(clock: Any, agents: tuple[str, str], *, whole: bool = True) -> None:
    """Have two networks go through a list, each from another end."""
    tries(NAMES[:12], ONE, agents[0])
    tries(NAMES[12:], OTHER, agents[1])
    group()
    assert len(incidents()) == 2
    clock.tick(MINUTE)
    if whole:
        tries(NAMES[12:], ONE, agents[0])
        tries(NAMES[:12], OTHER, agents[1])
    else:
        tries(NAMES[12:15], ONE, agents[0])
        tries(["others0", "others1"], OTHER, agents[1])
    group()


def test_what_has_the_same_names_becomes_one(clock: Any) -> None:
    halves(clock, (SCRIPT, SCRIPT))
    (one,) = Incident.objects.unmerged()
    assert (one.names, one.networks, one.evaluated) == (24, 2, 48)
    assert networks_of(one) == {f"{ONE}/32", f"{OTHER}/32"}
    assert names_of(one) == set(NAMES)
    merged = IncidentEvent.objects.get(what=IncidentEvent.What.MERGED)
    assert (merged.incident, merged.by) == (one, "")
    # It goes on as one, from both.
    clock.tick(MINUTE)
    tries(["more"], ONE)
    tries(["more"], OTHER)
    group()
    (one,) = Incident.objects.unmerged()
    assert (one.names, one.evaluated) == (25, 50)


def test_two_programs_with_one_list_stay_two(clock: Any) -> None:
    halves(clock, (SCRIPT, FIREFOX))
    assert Incident.objects.unmerged().count() == 2


def test_a_few_names_in_both_are_no_reason(clock: Any) -> None:
    halves(clock, (SCRIPT, SCRIPT), whole=False)
    assert Incident.objects.unmerged().count() == 2


def test_what_was_closed_stays_as_it_is(clock: Any) -> None:
    tries(NAMES[:12], ONE)
    tries(NAMES[12:], OTHER)
    group()
    Incident.objects.update(state=Incident.State.CLOSED)
    clock.tick(MINUTE)
    tries(NAMES[12:], ONE)
    tries(NAMES[:12], OTHER)
    group()
    assert Incident.objects.unmerged().count() == 2


@pytest.mark.parametrize(("agent", "found"), [(FIREFOX, 2), (SCRIPT, 1)])
def test_names_of_a_list_that_are_then_failed_from_everywhere(
    clock: Any, agent: str, found: int
) -> None:
    """With another tool it is another hand, which wants the locks."""
    tries(NAMES, ONE)
    group()
    assert len(incidents()) == 1
    clock.tick(2 * MINUTE)
    for place in range(240):
        tries([NAMES[place % 10]], f"192.0.2.{place}", agent)
    group()
    assert len(Incident.objects.unmerged()) == found
