"""What is being tried: a pure function of what was counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ..models import Incident

Kind = Incident.Kind

#: A list of names is longer.
FEW: Final = 7
#: One name is tried from so many networks by nobody alone.
MANY_NETWORKS: Final = 5
#: Owners who are kept out are picked, not listed.
_PICKED: Final = 50
#: Passwords that were seen, from which on their share says something.
_SEEN: Final = 4
#: Where more of the guesses differ, each is meant to be right.
_OTHER_GUESSES: Final = 0.5
#: Of one name more have to be seen: every guesser begins with the common ones.
_MANY_SEEN: Final = 10


@dataclass(frozen=True, slots=True)
class Facts:
    """What an incident has counted."""

    names: int
    existing: int
    networks: int
    evaluated: int
    refused: int
    common: int
    repeated: int
    entered: int
    #: Tries on the name with most of them.
    top: int
    #: Different passwords by those compared, from 0 to 1; ``None``: unknown.
    variety: float | None = None

    @property
    def tries(self) -> int:
        """All of them."""
        return self.evaluated + self.refused

    @property
    def is_on_one(self) -> bool:
        """Whether most of it is on one name."""
        return self.names == 1 or self.top >= 0.6 * self.tries

    @property
    def is_from_everywhere(self) -> bool:
        """Whether a few picked names are tried again and again, and no network does much."""
        is_picked = 3 <= self.names <= _PICKED
        is_pressing = self.tries >= _SEEN * self.names
        return is_picked and is_pressing and self.networks >= MANY_NETWORKS

    @property
    def is_guessing_everywhere(self) -> bool:
        """Whether each of these guesses is another one: somebody wants to be let in."""
        differ = self.variety is not None and self.variety > _OTHER_GUESSES
        return differ and self.of_owners and self.is_from_everywhere

    @property
    def of_owners(self) -> bool:
        """Whether it is on names that people have."""
        return self.existing >= max(1, 0.8 * self.names)

    @property
    def is_common(self) -> bool:
        """Whether most passwords are common ones."""
        return self.evaluated >= _SEEN and self.common >= 0.6 * self.evaluated

    @property
    def is_by_a_list(self) -> bool:
        """Whether common passwords are tried on each name once: somebody wants to be let in."""
        # A name has no more of them than there are.
        return self.is_common and self.variety is not None and self.names * self.variety >= 1


def kind_of(facts: Facts) -> str:
    """Return a value of `Incident.Kind`."""
    if _keeps_out(facts):
        return Kind.KEEPING_OUT
    if facts.is_on_one or facts.names <= FEW or facts.is_guessing_everywhere:
        return _on_few(facts)
    return _on_many(facts)


def _keeps_out(facts: Facts) -> bool:
    """Tell whether it wants the locks: the same nonsense, or picked names from everywhere."""
    if not facts.of_owners or facts.names > _PICKED:
        return False
    says_nothing_new = facts.evaluated >= 2 * _SEEN and facts.repeated >= 0.5 * facts.evaluated
    same = facts.variety is not None and facts.variety <= 0.2
    per_name = facts.tries / max(1, facts.names)
    says_the_same = same and facts.evaluated >= 2 * _SEEN and per_name >= 2 * _SEEN
    is_everywhere = facts.is_from_everywhere and not facts.is_on_one
    wants_locks = says_the_same or (is_everywhere and not facts.is_guessing_everywhere)
    return says_nothing_new or (wants_locks and not facts.is_by_a_list)


def _on_few(facts: Facts) -> str:
    least = _MANY_SEEN if facts.is_on_one else _SEEN
    if facts.evaluated >= least and facts.is_common:
        return Kind.DICTIONARY
    return Kind.DISTRIBUTED if facts.networks >= MANY_NETWORKS else Kind.BRUTE_FORCE


def _on_many(facts: Facts) -> str:
    # Of a leak, many passwords are alike as well; most of its names are nobody's.
    most = 0.5 if facts.existing > 0.5 * facts.names else 0.1
    if facts.variety is not None and facts.variety <= most:
        return Kind.SPRAYING
    if facts.tries > 1.5 * facts.names:
        # Leaked pairs are tried once each.
        return Kind.SPRAYING
    if facts.variety is not None:
        return Kind.STUFFING
    if facts.common >= 0.5 * max(1, facts.evaluated):
        return Kind.SPRAYING
    is_listed = facts.existing <= 0.5 * facts.names
    return Kind.STUFFING if is_listed or facts.entered else Kind.SPRAYING
