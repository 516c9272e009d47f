"""Clauses of standards, and whether the rules in force keep them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from ..conf import conf
from ..declarations.values import LONGEST
from ..defences import devices
from ..engine.rules import ACCOUNT, DAY, HOUR, MINUTE, Rule
from ..notifications import notifiers
from . import worst

#: What a clause asks of the rules that refuse, and of how many names an account has: each name has
#: limits of its own.
Question = Callable[[Sequence[Rule], int], bool]

#: The most wrong passwords a day at which guessing is limited; ASVS leaves the number open.
_MOST_A_DAY: Final = 100
#: … and the most names an hour, of one network.
_MOST_NAMES: Final = 100


@dataclass(frozen=True, slots=True)
class Clause:
    """A demand of a standard."""

    #: The preset that promises it.
    preset: str
    standard: str
    says: Any
    #: What answers it.
    settings: tuple[str, ...]
    remedy: Any
    is_kept: Question

    def holds(self, rules: Sequence[Rule], names: int = 1) -> bool:
        """Tell whether the rules keep it; those that only watch keep nothing.

        `names` says by how many names an account can be entered.
        """
        return self.is_kept(rules, names)


# -- Questions ----------------------------------------------------------------------------------


def _on_names(rules: Sequence[Rule]) -> list[Rule]:
    return [rule for rule in rules if rule.scope.name == ACCOUNT.name and _locks(rule)]


def _locks(rule: Rule) -> bool:
    """Tell whether it locks what fails too often; on one name, names are never many."""
    is_of_names = rule.counts_names and rule.scope.name == ACCOUNT.name
    return rule.enforces and not (rule.delays or rule.ends_trust or is_of_names)


def _counts_all(rule: Rule) -> bool:
    return rule.scope.binds_devices and rule.counts_repeats


def _after(limit: int, interval: int) -> Question:
    """Ask whether so many failures in so long lock a name, whatever they are and wherever from."""
    return lambda rules, names: any(
        _counts_all(rule) and names * rule.limit <= limit and rule.interval >= interval
        for rule in _on_names(rules)
    )


def _for_long(seconds: int) -> Question:
    """Ask whether no lock on a name, or on a device, is shorter."""

    def is_kept(rules: Sequence[Rule], _names: int) -> bool:
        locking = [
            rule
            for rule in rules
            if (rule.scope.name == ACCOUNT.name or rule.scope.is_of_devices) and _locks(rule)
        ]
        return bool(locking) and all(rule.lock.first >= seconds for rule in locking)

    return is_kept


def _until_staff(rules: Sequence[Rule], names: int) -> bool:
    of_staff = (rule for rule in _on_names(rules) if rule.staff_only)
    lasting = [rule for rule in of_staff if rule.lock.first >= LONGEST]
    return conf.retention_secs >= LONGEST and _after(100, LONGEST)(lasting, names)


def _cis(rules: Sequence[Rule], names: int) -> bool:
    of_names = any(_counts_to_five(rule, names) for rule in _on_names(rules))
    of_devices = [rule for rule in rules if rule.scope.is_of_devices and _locks(rule)]
    # A device is locked by itself, whichever name of its account is typed.
    is_left_out = devices.can_trust(rules) and not any(
        _counts_to_five(one, 1) for one in of_devices
    )
    return of_names and not is_left_out


def _counts_to_five(rule: Rule, names: int) -> bool:
    return rule.counts_repeats and names * rule.limit <= 5 and rule.interval >= 15 * MINUTE


def _cnil(rules: Sequence[Rule], names: int) -> bool:
    return _at_most(25, rules, names)


def _at_most(limit: int, rules: Sequence[Rule], names: int) -> bool:
    """Ask whether at most so many are evaluated on an account in a day, at the worst pace.

    By strangers under each of its names, and, with a copy of its cookie, as one trusted device.
    """
    by_strangers = worst.most(worst.of_scope(rules, ACCOUNT.name), DAY)
    by_device: int | None = 0
    if devices.can_trust(rules):
        by_device = worst.most(worst.of_scope(rules, devices.DEVICE.name), DAY)
    if by_strangers is None or by_device is None:
        return False
    return names * by_strangers + by_device <= limit


def _owners_get_in(rules: Sequence[Rule], names: int) -> bool:
    return devices.can_trust(rules) or notifiers.owners_are_told()


def _both_ways(rules: Sequence[Rule], names: int) -> bool:
    tried = worst.most(worst.of_scope(rules, "network", names=True), HOUR)
    return _at_most(_MOST_A_DAY, rules, names) and tried is not None and tried <= _MOST_NAMES


def _owners_are_told(rules: Sequence[Rule], names: int) -> bool:
    return notifiers.owners_are_told()


# -- Clauses ------------------------------------------------------------------------------------

_PLAIN: Final = (
    "MAX_FAILED_LOGIN_ATTEMPTS",
    "FAILED_LOGIN_INTERVAL_SECS",
    "ACCOUNT_LOCKED_TIMEOUT_SECS",
)

CLAUSES: Final = (
    Clause(
        "owasp",
        "OWASP ASVS 5.0, 6.1.1",
        _("It is written down how guessing is limited, and how owners get in all the same."),
        ("DEVICE_COOKIE_NAME", "BASE_URL", "NOTIFIERS"),
        _("Name a cookie in DEVICE_COOKIE_NAME, or let owners have mails (BASE_URL, NOTIFIERS)."),
        _owners_get_in,
    ),
    Clause(
        "owasp",
        "OWASP ASVS 5.0, 6.3.1",
        _("Guessing on one account is limited, and one password tried on many."),
        ("PRESET", "RULES"),
        _("Leave the rules account, account-daily and spraying in RULES as they are."),
        _both_ways,
    ),
    Clause(
        "",
        "OWASP ASVS 5.0, 6.3.5",
        _("Owners are told when somebody tries to get into their account."),
        ("BASE_URL", "NOTIFIERS"),
        _("Set BASE_URL, and have MailNotifier in NOTIFIERS."),
        _owners_are_told,
    ),
    Clause(
        "nist",
        "NIST SP 800-63B-4, 3.2.2",
        _(
            "At most 100 wrong passwords on an account in all, until somebody has made sure who the"
            " owner is."
        ),
        ("PRESET", "RULES", "RETENTION_SECS"),
        _("Set PRESET to nist, and leave account-total in RULES and RETENTION_SECS as they are."),
        _until_staff,
    ),
    Clause(
        "pci",
        "PCI DSS 4.0.1, 8.3.4",
        _("At most 10 wrong passwords lock an account, wherever they come from."),
        ("PRESET", "RULES"),
        _("Set PRESET to pci, and leave account-daily in RULES at 10 or less."),
        _after(10, DAY),
    ),
    Clause(
        "pci",
        "PCI DSS 4.0.1, 8.3.4",
        _("A lock lasts for at least 30 minutes, or until the owner has proved to be one."),
        ("ACCOUNT_LOCKED_TIMEOUT_SECS", "RULES"),
        _("Set ACCOUNT_LOCKED_TIMEOUT_SECS, and each lock in RULES, to at least 1800."),
        _for_long(30 * MINUTE),
    ),
    Clause(
        "cis",
        "CIS Benchmarks",
        _("At most 5 wrong passwords lock an account, and count for at least 15 minutes."),
        _PLAIN[:2],
        _(
            "Set MAX_FAILED_LOGIN_ATTEMPTS to at most 5 and FAILED_LOGIN_INTERVAL_SECS to at least"
            " 900."
        ),
        _cis,
    ),
    Clause(
        "cis",
        "CIS Benchmarks",
        _("A lock lasts for at least 15 minutes."),
        (*_PLAIN[2:], "RULES"),
        _("Set ACCOUNT_LOCKED_TIMEOUT_SECS, and each lock in RULES, to at least 900."),
        _for_long(15 * MINUTE),
    ),
    Clause(
        "cnil",
        "CNIL 2022-100",
        _("At most 25 passwords are tried on an account in 24 hours."),
        ("PRESET", "RULES"),
        _("Set PRESET to cnil, or a lower limit or a longer lock for account-daily in RULES."),
        _cnil,
    ),
)


def contradicted(preset: str, rules: Sequence[Rule], names: int = 1) -> list[Clause]:
    """Return the clauses that a preset promises, and the rules in force do not keep."""
    promised = (clause for clause in CLAUSES if clause.preset == preset)
    return [clause for clause in promised if not clause.holds(rules, names)]
