"""What a person would find wrong with what traces have become."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from unicodedata import normalize

from lockout_admin.models import Incident

from ..incidents.judging import found_of
from ..incidents.player import Fate, Player, entered_of, incidents, names_of, networks_of
from ..incidents.traces import HOUR, Attack


class Judge(Player):
    """A player that groups less often where a trace takes days."""

    every = 10.0

    def _next_turn(self) -> float:
        return self.grouped + (self.every if self.is_stale else HOUR)


def told() -> list[str]:
    return [
        f"{one.kind} {one.about!r} names {one.names} networks {one.networks} evaluated "
        f"{one.evaluated} refused {one.refused} entered {one.entered} {one.verdict}: {one.because}"
        for one in incidents()
    ]


def as_one(names: set[str]) -> set[str]:
    """Return names as those of accounts: the spellings of one are one."""
    return {normalize("NFKC", name).casefold().strip() for name in names}


def near(found: int, truth: int, share: float = 0.05) -> bool:
    return abs(found - truth) <= max(3, truth * share)


def faults(attack: Attack, player: Judge) -> list[str]:
    """Return what a person would find wrong with what an attack has become."""
    found = found_of(attack)
    if len(found) != 1:
        return [f"{attack.label}: {len(found)} incidents"]
    lines = [*misread(attack, found[0], player), *miscounted(found[0], player.fates[attack.label])]
    return [f"{attack.label}: {line}" for line in lines]


def misread(attack: Attack, one: Incident, player: Judge) -> Iterator[str]:
    if one.kind not in attack.kinds:
        yield f"kind {one.kind}, not {attack.kinds}"
    if attack.about is not None and one.about != attack.about:
        yield f"about {one.about!r}, not {attack.about!r}"
    late = (one.found_at - player.moment(attack.known_at)).total_seconds()
    if late > max(600, 2 * player.every):
        yield f"found {late:.0f} s after it could be known"


def miscounted(one: Incident, truth: Fate) -> Iterator[str]:
    for what, have, want in (
        ("names", as_one(names_of(one)), as_one(truth.names)),
        ("networks", networks_of(one), truth.networks),
    ):
        missing, extra = want - have, have - want
        if len(missing) > len(want) * 0.05 or len(extra) > max(2, len(want) * 0.05):
            yield f"{what}: of {len(want)} missing {len(missing)}, extra {len(extra)}"
    if not near(one.evaluated, truth.evaluated):
        yield f"evaluated {one.evaluated}, not {truth.evaluated}"
    if not near(one.refused, truth.refused):
        yield f"refused {one.refused}, not {truth.refused}"
    have, want = as_one(set(entered_of(one))), as_one(set(truth.entered))
    if have != want:
        yield f"entered: missing {sorted(want - have)}, extra {sorted(have - want)}"


def verdict(parts: Sequence[Any], every: float, clock: Any) -> list[str]:
    """Play it, and return what is wrong with what was found; empty: nothing."""
    player = Judge(clock)
    player.every = every
    player.play(*parts)
    attacks = [part for part in parts if isinstance(part, Attack)]
    wrong = [line for attack in attacks for line in faults(attack, player)]
    # Of people who came in after all nobody is told any more.
    left = [one for one in incidents() if one.verdict != Incident.Verdict.PEOPLE or one.entered]
    if len(left) != len(attacks):
        wrong.append(f"{len(left)} incidents, not {len(attacks)}")
    return [*wrong, *told()] if wrong else []
