"""Bars of a histogram that are over do not change: each is counted once a day, and remembered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone

from ..engine.store import store
from ..identity.subject import Subject

#: As far as one bar is counted.
CAP: Final = 5_000
#: Bars of a kind that are remembered, those that were asked for last.
ROOM: Final = 400
#: Retention may have deleted rows since.
_KEPT_SECS: Final = 24 * 60 * 60
#: Hosts' clocks differ, and a row may be written after its moment.
_GRACE: Final = timedelta(seconds=120)

#: When each bar begins and ends.
Bars = Sequence[tuple[datetime, datetime]]
_Known = dict[tuple[int, int], int]


def counts(
    kind: str,
    bars: Bars,
    counted: Callable[[Bars], list[int]],
    since: datetime,
    until: datetime,
) -> list[int]:
    """Return how many records of a time there are in each bar.

    `counted` counts, of the bars that are not known yet, what is in that time: of the first and
    the last perhaps a part, which is not remembered.
    """
    now = timezone.now()
    # The subject of nobody keeps the namespaces apart; each day has an entry of its own.
    day = int(now.timestamp()) // _KEPT_SECS
    key = f"lockout_admin:{{bars:{Subject.of('').key:x}}}:{kind}:{day}"
    known = _read((store.get_many([key]) or {}).get(key))
    until = min(until, now - _GRACE)
    lasting = {bar for bar in bars if since <= bar[0] and bar[1] <= until}
    found = {bar: known[_number(bar)] for bar in lasting if _number(bar) in known}
    missing = [bar for bar in bars if bar not in found]
    found.update(zip(missing, counted(missing), strict=True))
    learned = {_number(bar): found[bar] for bar in missing if bar in lasting}
    if learned:
        store.set_many({key: _written({**known, **learned})}, _KEPT_SECS)
    return [found[bar] for bar in bars]


def _number(bar: tuple[datetime, datetime]) -> tuple[int, int]:
    start, end = bar
    return int(start.timestamp()), int(end.timestamp())


def _written(known: _Known) -> list[int]:
    newest = list(known.items())[-ROOM:]
    return [value for (start, end), count in newest for value in (start, end, count)]


def _read(value: Any) -> _Known:
    """Return the bars of an entry, whatever is in the store."""
    if not isinstance(value, list) or len(value) % 3 or not _are_numbers(value):
        return {}
    numbers = iter(value)
    bars = zip(*[numbers] * 3, strict=True)
    return {(start, end): count for start, end, count in bars if 0 <= count <= CAP}


def _are_numbers(values: Iterable[Any]) -> bool:
    return all(type(one) is int for one in values)
