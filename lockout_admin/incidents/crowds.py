"""Many networks that nobody comes in from, each with a try or two: judged with a little patience.

Whoever mistypes at home comes in a moment later. What fails is looked at once that moment is over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from django.db.models import Exists, OuterRef

from ..models import FailedLogin, Incident, IncidentCursor, RefusedTries, SuccessfulLogin
from . import agents, breadth, people, suspicion, tries
from .detection import Detection
from .growing import is_crowd
from .hands import block_of, block_of_all
from .people import WEEK
from .suspicion import DAY, HOUR, Finding
from .thresholds import QUIET, Thresholds
from .tries import Extent, Try, chunks

#: Seconds in which people notice what they have mistyped.
PATIENCE_SECS: Final = 15
#: Rows of a turn.
_BATCH: Final = 5_000
_SLICE_SECS: Final = 300
#: So often a whole day is judged.
_DAYS_SECS: Final = 600


def look(
    cursor: IncidentCursor, detection: Detection, now: datetime, late: Sequence[Try] = ()
) -> None:
    """Judge what has had its time; `late`: what others with higher numbers went before."""
    detection.end = now
    is_before = {False: cursor.crowd_failure, True: cursor.crowd_refusal}
    ripe = [one for one in late if one.id <= is_before[one.is_refused] and one.device is None]
    ripe += _ripe(cursor, detection, now - timedelta(seconds=PATIENCE_SECS))
    ripe = detection.lessons.not_taught(ripe)
    ripe.sort(key=lambda one: one.when)
    for _number, group in groupby(ripe, lambda one: int(one.when.timestamp() // _SLICE_SECS)):
        found = list(group)
        end = found[-1].when
        detection.members.as_of(end)
        rest = _grow(_free(found, detection), detection, end, now)
        if _lonely(rest, now):
            _judge(end, detection, now, detection.limits)
    detection.members.as_of(now)
    _judge_at_once(cursor, detection, now)
    if ripe and _is_time_to_judge_a_day(cursor, now):
        _judge(now, detection, now, replace(detection.limits, is_of_a_day=True))


def _is_time_to_judge_a_day(cursor: IncidentCursor, now: datetime) -> bool:
    last = cursor.read_at
    return last is None or now.timestamp() // _DAYS_SECS > last.timestamp() // _DAYS_SECS


def _judge_at_once(cursor: IncidentCursor, detection: Detection, now: datetime) -> None:
    """Judge what has not had its time, where it is twice as much as could be borne."""
    limits = detection.limits
    limits = replace(limits, lonely_networks=2 * limits.lonely_networks)
    rows = detection.extent.failures(pk__gt=cursor.crowd_failure)
    if len(rows.values_list("pk")[: int(limits.lonely_networks)]) >= limits.lonely_networks:
        _judge(now, detection, now, limits)


def _ripe(cursor: IncidentCursor, detection: Detection, until: datetime) -> list[Try]:
    failed = detection.extent.failures(pk__gt=cursor.crowd_failure).order_by("pk")
    refused = detection.extent.refusals(pk__gt=cursor.crowd_refusal).order_by("pk")
    first = _until(tries.failed(failed[:_BATCH]), until)
    second = _until(tries.refused(refused[:_BATCH]), until)
    if first:
        cursor.crowd_failure = first[-1].id
    if second:
        cursor.crowd_refusal = second[-1].id
    return [*first, *second]


def _until(found: Sequence[Try], until: datetime) -> list[Try]:
    kept = []
    for one in found:
        if one.when > until:
            break
        kept.append(one)
    return kept


def _free(found: Iterable[Try], detection: Detection) -> list[Try]:
    return detection.members.unclaimed(one for one in found if one.network is not None)


def _lonely(found: Iterable[Try], now: datetime) -> list[Try]:
    """Return the tries from networks that nobody comes in from, in the week before or since.

    Of three names that fail one may come in: somebody guesses right, now and then.
    """
    found = list(found)
    if not found:
        return []
    since = min(one.when for one in found) - WEEK
    names: dict[int | None, set[int]] = defaultdict(set)
    for one in found:
        names[one.network].add(one.subject)
    known: dict[int | None, int] = {}
    for number in _peopled(found, since, now):
        enough = len(names[number]) // 3 + 1
        is_one = enough == 1
        known[number] = 1 if is_one else people.some_of_network(number, since, now, enough)
    return [one for one in found if 3 * known.get(one.network, 0) <= len(names[one.network])]


def _peopled(found: Iterable[Try], since: datetime, end: datetime) -> set[int]:
    """Return the networks of tries from which anybody came in; the first login of each will do."""
    came_in = people.came_in(since, end).filter(network=OuterRef("network"))
    networks: set[int] = set()
    for model in (FailedLogin, RefusedTries):
        one_each = {
            one.network: one.id for one in found if one.is_refused is (model is RefusedTries)
        }
        for chunk in chunks(one_each.values()):
            rows = model._base_manager.filter(Exists(came_in), pk__in=chunk)
            networks |= {int(row) for row in rows.values_list("network", flat=True) if row}
    return networks


def _grow(found: list[Try], detection: Detection, end: datetime, now: datetime) -> list[Try]:
    """Add to the crowds that have the same user agent, or block; return the others."""
    rest = found
    for incident in list(detection.members.incidents.values()):
        own = _of(incident, rest, detection, now)
        if not own:
            continue
        rest = [one for one in rest if one not in own]
        since = _since(end, own, detection.extent)
        since = _free(detection.lessons.not_taught(since), detection)
        detection.add(incident, [*own, *since])
    return rest


def _of(incident: Incident, found: list[Try], detection: Detection, now: datetime) -> list[Try]:
    """Return the tries that are a crowd's: whoever rents a block of addresses has all of it."""
    if agents.is_known_by_agent(incident):
        return [one for one in found if one.agent == incident.agent]
    block = block_of_all(incident) if found and is_crowd(incident) else None
    if block is None:
        return []
    return _lonely([one for one in found if one.network and block_of(one.network) == block], now)


def _judge(end: datetime, detection: Detection, now: datetime, limits: Thresholds) -> None:
    since = end - (DAY if limits.is_of_a_day else HOUR)
    going_on = set() if limits.is_of_a_day else _going_on(detection, since)
    found = detection.extent.newest(since, end)
    is_loud = limits.is_of_a_day and len(found) >= QUIET
    if is_loud or len(found) < breadth.least_of(limits, going_on):
        return
    found = _free(detection.lessons.not_taught(found), detection)
    lonely = _lonely(found, now)
    lonely = suspicion.counting(lonely, tries.Homes({one.subject for one in lonely}, end))
    logged_in = SuccessfulLogin.objects.fresh().filter(timestamp__gt=since, timestamp__lte=end)
    times = logged_in.order_by()[:50_000].count()
    if len(lonely) < breadth.least_of(limits, going_on):
        return
    back = people.who_came_in(lonely, now)
    for finding in breadth.of_crowd(lonely, limits, times, going_on, back):
        whole = _with_others(finding, found)
        whole = replace(whole, tries=[*whole.tries, *_since(end, whole.tries, detection.extent)])
        detection.start(whole)


def _going_on(detection: Detection, since: datetime) -> set[int | None]:
    """Return the user agents of crowds that go on, as far as nobody else has them."""
    known = [one for one in detection.members.incidents.values() if one.last_seen_at > since]
    return {one.agent for one in known if is_crowd(one) and agents.has_no_other(one)}


def _since(end: datetime, tries_of: Iterable[Try], extent: Extent) -> list[Try]:
    """Return what was read already of networks of tries, and has not had its time."""
    found: list[Try] = []
    for chunk in chunks({one.network for one in tries_of if one.network is not None}):
        where = {"network__in": chunk, "timestamp__gt": end}
        found += tries.failed(extent.failures(**where))
        found += tries.refused(extent.refusals(**where))
    return suspicion.strange_in_order(found)


def _with_others(finding: Finding, found: Iterable[Try]) -> Finding:
    """Add what has the same user agent, where honest people have another."""
    first, last = finding.tries[0].when, finding.tries[-1].when
    names = len({one.subject for one in finding.tries})
    if not people.is_rare(finding.agent, first, last, names):
        return finding
    own = [one for one in found if one.agent == finding.agent]
    return replace(finding, tries=suspicion.strange_in_order(own))
