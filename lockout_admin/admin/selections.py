"""Actions on selected rows: done to what was shown and confirmed, however many rows that is.

The page that asks holds no row that a filter found: it repeats the selection, and the list finds
the rows again. A form may have a thousand fields (``DATA_UPLOAD_MAX_NUMBER_FIELDS``), a list more.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import router
from django.db.models import Max, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from ..engine import moments
from ..models.walks import walk
from . import consent

#: Rows that a page shows before they are gone.
SHOWN: Final = 50
#: Rows of one step, …
CHUNK = 500
#: … and seconds after which a page asks to go on: servers end requests after 30.
PAUSE_AFTER_SECS = 20


class Selected:
    """The rows that an action is for."""

    def __init__(self, request: HttpRequest, action: str, rows: QuerySet[Any], by: str) -> None:
        self.request = request
        self._hidden = hidden_of_action(request, action)
        #: Read where it is decided: a replica may be behind.
        self.rows = rows.using(router.db_for_write(rows.model)).order_by()
        #: What later rows have more of: a confirmation is for none of them.
        self.by = by
        #: Whether the time was up before the last row.
        self.paused = False

    def confirmed(self) -> QuerySet[Any] | None:
        """Return the rows that were shown and confirmed; ``None``: ask, and say why once more."""
        if "token" not in self.request.POST:
            return None
        shown = consent.opened(self.request, self._about())
        if shown is None:
            messages.warning(self.request, _("This took a while. Please look at the number again."))
            return None
        count, top = shown
        if self.by != "pk":
            top = moments.moment(top)
        rows = self.rows.filter(**{f"{self.by}__lte": top})
        if rows.count() > count:
            messages.warning(self.request, _("There are more now. Please look again."))
            return None
        return rows

    def question(self) -> dict[str, Any]:
        """Return what a page has to show: the number, the first rows, and fields to send back."""
        count = self.rows.count()
        top = self.rows.aggregate(top=Max(self.by))["top"]
        if isinstance(top, datetime):
            top = moments.microseconds(top)
        token = consent.seal(self.request, self._about(), count, top)
        rows = list(self.rows.order_by(f"-{self.by}", "-pk")[:SHOWN])
        return {
            "total": count,
            "rows": rows,
            "more": count - len(rows),
            "hidden": [*self._hidden, ("token", token)],
            "back": self.request.get_full_path(),
        }

    def chunks(self, rows: QuerySet[Any]) -> Iterator[list[Any]]:
        """Yield the keys of what was confirmed, as long as there is time; say if it was not enough.

        The first step is always done, so that each request makes progress.
        """
        deadline = time.monotonic() + PAUSE_AFTER_SECS
        for position, chunk in enumerate(walk(rows, ["pk"], CHUNK)):
            if position and time.monotonic() > deadline:
                messages.warning(self.request, _("There are more. Confirm again to continue."))
                self.paused = True
                return
            yield [row[0] for row in chunk]

    def _about(self) -> list[Any]:
        return [self.request.get_full_path(), self._hidden]


def hidden_of_action(request: HttpRequest, action: str) -> list[tuple[str, str]]:
    """Return the fields that start `action` of a changelist again."""
    across = request.POST.get("select_across", "0")
    chosen = request.POST.getlist(ACTION_CHECKBOX_NAME)
    return [
        ("action", action),
        ("select_across", across),
        *((ACTION_CHECKBOX_NAME, pk) for pk in (chosen[:1] if across == "1" else chosen)),
    ]
