"""The page that says what the rules in force promise."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from ..policy.report import PERIODS, Report
from .records import RecordAdmin


class PolicyPage(RecordAdmin):
    """A screen of locks with the page beside its list; whoever may view locks may read it."""

    policy_template = "lockout_admin/policy.html"

    def get_urls(self) -> list[URLPattern]:
        """Add the page."""
        view = self.admin_site.admin_view(self.policy_view)
        return [
            path("policy/", view, name="lockout_admin_accountlock_policy"),
            *super().get_urls(),
        ]

    @method_decorator(require_safe)
    def policy_view(self, request: HttpRequest) -> HttpResponse:
        """Show it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": _("Policy"),
            "opts": self.opts,
            "report": Report.now(),
            "periods": [label for _seconds, label in PERIODS.values()],
        }
        return TemplateResponse(request, self.policy_template, context)
