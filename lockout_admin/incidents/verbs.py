"""What staff say of an incident: each verb changes it, writes its line, and sends the signal once.

A verb raises `ValueError` for what makes no sense, with the reason in the language of whoever
asks. Who may do what is for the caller to know. Of verbs and turns at once, one waits for the
other: what one writes the other has read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Final

from django.db import router, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from ..identity.text import cleaned
from ..models import AuditEntry, Exemption, Incident, IncidentCursor, IncidentEvent
from ..models.incidents import TITLE_MAX_LENGTH
from ..models.lessons import TEACHING
from ..models.transactions import on_commit, tell
from ..signals import incident_changed
from . import merging, taught

State, What, Verdict = Incident.State, IncidentEvent.What, Incident.Verdict

_NOTE_MAX_LENGTH: Final = 4_000
_STANDING: Final = ["state", "verdict", "closed_at"]
#: Whom staff helped, and which networks they blocked, is audited one by one.
_AUDITED: Final = frozenset(
    [What.ACKNOWLEDGED, What.NAMED, What.NOTED, What.CLOSED, What.REOPENED, What.MERGED]
)


def acknowledge(incident: Incident, by: str) -> Incident:
    """Say that somebody is at it; that people came in after all is no reason not to be."""
    with _alone(What.ACKNOWLEDGED, incident):
        if incident.state != State.OPEN and incident.verdict != Verdict.PEOPLE:
            raise ValueError(_("This incident is not open."))
        incident.state, incident.verdict = State.ACKNOWLEDGED, Verdict.NONE
        incident.closed_at = None
        _write(incident, What.ACKNOWLEDGED, by, fields=_STANDING)
    return incident


def name(incident: Incident, title: str, by: str) -> Incident:
    """Give it a title; an empty one takes it away."""
    with _alone(What.NAMED, incident):
        incident.title = cleaned(title.strip(), TITLE_MAX_LENGTH)
        _write(incident, What.NAMED, by, incident.title, fields=["title"])
    return incident


def note(incident: Incident, text: str, by: str) -> Incident:
    """Write something down."""
    if not text.strip():
        raise ValueError(_("A note says something."))
    return _said(incident, What.NOTED, by, text.strip()[:_NOTE_MAX_LENGTH])


def helped(incident: Incident, text: str, by: str) -> Incident:
    """Write down what was done for the accounts that were entered."""
    return _said(incident, What.HELPED, by, text)


def blocked(incident: Incident, count: int, by: str) -> Incident:
    """Write down how many of its networks were blocked."""
    return _said(incident, What.BLOCKED, by, str(count))


def close(incident: Incident, verdict: str, by: str, note: str = "") -> Incident:
    """Close it with a verdict; "scanner" and "client" teach.

    Where it is closed because people came in, somebody may know better.
    """
    if verdict not in set(Verdict.values) - {Verdict.NONE}:
        raise ValueError(_("Choose what it was: an incident is closed with a verdict."))
    with _alone(What.CLOSED, incident):
        if incident.is_closed and incident.verdict != Verdict.PEOPLE:
            raise ValueError(_("This incident is closed."))
        if verdict in TEACHING:
            taught.teach(incident, verdict, by)
        incident.state = State.CLOSED
        incident.verdict = Verdict(verdict)
        incident.closed_at = timezone.now()
        note = note[:_NOTE_MAX_LENGTH]
        _write(incident, What.CLOSED, by, note, verdict=verdict, fields=_STANDING)
    return incident


def reopen(incident: Incident, by: str, *, sees_logins: bool = True) -> Incident:
    """Open it again. What it has taught goes on: see `undo`.

    For who may not know of logins, what was closed because people came in is open.
    """
    with _alone(What.REOPENED, incident):
        if not incident.is_closed or (incident.verdict == Verdict.PEOPLE and not sees_logins):
            raise ValueError(_("This incident is not closed."))
        incident.state = State.OPEN
        incident.verdict = Verdict.NONE
        incident.closed_at = None
        _write(incident, What.REOPENED, by, fields=_STANDING)
    return incident


def undo(exemption: Exemption, by: str) -> Exemption:
    """Take back what was taught: from now on it may raise incidents."""
    if exemption.ended_at is not None:
        raise ValueError(_("This exemption has ended."))
    exemption.ended_at = timezone.now()
    exemption.ended_by = by
    exemption.save(update_fields=["ended_at", "ended_by"])
    return exemption


# -- Merging --------------------------------------------------------------------------------------


def merge(into: Incident, others: Iterable[Incident], by: str) -> Incident:
    """Make others a part of one: their names, networks and counts go over to it.

    Nothing is hidden in what is closed; where that is because people came in, it opens again.
    """
    others = list(others)
    if not others or any(one.pk == into.pk for one in others):
        raise ValueError(_("An incident is merged into another one, once."))
    with _alone(What.MERGED, into, *others):
        if into.is_closed and into.verdict != Verdict.PEOPLE:
            raise ValueError(_("This incident is closed."))
        if into.is_closed:
            into.state, into.verdict, into.closed_at = State.OPEN, Verdict.NONE, None
        _write(into, What.MERGED, by, merging.take_over(into, others)[:_NOTE_MAX_LENGTH])
    return into


def take_over(into: Incident, others: Sequence[Incident]) -> None:
    """Merge likewise, for a turn: it is alone, and knows more than is written."""
    _said(into, What.MERGED, "", merging.take_over(into, others)[:_NOTE_MAX_LENGTH])


# -- All ------------------------------------------------------------------------------------------


@contextmanager
def _alone(what: str, incident: Incident, *others: Incident) -> Iterator[None]:
    """Have turns and others wait, and read what they have written; then tell what was done.

    Raises `ValueError` for incidents that are parts of others by now.
    """
    database = router.db_for_write(Incident)
    with transaction.atomic(using=database):
        IncidentCursor.objects.hold()
        for one in (incident, *others):
            try:
                one.refresh_from_db(using=database)
            except Incident.DoesNotExist:
                raise ValueError(_("This incident is gone.")) from None
            if one.merged_into is not None:
                raise ValueError(_("This incident is merged into another one."))
        yield
    _tell(incident, what)


def _write(
    incident: Incident,
    what: str,
    by: str,
    text: str = "",
    *,
    verdict: str = Verdict.NONE,
    fields: Sequence[str] = (),
) -> None:
    """Save fields, and write a line of the time line; of what staff change, an audit entry."""
    if fields:
        incident.save(update_fields=fields)
    IncidentEvent.objects.create(incident=incident, what=what, by=by, text=text, verdict=verdict)
    if by and what in _AUDITED:
        # That people came in is for who sees logins.
        said = [what, "" if verdict == Verdict.PEOPLE else verdict, text]
        AuditEntry.objects.using(router.db_for_write(AuditEntry)).create(
            actor=by,
            action=AuditEntry.Action.CHANGE,
            label=f"incident {incident.pk}",
            details=": ".join(filter(None, map(str, said))),
        )


def _tell(incident: Incident, what: str) -> None:
    facts = {"incident": incident, "what": str(what)}
    on_commit(Incident, partial(tell, incident_changed, Incident, **facts))


def _said(incident: Incident, what: str, by: str, text: str) -> Incident:
    """Write a line that changes nothing else, and tell."""
    _write(incident, what, by, text)
    _tell(incident, what)
    return incident
