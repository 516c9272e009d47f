"""The rules in force: the default ones, with the site's changes, or a list of its own.

Settings are read here, once an attempt, and in no decision below.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final

from django.utils.module_loading import import_string

from ..conf import conf
from ..declarations.setting import Fault
from ..declarations.values import shown
from .presets import adapted
from .rules import ACCOUNT, DAY, HOUR, EndedBy, LockTerms, Mode, Rule

logger = logging.getLogger("lockout_admin")

#: The id of the check that finds what only the engine can tell of RULES.
CHECK: Final = "E019"


_of_defences: list[Callable[[], tuple[Rule, ...]]] = []


def add_default_rules(rules: Callable[[], tuple[Rule, ...]]) -> None:
    """Have a defence's rules among the default ones. They are asked for with each attempt."""
    if rules not in _of_defences:
        _of_defences.append(rules)


def rules_in_force() -> tuple[Rule, ...]:
    """Return the rules by which attempts are decided: those that the site wrote, in its mode."""
    rules = written_rules()
    if conf.only_watches:
        return tuple(replace(rule, mode=Mode.MONITOR) for rule in rules)
    return rules


def written_rules() -> tuple[Rule, ...]:
    """Return the site's rules: the default ones with its changes, or a list of its own."""
    declared = conf.rules
    if isinstance(declared, dict):
        return _with_changes((*default_rules(), *_asked_for(declared)), declared)
    try:
        return _listed(declared)
    except ValueError as error:
        logger.error("rules_unreadable: %s The default rules hold.", error)
        return default_rules()


def longest_beyond(seconds: float) -> Rule | None:
    """Return the rule that counts for the longest, if it counts what is older than `seconds`.

    What is deleted before its interval is over counts no more.
    """
    longer = [rule for rule in written_rules() if rule.interval > seconds and not rule.ends_trust]
    return max(longer, key=attrgetter("interval"), default=None)


def default_rules() -> tuple[Rule, ...]:
    """Return the rules that hold where the site says nothing: of names, and of each defence."""
    return account_rules() + tuple(rule for rules in _of_defences for rule in rules())


def account_rules() -> tuple[Rule, ...]:
    """Return the default rules that limit guesses on a name.

    The first is what people know. By itself it lets a patient stranger try 4,215 passwords a day
    (one in 20.5 seconds makes no four in a minute). With the slower ones nobody gets more than 34
    evaluated on a name in 24 hours, and 130 in 30 days (NIST SP 800-63B-4, 3.2.2: 100 in a row).
    """
    growing = (
        conf.account_locked_timeout_secs,
        conf.lock_growth_factor,
        conf.lock_max_secs,
        conf.lock_growth_window_secs,
    )
    rules = _default(conf.max_failed_login_attempts, conf.failed_login_interval_secs, *growing)
    return adapted(rules, conf.preset)


def delay_rule() -> Rule:
    """Return the rule `delay`, which is in force where RULES names it, as the preset has it."""
    (rule,) = adapted((_DELAY,), conf.preset)
    return rule


def _asked_for(declared: dict[str, Any]) -> tuple[Rule, ...]:
    return (delay_rule(),) if _DELAY.name in declared else ()


def faults() -> list[Fault]:
    """Return what is wrong with RULES that its declaration can't tell."""
    declared = conf.rules
    if not isinstance(declared, dict):
        try:
            _listed(declared)
        except ValueError as error:
            return [Fault(CHECK, str(error), "List values of lockout_admin.engine.rules.Rule.")]
        return []
    known = {rule.name: rule for rule in (*default_rules(), delay_rule())}
    found = [
        Fault(
            CHECK,
            f"LOCKOUT_ADMIN['RULES'] changes {shown(name)}, which is no rule.",
            f"Rules by default: {', '.join(known)}. To add one, set RULES to a list of rules.",
        )
        for name in declared
        if name not in known
    ]
    changed = written_rules()
    found += [_growth_fault(rule) for rule in changed if rule != known[rule.name] and _stays(rule)]
    return found + [_delay_fault(rule) for rule in changed if _outlasts(rule)]


def _stays(rule: Rule) -> bool:
    """Tell whether locks would grow, and may not."""
    return rule.lock.growth > 1 and rule.lock.longest <= rule.lock.first


def _growth_fault(rule: Rule) -> Fault:
    return Fault(
        CHECK,
        f"The rule {rule.name!r} grows, but its locks can't get longer than the first.",
        f"Set LOCKOUT_ADMIN['RULES'][{rule.name!r}]['longest'] to more than"
        f" {rule.lock.first} seconds.",
    )


def _outlasts(rule: Rule) -> bool:
    """Tell whether a rule would delay for longer than it counts: no wait is that long."""
    return rule.delays and max(rule.lock.first, rule.lock.longest) > rule.interval


def _delay_fault(rule: Rule) -> Fault:
    return Fault(
        CHECK,
        f"The rule {rule.name!r} waits for up to {max(rule.lock.first, rule.lock.longest)} seconds,"
        f" and counts what failed in the last {rule.interval}: no wait would last that long.",
        f"Set LOCKOUT_ADMIN['RULES'][{rule.name!r}]['interval'] to at least as many seconds.",
    )


@lru_cache(maxsize=8)
def _default(
    limit: int, interval: int, first: int, growth: float, longest: int, remembered: int
) -> tuple[Rule, ...]:
    account = Rule(
        "account",
        ACCOUNT,
        limit,
        interval,
        LockTerms(first, growth, longest, remembered),
        counts_repeats=True,
        ended_by=EndedBy.NETWORK,
        starts_anew=True,
    )
    own = EndedBy.BROWSER
    daily = Rule("account-daily", ACCOUNT, 10, DAY, LockTerms(HOUR), ended_by=own)
    total = Rule("account-total", ACCOUNT, 100, 30 * DAY, LockTerms(DAY), ended_by=own)
    return account, daily, total


#: After three fresh failures in an hour: 1 s, 2 s, 4 s … to a minute between the tries.
_DELAY: Final = Rule(
    "delay",
    ACCOUNT,
    3,
    HOUR,
    LockTerms(1, growth=2, longest=60),
    ended_by=EndedBy.NETWORK,
    delays=True,
)


def _with_changes(rules: Iterable[Rule], declared: dict[str, Any]) -> tuple[Rule, ...]:
    return tuple(changed for rule in rules if (changed := _changed(rule, declared)))


def _changed(rule: Rule, declared: dict[str, Any]) -> Rule | None:
    changes = declared.get(rule.name, {})
    if changes is None:
        return None
    if not changes:
        return rule
    terms = LockTerms(
        changes.get("lock", rule.lock.first),
        changes.get("growth", rule.lock.growth),
        changes.get("longest", rule.lock.longest),
        rule.lock.remembered,
    )
    return replace(
        rule,
        limit=changes.get("limit", rule.limit),
        interval=changes.get("interval", rule.interval),
        mode=Mode(changes.get("mode", rule.mode)),
        lock=terms,
    )


def _listed(declared: Any) -> tuple[Rule, ...]:
    """Return a site's own list of rules; raise `ValueError` that says what is wrong with it."""
    try:
        rules = tuple(import_string(declared) if isinstance(declared, str) else declared)
    except Exception as error:
        raise ValueError(
            f"LOCKOUT_ADMIN['RULES'] can't be read: {type(error).__name__}: {error}."
        ) from error
    strange = [rule for rule in rules if not isinstance(rule, Rule)]
    if strange or not rules:
        what = shown(strange[0]) if strange else "nothing"
        raise ValueError(f"LOCKOUT_ADMIN['RULES'] holds {what}, which is no Rule.")
    for rule in rules:
        if min(rule.limit, rule.interval, rule.lock.first) < 1:
            raise ValueError(
                f"LOCKOUT_ADMIN['RULES'] has the rule {rule.name!r} with a limit, an interval or a"
                " lock below 1."
            )
        if _outlasts(rule):
            raise ValueError(f"LOCKOUT_ADMIN['RULES']: {_delay_fault(rule).problem}")
    name, times = Counter(rule.name for rule in rules).most_common(1)[0]
    if times > 1:
        raise ValueError(f"LOCKOUT_ADMIN['RULES'] has {times} rules of the name {name!r}.")
    return rules
