"""What a comparison found, in words for people and in numbers for programs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from . import words
from .comparison import Comparison, Side
from .findings import Findings

#: What no log can know, and so no replay of it.
LIMITS: Final = (
    gettext_lazy(
        "A password that was refused was never compared and has no record. Rules that are looser"
        " than those of that time would have let more through, and locked more, than is said here."
    ),
    gettext_lazy(
        "Of refused attempts there is a count and a sample of addresses, no more: neither whose"
        " they were nor whether they repeated one password."
    ),
    gettext_lazy(
        "Which browsers were trusted, and who came in, is as it was: a login that is refused here"
        " happened, and so did all that followed it. Whoever came in counts as honest."
    ),
    gettext_lazy(
        "Names and allowed networks are as they are today. What was pruned is gone, a count that"
        " was ended without a lock has no time, and of the logins of an API client one in 15"
        " minutes is recorded."
    ),
)

#: Where the rules in force would have refused what was compared.
OTHER_RULES: Final = gettext_lazy(
    "The rules in force would have refused some of these: other rules were in force at that time."
)

_FIGURES: Final[dict[str, tuple[Any, Callable[[Findings], int]]]] = {
    "evaluated": (gettext_lazy("wrong passwords compared"), lambda found: found.evaluated),
    "refused": (gettext_lazy("wrong passwords refused"), lambda found: found.refused),
    "locks": (gettext_lazy("locks"), lambda found: found.locks.total()),
    "locks_on_names": (gettext_lazy("locks on names"), lambda found: found.on_names),
    "likely_false": (
        gettext_lazy("of these likely false: the owner came in right after, from the same place"),
        lambda found: found.likely_false,
    ),
    "networks": (gettext_lazy("networks locked"), lambda found: len(found.networks)),
    "people_behind_networks": (
        gettext_lazy("honest people behind them who would have been refused"),
        lambda found: len(found.people),
    ),
    "logins_refused": (gettext_lazy("right passwords refused"), lambda found: found.kept_out),
    "owners_refused": (
        gettext_lazy("people whose right password was refused"),
        lambda found: len(found.owners),
    ),
    "would_have_locked": (
        gettext_lazy("locks that rules which only watch would have put on"),
        lambda found: found.watched.total(),
    ),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One figure, for each side."""

    label: str
    numbers: tuple[int, ...]
    #: Whether it is the name of a rule, the same in each language.
    is_rule: bool = False

    @property
    def said(self) -> list[str]:
        """The numbers as a reader writes them."""
        return [words.figure(number) for number in self.numbers]


def lines(comparison: Comparison) -> list[Line]:
    """Return the figures."""
    findings = [side.findings for side in comparison.sides]
    return [
        Line(str(label), tuple(count(found) for found in findings))
        for label, count in _FIGURES.values()
    ]


def lines_of_rules(comparison: Comparison) -> list[Line]:
    """Return the locks by rule, those that only watch included."""
    names = dict.fromkeys(rule.name for side in comparison.sides for rule in side.rules)
    found = [side.findings.locks + side.findings.watched for side in comparison.sides]
    return [Line(name, tuple(counts[name] for counts in found), is_rule=True) for name in names]


def were_others(comparison: Comparison) -> bool:
    """Tell whether other rules than those in force let these passwords be compared."""
    return comparison.in_force.findings.refused > 0


def heads(comparison: Comparison) -> list[str]:
    """Return what the columns of figures are called."""
    tried = [_("rules tried")] if comparison.tried else []
    return [_("rules in force"), *tried]


def as_json(comparison: Comparison) -> dict[str, Any]:
    """Return it for programs; moments are in ISO 8601."""
    return {
        "since": comparison.since.isoformat(),
        "until": comparison.until.isoformat(),
        "is_whole": comparison.is_whole,
        "failures": comparison.failures,
        "successes": comparison.successes,
        "in_force": _figures(comparison.in_force),
        "tried": _figures(comparison.tried) if comparison.tried else None,
        "other_rules_were_in_force": were_others(comparison),
        "cannot_know": [str(limit) for limit in LIMITS],
    }


def _figures(side: Side) -> dict[str, Any]:
    found = side.findings
    figures = {key: count(found) for key, (_label, count) in _FIGURES.items()}
    by_rule = {rule.name: (found.locks + found.watched)[rule.name] for rule in side.rules}
    return {"preset": side.preset, **figures, "locks_by_rule": by_rule}
