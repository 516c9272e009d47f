"""Whether two samples of times differ: the rank test of Mann and Whitney, in its normal limit."""

from __future__ import annotations

import math
from collections.abc import Sequence


def shift(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    """Return how much the first is larger (in standard deviations), and how likely by chance."""
    one, two = len(first), len(second)
    ordered = sorted([(value, 0) for value in first] + [(value, 1) for value in second])
    ranks = sum(rank for rank, (_, which) in enumerate(ordered, 1) if which == 0)
    wins = ranks - one * (one + 1) / 2
    z = (wins - one * two / 2) / math.sqrt(one * two * (one + two + 1) / 12)
    return z, math.erfc(abs(z) / math.sqrt(2))
