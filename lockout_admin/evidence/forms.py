"""The forms of the filters: what holds between them, and how wide a time range may be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django import forms
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from ..models import AccountLock

#: The time presets: their labels, and how far back they reach.
PRESETS = [
    ("15m", _("Last 15 minutes"), timedelta(minutes=15)),
    ("1h", _("Last hour"), timedelta(hours=1)),
    ("24h", _("Last 24 hours"), timedelta(days=1)),
    ("7d", _("Last 7 days"), timedelta(days=7)),
    ("30d", _("Last 30 days"), timedelta(days=30)),
    ("90d", _("Last 90 days"), timedelta(days=90)),
    ("all", _("Any time"), None),
]
REACH = {name: reach for name, _label, reach in PRESETS}


class RecordForm(forms.Form):
    """What holds between filters."""

    def clean(self) -> dict[str, Any]:
        """Refuse what could be read in two ways."""
        for name in self.fields:
            given = self.data.getlist(name) if hasattr(self.data, "getlist") else []
            if len(set(given)) > 1:
                self.add_error(name, _("This is given more than once."))
        after = self.cleaned_data.get("after")
        before = self.cleaned_data.get("before")
        if after and before and after >= before:
            self.add_error("before", _("The time range ends before it starts."))
        return self.cleaned_data

    @cached_property
    def start(self) -> datetime | None:
        """The start of the time range; ``None``: it has none."""
        reach = REACH.get(self.cleaned_data.get("time") or "")
        starts = [timezone.now() - reach if reach else None, self.cleaned_data.get("after")]
        return max(filter(None, starts), default=None)

    @property
    def scans(self) -> bool:
        """Whether a filter is in use that no index serves."""
        return False


class BoundedForm(RecordForm):
    """The filters of a table that grows: no question goes through all of it."""

    #: How many days back a filter may look that no index serves.
    days: ClassVar[int]
    #: Such filters; they may look further beside one that an index serves.
    scanning: ClassVar[tuple[str, ...]]
    #: Filters beside a name that an index serves.
    served: ClassVar[tuple[str, ...]] = ("net", "agent")
    #: Filters that group what they find: these may never look further.
    grouping: ClassVar[tuple[str, ...]] = ()

    def clean(self) -> dict[str, Any]:
        """Refuse a time range that is too wide for what is asked."""
        given = super().clean()
        # The minute is for a start that was typed when the form was opened.
        earliest = timezone.now() - timedelta(days=self.days, minutes=1)
        if self.start is None or self.start < earliest:
            for name in dict.fromkeys(self.bounded(given)):
                self.add_error(name, self._too_wide(name))
        return given

    @property
    def scans(self) -> bool:
        """Whether a filter is in use that no index serves."""
        return any(self.bounded(self.cleaned_data))

    def _too_wide(self, name: str) -> Any:
        """Return what to do: a shorter range, or a filter beside it that an index serves."""
        too_wide = _too_wide(self.days)
        if name not in self.scanning:
            return too_wide
        others = [self.fields[other] for other in ("username", *self.served)]
        beside = [str(other.label) for other in others if not other.widget.is_hidden]
        said = gettext("%(too_wide)s Or add one of these filters: %(filters)s.")
        return said % {"too_wide": too_wide, "filters": ", ".join(beside)}

    def bounded(self, given: dict[str, Any]) -> Iterator[str]:
        """Yield the filters in use that need a short time range."""
        yield from (name for name in self.grouping if given.get(name))
        contains = given.get("match") == "contains"
        has_name = given.get("username") and not contains
        if has_name or any(given.get(name) for name in self.served):
            return
        yield from (name for name in self.scanning if given.get(name))
        if contains and given.get("username"):
            yield "username"


def _too_wide(days: int) -> str:
    too_wide = ngettext_lazy(
        "Choose a time range of at most %(days)d day for this.",
        "Choose a time range of at most %(days)d days for this.",
        "days",
    )
    return too_wide % {"days": days}


class FailureForm(BoundedForm):
    """The filters of failures."""

    days = 7
    scanning = ("account", "path", "repeated", "common", "place")
    grouping = ("pattern",)
    served = (*BoundedForm.served, "incident")


class SuccessForm(BoundedForm):
    """The filters of successes."""

    days = 7
    scanning = ("path", "place")
    served = ("net", "agent", "account", "failed")


class LockForm(BoundedForm):
    """The filters of locks, of which there are far fewer."""

    days = 30
    scanning = ()
    served = ("by",)

    def bounded(self, given: dict[str, Any]) -> Iterator[str]:
        """Yield the state too, where it is the one that no index serves."""
        yield from super().bounded(given)
        if AccountLock.State.MONITORED in (given.get("state") or ()):
            yield "state"
