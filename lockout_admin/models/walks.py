"""A walk through many rows, batch by batch: no table is loaded, no cursor is held.

Drivers that fetch whole results (MySQL) and pools that hand out connections by transaction
(PgBouncer) need no more memory than others, and rows may be deleted on the way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import Q, QuerySet

Row = Sequence[Any]


def walk(
    rows: QuerySet[Any], names: Sequence[str], size: int, *, by: str = "pk", back: bool = False
) -> Iterator[list[Row]]:
    """Yield batches of the values of `names`, and maybe some more behind them.

    In the order of `by`, which an index serves together with the primary key; `back`: from its end.
    """
    columns = list(dict.fromkeys([*names, by, "pk"]))
    sign = "-" if back else ""
    order = [f"{sign}{name}" for name in dict.fromkeys([by, "pk"])]
    ordered = rows.order_by(*order).values_list(*columns)
    batch = list(ordered[:size])
    while batch:
        yield batch
        last = dict(zip(columns, batch[-1], strict=True))
        beyond = _beyond(by, last[by], last["pk"], "lt" if back else "gt")
        batch = list(ordered.filter(beyond)[:size]) if len(batch) == size else []


def _beyond(by: str, moment: Any, pk: Any, than: str) -> Q:
    beyond = Q(**{f"pk__{than}": pk})
    if by == "pk":
        return beyond
    # The first condition is redundant, and the one that lets every database seek in its index.
    return Q(**{f"{by}__{than}e": moment}) & (Q(**{f"{by}__{than}": moment}) | beyond)
