"""Staff say something while a turn is at work: both count, whoever comes first."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from typing import Any

import pytest
from django.db import connection, connections

from lockout_admin.incidents import verbs
from lockout_admin.incidents.grouping import group
from lockout_admin.incidents.growing import Growth
from lockout_admin.models import Incident

from .records import rows

ONE, OTHER = "198.51.100.7", "203.0.113.9"

needs_a_server = pytest.mark.skipif(
    connection.vendor == "sqlite", reason="a database in memory has one connection"
)


def attack(address: str, names: str) -> None:
    """Have twenty-five names fail from an address, four times each."""
    for _ in range(4):
        rows(25, f"{names}{{}}", address, agent=f"tool of {names}")


def of(address: str) -> Incident:
    found: Incident = Incident.objects.get(about=address)
    return found


@pytest.fixture
def two(transactional_db: None) -> tuple[Incident, Incident]:
    """Two incidents, both of which go on."""
    attack(ONE, "first")
    attack(OTHER, "second")
    group()
    found = of(f"{ONE}/32"), of(f"{OTHER}/32")
    attack(ONE, "first")
    attack(OTHER, "second")
    return found


def during_a_turn(monkeypatch: pytest.MonkeyPatch, say: Callable[[], Any]) -> None:
    """Have staff say something while a turn has read what it is about to write."""
    reads, goes_on = Event(), Event()
    add = Growth.add

    def slowly(growth: Growth, *args: Any) -> None:
        reads.set()
        assert goes_on.wait(30)
        add(growth, *args)

    def at_work(do: Callable[[], Any]) -> Callable[[], None]:
        def work() -> None:
            try:
                do()
            finally:
                connections.close_all()

        return work

    monkeypatch.setattr(Growth, "add", slowly)
    turn, staff = Thread(target=at_work(group)), Thread(target=at_work(say))
    turn.start()
    assert reads.wait(30)
    staff.start()
    # Done, or waiting for the turn to end.
    staff.join(1)
    goes_on.set()
    turn.join(30)
    staff.join(30)
    assert not turn.is_alive()
    assert not staff.is_alive()


@needs_a_server
@pytest.mark.parametrize(
    ("say", "said"),
    [
        (lambda one: verbs.acknowledge(one, "sam"), {"state": "acknowledged"}),
        (lambda one: verbs.name(one, "the night", "sam"), {"title": "the night"}),
        (
            lambda one: verbs.close(one, "attack", "sam"),
            {"state": "closed", "verdict": "attack"},
        ),
    ],
)
def test_what_is_said_during_a_turn_stays(
    monkeypatch: pytest.MonkeyPatch,
    two: tuple[Incident, Incident],
    say: Callable[[Incident], Any],
    said: dict[str, str],
) -> None:
    one, _other = two
    during_a_turn(monkeypatch, lambda: say(one))
    row = Incident.objects.get(pk=one.pk)
    assert {name: getattr(row, name) for name in said} == said
    assert row.evaluated == 200


@needs_a_server
def test_a_merge_during_a_turn_counts_each_try_once(
    monkeypatch: pytest.MonkeyPatch, two: tuple[Incident, Incident]
) -> None:
    one, other = two
    during_a_turn(monkeypatch, lambda: verbs.merge(one, [other], "sam"))
    group()
    whole = Incident.objects.get(merged_into=None)
    assert whole.pk == one.pk
    assert (whole.evaluated, whole.names, whole.networks) == (400, 50, 2)


@needs_a_server
def test_of_two_who_merge_at_once_one_does(two: tuple[Incident, Incident]) -> None:
    one, other = two
    verbs.merge(one, [Incident.objects.get(pk=other.pk)], "sam")
    with pytest.raises(ValueError, match="merged"):
        verbs.merge(one, [other], "robin")
    assert Incident.objects.get(pk=one.pk).evaluated == 200
