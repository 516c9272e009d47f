"""What an attempt reads: of each matter the locks, and the failures that its rules can count."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

from ..models import FailedLogin
from .buckets import Matters
from .conditions import Condition, Missing, OneOf
from .rules import EndedBy, Matter, Rule

#: The rule of a lock by hand.
BY_HAND: Final = ""
#: How far apart the clocks of hosts may be: failures so much older are read, for their slots may
#: be held still.
CLOCKS_APART_SECS = 600
#: Locks of one rule that are read: the newest, and those that make the next one longer.
MOST_LOCKS: Final = 32
#: Failures that are read beyond the limit: those of an interval that a lock has ended.
_BEYOND = 16
#: Failures among which the newest of each name is found, for each name that a rule counts.
_ROWS_OF_A_NAME = 100


@dataclass(frozen=True, slots=True)
class LocksOf:
    """The part of the statement that reads the locks of a matter."""

    matter: Matter
    #: The name of the rule that put them on.
    rule: str
    #: How long ago they may have ended.
    seconds: int

    @property
    def shape(self) -> tuple[Any, ...]:
        """What the text of the statement depends on."""
        return ("locks", len(self.matter.keys))

    def parameters(self, connection: Any, now: datetime) -> list[Any]:
        """Return what goes into the statement, in its order."""
        since = now - timedelta(seconds=self.seconds)
        return [*self.matter.keys, self.rule, connection.ops.adapt_datetimefield_value(since)]


@dataclass(frozen=True, slots=True)
class FailuresOf:
    """The part that reads what rules of one kind count of a matter."""

    matter: Matter
    rules: tuple[Rule, ...]

    @property
    def shape(self) -> tuple[Any, ...]:
        """What the text of the statement depends on."""
        rule = self.rules[0]
        by_name = max((most_rows(one) for one in self.rules if one.counts_names), default=0)
        most = max((most_rows(one) for one in self.rules if not one.counts_names), default=0)
        conditions = tuple(map(_shape_of, self.matter.rows))
        # Whoever unlocks a name ends what counts for the name, and for nothing else.
        ends = ["released"] if self.matter.subject is not None else []
        ends += ["forgiven"] if rule.ended_by else []
        ends += ["cleared"] if rule.ended_by is EndedBy.NETWORK else []
        return ("failures", conditions, rule.counts_repeats, tuple(ends), most, by_name)

    def parameters(self, connection: Any, now: datetime) -> list[Any]:
        """Return what goes into the statement, in its order."""
        longest = max(rule.interval for rule in self.rules)
        since = now - timedelta(seconds=longest + CLOCKS_APART_SECS)
        values = [
            value for condition in self.matter.rows for value in _values(condition, connection)
        ]
        return [*values, connection.ops.adapt_datetimefield_value(since)]


Part: TypeAlias = LocksOf | FailuresOf


def parts_of(matters: Matters) -> list[Part]:
    """Return the parts of the statement, in its order."""
    parts: list[Part] = []
    for matter, rules in matters.values():
        parts.append(LocksOf(matter, BY_HAND, 0))
        kinds: dict[tuple[bool, EndedBy | None], list[Rule]] = {}
        for rule in rules:
            if not rule.delays:
                parts.append(LocksOf(matter, rule.name, reach(rule)))
            kinds.setdefault((rule.counts_repeats, rule.ended_by), []).append(rule)
        parts += [FailuresOf(matter, tuple(alike)) for alike in kinds.values()]
    return parts


def most_rows(rule: Rule) -> int:
    """Return among how many rows a rule finds what it counts: of few names there may be many."""
    most = rule.limit + (rule.lock.steps if rule.delays else 0)
    return (most * _ROWS_OF_A_NAME if rule.counts_names else most) + _BEYOND


def reach(rule: Rule) -> int:
    """Return for how many seconds after its end a lock still says what counts."""
    return max(rule.interval, rule.lock.remembered)


def _shape_of(condition: Condition) -> tuple[str, int | None]:
    if isinstance(condition, Missing):
        return condition.column, None
    return condition.column, len(condition.values) if isinstance(condition, OneOf) else 0


def _values(condition: Condition, connection: Any) -> Iterable[Any]:
    if isinstance(condition, Missing):
        return []
    field: Any = FailedLogin._meta.get_field(condition.column)
    given = condition.values if isinstance(condition, OneOf) else (condition.low, condition.high)
    return [field.get_db_prep_value(value, connection) for value in given]
