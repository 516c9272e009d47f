"""One stretch of the log under the rules in force, and beside them under those that are tried."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from ..conf import conf
from ..declarations.setting import trying
from ..engine.rules import Rule
from ..engine.ruleset import rules_in_force
from .findings import Begun, Findings
from .people import People
from .reading import Guess, Release, events, first_moment
from .replay import Replay
from .rows import Clock

#: So often somebody is told how far it is.
_TELL: Final = 2_000
#: After so many events it is looked whether the time is up.
_OFTEN: Final = 16
#: Told of it: the share of the log (0 to 1), and the events met so far.
Tell = Callable[[float, int], object]


@dataclass(frozen=True, slots=True)
class Side:
    """What one set of rules would have done."""

    preset: str
    rules: tuple[Rule, ...]
    findings: Findings


@dataclass(slots=True)
class Comparison:
    """What came of it."""

    since: datetime
    #: Until when it came: earlier than asked for where the time was up.
    until: datetime
    in_force: Side
    #: ``None``: nothing was tried.
    tried: Side | None
    is_whole: bool = True
    #: Wrong and right passwords of the log in that time.
    failures: int = 0
    successes: int = 0

    @property
    def sides(self) -> list[Side]:
        """The one or two of them."""
        return [self.in_force, self.tried] if self.tried else [self.in_force]


@contextmanager
def rare_collections() -> Iterator[None]:
    """Look for garbage less often in this process: a third of the time of a million rows.

    What a replay remembers is no garbage.
    """
    thresholds = gc.get_threshold()
    gc.set_threshold(200_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)


def compare(
    since: datetime,
    until: datetime,
    tried: Mapping[str, Any] | None = None,
    *,
    on_lock: Callable[[Begun], object] | None = None,
    tell: Tell | None = None,
    seconds: float = float("inf"),
) -> Comparison:
    """Replay the log from `since` to `until`; `tried` is what `trial.checked` returns.

    What happened before is met as well, as far as a rule reaches back, and is not counted.
    `on_lock` is told of the locks of the rules in force. After so many `seconds` it ends early.
    """
    with trying({}):
        in_force = _side(since, on_lock)
        other = None
        if tried is not None:
            with trying(tried):
                other = _side(since)
        comparison = Comparison(since, until, in_force, other)
        _run(comparison, tell, time.monotonic() + seconds)
    return comparison


def _side(since: datetime, on_lock: Callable[[Begun], object] | None = None) -> Side:
    return Side(conf.preset, rules_in_force(), Findings(since, on_lock))


def _run(comparison: Comparison, tell: Tell | None, deadline: float) -> None:
    first = first_moment()
    if first is None:
        return
    people = People()
    clock = Clock(first)
    replays = [Replay(side.rules, side.findings, people, clock) for side in comparison.sides]
    reach = max(replay.reach for replay in replays)
    # Not the later of the two moments: what rules reach back to may lie before all calendars.
    start = first if comparison.since - first <= reach else comparison.since - reach
    length = comparison.until - start
    for number, event in enumerate(events(start, comparison.until, clock)):
        if number % _OFTEN == 0 and time.monotonic() > deadline:
            comparison.until, comparison.is_whole = max(event.when, comparison.since), False
            return
        if tell and number % _TELL == 0:
            tell((event.when - start) / length, number)
        for replay in replays:
            replay.meet(event)
        if event.when >= comparison.since and not isinstance(event, Release):
            is_failure = isinstance(event, Guess)
            comparison.failures += is_failure
            comparison.successes += not is_failure
