"""The default rules on names as a preset has them; its settings are in `declarations.presets`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Final

from ..declarations.values import LONGEST
from .conditions import OneOf
from .rules import ACCOUNT, HOUR, Facts, LockTerms, Matter, Rule, Scope


def _of_all(facts: Facts) -> Matter:
    subject = facts.subject
    rows = (OneOf("subject", subject.keys),)
    return Matter(ACCOUNT.name, subject.keys, subject.username, rows, subject.key)


#: Wrong passwords on a name by strangers and from trusted devices, which its locks bind as well.
ACCOUNT_OF_ALL: Final = Scope(
    ACCOUNT.name,
    _of_all,
    reserves=True,
    binds_devices=True,
    brief=lambda facts: facts.subject.key,
)


def _counts_all(rule: Rule) -> Rule:
    return replace(rule, scope=ACCOUNT_OF_ALL, counts_repeats=True)


def _nist(rule: Rule) -> Rule:
    rule = _counts_all(rule)
    if rule.name != "account-total":
        return rule
    return replace(rule, interval=LONGEST, lock=LockTerms(LONGEST), staff_only=True)


def _cnil(rule: Rule) -> Rule:
    return replace(rule, lock=LockTerms(5 * HOUR)) if rule.name == "account-daily" else rule


_CHANGES: Final[dict[str, Callable[[Rule], Rule]]] = {
    "pci": _counts_all,
    "nist": _nist,
    "cnil": _cnil,
}


@lru_cache(maxsize=16)
def adapted(rules: tuple[Rule, ...], preset: str) -> tuple[Rule, ...]:
    """Return the default rules on names as a preset has them."""
    change = _CHANGES.get(preset)
    return tuple(map(change, rules)) if change else rules
