"""Which failures are counted for something: conditions on columns, each served by an index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class OneOf:
    """Rows whose column has one of these values."""

    column: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """Rows whose column is empty. It needs no index beside that of another condition."""

    column: str


Condition: TypeAlias = "OneOf | Between | Missing"


@dataclass(frozen=True, slots=True)
class Between:
    """Rows whose column lies between two values, both included."""

    column: str
    low: Any
    high: Any
