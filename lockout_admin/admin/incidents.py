"""The screen of incidents: what is going on, and one page for each with what can be done."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from ..evidence.inputs import without_port
from ..identity.network import number_of
from ..identity.subject import Subject
from ..incidents import turns
from ..incidents.thresholds import Thresholds
from ..models import Incident, IncidentName, IncidentNetwork
from ..models.fields import parse_network
from . import confirming, deeds, helping
from .incidentcolumns import IncidentColumns, KindFilter, OverFilter, StateFilter
from .incidentpage import Page
from .incidentsight import NEVER_TRIED, Sees, leave_out_the_untold
from .paging import CappedList, CappedPaginator, in_theme
from .records import CONSOLE_CSS, CONSOLE_JS


@admin.register(Incident)
class IncidentAdmin(IncidentColumns):
    """Incidents, seen last first."""

    list_display = ("what", "going", "began", "figures", "guesses", "inside")
    list_display_links = ("what",)
    list_filter = (StateFilter, OverFilter, KindFilter)
    sortable_by = ()
    ordering = ("-last_seen_at", "-id")
    search_fields = ("about",)
    search_help_text = gettext_lazy("A whole username, an address, a network")
    actions = None
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 100
    page_template: Final = "lockout_admin/incident.html"
    thresholds_template: Final = "lockout_admin/thresholds.html"

    class Media:
        css = CONSOLE_CSS
        js = CONSOLE_JS

    # -- Permissions ----------------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let nobody make up an incident, not even superusers."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let nobody change one in a form; there are verbs for that."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let nobody delete one, not even superusers."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tell whether the user may view incidents."""
        return bool(request.user.has_perm("lockout_admin.view_incident"))

    # -- The list -------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return those that stand for themselves; each with what the user may see."""
        rows: Any = super().get_queryset(request)
        return rows.fresh().unmerged()

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Leave out who got in for those who may not know."""
        hidden = () if Sees.of(request).logins else ("inside",)
        return [name for name in super().get_list_display(request) if name not in hidden]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[Any]:
        """Return the changelist of the theme with ours in front of it."""
        return in_theme(CappedList, super().get_changelist(request, **kwargs))

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Return the list; its rows know what the user may see."""
        changelist = super().get_changelist_instance(request)
        sees = Sees.of(request)
        leave_out_the_untold(changelist.result_list, sees)
        for row in changelist.result_list:
            row.lockout_sees = sees
        return changelist

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Bring the incidents up to date, and show the list."""
        if self.has_view_permission(request):
            turns.group_if_due()
        title = {"title": capfirst(self.opts.verbose_name_plural)}
        return super().changelist_view(request, {**title, **(extra_context or {})})

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        """Find the incidents of a name, for those who may see names, or of a network."""
        term = search_term.strip()
        # Django's form drops a term with a NUL, and so would show everything.
        if "\0" in request.GET.get("q", ""):
            return queryset.none(), False
        if not term:
            return queryset, False
        sees = Sees.of(request)
        number = _number_of(term)
        if number is not None:
            parts: Any = IncidentNetwork.objects.filter(number=number)
        else:
            keys = Subject.of(term).keys if sees.names else ()
            parts = IncidentName.objects.filter(subject__in=keys)
        if not sees.logins:
            parts = parts.exclude(NEVER_TRIED)
        return queryset.filter(pk__in=parts.values("incident")), False

    # -- Pages ----------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        """Add the pages and deeds."""
        wrap = self.admin_site.admin_view
        name = "lockout_admin_incident_{}".format
        return [
            path("thresholds/", wrap(self.thresholds_view), name=name("thresholds")),
            path("<int:pk>/do/<slug:verb>/", wrap(self.deed_view), name=name("do")),
            path("<int:pk>/block/", wrap(self.block_view), name=name("block")),
            path("<int:pk>/merge/", wrap(self.merge_view), name=name("merge")),
            path("<int:pk>/help/<slug:verb>/", wrap(self.help_view), name=name("help")),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show one incident."""
        if request.method not in ("GET", "HEAD") or not self.has_view_permission(request):
            raise PermissionDenied
        turns.group_if_due()
        number = int(object_id) if object_id.isdecimal() and len(object_id) < 19 else 0
        return self._answer(request, self.page_template, Page.of(request, self.found(number)))

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Show the incident: its time line is its history."""
        return self.change_view(request, object_id)

    @method_decorator(require_safe)
    def thresholds_view(self, request: HttpRequest) -> HttpResponse:
        """Show from when on something is an incident, and why."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        lines = Thresholds.now().lines()
        return self._answer(request, self.thresholds_template, None, lines=lines)

    @method_decorator(require_POST)
    def deed_view(self, request: HttpRequest, pk: int, verb: str) -> HttpResponseBase:
        """Do something about an incident, and lead back to it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return deeds.do(self.admin_site.name, request, self.found(pk), verb)

    def block_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, then block the networks of an incident."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return confirming.Blocking(self, request, self.found(pk)).answer()

    def merge_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, then make another incident a part of one."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return confirming.Merging(self, request, self.found(pk)).answer()

    def help_view(self, request: HttpRequest, pk: int, verb: str) -> HttpResponse:
        """Ask, then help those whose accounts were entered."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return helping.Helping(self, request, self.found(pk), verb).answer()

    def found(self, pk: int) -> Incident:
        """Return an incident, the one that it was merged into; raise `Http404` for none."""
        row: Incident | None = Incident.objects.fresh().whole(pk)
        if row is None:
            raise Http404
        return row

    def _answer(
        self, request: HttpRequest, template: str, page: Page | None, **context: Any
    ) -> HttpResponse:
        shown = {
            **self.admin_site.each_context(request),
            "title": page.title if page else _("Thresholds"),
            "opts": self.opts,
            "media": self.media,
            "page": page,
            **context,
        }
        return TemplateResponse(request, template, shown)


def _number_of(term: str) -> int | None:
    try:
        return number_of(str(parse_network(without_port(term))))
    except ValidationError:
        return None
