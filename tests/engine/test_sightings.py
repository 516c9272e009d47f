"""What a process keeps of what it has seen: in memory, bounded, told once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.utils import timezone

from lockout_admin.engine import fingerprints, sightings
from lockout_admin.engine.attempt import Attempt, prepared
from lockout_admin.engine.sightings import EntrySeen, RefusedSeen
from lockout_admin.identity.subject import Subject

from ..conftest import request_from
from ..defences.person import Person

pytestmark = pytest.mark.django_db

Guess = Callable[..., Any]


def hot(digest: int) -> int | None:
    """Say that ``right`` is the guess of an attack."""
    return 77 if digest == fingerprints.guess_of("right") else None


def refused(name: str, address: str = "198.51.100.7", times: int = 1) -> None:
    for _ in range(times):
        sightings.refused(attempt_of(name, address))


def attempt_of(name: str, address: str = "198.51.100.7", password: Any = "x") -> Attempt:
    return prepared(name, request_from(address), password)


def test_refusals_are_counted_by_name_and_network() -> None:
    refused("alice", times=3)
    refused("alice", "198.51.100.8")
    refused("bob")
    seen = sightings.take().refusals.values()
    counted = {(one.subject.username, one.client.ip_address): one.times for one in seen}
    assert counted == {
        ("alice", "198.51.100.7"): 3,
        ("alice", "198.51.100.8"): 1,
        ("bob", "198.51.100.7"): 1,
    }
    assert not sightings.take().refusals


def test_beyond_the_bound_a_name_is_counted_without_a_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sightings, "MOST", 2)
    for number in range(4):
        refused("alice", f"198.51.100.{number}")
    for number in range(9):
        refused(f"name{number}")
    seen = sightings.take().refusals
    key = Subject.of("alice").key
    assert len(seen) == 4
    assert isinstance(seen[key, None], RefusedSeen)
    assert seen[key, None].times == 2


def test_entries_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sightings, "MOST", 2)
    sightings.listen_for(hot)
    for number in range(5):
        sightings.came_in(attempt_of(f"name{number}", password="right"), "1")
    assert len(sightings.take().entries) == 2


def test_what_is_no_text_is_no_guess() -> None:
    sightings.listen_for(hot)
    for password in (b"right", None, "", 7):
        attempt = attempt_of("alice", password=password)
        sightings.guessed(attempt)
        sightings.came_in(attempt, "1")
    seen = sightings.take()
    assert (seen.guesses, seen.entries) == ([], [])


def test_who_comes_in_from_a_browser_of_his_own_is_not_compared(alice: Any) -> None:
    owner = Person()
    assert owner.log_in() == "in"
    sightings.forget()
    sightings.listen_for(hot)
    assert owner.log_in() == "in"
    assert owner.log_in("wrong") == "wrong"
    seen = sightings.take()
    assert (seen.guesses, seen.entries) == ([], [])


def test_who_came_in_before_the_guess_was_known_is_told_once(clock: Any, alice: Any) -> None:
    authenticate(request_from(), username="alice", password="right")
    assert not sightings.take().entries
    clock.tick(sightings.RIGHT_SECS - 1)
    sightings.listen_for(hot)
    (entry,) = sightings.take().entries
    assert (entry.guess, entry.account) == (77, str(alice.pk))
    sightings.listen_for(hot)
    assert not sightings.take().entries


def test_a_right_password_is_forgotten_after_minutes(clock: Any, alice: Any) -> None:
    authenticate(request_from(), username="alice", password="right")
    clock.tick(sightings.RIGHT_SECS + 1)
    sightings.listen_for(None)
    assert not sightings._right


def test_a_listener_is_called_once_for_what_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[int] = []

    def wake() -> None:
        woken.append(1)

    monkeypatch.setattr(sightings, "_wakes", [])
    for _ in range(3):
        sightings.when_seen(wake)
    refused("alice")
    assert len(woken) == 1


def test_a_process_that_forks_tells_nothing_that_its_parent_has_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nor does it wait for a lock that a thread may hold there."""
    of_the_parent = sightings._lock
    monkeypatch.setattr(sightings, "_lock", of_the_parent)
    sightings.listen_for(hot)
    refused("alice")
    facts = (1, "bob", "1", None, timezone.now() - timedelta(seconds=1))
    sightings._right.append(EntrySeen(fingerprints.guess_of("right"), *facts))
    sightings._begin_anew()
    assert sightings._lock is not of_the_parent
    refused("carol")
    assert [one.subject.username for one in sightings.take().refusals.values()] == ["carol"]
    sightings.listen_for(hot)
    assert not sightings.take().entries


# -- Repetitions ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("network", "password", "beside", "is_marked"),
    [
        ("198.51.100.7/32", "wrong", {}, True),
        ("198.51.100.7/32", "wrong", {"code": "123456"}, True),
        (None, "wrong", {}, False),
        ("198.51.100.7/32", "", {}, False),
        ("198.51.100.7/32", "wrong", {"code": object()}, False),
    ],
)
def test_what_can_not_be_compared_is_no_repetition(
    network: str | None, password: str, beside: dict[str, Any], is_marked: bool
) -> None:
    assert bool(fingerprints.of(Subject.of("alice"), network, password, beside)) == is_marked
