"""Checks of the rules in force, put together."""

from __future__ import annotations

from typing import Any, Final

from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as CheckWarning

from ..conf import conf
from ..engine.ruleset import CHECK, faults, longest_beyond, written_rules


@register(Tags.security)
def rules_exist(**kwargs: Any) -> list[CheckMessage]:
    """E019: RULES changes rules that there are, or lists rules, each name once."""
    return [
        Error(fault.problem, hint=fault.remedy, id=f"lockout_admin.{CHECK}") for fault in faults()
    ]


#: Failures in a row that an authenticator may take (NIST SP 800-63B-4, 3.2.2).
_MOST: Final = 100


@register(Tags.security)
def records_last_as_long_as_rules_count(**kwargs: Any) -> list[CheckMessage]:
    """W028: what is pruned before its interval is over counts no more."""
    rule = longest_beyond(conf.retention_secs)
    if rule is None:
        return []
    return [
        CheckWarning(
            f"LOCKOUT_ADMIN['RETENTION_SECS'] is {conf.retention_secs}, and the rule {rule.name!r}"
            f" counts what is younger than {rule.interval} seconds: what is pruned before counts"
            " no more.",
            hint="Keep records as long as your rules count, or drop the rule in RULES.",
            id="lockout_admin.W028",
        )
    ]


@register(Tags.security)
def something_is_refused(**kwargs: Any) -> list[CheckMessage]:
    """W022: without a rule that limits guesses on a name, a botnet has no limit."""
    # What MODE makes of them is for a time; see W041.
    of_names = [rule for rule in written_rules() if rule.scope.reserves and not rule.delays]
    strict = [rule for rule in of_names if rule.enforces and rule.limit <= _MOST]
    if any(not rule.scope.is_of_devices for rule in strict):
        return []
    return [
        CheckWarning(
            "No rule of LOCKOUT_ADMIN['RULES'] limits the guesses on a name to a hundred in a row"
            " (NIST SP 800-63B-4, 3.2.2): whoever has many addresses has as many as he likes.",
            hint="Leave at least one rule of the scope 'account' in mode 'enforce', with a limit of"
            " at most 100.",
            id="lockout_admin.W022",
        )
    ]
