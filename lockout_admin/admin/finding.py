"""The page that answers what was typed into the search box: it leads on, or shows a short list."""

from __future__ import annotations

from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from ..evidence import advice, finding, leads
from ..evidence.finding import Found, Where
from ..evidence.names import NameDossier
from ..evidence.sight import Sight
from .records import RecordAdmin

#: The first page of a site that has the screens, unless the site has another one.
INDEX_TEMPLATE: Final = "lockout_admin/index.html"

#: What is said of a name, by where it was found.
_SAID: Final = {
    Where.LOCKED: gettext_lazy("locked now"),
    Where.ACCOUNT: gettext_lazy("username of an account"),
    Where.EMAIL: gettext_lazy("account with this e-mail address"),
    Where.LOCK: gettext_lazy("was locked"),
    Where.ENTERED: gettext_lazy("logged in"),
    Where.FAILED: gettext_lazy("failed to log in"),
}


class SearchPage(RecordAdmin):
    """A screen of locks with the page beside its list."""

    search_template = "lockout_admin/search.html"

    def __init__(self, model: Any, admin_site: Any) -> None:
        super().__init__(model, admin_site)
        if admin_site.index_template is None:
            admin_site.index_template = INDEX_TEMPLATE

    def get_urls(self) -> list[URLPattern]:
        """Add the page."""
        view = self.admin_site.admin_view(self.search_view)
        return [
            path("search/", view, name="lockout_admin_accountlock_search"),
            *super().get_urls(),
        ]

    @method_decorator(require_safe)
    def search_view(self, request: HttpRequest) -> HttpResponse:
        """Find what was typed."""
        sight = Sight.of(request.user.has_perm)
        if not sight.networks:
            raise PermissionDenied
        typed = request.GET.get("q", "")
        found = finding.find(typed, sight)
        if "list" not in request.GET and (url := self._url_of(found)):
            return HttpResponseRedirect(url)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Search"),
            "opts": self.opts,
            "found": found,
            "sees_names": sight.names,
            "says": _told_to_callers(found, sight),
            # A whole address is found by whoever may know of accounts.
            "wants_email": found.is_part_of_email
            or (found.is_nothing and found.is_unread_of_emails and sight.accounts),
            "names": [
                (leads.to_name(self.admin_site.name, name.text), name, _said_of(name))
                for name in found.names
            ],
            "network_url": found.network
            and leads.to_network(self.admin_site.name, str(found.network)),
            "name_url": leads.to_name(self.admin_site.name, found.text),
        }
        return TemplateResponse(request, self.search_template, context)

    def _url_of(self, found: Found) -> str:
        """Return the URL of what can only be meant; empty for whatever needs a choice."""
        site = self.admin_site.name
        if found.network is not None and not found.names:
            return leads.to_network(site, str(found.network))
        name = found.only_name
        return leads.to_name(site, name.text) if name else ""


def _told_to_callers(found: Found, sight: Sight) -> list[str]:
    """Return what the page of just this name says, where nothing is known of any like it."""
    if not found.is_nothing or found.is_no_address or not sight.names:
        return []
    return advice.to_say(NameDossier(found.text, sight))


def _said_of(name: finding.Name) -> list[Any]:
    return [said for where, said in _SAID.items() if where in name.where]
