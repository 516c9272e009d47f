"""Network rules made and ended, by hand or a whole list at once, with their audit entries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import router, transaction
from django.utils.translation import gettext_lazy

from ..models import AuditEntry, NetworkRule
from ..models.fields import Network

Action = NetworkRule.Action
#: Rows of one statement.
BATCH: Final = 1_000
#: Why a network can't be blocked that is allowed by hand; see `matching`.
STRONGER: Final = gettext_lazy(
    "%(network)s is allowed, which is stronger. To block it, delete that rule first."
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A network of a list."""

    network: Network
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of a list: networks that are new, that went, that stay."""

    new: int
    gone: int
    kept: int


def put(
    network: Network, action: str, *, reason: str, until: datetime | None, actor: str
) -> tuple[NetworkRule, bool]:
    """Block or allow a network by hand; True: there was no such rule.

    One that stands is changed: its reason, its end, and who made it.
    """
    with transaction.atomic(using=router.db_for_write(NetworkRule)):
        facts = {"reason": reason, "until": until, "created_by": actor}
        rule, is_new = NetworkRule.objects.fresh().update_or_create(
            cidr=str(network), action=action, source="", defaults=facts
        )
        record(actor, action if is_new else AuditEntry.Action.CHANGE, [rule])
    return rule, is_new


def take_back(rules: Iterable[NetworkRule], actor: str) -> int:
    """Delete rules; tell how many."""
    found = list(rules)
    with transaction.atomic(using=router.db_for_write(NetworkRule)):
        record(actor, AuditEntry.Action.DELETE, found)
        for some in _batches(found):
            NetworkRule.objects.fresh().filter(pk__in=[rule.pk for rule in some]).delete()
    return len(found)


def load(
    source: str,
    entries: Sequence[Entry],
    *,
    action: str,
    until: datetime | None,
    actor: str,
) -> Loaded:
    """Have a source bring these networks in place of those that it brought before.

    All of them, or none when anything fails; whoever matches meanwhile sees the old list. Raises
    `IntegrityError` when the same source is loaded twice at once.
    """
    rules = NetworkRule.objects.fresh()
    wanted = {str(entry.network): entry.reason for entry in entries}
    with transaction.atomic(using=rules.db):
        rows = rules.filter(source=source).values_list("cidr", "action", "reason", "pk")
        known = {
            cidr: pk for cidr, did, why, pk in rows if (did, why) == (action, wanted.get(cidr))
        }
        gone = [pk for cidr, _did, _why, pk in rows if known.get(cidr) != pk]
        for some in _batches(gone):
            rules.filter(pk__in=some).delete()
        rules.filter(source=source).update(until=until)
        fresh = [
            made(entry, action, source, until=until, created_by=actor)
            for entry in entries
            if str(entry.network) not in known
        ]
        for some in _batches(fresh):
            rules.bulk_create(some)
        loaded = Loaded(len(fresh), len(gone), len(known))
        said = f"{action} {len(wanted)} networks{_end(until)}: {loaded.new} new, {loaded.gone} gone"
        AuditEntry.objects.using(rules.db).create(
            actor=actor, action=AuditEntry.Action.IMPORT, label=source, details=said
        )
    return loaded


def made(entry: Entry, action: str, source: str, **facts: Any) -> NetworkRule:
    """Return a rule that is not saved yet, normalised."""
    return NetworkRule(
        cidr=str(entry.network),
        first=str(entry.network.network_address),
        action=action,
        source=source,
        reason=entry.reason,
        **facts,
    )


def record(actor: str, action: str, rules: Iterable[NetworkRule]) -> None:
    """Write what somebody did to some rules, in English, as evidence is."""
    entries = (
        AuditEntry(actor=actor, action=action, label=rule.cidr, details=described(rule))
        for rule in rules
    )
    AuditEntry.objects.using(router.db_for_write(NetworkRule)).bulk_create(
        entries, batch_size=BATCH
    )


def described(rule: NetworkRule) -> str:
    """Return a rule in a line."""
    brought = f" (list {rule.source})" if rule.source else ""
    return f"{rule.action} {rule.cidr}{_end(rule.until)}{brought}: {rule.reason}"


def is_allowed(cidr: str, but: NetworkRule | None = None) -> bool:
    """Tell whether a rule by hand that allows just this network is in force, `but` for one."""
    rules = NetworkRule.objects.fresh().open().filter(cidr=cidr, action=Action.ALLOW, source="")
    return bool(rules.exclude(pk=but and but.pk).exists())


def clear_the_way(rule: NetworkRule) -> None:
    """Delete the rule of old that ended, so that there can be a new one of the same kind."""
    rules = NetworkRule.objects.fresh().ended().exclude(pk=rule.pk)
    rules.filter(cidr=rule.cidr, action=rule.action, source=rule.source).delete()


def _end(until: datetime | None) -> str:
    return f" until {until:%Y-%m-%d %H:%M:%S%z}" if until else " for ever"


def _batches(rows: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (rows[start : start + BATCH] for start in range(0, len(rows), BATCH))
