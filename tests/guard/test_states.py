"""The states of a guess, and who may end it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lockout_admin.engine import attempts, guard
from lockout_admin.engine.guard import TRANSITIONS, Event, Guess, State


def documented() -> set[tuple[str, ...]]:
    rows = [line.split("|")[1:-1] for line in (guard.__doc__ or "").splitlines() if "|" in line]
    return {tuple(cell.strip() for cell in row) for row in rows[2:]}


def test_the_table_in_the_docstring_is_what_happens() -> None:
    assert documented() == {
        (before.value, event.value, after.value, ending.value if ending else "")
        for (before, event), (after, ending) in TRANSITIONS.items()
    }


@pytest.fixture
def endings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    endings: list[str] = []
    for name in ("fail", "succeed", "abandon"):
        monkeypatch.setattr(attempts, name, lambda *args, name=name: endings.append(name))
    return endings


def guess(state: State) -> Guess:
    unused: Any = None
    return Guess(unused, 0, unused, state)


@pytest.mark.parametrize("event", Event)
def test_nothing_follows_the_end(event: Event, endings: list[str]) -> None:
    assert not guess(State.ENDED).meet(event)
    assert not endings


def test_every_state_but_the_end_can_be_left_by_a_cancellation() -> None:
    ending = [state for state in State if (state, Event.CANCELLED) in TRANSITIONS]
    assert set(ending) == {*State} - {State.ENDED}


def test_of_many_who_end_a_guess_at_once_one_does(endings: list[str]) -> None:
    left = guess(State.LEFT)
    events = [Event.NOBODY_ASKED, Event.CANCELLED, Event.LOGGED_IN, Event.CONTINUED] * 10
    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(left.meet, events)) <= 2
    assert len(endings) <= 1
