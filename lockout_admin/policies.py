"""The rules, as values and pure functions: how many, how long, growing how."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

from .conf import conf


@dataclass(frozen=True, slots=True)
class Threshold:
    """How many wrong passwords in which interval lock a subject."""

    limit: int
    interval: timedelta

    @classmethod
    def current(cls) -> Threshold:
        """Return the threshold that the settings ask for."""
        return cls(conf.max_failed_login_attempts, timedelta(seconds=conf.failed_login_interval_secs))


@dataclass(frozen=True, slots=True)
class LockGrowth:
    """How long a lock is, given the locks before it."""

    first: int
    factor: float
    longest: int

    @classmethod
    def current(cls) -> LockGrowth:
        """Return the growth that the settings ask for."""
        return cls(conf.account_locked_timeout_secs, conf.lock_growth_factor, conf.lock_max_secs)

    def seconds(self, previous: int) -> int:
        """Return the length of a lock after `previous` others.

        With the defaults 60, 120, 240 … up to 3,600: about 30 locks a day, hence some 120 guesses
        (growing waits: NIST SP 800-63B-4, 3.2.2).
        """
        longest = max(self.longest, self.first)
        if self.factor <= 1:
            return self.first
        steps_to_longest = math.ceil(math.log(longest / self.first, self.factor))
        return min(longest, int(self.first * self.factor ** min(previous, steps_to_longest)))
