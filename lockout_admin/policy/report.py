"""What the rules in force promise, put together for a page, a command and programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..conf import SETTINGS, conf
from ..declarations.ruleset import MONITOR
from ..declarations.values import shown
from ..defences.networks import MOST_ACCOUNTS
from ..engine.rules import ACCOUNT, DAY, HOUR, Rule
from ..engine.ruleset import rules_in_force
from ..identity import columns
from . import words, worst
from .clauses import CLAUSES, Clause

#: More names than any limit leaves a try for.
_MANY_NAMES: Final = 10**6

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
    #: Whether it holds for each name alone: by how many an account is found, only a backend knows.
    for_each_name: bool = False

    @property
    def settings(self) -> list[str]:
        """The settings that answer it, with their values."""
        values = {setting.name: setting.__get__(conf, type(conf)) for setting in SETTINGS}
        return [f"{name} = {shown(values[name])}" for name in self.clause.settings]


@dataclass(frozen=True, slots=True)
class Report:
    """What a site promises."""

    preset: str
    rules: tuple[Rule, ...]
    mode: str = "enforce"
    #: By how many names an account can be entered: each has limits of its own.
    names: int = 1
    #: Whether there are names that only a backend knows.
    has_untold: bool = False

    @classmethod
    def now(cls) -> Report:
        """Return the report on the rules in force."""
        return cls(
            conf.preset,
            rules_in_force(),
            conf.mode,
            columns.number_said(),
            columns.some_are_untold(),
        )

    @property
    def said_of_names(self) -> str:
        """What there is to say of accounts with several names; empty: they have one."""
        if self.has_untold:
            return _(
                "A backend finds accounts by names that only it knows, and each has limits of its"
                " own: the figures and the clauses are for each name."
            )
        if self.names == 1:
            return ""
        return _(
            "An account can be entered by %(count)s names, and each has limits of its own: the"
            " figures for an account are for all of them, and so is what clauses ask."
        ) % {"count": self.names}

    @property
    def only_watches(self) -> bool:
        """Whether nothing is refused, whatever the rules say."""
        return self.mode == MONITOR

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """The rules, each in words."""
        tell = (words.counted, words.limit, words.lock, words.mode)
        return [(rule.name, *(say(rule) for say in tell)) for rule in self.rules]

    @property
    def answers(self) -> list[Answer]:
        """The clauses, and whether they hold."""
        return [self._answer(clause) for clause in CLAUSES]

    def _answer(self, clause: Clause) -> Answer:
        holds = clause.holds(self.rules, self.names)
        depends = self.has_untold and holds and not clause.holds(self.rules, _MANY_NAMES)
        return Answer(clause, holds, for_each_name=depends)

    @property
    def figures(self) -> list[Figures]:
        """What gets through: on an account, from a device, from a network."""
        account, device = (
            _("one account, passwords of strangers"),
            _("one trusted device, or its copy"),
        )
        rules = [_as_recorded(rule) for rule in self.rules]
        found = [
            self._of("account", account, rules, ACCOUNT.name, times=self.names),
            self._of("device", device, rules, "device"),
        ]
        for scope, network in (
            ("network", _("one network")),
            ("wide-network", _("one IPv6 /48")),
        ):
            said = {"network": network, "count": MOST_ACCOUNTS}
            passwords = _("%(network)s, passwords") % said
            tried = _("%(network)s, names") % said
            vouched = _("%(network)s, passwords, where %(count)s accounts logged in today") % said
            raised = [
                replace(rule, limit=rule.limit + rule.credit * MOST_ACCOUNTS) for rule in rules
            ]
            found += [
                self._of(scope, passwords, rules, scope),
                self._of(f"{scope}-names", tried, rules, scope, counts_names=True),
                self._of(f"{scope}-vouched", vouched, raised, scope),
            ]
        return found

    @staticmethod
    def _of(
        key: str,
        label: str,
        rules: Sequence[Rule],
        scope: str,
        *,
        counts_names: bool = False,
        times: int = 1,
    ) -> Figures:
        own, others = (
            worst.of_scope(rules, scope, names=names) for names in (counts_names, not counts_names)
        )
        found = {name: worst.most(own, secs, others) for name, (secs, _said) in PERIODS.items()}
        most = {name: number and number * times for name, number in found.items()}
        return Figures(key, label, most)

    def as_json(self) -> dict[str, Any]:
        """Return it for programs; times are in seconds."""
        return {
            "preset": self.preset,
            "mode": self.mode,
            "names_of_an_account": self.names,
            "rules": [_fields(rule) for rule in self.rules],
            "most_evaluated": {figures.key: figures.most for figures in self.figures},
            "clauses": [
                {
                    "standard": answer.clause.standard,
                    "says": str(answer.clause.says),
                    "holds": answer.holds,
                    "for_each_name": answer.for_each_name,
                    "settings": answer.settings,
                }
                for answer in self.answers
            ],
        }


def _as_recorded(rule: Rule) -> Rule:
    """Return a rule as it counts: what retention has deleted is in no interval."""
    if rule.ends_trust:
        return rule
    return replace(rule, interval=min(rule.interval, conf.retention_secs))


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
        "delays": rule.delays,
        "credit": rule.credit,
        "mode": str(rule.mode),
    }
