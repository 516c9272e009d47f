"""Progress of a long command: a bar on a terminal, nothing in a log."""

from __future__ import annotations

from typing import TextIO

_WIDTH = 30


class Progress:
    """A bar that is redrawn in place, on a terminal only."""

    def __init__(self, stream: TextIO, label: str) -> None:
        self.stream = stream
        self.label = label
        self.shown = stream.isatty()

    def update(self, fraction: float, text: str = "") -> None:
        """Show that `fraction` (0 to 1) is done."""
        if self.shown:
            done = round(_WIDTH * min(1.0, max(0.0, fraction)))
            self.stream.write(
                f"\r{self.label} [{'#' * done}{'.' * (_WIDTH - done)}] {fraction:4.0%} {text}\x1b[K"
            )
            self.stream.flush()

    def close(self) -> None:
        """Leave the line."""
        if self.shown:
            self.stream.write("\n")
