"""What a lock refused: how often, when last, from which addresses. The store counts, rows keep.

A refusal costs no SQL. The counts outlive their lock by `KEPT_SECS`, so that they are there when
a row takes them over: when the next lock begins on whichever name, when locks are exported,
released or pruned. Lists read them meanwhile. What a cache evicts or loses before is lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone

from ..models import AccountLock
from ..models.transactions import on_commit
from .moments import microseconds, moment
from .store import store

#: For how long a count waits for its row after the end of the lock; memcached takes more than 30
#: days for a moment on its own clock.
KEPT_SECS = 28 * 24 * 60 * 60
#: One refusal of so many leaves its moment and address, …
_ONE_OF = 16
#: … the first after a pause does as well …
_PAUSE = timedelta(seconds=60)
#: … and so many of them are remembered.
_SAMPLES = 8
_AT_ONCE = 500
#: What is asked of a lock here.
FIELDS: Final = ("key", "started_at", "refused", "last_refused", "refused_from", "settled")
#: Hosts' clocks differ: where a lock has ended here, it may still refuse there.
_GRACE = timedelta(seconds=120)


@dataclass(frozen=True, slots=True)
class Tally:
    """What a lock refused."""

    count: int = 0
    #: The newest moment that was noted.
    last: datetime | None = None
    #: Some of the addresses, those that came most first.
    addresses: tuple[str, ...] = ()

    @classmethod
    def of(cls, row: AccountLock) -> Tally:
        """Return what a row has kept."""
        return cls(row.refused, row.last_refused, tuple(row.refused_from.split()))

    def and_of(self, row: AccountLock) -> Tally:
        """Return what is known from the store and the row together."""
        kept = Tally.of(row)
        newest = max(filter(None, (self.last, kept.last)), default=None)
        return Tally(max(self.count, kept.count), newest, self.addresses or kept.addresses)


@dataclass(frozen=True, slots=True)
class TallyKeys:
    """Where the store counts for one lock: by what is locked and since when.

    After a restore, the number of a row may come twice.
    """

    key: int
    since: datetime

    @property
    def counter(self) -> str:
        """How many attempts were refused."""
        return f"lockout_admin:{{refused:{self.key:x}:{microseconds(self.since):x}}}:count"

    def sample(self, number: int) -> str:
        """One of the refusals: its address and moment."""
        return f"{self.counter}:{number}"

    @property
    def all(self) -> list[str]:
        """All of these keys."""
        return [self.counter, *map(self.sample, range(_SAMPLES))]


def count_one(keys: TallyKeys, noted: datetime | None, seconds: int) -> str:
    """Count a refusal; return the key under which to note it, or nothing where it is not to be.

    `noted` is when one was noted last, `seconds` for how long the count is needed.
    """
    count = store.increment(keys.counter)
    if count == 0 and not store.add(keys.counter, 1, seconds):
        count = store.increment(keys.counter)
    if count is None:
        return ""
    block, place = divmod(count or 1, _ONE_OF)
    # Not every sixteenth: of sixteen addresses in turn one would be seen.
    is_chosen = place == (7 * block + 1) % _ONE_OF
    is_late = noted is None or timezone.now() - noted > _PAUSE
    return keys.sample(block % _SAMPLES) if is_chosen or is_late else ""


def start(keys: TallyKeys, seconds: int) -> None:
    """Make the counter of a lock, if there is none."""
    store.add(keys.counter, 0, seconds)


def read(rows: Iterable[AccountLock]) -> dict[int, Tally]:
    """Return what locks refused, by their primary keys: from the store and from their rows."""
    rows = list(rows)
    waiting = [row for row in rows if not row.settled]
    found = _read(waiting) or {}
    return {row.pk: found.get(row.pk, Tally()).and_of(row) for row in rows}


def counts(rows: Iterable[AccountLock]) -> dict[int, int]:
    """Return how often locks refused, by their primary keys: a ninth of what `read` asks for."""
    rows = list(rows)
    counters = {row.pk: _keys(row).counter for row in rows if not row.settled}
    answers = store.gather([*counters.values()]) or []
    return {row.pk: max(row.refused, _count(counters.get(row.pk, ""), answers)) for row in rows}


def keep(rows: Sequence[AccountLock], *, settled: bool = False) -> bool:
    """Write into rows what the store has counted for them; False where it did not answer."""
    found = _read(rows)
    if found is None:
        return False
    changed = []
    for row in rows:
        tally = found[row.pk].and_of(row)
        if tally != Tally.of(row) or settled:
            row.refused = tally.count
            row.last_refused = tally.last
            row.refused_from = " ".join(tally.addresses)
            row.settled = row.settled or settled
            changed.append(row)
    fields = ["refused", "last_refused", "refused_from", "settled"]
    AccountLock.objects.bulk_update(changed, fields, batch_size=500)
    return True


def settle(most: int) -> int:
    """Take over what locks refused that are over; return of how many, 0 when none is left.

    While a part of the store does not answer, they wait.
    """
    over = AccountLock.objects.fresh().filter(settled=False, until__lte=timezone.now() - _GRACE)
    rows = list(over.order_by("until", "pk")[:most])
    if not rows or not keep(rows, settled=True):
        return 0
    keys = [key for row in rows for key in _keys(row).all]
    on_commit(AccountLock, lambda: store.clear(keys))
    return len(rows)


def keep_all() -> None:
    """Bring all rows up to date, for those who read nothing else."""
    while settle(_AT_ONCE):
        pass
    waiting = AccountLock.objects.fresh().filter(settled=False).order_by("pk")
    rows = list(waiting[:_AT_ONCE])
    while rows and keep(rows):
        rows = list(waiting.filter(pk__gt=rows[-1].pk)[:_AT_ONCE])


def _read(rows: Iterable[AccountLock]) -> dict[int, Tally] | None:
    named = {row.pk: _keys(row) for row in rows}
    answers = store.gather([key for keys in named.values() for key in keys.all])
    if answers is None:
        return None
    return {pk: _tally(keys, answers) for pk, keys in named.items()}


def _tally(keys: TallyKeys, answers: Sequence[dict[str, Any]]) -> Tally:
    samples = [
        sample for answer in answers for key in keys.all[1:] if (sample := _sample(answer.get(key)))
    ]
    addresses = Counter(address for address, _ in samples if address)
    return Tally(
        _count(keys.counter, answers),
        max((when for _, when in samples), default=None),
        tuple(address for address, _ in addresses.most_common()),
    )


def _count(counter: str, answers: Sequence[dict[str, Any]]) -> int:
    counts = [answer.get(counter) for answer in answers]
    return sum(count for count in counts if isinstance(count, int) and count > 0)


def _sample(value: Any) -> tuple[str, datetime] | None:
    """Return the address and moment in an entry; ``None`` for one that is not of our making."""
    try:
        address, when = value
        return str(address or ""), moment(when)
    except (TypeError, ValueError, OverflowError):
        return None


def _keys(row: AccountLock) -> TallyKeys:
    return TallyKeys(row.key, row.started_at)
