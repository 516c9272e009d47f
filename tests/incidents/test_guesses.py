"""The same guess on many names, and what is kept of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.utils import timezone

from lockout_admin.engine import sightings
from lockout_admin.engine.sightings import GuessSeen
from lockout_admin.engine.store import store
from lockout_admin.incidents import growing, guesses
from lockout_admin.incidents.grouping import group
from lockout_admin.incidents.guesses import Day
from lockout_admin.models import Incident, IncidentName

from ..conftest import request_from

pytestmark = pytest.mark.django_db

Guess = Callable[..., Any]


def spray(times: int, password: str = "Winter2026!", first: int = 0) -> None:
    """Try one password on many names, each from another network."""
    for number in range(first, first + times):
        address = f"198.51.{number // 250}.{number % 250}"
        authenticate(request_from(address), username=f"name{number}", password=password)


def seen(guess: int, subject: int) -> GuessSeen:
    return GuessSeen(guess, subject, f"name{subject}", "198.51.100.7/32", timezone.now())


def noted(*found: GuessSeen) -> dict[int, list[guesses.Note]]:
    """Hand guesses over and count them, as a turn does."""
    guesses.hand_over(found, ())
    notes, _hits = guesses.taken()
    return guesses.count(notes)


def test_one_password_on_forty_names_is_no_coincidence(clock: Any) -> None:
    spray(39)
    assert group().found == 0
    spray(1, first=39)
    assert group().found == 1
    one = Incident.objects.get()
    assert (one.kind, one.names, one.networks) == ("spraying", 40, 40)
    assert "same guess on 40 names" in one.because


def test_it_grows_with_the_guess(clock: Any) -> None:
    spray(40)
    group()
    clock.tick(3600)
    spray(10, first=100)
    spray(5, "another", first=200)
    group()
    assert Incident.objects.get().names == 50


def test_who_comes_in_with_the_guess_is_entered(clock: Any, alice: Any) -> None:
    spray(40, "right")
    group()
    clock.tick(60)
    assert authenticate(request_from("192.0.2.77"), username="alice", password="right") == alice
    group()
    (entered,) = IncidentName.objects.exclude(entered_at=None)
    assert (entered.username, entered.account, entered.how) == ("alice", str(alice.pk), "guess")


def test_who_comes_in_with_another_password_is_not(clock: Any, alice: Any) -> None:
    spray(40)
    group()
    authenticate(request_from("192.0.2.77"), username="alice", password="right")
    assert not sightings.take().entries


def test_who_comes_in_with_the_guess_from_nowhere_is_entered_as_well(
    clock: Any, alice: Any
) -> None:
    """A proxy that hides the address hides nothing else."""
    spray(40, "right")
    group()
    clock.tick(60)
    assert authenticate(request_from(""), username="alice", password="right") == alice
    group()
    (entered,) = IncidentName.objects.exclude(entered_at=None)
    assert (entered.username, entered.how) == ("alice", "guess")
    assert Incident.objects.get().networks == 40


def test_of_names_and_networks_so_many_are_kept_and_all_are_counted(
    clock: Any, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growing, "MOST_PARTS", 30)
    spray(40, "right")
    group()
    clock.tick(1)
    spray(5, "right", first=40)
    authenticate(request_from("192.0.2.77"), username="alice", password="right")
    group()
    one = Incident.objects.get()
    assert (one.names, one.networks, one.entered) == (46, 46, 1)
    assert (one.sources.count(), one.tried.count()) == (30, 31)
    # Whoever is beyond is counted once, for all that he does.
    clock.tick(60)
    spray(45, "right")
    group()
    one.refresh_from_db()
    assert (one.names, one.networks, one.entered) == (46, 46, 1)


def test_guesses_are_lost_where_nothing_counts(clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "increment", lambda name: 0)
    monkeypatch.setattr(store, "add", lambda name, value, seconds: False)
    guesses.hand_over([seen(7, 1)], ())
    monkeypatch.undo()
    assert guesses.taken() == ([], [])


def test_a_name_counts_once_a_guess(clock: Any) -> None:
    assert not noted(*(seen(7, 1) for _ in range(100)))
    assert not noted(*(seen(7, number) for number in range(39)))
    assert noted(seen(7, 40))


def test_a_lost_key_is_a_new_day(clock: Any) -> None:
    spray(39)
    group()
    clock.tick(25 * 60 * 60)
    spray(39, first=39)
    assert group().found == 0


@pytest.mark.parametrize(("pause", "found"), [(60, 1), (2 * 60 * 60, 1), (25 * 60 * 60, 2)])
def test_what_goes_on_when_the_key_is_lost_is_the_same_attack(
    clock: Any, pause: float, found: int
) -> None:
    """The store is emptied, or a day is over: nobody can know the guess again."""
    spray(50)
    group()
    clock.tick(1)
    store.clear([guesses.name_of("key")])
    clock.tick(pause)
    spray(50, first=60)
    group()
    assert Incident.objects.unmerged().count() == found
    assert sum(one.names for one in Incident.objects.unmerged()) == 100
    # From here on its guess is known again.
    spray(5, first=200)
    group()
    assert sum(one.names for one in Incident.objects.unmerged()) == 105
    assert Incident.objects.unmerged().count() == found


def test_two_guesses_at_once_are_two_attacks(clock: Any) -> None:
    spray(60)
    group()
    clock.tick(60)
    spray(60, "Summer2026!", first=1000)
    group()
    assert Incident.objects.unmerged().count() == 2


def test_what_is_counted_is_bounded(clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guesses, "_MOST_NAMES", 45)
    found = noted(*(seen(7, number) for number in range(100)))
    assert [len(notes) for notes in found.values()] == [45]


@pytest.mark.parametrize(
    ("total", "limit"), [(0, 40), (3_000, 40), (100_000, 630), (10_000_000, 51_509)]
)
def test_what_chance_and_popular_mistakes_explain_is_subtracted(total: int, limit: float) -> None:
    assert guesses.limit_of(Day("key", total=total)) == pytest.approx(limit, rel=0.02)


def test_a_store_that_lost_its_place_begins_anew(clock: Any) -> None:
    guesses.hand_over([seen(7, 1)], ())
    store.set_many({guesses.name_of("read"): 99}, 60)
    assert len(guesses.taken()[0]) == 1
    assert guesses.taken() == ([], [])


def test_a_hit_without_its_incident_says_nothing(clock: Any) -> None:
    entry = sightings.EntrySeen(5, 1, "name1", "1", None, timezone.now())
    guesses.hand_over((), [entry])
    assert group().entered == 0
