"""The settings of the console: what staff have to say, and what they are told of networks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .kinds import Switch
from .setting import Setting
from .values import is_list


class Files(Setting[Sequence[str]]):
    """Where files are."""

    kind = "a list of paths of files"

    def accepts(self, value: Any) -> bool:
        """Tell whether each entry may be a path; whether a file is there, it does not tell."""
        return is_list(value) and all(entry and isinstance(entry, str | Path) for entry in value)


class ConsoleSettings:
    """What the people at the console must say, and what they are told."""

    identity_required = Switch(
        "IDENTITY_REQUIRED",
        default=False,
        help="`True`: whoever unlocks has to say how it was confirmed that the account holder asks",
    )
    geo_databases = Files(
        "GEO_DATABASES",
        (),
        help="paths of MaxMind DB files of the site (country, network owner) that the console looks"
        " addresses up in, with the extra `geo`; no rule reads them",
    )
