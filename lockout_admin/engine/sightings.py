"""What a process has seen and not told yet: refusals by name and network, and the same guesses.

In the request it is memory and nothing else; a thread, a page or a command takes it from here. What
a process that dies has seen last is lost: locks count what they refuse beside it.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.utils import timezone

if TYPE_CHECKING:
    from .attempt import Attempt

#: So many names and networks, and so many guesses, are kept until somebody takes them.
MOST: Final = 10_000
#: Seconds that a right password is remembered for, in case that it is found to be an attack's, …
RIGHT_SECS: Final = 300
#: … and how many.
_MOST_RIGHT: Final = 2_000


@dataclass(slots=True)
class RefusedSeen:
    """What was refused of one name from one network."""

    subject: Any
    client: Any
    device: int | None
    last: datetime
    times: int = 1


class GuessSeen(NamedTuple):
    """One wrong password: a keyed digest of it, which nobody stores, and on which name."""

    digest: int
    subject: int
    username: str
    network: str | None
    when: datetime


class EntrySeen(NamedTuple):
    """A right password that is the guess of an attack."""

    guess: int
    subject: int
    username: str
    account: str
    network: str | None
    when: datetime


@dataclass(slots=True)
class Seen:
    """What was gathered."""

    refusals: dict[tuple[int, str | None], RefusedSeen] = field(default_factory=dict)
    guesses: list[GuessSeen] = field(default_factory=list)
    entries: list[EntrySeen] = field(default_factory=list)


_lock = threading.Lock()
_seen = Seen()
#: Cuts a digest to what may be stored, where it is the guess of an attack; see `listen_for`.
_hot: Callable[[int], int | None] | None = None
_wakes: list[Callable[[], None]] = []
_right: deque[EntrySeen] = deque(maxlen=_MOST_RIGHT)


def refused(attempt: Attempt) -> None:
    """Take note of an attempt that was refused, without a look at its password."""
    key = attempt.subject.key, attempt.network
    now = timezone.now()
    with _lock:
        known = _seen.refusals.get(key)
        if known is None and len(_seen.refusals) >= MOST:
            # Beyond, a name is known by its first networks, and the rest is counted with none.
            key = attempt.subject.key, None
            known = _seen.refusals.get(key) or _seen.refusals.get((0, None))
        if known is not None:
            known.times += 1
            known.last = now
        elif len(_seen.refusals) < 2 * MOST:
            client, device = attempt.client, attempt.device
            _seen.refusals[key] = RefusedSeen(attempt.subject, client, device, now)
    _wake()


def guessed(attempt: Attempt) -> None:
    """Take note of a wrong password that was compared."""
    if not attempt.guess or attempt.device is not None:
        return
    subject = attempt.subject
    seen = GuessSeen(attempt.guess, subject.key, subject.username, attempt.network, attempt.started)
    with _lock:
        if len(_seen.guesses) < MOST:
            _seen.guesses.append(seen)


def came_in(attempt: Attempt, account: str) -> None:
    """Take note of a right password of a stranger, in memory alone.

    Of those of the last minutes that turn out to be the guess of an attack, more is told.
    """
    if not attempt.guess or attempt.device is not None:
        return
    subject, when = attempt.subject, attempt.started
    facts = (subject.key, subject.username, account, attempt.network, when)
    entry = EntrySeen(attempt.guess, *facts)
    if not _take_in(entry):
        _right.append(entry)


def listen_for(hot: Callable[[int], int | None] | None) -> None:
    """Have right passwords compared with the guesses of attacks; ``None``: there are none."""
    global _hot  # noqa: PLW0603 - one a process
    _hot = hot
    oldest = timezone.now() - timedelta(seconds=RIGHT_SECS)
    for entry in tuple(_right):
        if entry.when < oldest or _take_in(entry):
            # Unless another thread has, or it made room.
            with suppress(ValueError):
                _right.remove(entry)


def _take_in(entry: EntrySeen) -> bool:
    guess = _hot(entry.guess) if _hot else None
    if guess is None:
        return False
    with _lock:
        if len(_seen.entries) < MOST:
            _seen.entries.append(entry._replace(guess=guess))
    _wake()
    return True


def when_seen(wake: Callable[[], None]) -> None:
    """Have `wake` called whenever something is seen; it must return at once."""
    if wake not in _wakes:
        _wakes.append(wake)


def take() -> Seen:
    """Return what was gathered since, and begin anew."""
    global _seen
    with _lock:
        taken, _seen = _seen, Seen()
    return taken


def give_back(taken: Seen) -> None:
    """Take back what could not be written, as far as there is room beside what came since."""
    with _lock:
        for key, one in taken.refusals.items():
            known = _seen.refusals.get(key)
            if known is not None:
                known.times += one.times
            elif len(_seen.refusals) < 2 * MOST:
                _seen.refusals[key] = one
        _seen.guesses[:0] = taken.guesses[: max(0, MOST - len(_seen.guesses))]
        _seen.entries[:0] = taken.entries[: max(0, MOST - len(_seen.entries))]


def _wake() -> None:
    for wake in _wakes:
        wake()


def forget() -> None:
    """Forget all of it, as a new process does."""
    global _hot  # noqa: PLW0603 - one a process
    _hot = None
    _right.clear()
    take()


def _begin_anew() -> None:
    global _lock  # noqa: PLW0603 - what the parent has seen, it tells itself
    _lock = threading.Lock()
    forget()


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows does not fork
    os.register_at_fork(after_in_child=_begin_anew)
