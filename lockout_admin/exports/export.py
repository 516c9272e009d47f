"""One export: the rows of a queryset as a stream of bytes, in constant memory, newest first."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

from asgiref.sync import sync_to_async
from django.db import Error
from django.db.models import QuerySet
from import_export.fields import Field
from import_export.widgets import Widget

from ..engine import tallies
from ..models import AccountLock
from ..models.walks import walk
from . import copying
from .formats import DelimitedFormat, Row, StreamedFormat
from .formulas import escaped
from .resources import PlainWidget, RecordResource, TextWidget, TimestampWidget

logger = logging.getLogger("lockout_admin")

#: Rows of a batch: what an export holds in memory.
BATCH: Final = 2_000


@dataclass
class Export:
    """Which rows and columns go out, and how; counts what went."""

    queryset: QuerySet[Any]
    resource: RecordResource
    format: StreamedFormat
    #: Names of the resource's columns; all of them if empty.
    columns: Sequence[str] = ()
    #: Text as it was typed, formulas and all.
    raw: bool = False
    #: Rows that went out so far.
    rows: int = field(default=0, init=False)
    #: The moment of the last of them; not known when the database writes the lines.
    reached: datetime | None = field(default=None, init=False)

    @property
    def fields(self) -> list[Field]:
        """The columns as import-export describes them, in the resource's order."""
        return list(self.resource.get_export_fields(self.columns))

    @property
    def headers(self) -> list[str]:
        """The names of the columns."""
        return [column.column_name for column in self.fields]

    @property
    def defused(self) -> bool:
        """Whether formulas in cells are made harmless."""
        return self.format.is_spreadsheet and not self.raw

    @property
    def is_copied(self) -> bool:
        """Whether the database writes the lines itself."""
        return isinstance(self.format, DelimitedFormat) and copying.is_possible(
            self.queryset, self.fields
        )

    def chunks(self) -> Generator[bytes, None, None]:
        """Write the export; nothing is read before it is asked for."""
        if issubclass(self.queryset.model, AccountLock):
            _take_over_refusals()
        if self.is_copied:
            yield from self._copied(self.format)
        else:
            yield from self.format.stream(self.headers, self._batches())

    def gauge(self) -> Callable[[], float]:
        """Return a function that tells how much is done, 0 to 1, without counting rows."""
        if self.is_copied:
            total = copying.estimated_rows(self.queryset)
            return lambda: min(1.0, self.rows / total) if total else 0.0
        moments = newest_first(self.queryset, self.resource.moment).values_list(
            self.resource.moment, flat=True
        )
        newest: Any = moments.first()
        oldest: Any = moments.reverse().first()
        if newest == oldest:
            return lambda: 0.0
        return lambda: (newest - (self.reached or newest)) / (newest - oldest)

    def _copied(self, line_format: Any) -> Iterator[bytes]:
        yield line_format.head(self.headers)
        rows = newest_first(self.queryset, self.resource.moment)
        for lines in copying.batches(
            rows,
            self.resource.moment,
            self.fields,
            line_format.delimiter,
            BATCH,
            defused=self.defused,
        ):
            self.rows += len(lines)
            yield b"".join(lines)

    def _batches(self) -> Iterator[Iterable[Row]]:
        has_dates = self.format.has_dates
        writers = [_writer(column.widget, self.defused, has_dates) for column in self.fields]
        moment = self.resource.moment
        # Rows may have values behind those that were asked for.
        names = list(dict.fromkeys([*(column.attribute for column in self.fields), moment]))
        for rows in walk(self.queryset, names, BATCH, by=moment, back=True):
            self.rows += len(rows)
            self.reached = rows[-1][names.index(moment)]
            # By column: a few calls of map() a batch, not one of Python's a cell.
            columns = zip(writers, zip(*rows, strict=True), strict=False)
            yield zip(
                *(map(write, column) if write else column for write, column in columns), strict=True
            )


def _take_over_refusals() -> None:
    """Have the rows say what the store has counted for them."""
    try:
        tallies.keep_all()
    except Error:
        logger.exception("refusals_not_recorded: the export has what the rows said before.")


def newest_first(queryset: QuerySet[Any], moment: str) -> QuerySet[Any]:
    """Return `queryset` in the order that an index serves."""
    return queryset.order_by(f"-{moment}", "-pk")


def _writer(widget: Widget, defused: bool, has_dates: bool) -> Callable[[Any], Any] | None:
    """Return the function that makes a cell of a value; ``None`` if the value is one."""
    if isinstance(widget, TimestampWidget) and has_dates:
        return None
    if isinstance(widget, TextWidget):
        return escaped if defused else None
    return None if isinstance(widget, PlainWidget) else widget.render


class Chunks(Protocol):
    """What a response streams, and closes."""

    def __iter__(self) -> Iterator[bytes]: ...

    def close(self) -> None:
        """Stop early."""


@dataclass(frozen=True, slots=True)
class Unblocked:
    """Chunks for an event loop, made in the thread that has the database connection.

    Django would collect an iterable that is not asynchronous before it sends the first byte.
    """

    chunks: Chunks

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        chunks = iter(self.chunks)
        while (chunk := await sync_to_async(_next)(chunks)) is not None:
            yield chunk

    def close(self) -> None:
        """End the export; Django asks in that thread too."""
        self.chunks.close()


def _next(chunks: Iterator[bytes]) -> bytes | None:
    return next(chunks, None)
