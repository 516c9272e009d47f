"""What an attacker's own program knows of its attack: to be compared with what the site found."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from lockout_admin.identity.network import network_of

from .attacks import Guess
from .tally import Answer

#: The incidents that the attacks are to become.
KINDS: Final = {
    "brute": "brute-force",
    "spray": "spraying",
    "stuffing": "stuffing",
    "distributed": "distributed",
    "dictionary": "dictionary",
    "malice": "keeping-out",
}


@dataclass(slots=True)
class Ledger:
    """Names, networks, and what became of the guesses that were answered."""

    kind: str
    names: dict[str, None] = field(default_factory=dict)
    networks: dict[str, None] = field(default_factory=dict)
    answers: Counter[Answer] = field(default_factory=Counter)
    entered: dict[str, None] = field(default_factory=dict)
    started: datetime | None = None
    ended: datetime | None = None

    def note(self, guess: Guess, answer: Answer) -> None:
        """Write down one guess and its answer."""
        self.ended = datetime.now(UTC)
        self.started = self.started or self.ended
        self.names[guess.username] = None
        self.networks[network_of(guess.forwarded_for) or ""] = None
        self.answers[answer] += 1
        if answer is Answer.LOGGED_IN:
            self.entered[guess.username] = None

    def line(self) -> str:
        """Return it in one line."""
        return (
            f"What the attacker knows: {KINDS[self.kind]}, {len(self.names):,} names,"
            f" {len(self.networks):,} networks, {self.answers[Answer.EVALUATED]:,} evaluated,"
            f" {self.answers[Answer.REFUSED]:,} refused, {len(self.entered):,} entered"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return all of it."""
        return {
            "kind": KINDS[self.kind],
            "names": list(self.names),
            "networks": list(self.networks),
            "evaluated": self.answers[Answer.EVALUATED],
            "refused": self.answers[Answer.REFUSED],
            "entered": list(self.entered),
            "started": self.started and self.started.isoformat(),
            "ended": self.ended and self.ended.isoformat(),
        }

    def write(self, path: str) -> None:
        """Write all of it to a file, as JSON."""
        Path(path).write_text(json.dumps(self.as_dict(), indent=1) + "\n", encoding="utf-8")
