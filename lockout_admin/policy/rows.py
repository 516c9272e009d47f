"""Failures of a log as numbers in a row, forty-eight bytes each: a replay remembers millions."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from struct import Struct
from typing import Final, Protocol

from ..engine.states import Failure

#: Numbers to a failure: when, id, fine and marks, name, network, browser.
SIZE: Final = 6
ID, FINE, SUBJECT, NETWORK, BROWSER = range(1, SIZE)
#: The marks of a failure, beside its fine.
_MARKS: Final = 3
FORGIVEN, _REPEATED, CLEARED = 4, 2, 1
#: In place of ``None``.
_NONE: Final = -(2**63)
_PACKED: Final = Struct(f"{SIZE}q")
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Clock:
    """Moments as whole microseconds since the first one, and back."""

    first: datetime

    def micros(self, when: datetime) -> int:
        """Return a moment as a number."""
        return (when - self.first) // _MICROSECOND

    def moment(self, micros: int) -> datetime:
        """Return the moment of a number."""
        return self.first + timedelta(microseconds=micros)


def numbers_of(
    micros: int,
    pk: int,
    fine: int,
    subject: int,
    network: int | None,
    browser: int | None,
    *,
    repeated: bool,
) -> bytes:
    """Return a failure as numbers in a row, which nothing has ended; `micros` is when it was."""
    return _PACKED.pack(
        micros,
        pk,
        fine << _MARKS | repeated * _REPEATED,
        subject,
        _NONE if network is None else network,
        _NONE if browser is None else browser,
    )


def failures_in(row: array[int], clock: Clock) -> Iterator[Failure]:
    """Yield the failures that numbers in a row tell of."""
    numbers = iter(row)
    for micros, pk, fine, subject, network, browser in zip(*[numbers] * SIZE, strict=True):
        yield Failure(
            pk,
            clock.moment(micros),
            fine >> _MARKS,
            None if network == _NONE else str(network),
            bool(fine & _REPEATED),
            subject,
            None if browser == _NONE else browser,
            bool(fine & CLEARED),
            bool(fine & FORGIVEN),
        )


class Kept(Protocol):
    """A failure, as numbers and as what the engine knows; the one where it is asked for."""

    @property
    def repeated(self) -> bool:
        """Whether it was the same wrong password as before."""
        ...

    @property
    def micros(self) -> int:
        """When it was."""
        ...

    @property
    def row(self) -> bytes:
        """See `numbers_of`."""
        ...

    @property
    def failure(self) -> Failure:
        """What the engine knows of it."""
        ...
