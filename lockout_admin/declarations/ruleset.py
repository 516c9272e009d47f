"""The settings that change the rules in force."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .presets import PRESETS
from .setting import Fault, Setting
from .values import LONGEST, is_dotted_path, is_list, is_number, is_whole, shown

#: The changes to rules by their names; ``None`` drops one.
Changes = dict[str, dict[str, Any] | None]


#: What a rule may do: refuse and lock, or record what it would have done.
MONITOR: Final = "monitor"
MODES: Final = ("enforce", MONITOR)


@dataclass(frozen=True, slots=True)
class Term:
    """One thing about a rule that a site may change."""

    accepts: Callable[[Any], bool]
    kind: str


_SECONDS: Final = Term(
    lambda value: is_whole(value, 1, LONGEST),
    f"a whole number from 1 to {LONGEST}",
)
#: The highest limit of a rule that RULES may say.
MOST_OF_A_LIMIT: Final = 100_000
TERMS: Final = {
    "limit": Term(
        lambda value: is_whole(value, 1, MOST_OF_A_LIMIT),
        f"a whole number from 1 to {MOST_OF_A_LIMIT}",
    ),
    "interval": _SECONDS,
    "lock": _SECONDS,
    "growth": Term(lambda value: is_number(value, 1, 100), "a number from 1 to 100"),
    "longest": _SECONDS,
    "mode": Term(lambda value: isinstance(value, str) and value in MODES, "'enforce' or 'monitor'"),
}


def _are_changes(changes: Any) -> bool:
    if not isinstance(changes, dict):
        return changes is None
    return all(key in TERMS and TERMS[key].accepts(value) for key, value in changes.items())


class Mode(Setting[str]):
    """What all rules do, and whatever else refuses, unless a person has put it on."""

    kind = "'enforce' or 'monitor'"

    def accepts(self, value: Any) -> bool:
        """Tell whether it is one of the two."""
        return isinstance(value, str) and value in MODES


class Preset(Setting[str]):
    """The standard whose rules hold where the site says nothing else."""

    kind = f"one of: {', '.join(map(repr, PRESETS))}"

    def accepts(self, value: Any) -> bool:
        """Tell whether there is one of this name."""
        return isinstance(value, str) and value in PRESETS


class Ruleset(Setting[Changes | Sequence[Any] | str]):
    """Changes to the rules by name, or rules in place of them.

    Which names there are, and what a list or a path holds, only the engine can tell.
    """

    check = "E018"
    kind = "a dict of changes by the names of rules, a list of rules, or the dotted path of one"

    def faults_of_wrong(self, value: Any) -> list[Fault]:
        """Return what is wrong with a value: one fault a term."""
        if not isinstance(value, dict):
            return super().faults_of_wrong(value)
        return [fault for name, changes in value.items() for fault in self._of_rule(name, changes)]

    def accepts(self, value: Any) -> bool:
        """Tell whether it may stand for rules. An empty list does not: nothing would be limited."""
        if isinstance(value, dict):
            return all(map(_are_changes, value.values()))
        return is_dotted_path(value) or (is_list(value) and len(value) > 0)

    def _of_rule(self, name: Any, changes: Any) -> list[Fault]:
        label = f"{self.label}[{shown(name)}]"
        if changes is None:
            return []
        if not isinstance(changes, dict):
            problem = f"{label} is {shown(changes)}."
            return [Fault(self.check, problem, "Set it to a dict of terms, or to None.")]
        faults = (self._of_term(label, key, value) for key, value in changes.items())
        return [fault for fault in faults if fault]

    def _of_term(self, label: str, key: Any, value: Any) -> Fault | None:
        term = TERMS.get(key)
        if term is None:
            problem = f"{label} has an unknown key {shown(key)}."
            return Fault(self.check, problem, f"Known keys: {', '.join(TERMS)}.")
        if term.accepts(value):
            return None
        problem = f"{label}[{key!r}] is {shown(value)}."
        return Fault(self.check, problem, f"Set it to {term.kind}.")
