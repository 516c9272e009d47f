"""The FilterSet in the changelist: one list filter that owns all of its parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.admin import ListFilter
from django.contrib.admin.views.main import ERROR_FLAG, PAGE_VAR
from django.utils.translation import gettext_lazy as _


class FilterSetListFilter(ListFilter):
    """The filters of `ModelAdmin.filterset_class`, as one form."""

    title = _("record")
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

    def has_output(self) -> bool:
        """Show the form always."""
        return True

    def expected_parameters(self) -> list[str | None]:
        """Return the parameters it owns."""
        return list(self.names)

    def queryset(self, request: Any, queryset: Any) -> Any:
        """Return the selected rows; none when a filter is not valid: an action must not reach more."""
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
