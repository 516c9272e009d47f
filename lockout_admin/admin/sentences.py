"""How a name or a network stands, in one sentence, and how a lock ended."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ..engine.inquiries import Verdict
from ..evidence.bidi import isolated, technical
from ..evidence.names import NameDossier
from ..evidence.origins import NetworkDossier
from ..figures import grouped
from ..models import AccountLock, NetworkRule, Outbox
from . import cells, times
from .pills import Tone, pill

State = AccountLock.State

_MAILS = {
    Outbox.Kind.ASKED: gettext_lazy("help asked for"),
    Outbox.Kind.FRESH: gettext_lazy("help asked for from a mail"),
    Outbox.Kind.LOCKED: gettext_lazy("told of a lock"),
    Outbox.Kind.NEW_DEVICE: gettext_lazy("told of a new device"),
    Outbox.Kind.AFTER_FAILURES: gettext_lazy("told of a login after failures"),
    Outbox.Kind.ENTERED: gettext_lazy("told that somebody was in the account"),
}
_STATES = {
    Outbox.State.WAITING: gettext_lazy("waits"),
    Outbox.State.SENDING: gettext_lazy("is being sent"),
    Outbox.State.SENT: gettext_lazy("sent"),
    Outbox.State.DROPPED: gettext_lazy("not sent"),
}


def of_name(dossier: NameDossier) -> tuple[str, SafeString]:
    """Return what an attempt would meet, as a class of the page, and in words."""
    standing = dossier.standing
    if dossier.lock is not None:
        return Verdict.LOCKED, of_lock(dossier.lock)
    if standing.verdict == Verdict.FREE:
        return Verdict.FREE, format_html("{}", _("Nothing keeps this name out."))
    until = cells.moment(standing.until or dossier.now)
    if standing.verdict == Verdict.THROTTLED:
        said = _("All tries of the rule %(rule)s are taken, until %(until)s.")
    else:
        said = _("Locked by the rule %(rule)s, until %(until)s.")
    return standing.verdict, _filled(said, rule=technical(standing.rule), until=until)


def of_lock(row: AccountLock) -> SafeString:
    """Return who or what locks, since when and until when, and why."""
    facts = {
        "since": cells.moment(row.started_at),
        "until": cells.moment(row.until),
        "left": times.left(row.until),
    }
    if row.is_by_hand:
        who = isolated(row.locked_by or _("a program"))
        said = _("Locked by hand, by %(who)s, since %(since)s, until %(until)s (%(left)s).")
        sentence = _filled(said, who=who, **facts)
        return format_html("{} {}", sentence, cells.quoted(row.note)) if row.note else sentence
    said = ngettext(
        "Locked by the rule %(rule)s after %(count)s failure, since %(since)s,"
        " until %(until)s (%(left)s).",
        "Locked by the rule %(rule)s after %(count)s failures, since %(since)s,"
        " until %(until)s (%(left)s).",
        row.failures,
    )
    return _filled(said, rule=technical(row.rule), count=grouped(row.failures), **facts)


def of_network(dossier: NetworkDossier) -> tuple[str, SafeString]:
    """Return what an attempt from a network would meet, as far as it may be told."""
    rule = dossier.rule
    if rule is not None and rule.action == NetworkRule.Action.BLOCK:
        return "locked", _of_rule(rule, _("Blocked"))
    if rule is not None:
        return "allowed", _of_rule(rule, _("Allowed: no rule on networks holds for it"))
    around = [row for row in dossier.open_locks if dossier.is_held_by(row)]
    if around:
        return "locked", of_lock(around[0])
    if dossier.open_locks:
        count = len(dossier.open_locks)
        said = ngettext(
            "%(count)d part of it is locked.", "%(count)d parts of it are locked.", count
        )
        return "throttled", format_html("{}", said % {"count": count})
    return "free", format_html("{}", _("Nothing keeps it out."))


def _of_rule(rule: NetworkRule, what: str) -> SafeString:
    until = cells.moment(rule.until) if rule.until else _("for ever")
    said = _("%(what)s by the rule on %(network)s, since %(since)s, until: %(until)s.")
    sentence = _filled(
        said,
        what=what,
        network=technical(rule.cidr),
        since=cells.moment(rule.created_at),
        until=until,
    )
    reason = cells.quoted(rule.reason) if rule.reason else ""
    return format_html("{} {}", sentence, reason)


def of_reason(row: AccountLock) -> SafeString:
    """Return the rule that put a lock on; of one by hand who did, and why."""
    if not row.is_by_hand:
        return technical(row.rule)
    who = _("locked by %(who)s") % {"who": row.locked_by or _("a program")}
    return format_html("{} {}", isolated(who), cells.quoted(row.note) if row.note else "")


def of_end(row: AccountLock) -> SafeString:
    """Return how a lock ended: by itself, or by whom and why."""
    if row.state == State.OPEN:
        return format_html("{} {}", pill(Tone.URGENT, State.OPEN.label), times.left(row.until))
    if row.state == State.MONITORED:
        return pill(Tone.QUIET, State.MONITORED.label)
    if row.ended_at is None:
        return format_html("{} {}", times.ago(row.until), _("by itself"))
    who = _("unlocked by %(who)s") % {"who": row.ended_by or _("a program")}
    why = cells.quoted(row.end_note) if row.end_note else ""
    return format_html("{} {} {}", times.ago(row.ended_at), isolated(who), why)


def of_mail(row: Outbox) -> tuple[SafeString, str, str]:
    """Return when a message was written, what it tells, and what became of it."""
    what = _MAILS.get(Outbox.Kind(row.kind), row.kind)
    return times.ago(row.timestamp), str(what), str(_STATES[Outbox.State(row.state)])


def _filled(sentence: str, **values: object) -> SafeString:
    """Return a translated sentence with its values: those that are markup stay so."""
    for name in values:
        sentence = sentence.replace(f"%({name})s", f"{{{name}}}")
    return format_html(sentence, **values)
