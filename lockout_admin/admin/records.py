"""What all screens of records share: nobody edits or deletes evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import SEARCH_VAR
from django.contrib.auth import get_permission_codename
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest
from django.utils.module_loading import import_string
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..evidence import watching
from ..evidence.filters import RecordFilter
from ..evidence.selection import Search
from . import ranges
from .chips import chips_of, of_list
from .filtering import FilterSetListFilter
from .paging import CappedPaginator, RecordList, in_theme

if TYPE_CHECKING:
    BaseAdmin = admin.ModelAdmin[Any]
else:
    #: The theme's own base class, where there is one, styles the check boxes and inputs.
    BaseAdmin = (
        import_string("unfold.admin.ModelAdmin")
        if apps.is_installed("unfold")
        else admin.ModelAdmin
    )


CONSOLE_CSS: Any = {"all": ["lockout_admin/console.css", "lockout_admin/answers.css"]}
CONSOLE_JS = [
    "lockout_admin/countdown.js",
    "lockout_admin/console.js",
    "lockout_admin/answers.js",
]


class ScreenAdmin(BaseAdmin):
    """A screen that is asked by its own filters and by nothing else."""

    change_list_template = "lockout_admin/change_list.html"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Show the list, with the filters in force above it."""
        answer = super().changelist_view(request, extra_context)
        context = getattr(answer, "context_data", None) or {}
        if "cl" in context and "chips" not in context:
            context["chips"] = of_list(context["cl"], request.GET)
        return answer

    def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
        """Allow the filters that are listed.

        Django's rule alone would let anybody probe any column, with any lookup.
        """
        names = _named(self.get_list_filter(request))
        is_listed = any(lookup == name or lookup.startswith(f"{name}_") for name in names)
        return is_listed and super().lookup_allowed(lookup, value, request)


class RecordAdmin(ScreenAdmin):
    """A read-only screen of records."""

    filterset_class: ClassVar[type[RecordFilter]]
    #: First term of an ordering -> the terms of the index that serves it.
    orderings: ClassVar[dict[str, Sequence[str]]]
    #: Whether records have an address to search for.
    has_addresses: ClassVar[bool] = False

    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    search_fields = ("username",)
    list_per_page = 100

    class Media:
        css = CONSOLE_CSS
        js = CONSOLE_JS

    def look_up(self, request: HttpRequest, rows: list[Any]) -> None:
        """Add to the rows of a page what its columns need beside them."""

    # -- Permissions ----------------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let nobody make up evidence, not even superusers."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let nobody change evidence, not even superusers."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let nobody delete evidence, not even superusers."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tell whether the user may view the records."""
        return self.may(request, "view")

    def may(self, request: HttpRequest, verb: str) -> bool:
        """Tell whether the user has a permission; those of a proxy are those of its model."""
        opts = self.model._meta.concrete_model._meta
        return bool(
            request.user.has_perm(f"{opts.app_label}.{get_permission_codename(verb, opts)}")
        )

    # -- The list -------------------------------------------------------------------------------

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[Any]:
        """Return the changelist of the theme with ours in front of it."""
        return in_theme(RecordList, super().get_changelist(request, **kwargs))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Show the list; say so when a filter is wrong, because themes may hide the form."""
        filterset = self._filterset(request)
        form = filterset.form
        is_read = request.method == "GET"
        if is_read and (said := watching.notice()):
            messages.warning(request, said)
        # A range, above all one that holds unasked, may hide what somebody looks for.
        given = filterset.data
        is_bounded = given["time"] != "all" or given.get("after") or given.get("before")
        if is_read and not form.is_valid():
            wrong = ", ".join(str(form.fields[name].label) for name in form.errors)
            messages.error(
                request,
                _("No row is selected, because a filter is not valid: %(filters)s")
                % {"filters": wrong},
            )
        answer: Any = super().changelist_view(
            request,
            {
                "title": capfirst(self.opts.verbose_name_plural),
                "chips": chips_of(filterset, request.GET),
                **(extra_context or {}),
            },
        )
        context = getattr(answer, "context_data", None) or {}
        shown: Any = context.get("cl")
        if shown is None or not is_read:
            return answer
        context.update(self.above(request, shown, filterset))
        searched = ranges.filterset_of(shown)
        ranges.tell_of_the_rest(request, searched)
        is_empty = not shown.result_count and searched.since is None
        if is_bounded and is_empty and form.is_valid():
            ranges.tell_of_other_times(self, request, shown, given["time"])
        return answer

    def most_searched(self, request: HttpRequest) -> int | None:
        """Return the rows that are read for filters which no index serves."""
        return ranges.SEARCHED

    def above(self, request: HttpRequest, shown: Any, filterset: RecordFilter) -> dict[str, Any]:
        """Return what stands above a list: pictures, summaries."""
        return {}

    def _filterset(self, request: HttpRequest) -> RecordFilter:
        rows = self.model._default_manager.none()
        return self.filterset_class(request.GET, queryset=rows, request=request)

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """Return the filters, the FilterSet first."""
        return [FilterSetListFilter, *super().get_list_filter(request)]

    def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
        """Allow the filters, and those that a subclass lists."""
        is_filter = lookup in self.filterset_class.names()
        return is_filter or super().lookup_allowed(lookup, value, request)

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        """Find a username in any spelling or by its beginning, or an address or network."""
        # Django's form drops a term with a NUL, and so would show everything.
        typed = request.GET.get(SEARCH_VAR, "")
        search = self.search_of(typed if "\0" in typed else search_term)
        return search.among(queryset, self.filterset_class) if search else queryset, False

    def search_of(self, term: str) -> Search | None:
        """Return what is searched for; ``None``: nothing."""
        return Search.of(term, has_addresses=self.has_addresses)

    def response_action(
        self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """Refuse what is no key before a database stumbles over it."""
        check_keys(request)
        return super().response_action(request, queryset, *args, **kwargs)

    # -- One record -----------------------------------------------------------------------------

    def get_object(self, request: HttpRequest, object_id: str, *args: Any) -> Any:
        """Return a record, with what its page needs beside it."""
        record = super().get_object(request, object_id, *args)
        if record is not None:
            self.look_up(request, [record])
        return record


def check_keys(request: HttpRequest) -> None:
    """Refuse what is no key of a record before a database stumbles over it."""
    for pk in request.POST.getlist(ACTION_CHECKBOX_NAME):
        if not (pk.isdecimal() and len(pk) < 20 and int(pk) < 2**63):
            raise SuspiciousOperation("What was selected is not the key of a record.")


def _named(list_filter: Any) -> Iterator[str]:
    """Yield the parameters, or how they begin, of what a ``list_filter`` has in it."""
    for item in list_filter:
        if item is FilterSetListFilter:
            continue
        first = item[0] if isinstance(item, list | tuple) else item
        yield first if isinstance(first, str) else first.parameter_name


SEARCH_HELP = gettext_lazy("A username, or how it begins")
SEARCH_HELP_WITH_ADDRESS = gettext_lazy("A username, or how it begins; an address or network")
