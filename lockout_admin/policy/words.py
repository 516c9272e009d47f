"""Rules in words, in the active language."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ..declarations.ruleset import MONITOR
from ..declarations.values import LONGEST
from ..engine.rules import ACCOUNT, DAY, HOUR, MINUTE, Rule
from ..figures import grouped

#: What a scope counts: failures, and names.
_COUNTED: Final = {
    ("account", False): gettext_lazy("wrong passwords of strangers on a name"),
    ("device", False): gettext_lazy("wrong passwords on a name from one trusted device"),
    ("network", False): gettext_lazy("wrong passwords of strangers from a network"),
    ("network", True): gettext_lazy("names that strangers failed from a network"),
    ("wide-network", False): gettext_lazy("wrong passwords of strangers from an IPv6 /48"),
    ("wide-network", True): gettext_lazy("names that strangers failed from an IPv6 /48"),
}


def duration(seconds: int) -> str:
    """Return a length of time in the greatest unit that it is a whole number of."""
    if seconds >= LONGEST:
        return _("for good")
    if seconds % DAY == 0 and seconds:
        days = seconds // DAY
        return ngettext("%(count)s day", "%(count)s days", days) % {"count": grouped(days)}
    for said, length in ((_("%(count)s h"), HOUR), (_("%(count)s min"), MINUTE)):
        if seconds % length == 0 and seconds:
            return said % {"count": grouped(seconds // length)}
    return _("%(count)s s") % {"count": grouped(seconds)}


def counted(rule: Rule) -> str:
    """Return what a rule counts."""
    if rule.scope.name == ACCOUNT.name and rule.scope.binds_devices:
        return _("wrong passwords on a name, from trusted devices and repetitions too")
    known = _COUNTED.get((rule.scope.name, rule.counts_names))
    if known is None:
        return rule.scope.name
    if rule.counts_repeats or rule.counts_names or rule.ends_trust:
        return str(known)
    return _("%(what)s, repetitions left out") % {"what": known}


def limit(rule: Rule) -> str:
    """Return how many in which time."""
    said = {"limit": grouped(rule.limit), "time": duration(rule.interval)}
    if rule.ends_trust or rule.interval >= LONGEST:
        return _("%(limit)s in all") % said
    if rule.credit:
        said["credit"] = str(rule.credit)
        return _("%(limit)s in %(time)s, and %(credit)s for each account that vouches") % said
    return _("%(limit)s in %(time)s") % said


def lock(rule: Rule) -> str:
    """Return how long the lock is, and what follows it."""
    if rule.ends_trust:
        return _("the browser is a stranger's again")
    if rule.staff_only:
        return _("until staff end it")
    terms = rule.lock
    length = duration(terms.first)
    if terms.growth > 1 and terms.longest > terms.first:
        said = {"first": length, "growth": f"{terms.growth:g}", "longest": duration(terms.longest)}
        length = _("%(first)s, each %(growth)s times as long, to %(longest)s") % said
    if rule.delays:
        return _("no lock: a wait before the next try, %(length)s") % {"length": length}
    if rule.starts_anew:
        return _("%(length)s; then the count starts anew") % {"length": length}
    return _("%(length)s; then one try, and again, while the count stands") % {"length": length}


def mode(rule: Rule) -> str:
    """Return what a rule does."""
    return mode_of(rule.mode)


def mode_of(mode: str) -> str:
    """Return what a rule, or the site, does in a mode."""
    return _("only watches") if mode == MONITOR else _("refuses")


def figure(number: int | None) -> str:
    """Return a number, or that there is none."""
    if number is None:
        return _("no limit")
    return grouped(number)
