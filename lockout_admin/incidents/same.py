"""An attack that is known by its guess: the same password on far too many names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta

from ..engine.moments import microseconds, moment
from ..models import Incident, SuccessfulLogin
from . import entries, guesses, suspicion, tries
from .detection import Detection
from .guesses import Note
from .members import RESUMES
from .suspicion import Finding, Reason
from .tries import Try, chunks

_MOMENT = timedelta(seconds=1)


def look(notes: Sequence[Note], hits: Sequence[Note], detection: Detection) -> None:
    """Count guesses by name; begin incidents, have them grow, and mark who was entered."""
    if notes:
        for guess, found in guesses.count(notes).items():
            _take(guess, found, detection)
    for hit in hits:
        _enter(hit, detection)


def _take(guess: int, notes: Sequence[Note], detection: Detection) -> None:
    claimed = detection.members.networks(note.network for note in notes)
    free = [note for note in notes if note.network not in claimed]
    found = detection.lessons.not_taught(_tries(free, detection))
    incident = _incident(guess, claimed, len(notes), detection) or _older(found, detection)
    if incident is not None:
        detection.add(incident, found)
    elif found:
        names = len({note.subject for note in notes})
        reason = Reason(Incident.Sign.SAME_GUESS, names)
        incident = detection.start(Finding(found, reason))
    if incident is not None:
        guesses.heat(guess, incident)


def _incident(
    guess: int, claimed: dict[int, int], all_notes: int, detection: Detection
) -> Incident | None:
    """Return the incident that a guess belongs to: known, or that most of it is in already."""
    pk = guesses.today().hot.get(guess)
    if pk is None and len(claimed) >= 0.5 * all_notes:
        pk = Counter(claimed.values()).most_common(1)[0][0]
    return detection.members.incidents.get(pk or 0)


def _older(found: Sequence[Try], detection: Detection) -> Incident | None:
    """Return the incident that goes on with these tries, if its guess can't be known any more.

    The key of the fingerprints is another one, as every day, or the store has lost it.
    """
    day = guesses.today()
    if not found:
        return None
    first, lost = found[0].when, guesses.began(day.key)
    known = [
        one
        for one in detection.members.incidents.values()
        if one.sign == Incident.Sign.SAME_GUESS
        and one.pk not in day.hot.values()
        and one.started_at < lost
        and first - one.last_seen_at < RESUMES
    ]
    return max(known, key=lambda one: one.last_seen_at, default=None)


def _tries(notes: Iterable[Note], detection: Detection) -> list[Try]:
    """Return the failures that notes were taken of."""
    wanted = {(note.subject, note.network): note.when for note in notes}
    found: list[Try] = []
    for chunk in chunks(wanted.items()):
        moments = [moment(int(when * 1_000_000)) for _pair, when in chunk]
        rows = detection.extent.failures(
            subject__in=[subject for (subject, _network), _when in chunk],
            timestamp__gte=min(moments) - _MOMENT,
            timestamp__lte=max(moments) + _MOMENT,
        )
        found += [one for one in tries.failed(rows) if _is_noted(one, wanted)]
    return suspicion.strange_in_order(found)


def _is_noted(one: Try, wanted: dict[tuple[int, int | None], float]) -> bool:
    when = wanted.get((one.subject, one.network))
    return when is not None and abs(microseconds(one.when) / 1_000_000 - when) < 0.01


def _enter(hit: Note, detection: Detection) -> None:
    incident = detection.members.incidents.get(guesses.today().hot.get(hit.guess, 0))
    if incident is None:
        return
    when = moment(int(hit.when * 1_000_000))
    rows = SuccessfulLogin.objects.fresh().filter(
        subject=hit.subject,
        network=hit.network,
        timestamp__gte=when - _MOMENT,
        timestamp__lte=when + _MOMENT,
    )
    for login in tries.logins(rows)[:1]:
        entries.enter(incident, login, entries.GUESS, detection.growth)
