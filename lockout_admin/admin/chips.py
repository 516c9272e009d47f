"""Chips: the filters in force above a list, each with a way to be rid of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.views.main import ERROR_FLAG, PAGE_VAR, SEARCH_VAR
from django.http import QueryDict
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from ..evidence.forms import PRESETS
from ..evidence.selection import RecordFilter

#: Filters that say when; without one, a list may have a range that holds unasked.
_RANGE = ("time", "after", "before")


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter in words, and where the list without it is."""

    label: str
    value: str
    url: str


def chips_of(filterset: RecordFilter, asked: QueryDict) -> list[Chip]:
    """Return the filters that hold on a list which was asked for with some parameters."""
    return [*_of_filters(filterset, asked), *_of_search(asked)]


def of_list(shown: Any, asked: QueryDict) -> list[Chip]:
    """Return the choices that hold on a list without a `RecordFilter`."""
    search = _of_search(asked) if shown.search_fields else ()
    return [*_of_choices(shown.filter_specs, asked), *search]


def told(filterset: RecordFilter) -> list[tuple[str, Any, str]]:
    """Return the filters that are set: parameter, label, and the value as the form words it."""
    fields = filterset.form.fields
    given = filterset.data
    unused = () if given.get("username") else ("match",)
    return [
        (name, field.label, worded(field, given[name]))
        for name, field in fields.items()
        if given.get(name) and name not in unused
    ]


def worded(field: Any, value: str) -> str:
    """Return a value as the choices of its field have it."""
    choices = dict(getattr(field, "choices", ()))
    if not choices:
        return value
    return ", ".join(str(choices.get(choice, choice)) for choice in value.split(","))


def _of_filters(filterset: RecordFilter, asked: QueryDict) -> Iterator[Chip]:
    for name, label, value in told(filterset):
        # Any time is no filter, and how a name is matched is part of the name.
        if (name, filterset.data[name]) == ("time", "all") or name == "match":
            continue
        shown = "" if name == "time" else str(label)
        yield Chip(shown, _with_match(filterset, name, value), _without(name, asked))


def _of_choices(filters: Iterable[Any], asked: QueryDict) -> Iterator[Chip]:
    for one in filters:
        value = one.value()
        if value is not None:
            label = dict(one.lookup_choices).get(value, value)
            yield Chip(capfirst(str(one.title)), str(label), _without(one.parameter_name, asked))


def _with_match(filterset: RecordFilter, name: str, value: str) -> str:
    match = filterset.data.get("match")
    if name != "username" or match in (None, "", "exact"):
        return value
    return f"{worded(filterset.form.fields['match'], match)} {value}"


def _of_search(asked: QueryDict) -> Iterator[Chip]:
    if term := asked.get(SEARCH_VAR):
        yield Chip(_("Search"), term, _without(SEARCH_VAR, asked))


def _without(name: str, asked: QueryDict) -> str:
    rest = asked.copy()
    for gone in (name, PAGE_VAR, ERROR_FLAG, *(["match"] if name == "username" else [])):
        rest.pop(gone, None)
    if name in _RANGE and not (rest.get("after") or rest.get("before")):
        rest["time"] = "all"
    return f"?{rest.urlencode()}"


def wider(asked: QueryDict, time: str) -> Iterator[tuple[QueryDict, Any]]:
    """Yield the same question for wider and wider ranges, with what these are called."""
    names = [name for name, _label, _reach in PRESETS]
    start = names.index(time) + 1 if time in names else len(names) - 1
    for name, label, _reach in PRESETS[min(start, len(names) - 1) :]:
        again = asked.copy()
        for gone in ("after", "before", PAGE_VAR):
            again.pop(gone, None)
        again["time"] = name
        yield again, label
