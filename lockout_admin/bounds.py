"""The forms of the filters: what holds between them, and how far back one may look without an index."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar

from django import forms
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

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
        after, before = self.cleaned_data.get("after"), self.cleaned_data.get("before")
        if after and before and after >= before:
            self.add_error("before", _("The time range ends before it starts."))
        return self.cleaned_data

    @cached_property
    def start(self) -> datetime | None:
        """From when on rows are asked for; ``None``: from the first."""
        reach = REACH.get(self.cleaned_data.get("time") or "")
        starts = [timezone.now() - reach if reach else None, self.cleaned_data.get("after")]
        return max(filter(None, starts), default=None)


class BoundedForm(RecordForm):
    """The filters of a table that grows: no question goes through all of it."""

    #: How many days back a filter may look that no index serves.
    days: ClassVar[int]
    #: Such filters; they may look further beside one that an index serves.
    scanning: ClassVar[tuple[str, ...]]
    #: Filters that group what they find, and so never may.
    grouping: ClassVar[tuple[str, ...]] = ()

    def clean(self) -> dict[str, Any]:
        """Refuse a time range that is too wide for what is asked."""
        given = super().clean()
        # The minute is for a start that was typed when the form was opened.
        if self.start is not None and self.start >= timezone.now() - timedelta(days=self.days, minutes=1):
            return given
        contains = given.get("match") == "contains"
        selective = given.get("net") or given.get("agent") or (given.get("username") and not contains)
        scanning = () if selective else (*self.scanning, *(["username"] if contains else []))
        for name in (*self.grouping, *scanning):
            if given.get(name):
                self.add_error(name, _too_wide(self.days))
        return given


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
    scanning = ("account", "gateway")
    grouping = ("pattern",)


class LockForm(BoundedForm):
    """The filters of locks, of which there are far fewer."""

    days = 30
    scanning = ("by",)
