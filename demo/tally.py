"""What a site did under attack."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Answer(StrEnum):
    """What a site answered to a login."""

    EVALUATED = "wrong password, evaluated"
    REFUSED = "refused without a look (429)"
    LOGGED_IN = "logged in"
    ERROR = "server errors (5xx)"
    LOST = "no answer"
    OTHER = "other answers"

    @classmethod
    def of(cls, status: int) -> Answer:
        """Return what an HTTP status says: the form comes again with 200, a success redirects."""
        return _BY_STATUS.get(status, cls.ERROR if status >= 500 else cls.OTHER)


_BY_STATUS = {
    401: Answer.EVALUATED,
    200: Answer.EVALUATED,
    302: Answer.LOGGED_IN,
    429: Answer.REFUSED,
}


@dataclass(slots=True)
class Tally:
    """Counts, times and names, as far as an attack has come."""

    seconds: float = 0.0
    #: Attempts sent before the first that was refused.
    before_refusal: float = math.inf
    times: dict[Answer, list[float]] = field(default_factory=lambda: defaultdict(list))
    evaluated: Counter[str] = field(default_factory=Counter)
    #: Names in the order in which they were first refused or got in.
    locked: dict[str, None] = field(default_factory=dict)
    logged_in: dict[str, None] = field(default_factory=dict)
    #: Statuses of the answers that fit nowhere.
    others: Counter[int] = field(default_factory=Counter)

    @property
    def attempts(self) -> int:
        """Return how many attempts have ended."""
        return sum(map(len, self.times.values()))

    def add(
        self, number: int, username: str, answer: Answer, seconds: float, status: int = 0
    ) -> None:
        """Count the answer to the attempt that was sent as the `number`-th, from 0."""
        if answer is Answer.REFUSED:
            self.locked[username] = None
            # A refusal is answered at once, and overtakes the passwords that are being looked at.
            self.before_refusal = min(self.before_refusal, number)
        elif answer is Answer.EVALUATED:
            self.evaluated[username] += 1
        elif answer is Answer.LOGGED_IN:
            self.logged_in[username] = None
        elif answer is Answer.OTHER:
            self.others[status] += 1
        self.times[answer].append(seconds)

    def lines(self) -> Iterator[str]:
        """Yield the summary."""
        rate = self.attempts / self.seconds if self.seconds else 0
        yield f"{self.attempts:,} attempts in {self.seconds:.1f} s ({rate:.0f} a second)"
        for answer in Answer:
            yield from self._line(answer)
        yield from self._names()

    def _line(self, answer: Answer) -> Iterator[str]:
        times = self.times.get(answer, [])
        if times:
            half, most = (percentile(times, percent) * 1000 for percent in (50, 95))
            latency = f"p50 {half:6.0f} ms   p95 {most:6.0f} ms"
            yield f"  {answer.value:<30}{len(times):>7,}   {latency}"
        elif answer in (Answer.EVALUATED, Answer.REFUSED, Answer.LOGGED_IN, Answer.ERROR):
            yield f"  {answer.value:<30}{0:>7}"

    def _names(self) -> Iterator[str]:
        if self.evaluated:
            name, most = self.evaluated.most_common(1)[0]
            yield f"Wrong passwords evaluated for one username: at most {most} ({name})"
        if self.locked:
            yield f"First refusal after {self.before_refusal:,} attempts"
            yield f"Usernames that were refused: {len(self.locked):,} ({_some(list(self.locked))})"
        if self.logged_in:
            yield f"Passwords found: {_some(list(self.logged_in))}"
        if self.others:
            yield "Other answers: " + ", ".join(
                f"{times}x {status}" for status, times in sorted(self.others.items())
            )


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the smallest value that `percent` of all do not exceed (nearest rank)."""
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def _some(names: Sequence[str], shown: int = 8) -> str:
    return ", ".join(names[:shown]) + (
        f" and {len(names) - shown:,} more" if len(names) > shown else ""
    )
