"""Pages of tables that grow: counted up to a limit, ordered by an index."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db import connections
from django.db.models import DateTimeField, Q

from ..evidence.slices import at_most
from ..figures import grouped

#: Rows that are counted, and have pages: a full count of 10,000,000 takes seconds.
CAP = 10_000
#: A page is looked for among so many times its rows first, before anywhere else.
_SPARSEST = 15


class Rows(int):
    """A number of rows; shown with separators."""

    def __str__(self) -> str:
        # Where the site has separators, Django puts them in: into whatever this returns.
        if settings.USE_THOUSAND_SEPARATOR:
            return int.__repr__(self)
        return grouped(self)

    def __format__(self, spec: str) -> str:
        return str(self)


class AtLeast(Rows):
    """A number at which counting stopped; shown with a plus."""

    def __str__(self) -> str:
        # With a separator Django would group the plus as if it were a digit.
        return super().__str__() + ("" if settings.USE_THOUSAND_SEPARATOR else "+")


if TYPE_CHECKING:
    _Paginator = Paginator[Any]
else:
    _Paginator = Paginator


class CappedPaginator(_Paginator):
    """Counts no further than `CAP`, on any database; a page past the last is the last."""

    object_list: Any

    @cached_property
    def count(self) -> int:
        """The number of rows, or `AtLeast` `CAP`."""
        found = at_most(self.object_list, CAP + 1)
        return AtLeast(CAP) if found > CAP else Rows(found)

    def validate_number(self, number: Any) -> int:
        """Return a page that exists: a list may have become shorter since its link was made.

        The first one for what is no number: a history takes it as it comes.
        """
        try:
            return int(max(1, min(int(number), self.num_pages)))
        except (TypeError, ValueError):
            return 1


class CappedList(ChangeList):
    """A changelist that does not count all there is: it offers to show it after a search only."""

    def get_results(self, request: Any) -> None:
        """Read the page."""
        super().get_results(request)
        if not (self.query or self.has_active_filters):
            # Django would offer to show all, without search and filters: here the same page.
            self.full_result_count = self.result_count


class RecordList(CappedList):
    """A changelist that orders by indexes, and looks up what its columns need once for the page."""

    model_admin: Any

    def get_ordering(self, request: Any, queryset: Any) -> list[Any]:
        """Return an ordering that an index serves, whichever column was asked for."""
        first = super().get_ordering(request, queryset)[0]
        orderings = self.model_admin.orderings
        return list(orderings.get(first) or orderings[self.model_admin.ordering[0]])

    def get_results(self, request: Any) -> None:
        """Read the page."""
        super().get_results(request)
        if self.model_admin.filterset_class.default_time != "all":
            # Django would lead to the list without a query, which is of a range, too.
            self.full_result_count = self.result_count
        marks = self.result_list.query
        if marks.is_sliced:
            self.result_list = self._rows(marks.low_mark, marks.high_mark)
        elif self._is_plain(self.queryset.query.order_by):
            # All there are: by the index that finds them, and no other for the sake of the order.
            most = max(self.list_max_show_all, self.list_per_page)
            found = self.apply_select_related(self.queryset.order_by())[:most]
            self.result_list = self._ordered(found, self.queryset.query.order_by)
        self.model_admin.look_up(request, list(self.result_list))

    def _is_plain(self, order: Sequence[str]) -> bool:
        """Tell whether Python has the order that the database has: not of text or addresses."""
        fields: list[Any] = [self.lookup_opts.get_field(term.lstrip("-")) for term in order]
        return all(
            field.primary_key or field.choices or isinstance(field, DateTimeField)
            for field in fields
        )

    def _ordered(self, rows: Iterable[Any], order: Sequence[str]) -> list[Any]:
        """Return a few rows in an order, nulls where the database has them."""
        are_largest = connections[self.queryset.db].features.nulls_order_largest
        ordered = list(rows)
        for term in reversed(order):
            by = partial(_comparable, name=term.lstrip("-"), nulls_are_largest=are_largest)
            ordered.sort(key=by, reverse=term.startswith("-"))
        return ordered

    def _rows(self, start: int, end: int) -> list[Any]:
        # Keys first: an index has all that finds and orders them, so no row is read in vain.
        keys = self._keys(start, end)
        rows = self.apply_select_related(self.root_queryset.order_by()).in_bulk(keys)
        return [rows[key] for key in keys if key in rows]

    def _keys(self, start: int, end: int) -> list[Any]:
        keys = self.queryset.values_list("pk", flat=True)
        if isinstance(self.result_count, AtLeast) and (
            near := self._near(end, self.queryset.query.order_by)
        ):
            found = list(keys.filter(near)[start:end])
            if len(found) == end - start:
                return found
        return list(keys[start:end])

    @cached_property
    def _read(self) -> dict[tuple[int, tuple[str, ...]], list[Any]]:
        return {}

    def newest(self, most: int, *fields: str) -> list[Any]:
        """Return fields of the newest rows of what the list selects, at most so many.

        They are read once, however often they are asked for.
        """
        if (most, fields) not in self._read:
            self._read[most, fields] = self._newest(most, fields)
        return self._read[most, fields]

    def _newest(self, most: int, fields: Sequence[str]) -> list[Any]:
        order = self.model_admin.orderings[self.model_admin.ordering[0]]
        if len(self.result_list) == self.result_count and self._is_plain(order):
            shown = self._ordered(self.result_list, order)[:most]
            return [tuple(getattr(row, field) for field in fields) for row in shown]
        rows = self.queryset.order_by(*order).values_list(*fields)
        if isinstance(self.result_count, AtLeast) and (near := self._near(most, order)):
            found = list(rows.filter(near)[:most])
            if len(found) == most:
                return found
        return list(rows[:most])

    def _near(self, end: int, order: Sequence[str]) -> Q | None:
        """Return the condition that a row is among the first of the whole list.

        The page is probably there: see `slices.span_of_newest`.
        """
        everything = self.root_queryset.query
        selected = self.queryset.query
        name = order[0].lstrip("-")
        # A list that is a selection itself has an index of its own.
        if everything.where or not selected.where or self.lookup_opts.get_field(name).null:
            return None
        values = self.root_queryset.order_by(*order).values_list(name, flat=True)
        reach = max(CAP, end * _SPARSEST)
        first = list(values[:1])
        last = list(values[reach : reach + 1])
        return Q(**{f"{name}__range": sorted(first + last)}) if last else None


def _comparable(row: Any, name: str, *, nulls_are_largest: bool) -> tuple[bool, Any]:
    value = getattr(row, name)
    return (nulls_are_largest, 0) if value is None else (not nulls_are_largest, value)


def in_theme(ours: type[ChangeList], base: type[ChangeList]) -> type[ChangeList]:
    """Return our changelist, with that of the theme behind it."""
    return ours if issubclass(ours, base) else type(f"Themed{ours.__name__}", (ours, base), {})
