"""A list that is tried from several networks at once is found at each, and becomes one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from lockout_admin.identity.subject import Subject
from lockout_admin.incidents.grouping import group
from lockout_admin.models import FailedLogin, Incident, IncidentEvent

from .player import entered_of, incidents, names_of, networks_of
from .records import client_of, comes_in, refused
from .traces import FIREFOX, HOUR, MINUTE, SCRIPT

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


# -- Lists one after the other --------------------------------------------------------------------


def lists(clock: Any, tools: list[str], name: str = "leak{}-{}", pause: float = MINUTE) -> None:
    """Have a list fail after the other, each from a network of its own; twelve names each."""
    for place, tool in enumerate(tools):
        names = [name.format(place, number) for number in range(12)]
        tries(names, f"198.51.{place}.7", tool)
        group()
        clock.tick(pause)


def joined() -> list[tuple[int, int, int]]:
    """Return of each incident how many names, networks and guesses it has."""
    rows = Incident.objects.unmerged().order_by("pk")
    return [(one.names, one.networks, one.evaluated) for one in rows]


def test_three_lists_with_one_tool_are_one_attack_which_goes_on(clock: Any) -> None:
    lists(clock, [SCRIPT] * 9)
    assert joined() == [(108, 9, 108)]
    assert Incident.objects.unmerged().get().agent is not None


def test_two_lists_with_one_tool_may_be_of_two(clock: Any) -> None:
    lists(clock, [SCRIPT] * 2)
    assert joined() == [(12, 1, 12)] * 2


def test_five_lists_with_a_tool_each_are_one_attack_which_goes_on(clock: Any) -> None:
    lists(clock, [f"tool/{number}.0" for number in range(9)])
    assert joined() == [(108, 9, 108)]
    assert Incident.objects.unmerged().get().agent is None


def test_four_lists_with_a_tool_each_may_be_of_four(clock: Any) -> None:
    lists(clock, [f"tool/{number}.0" for number in range(4)])
    assert joined() == [(12, 1, 12)] * 4


def test_what_people_come_in_with_makes_no_two_lists_one(clock: Any) -> None:
    for number in range(9):
        comes_in(f"person{number}", f"192.0.2.{number}", FIREFOX)
    clock.tick(HOUR)
    lists(clock, [FIREFOX] * 4)
    assert joined() == [(12, 1, 12)] * 4


def test_lists_of_accounts_are_of_another_hand_than_lists_of_nobody(clock: Any) -> None:
    for place in range(4):
        for number in range(12):
            get_user_model().objects.create_user(f"user{place}-{number}")
    lists(clock, [SCRIPT] * 4, "user{}-{}")
    for place in range(4):
        tries([f"nobody{place}-{n}" for n in range(12)], f"203.0.{place}.9", SCRIPT)
        group()
        clock.tick(MINUTE)
    assert joined() == [(48, 4, 48)] * 2


def test_lists_with_long_pauses_between_them_are_told_apart(clock: Any) -> None:
    lists(clock, [SCRIPT] * 4, pause=31 * MINUTE)
    assert joined() == [(12, 1, 12)] * 4


def test_a_right_pair_in_each_list_hides_none_of_them(clock: Any) -> None:
    """Ten wrong ones and the lock: whoever came in speaks for one name, and once."""
    for place in range(3):
        address = f"198.51.{place}.7"
        comes_in(f"victim{place}", address, SCRIPT)
        tries([f"leak{place}-{number}" for number in range(10)], address)
        refused(1, f"late{place}", address, SCRIPT)
        group()
        clock.tick(MINUTE)
    (one,) = Incident.objects.unmerged()
    assert set(entered_of(one)) == {"victim0", "victim1", "victim2"}
    assert (one.evaluated, one.refused) == (30, 3)


@pytest.mark.parametrize(("agent", "entered"), [(SCRIPT, {"victim0", "victim1"}), (FIREFOX, set())])
def test_right_pairs_of_a_tool_speak_for_nobody(clock: Any, agent: str, entered: set[str]) -> None:
    """At a site that knows what people come in with; with that, they would be new people."""
    for number in range(110):
        comes_in(f"person{number}", f"192.0.2.{number}", FIREFOX)
    clock.tick(HOUR + 30)
    for number in range(2):
        comes_in(f"victim{number}", ONE, agent)
    tries(NAMES[:10], ONE, agent)
    group()
    assert {name for one in incidents() for name in entered_of(one)} == entered
