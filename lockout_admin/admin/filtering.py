"""List filters: the FilterSet as one that owns all of its parameters, and users who are locked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.admin import ListFilter, SimpleListFilter
from django.contrib.admin.views.main import ERROR_FLAG, PAGE_VAR
from django.db.models import Q
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..engine import strays
from ..engine.rules import ACCOUNT
from ..models import AccountLock
from ..models.accounts import accounts_of, is_joined


class FilterSetListFilter(ListFilter):
    """The filters of `ModelAdmin.filterset_class`, as one form."""

    title = gettext_lazy("record")
    template = "lockout_admin/filters.html"
    #: Unused here; themes read it.
    parameter_name = "filterset"

    def __init__(self, request: Any, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        self.names = model_admin.filterset_class.names()
        self.used_parameters = {name: params.pop(name) for name in self.names if name in params}
        # Always the query string: actions and exports are posted to it.
        self.filterset = model_admin.filterset_class(
            request.GET, queryset=model._default_manager.none(), request=request
        )
        self.filterset.most = model_admin.most_searched(request)

    def has_output(self) -> bool:
        """Show the form always."""
        return True

    def expected_parameters(self) -> list[str | None]:
        """Return the parameters it owns."""
        return list(self.names)

    def queryset(self, request: Any, queryset: Any) -> Any:
        """Return the selected rows; none when a filter is not valid: no action must reach more."""
        if not self.filterset.is_valid():
            return queryset.none()
        return self.filterset.filter_queryset(queryset)

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Yield what the template shows."""
        others = [
            (name, value)
            for name, values in changelist.filter_params.items()
            for value in values
            if name not in {*self.names, PAGE_VAR, ERROR_FLAG}
        ]
        findings = [
            (finding, changelist.get_query_string({finding.parameter: finding.value}, ["pattern"]))
            for finding in getattr(self.filterset, "findings", [])
        ]
        yield {
            "form": self.filterset.form,
            "others": others,
            "findings": findings,
            "pattern": self.filterset.form.data.get("pattern"),
            "reset": changelist.get_query_string(remove=self.names),
            "is_used": bool(self.used_parameters),
        }


class LockedNowFilter(SimpleListFilter):
    """Users who are locked, under their username in any letter case."""

    title = gettext_lazy("locked now")
    parameter_name = "locked"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the choices."""
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Return the users who are locked, or all others."""
        if self.value() not in {"yes", "no"}:
            return queryset if self.value() is None else queryset.none()
        locks = AccountLock.objects.fresh().open().filter(scope=ACCOUNT.name).order_by()
        if is_joined(locks, queryset):
            names = locks.values(name=Lower("label"))
            users = queryset.alias(lockout_name=Lower(queryset.model.USERNAME_FIELD))
            are_locked = Q(lockout_name__in=names)
        else:
            users = queryset
            are_locked = Q(pk__in=accounts_of(locks.values_list("label", flat=True).iterator()))
        # The column shows them, too: their rows are lost.
        lost = [stray.lock.label for stray in strays.find() if stray.scope == ACCOUNT.name]
        if lost:
            are_locked |= Q(pk__in=accounts_of(lost))
        return users.filter(are_locked) if self.value() == "yes" else users.exclude(are_locked)
