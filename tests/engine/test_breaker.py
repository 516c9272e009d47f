"""A dead engine costs one wait, and nobody waits for the look that finds it well."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from freezegun.api import FrozenDateTimeFactory

from lockout_admin.engine.breaker import LOOK, Breaker


class Patient:
    """An engine's health, and how often somebody looked."""

    def __init__(self) -> None:
        self.well = False
        self.looks = 0

    def __call__(self) -> bool:
        self.looks += 1
        return self.well


@pytest.fixture
def patient() -> Patient:
    return Patient()


@pytest.fixture
def breaker(patient: Patient, clock: FrozenDateTimeFactory) -> Breaker:
    return Breaker("default", patient)


def asked(breaker: Breaker) -> bool:
    """Ask whether to ask, and let a look that has begun end."""
    allowed = breaker.allows()
    for thread in threading.enumerate():
        if thread.name == LOOK:
            thread.join()
    return allowed


def test_an_engine_is_asked_until_it_fails(breaker: Breaker, patient: Patient) -> None:
    assert asked(breaker)
    breaker.trip("it broke")
    assert not asked(breaker)
    assert patient.looks == 0


def test_nobody_looks_again_before_some_seconds_are_over(
    breaker: Breaker, patient: Patient, clock: FrozenDateTimeFactory
) -> None:
    breaker.trip("it broke")
    for _ in range(3):
        clock.tick(5)
        assert [asked(breaker) for _ in range(10)] == [False] * 10
    assert patient.looks == 3


def test_nobody_looks_while_nobody_asks(
    breaker: Breaker, patient: Patient, clock: FrozenDateTimeFactory
) -> None:
    breaker.trip("it broke")
    clock.tick(3600)
    assert patient.looks == 0


def test_whoever_asks_does_not_wait_for_the_look_and_the_next_ones_gain_by_it(
    breaker: Breaker, patient: Patient, clock: FrozenDateTimeFactory
) -> None:
    breaker.trip("it broke")
    patient.well = True
    clock.tick(5)
    assert [asked(breaker), asked(breaker)] == [False, True]


def test_one_look_at_a_time(clock: FrozenDateTimeFactory) -> None:
    go_on = threading.Event()
    looks: list[int] = []

    def slow() -> bool:
        looks.append(1)
        return go_on.wait()

    breaker = Breaker("default", slow)
    breaker.trip("it broke")
    clock.tick(5)
    assert [breaker.allows() for _ in range(5)] == [False] * 5
    go_on.set()
    asked(breaker)
    assert len(looks) == 1
    assert asked(breaker)


def test_where_no_thread_can_be_had_the_next_one_looks(
    breaker: Breaker, patient: Patient, clock: FrozenDateTimeFactory, monkeypatch: Any
) -> None:
    breaker.trip("it broke")
    patient.well = True
    clock.tick(5)
    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", _no_thread)
        assert not breaker.allows()
    clock.tick(5)
    assert [asked(breaker), asked(breaker)] == [False, True]


def _no_thread(thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def test_an_outage_is_told_of_once_and_so_is_its_end(
    breaker: Breaker,
    patient: Patient,
    clock: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    breaker.trip("it broke")
    breaker.trip("it is still broken")
    patient.well = True
    clock.tick(5)
    asked(breaker)
    told = [message.partition(":")[0] for message in caplog.messages]
    assert told == ["cache_unavailable", "cache_available"]
    assert "it broke" in caplog.messages[0]


def test_an_engine_that_fails_soon_after_a_look_is_looked_at_less_often(
    breaker: Breaker, patient: Patient, clock: FrozenDateTimeFactory
) -> None:
    patient.well = True
    waits = []
    for _ in range(6):
        breaker.trip("one of its servers is gone")
        waits.append(seconds_until_asked(breaker, clock))
    assert waits == [5, 10, 20, 40, 60, 60]
    clock.tick(60)
    breaker.trip("it broke")
    assert seconds_until_asked(breaker, clock) == 5


def seconds_until_asked(breaker: Breaker, clock: FrozenDateTimeFactory) -> int:
    for waited in range(100):
        asked(breaker)
        if not breaker.is_open:
            return waited
        clock.tick(1)
    raise AssertionError("nobody looks")
