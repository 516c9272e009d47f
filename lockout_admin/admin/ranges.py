"""What a list says of its range: since when it was searched, and where else there are rows."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.contrib.admin.views.main import PAGE_VAR
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _

from ..evidence.selection import RecordFilter
from ..figures import counted, grouped
from .chips import wider
from .filtering import FilterSetListFilter
from .paging import CAP, CappedPaginator
from .times import exact

#: Rows that a list reads for filters that no index serves; a link leads to those before them.
SEARCHED: Final = 10_000


def tell_of_the_rest(request: HttpRequest, filterset: RecordFilter) -> None:
    """Lead from rows that were searched, the newest of a range, to those before them."""
    if filterset.since is None:
        return
    asked = request.GET.copy()
    for gone in ("time", "before", PAGE_VAR):
        asked.pop(gone, None)
    asked["after"] = filterset.form.start.isoformat()  # such filters are not valid without one
    asked["before"] = filterset.since.isoformat()
    text = _("Searched: the newest %(count)s rows of this time, since %(moment)s.")
    said = text % {"count": grouped(SEARCHED), "moment": exact(filterset.since)}
    url = f"?{asked.urlencode()}"
    link = _("Search those before")
    messages.info(request, format_html('{} <a href="{}">{}</a>', said, url, link))


def tell_of_other_times(model_admin: Any, request: HttpRequest, shown: Any, time: str) -> None:
    """Lead from a list that is empty to the next wider range that is not."""
    for asked, label in wider(request.GET, time):
        # Where this would go through all of a table, the form is not valid and finds nothing.
        rows = model_admin.get_queryset(request)
        wide = model_admin.filterset_class(asked, queryset=rows, request=request)
        wide.most = SEARCHED
        rows, _is_distinct = model_admin.get_search_results(request, wide.qs, shown.query)
        if count := CappedPaginator(rows, model_admin.list_per_page).count:
            said = {"time": label, "count": counted(count, CAP)}
            text = _("Nothing in this time. %(time)s: %(count)s.") % said
            url = f"?{asked.urlencode()}"
            messages.info(request, format_html('{} <a href="{}">{}</a>', text, url, _("Show")))
            return


def filterset_of(shown: Any) -> RecordFilter:
    """Return the filters that have selected the rows of a list."""
    found = (one for one in shown.filter_specs if isinstance(one, FilterSetListFilter))
    filterset: RecordFilter = next(found).filterset
    return filterset
