"""Locks that only the store knows, above the list of active locks."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..engine import strays
from ..engine.releases import SHOWN
from ..figures import grouped
from ..identity.subject import Subject
from . import cells
from .columns import LockColumns


class StrayLocks(LockColumns):
    """A screen that lists them, and gives them rows on which they can be ended."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Show the list, below the strays."""
        may_see = request.method == "GET" and self.has_view_permission(request)
        shown = self._strays(request) if may_see else {}
        return super().changelist_view(request, {**shown, **(extra_context or {})})

    def get_urls(self) -> list[URLPattern]:
        """Add the page that puts strays on record."""
        record = self.admin_site.admin_view(self.record_view)
        return [
            path("record/", record, name="lockout_admin_activelock_record"),
            *super().get_urls(),
        ]

    def url_of(self, page: str, *args: Any) -> str:
        """Return the URL of a page of the console."""
        name = f"admin:lockout_admin_{page}"
        return reverse(name, args=args, current_app=self.admin_site.name)

    def record_view(self, request: HttpRequest) -> HttpResponse:
        """Give strays their rows, and lead to where these are unlocked."""
        if request.method != "POST" or not self.has_unlock_permission(request):
            raise PermissionDenied
        chosen = request.POST.get("stray")
        if chosen is None:
            return self._record_all(request)
        scope, _colon, key = chosen.partition(":")
        stray = strays.find_one(scope, int(key)) if key.isdecimal() and len(key) < 20 else None
        if stray is None:
            messages.warning(request, _("There is no such lock."))
            return HttpResponseRedirect(self.url_of("activelock_changelist"))
        return HttpResponseRedirect(self.url_of("activelock_unlock", strays.record(stray).pk))

    def _record_all(self, request: HttpRequest) -> HttpResponse:
        found = strays.find()
        for stray in found:
            strays.record(stray)
        said = ngettext(
            "%(count)s lock is on record now.", "%(count)s locks are on record now.", len(found)
        )
        messages.success(request, said % {"count": grouped(len(found))})
        return HttpResponseRedirect(self.url_of("activelock_changelist"))

    def _strays(self, request: HttpRequest) -> dict[str, Any]:
        """Return the strays, that of the name searched for among them."""
        names = [request.GET.get("q", ""), request.GET.get("username", "")]
        found = strays.find([key for name in names if name for key in Subject.of(name).keys])
        return {
            "strays": [
                (stray, cells.moment(stray.lock.since), cells.moment(stray.lock.until))
                for stray in found[:SHOWN]
            ],
            "more_strays": len(found) - SHOWN,
            "may_unlock": self.has_unlock_permission(request),
        }
