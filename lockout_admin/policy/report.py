"""What the rules in force promise, put together for a page, a command and programs."""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..conf import SETTINGS, conf
from ..defences.networks import MOST_ACCOUNTS
from ..engine.rules import ACCOUNT, DAY, HOUR, Rule
from ..engine.ruleset import rules_in_force
from . import words, worst
from .clauses import CLAUSES, Clause

#: The times for which figures are given.
PERIODS: Final = {
    "hour": (HOUR, gettext_lazy("in an hour")),
    "day": (DAY, gettext_lazy("in a day")),
    "month": (30 * DAY, gettext_lazy("in 30 days")),
    "year": (365 * DAY, gettext_lazy("in a year")),
}


@dataclass(frozen=True, slots=True)
class Figures:
    """How many get through at most, at the worst pace."""

    #: For programs.
    key: str
    label: str
    #: By period; ``None``: there is no limit.
    most: dict[str, int | None]

    @property
    def said(self) -> list[str]:
        """The numbers as a reader writes them."""
        return [words.figure(number) for number in self.most.values()]


@dataclass(frozen=True, slots=True)
class Answer:
    """A clause, whether it holds, and by which settings."""

    clause: Clause
    holds: bool

    @property
    def settings(self) -> list[str]:
        """The settings that answer it, with their values."""
        values = {setting.name: setting.__get__(conf, type(conf)) for setting in SETTINGS}
        return [f"{name} = {reprlib.repr(values[name])}" for name in self.clause.settings]


@dataclass(frozen=True, slots=True)
class Report:
    """What a site promises."""

    preset: str
    rules: tuple[Rule, ...]

    @classmethod
    def now(cls) -> Report:
        """Return the report on the rules in force."""
        return cls(conf.preset, rules_in_force())

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """The rules, each in words."""
        tell = (words.counted, words.limit, words.lock, words.mode)
        return [(rule.name, *(say(rule) for say in tell)) for rule in self.rules]

    @property
    def answers(self) -> list[Answer]:
        """The clauses, and whether they hold."""
        return [Answer(clause, clause.holds(self.rules)) for clause in CLAUSES]

    @property
    def figures(self) -> list[Figures]:
        """What gets through: on an account, from a device, from a network."""
        account, device = (
            _("one account, passwords of strangers"),
            _("one trusted device, or its copy"),
        )
        found = [
            self._of("account", account, self.rules, ACCOUNT.name),
            self._of("device", device, self.rules, "device"),
        ]
        for scope, network in (
            ("network", _("one network")),
            ("wide-network", _("one IPv6 /48")),
        ):
            said = {"network": network, "count": MOST_ACCOUNTS}
            passwords = _("%(network)s, passwords") % said
            names = _("%(network)s, names") % said
            vouched = _("%(network)s, passwords, where %(count)s accounts vouch for it") % said
            raised = [
                replace(rule, limit=rule.limit + rule.credit * MOST_ACCOUNTS) for rule in self.rules
            ]
            found += [
                self._of(scope, passwords, self.rules, scope),
                self._of(f"{scope}-names", names, self.rules, scope, names=True),
                self._of(f"{scope}-vouched", vouched, raised, scope),
            ]
        return found

    @staticmethod
    def _of(
        key: str, label: str, rules: Sequence[Rule], scope: str, *, names: bool = False
    ) -> Figures:
        of_scope = worst.of_scope(rules, scope, names=names)
        most = {name: worst.most(of_scope, secs) for name, (secs, _said) in PERIODS.items()}
        return Figures(key, label, most)

    def as_json(self) -> dict[str, Any]:
        """Return it for programs; times are in seconds."""
        return {
            "preset": self.preset,
            "rules": [_fields(rule) for rule in self.rules],
            "most_evaluated": {figures.key: figures.most for figures in self.figures},
            "clauses": [
                {
                    "standard": answer.clause.standard,
                    "says": str(answer.clause.says),
                    "holds": answer.holds,
                    "settings": answer.settings,
                }
                for answer in self.answers
            ],
        }


def _fields(rule: Rule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "scope": rule.scope.name,
        "limit": rule.limit,
        "interval": rule.interval,
        "lock": rule.lock.first,
        "growth": rule.lock.growth,
        "longest": max(rule.lock.longest, rule.lock.first),
        "starts_anew": rule.starts_anew,
        "counts_names": rule.counts_names,
        "counts_repeats": rule.counts_repeats,
        "counts_devices": rule.scope.binds_devices,
        "staff_only": rule.staff_only,
        "ends_trust": rule.ends_trust,
        "credit": rule.credit,
        "mode": str(rule.mode),
    }
