"""The export page of a screen: import-export's, streamed, permitted, audited."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth import get_permission_codename
from django.contrib.contenttypes.models import ContentType
from django.core.handlers.asgi import ASGIRequest
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override
from import_export.admin import ExportMixin
from import_export.signals import post_export

from ..evidence.filters import RecordFilter
from ..exports.audit import Taking, Watched
from ..exports.export import Export, Unblocked
from ..exports.formats import FORMATS, StreamedFormat
from ..figures import counted
from ..identity.client import Client
from ..models import AuditEntry
from .chips import told
from .forms import MOST_PICKED, ExportForm
from .paging import CAP, CappedPaginator


class ExportAdminMixin(ExportMixin):  # type: ignore[misc]
    """A page that exports what the list shows, and an action (``export_selected``) for rows of it.

    The admin it is mixed into has `filterset_class`, `resource_classes` of one, and names the
    action in its ``actions``.
    """

    filterset_class: ClassVar[type[RecordFilter]]
    export_form_class = ExportForm
    export_template_name = "lockout_admin/export.html"
    export_formats = FORMATS

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Tell whether records may be seen, and taken out."""
        # Permissions of a proxy are those of its model.
        opts = self.model._meta.concrete_model._meta
        codename = get_permission_codename("export", opts)
        return self.has_view_permission(request) and request.user.has_perm(
            f"{opts.app_label}.{codename}"
        )

    def most_searched(self, request: HttpRequest) -> int | None:
        """Return the rows that are read for filters which no index serves; for a file: all."""
        is_list = getattr(request.resolver_match, "url_name", "").endswith("_changelist")
        most: int | None = super().most_searched(request) if is_list else None
        return most

    def export_action(self, request: HttpRequest) -> HttpResponseBase:
        """Show the form, or stream the file."""
        try:
            response: HttpResponseBase = super().export_action(request)
        except IncorrectLookupParameters:
            self.message_user(
                request, _("This filter is not valid. Nothing was exported."), messages.ERROR
            )
            return HttpResponseRedirect(self._url("changelist", request).partition("?")[0])
        return response

    @admin.action(description=_("Export selected %(verbose_name_plural)s"), permissions=["export"])
    def export_selected(
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> HttpResponseBase | None:
        """Go to the export page: for all that the filter selects, or for the picked rows."""
        if request.POST.get("select_across") == "1":
            return HttpResponseRedirect(self._url("export", request))
        keys = list(queryset.values_list("pk", flat=True)[: MOST_PICKED + 1])
        if len(keys) > MOST_PICKED:
            message = _(
                "Pick at most %(count)d rows, or use a filter and export all that it selects."
            )
            self.message_user(request, message % {"count": MOST_PICKED}, messages.ERROR)
            return None
        form = self.get_export_form_class()(
            self.get_export_formats(),
            self.get_export_resource_classes(request),
            initial={"picked": _joined(keys)},
        )
        context = self.init_request_context_data(request, form)
        return TemplateResponse(request, self.export_template_name, context)

    def init_request_context_data(self, request: HttpRequest, form: Any) -> dict[str, Any]:
        """Add what is about to be exported."""
        filterset = self._filterset(request)
        picked = (form.data if form.is_bound else form.initial).get("picked")
        return {
            **super().init_request_context_data(request, form),
            "title": capfirst(_("Export %(name)s") % {"name": self.opts.verbose_name_plural}),
            "export_url": self._url("export", request),
            "changelist_url": self._url("changelist", request),
            "picked": len(picked.split(",")) if picked else 0,
            "filters": [(label, value) for _name, label, value in told(filterset)],
            "search": request.GET.get("q", ""),
            "errors": [] if picked else _wrong(filterset),
            "rows": "" if picked or not filterset.is_valid() else self._count(request),
        }

    def _count(self, request: HttpRequest) -> str:
        """Return how many rows would go out, counted as far as a list is."""
        rows = CappedPaginator(self.get_export_queryset(request), self.list_per_page)
        return counted(rows.count, CAP)

    def _do_file_export(
        self,
        file_format: StreamedFormat,
        request: HttpRequest,
        queryset: QuerySet[Any],
        export_form: Any = None,
    ) -> HttpResponseBase:
        """Stream the file; the audit entry is there before the first byte."""
        taking = self._taking(file_format, request, queryset, export_form)
        chunks = _watched(request, taking)
        filename = self.get_export_filename(request, queryset, file_format)
        return StreamingHttpResponse(
            Unblocked(chunks) if isinstance(request, ASGIRequest) else chunks,
            content_type=file_format.get_content_type(),
            headers={"Content-Disposition": f'attachment; filename="{filename}"'},
        )

    def _taking(
        self,
        file_format: StreamedFormat,
        request: HttpRequest,
        queryset: QuerySet[Any],
        form: ExportForm | None,
    ) -> Taking:
        """Return who takes which rows; import-export shows the error if the filter is not valid."""
        answers = form.cleaned_data if form else {}
        picked = answers.get("picked")
        filterset = self._filterset(request)
        if picked:
            queryset = self.get_queryset(request).filter(pk__in=picked)
            selection = f"hand, ids {_joined(picked)}"
        elif filterset.is_valid():
            selection = filterset.data.urlencode()
        else:
            raise ValueError(_("This filter is not valid. Nothing was exported."))
        export = Export(
            queryset,
            self.choose_export_resource_class(form, request)(
                **self.get_export_resource_kwargs(request)
            ),
            file_format,
            self.get_export_resource_fields_from_form(form) or (),
            raw=answers.get("raw", False),
        )
        return Taking(export, str(request.user.get_username()), selection, Client.of(request))

    def _url(self, page: str, request: HttpRequest) -> str:
        info = self.get_model_info()
        url = reverse(f"admin:{info[0]}_{info[1]}_{page}", current_app=self.admin_site.name)
        return f"{url}?{request.GET.urlencode()}" if request.GET else url


def _watched(request: HttpRequest, taking: Taking) -> Watched:
    """Record that rows are about to go out, before the first does; and how it ended."""
    model = taking.export.queryset.model
    said = f"{taking.description} Under way."
    # Evidence is in English, and searched for, whatever the language of who reads or acts.
    with override("en"):
        name = str(model._meta.verbose_name_plural)
    kept = AuditEntry.objects.create(
        actor=taking.actor, action=AuditEntry.Action.EXPORT, label=name, details=said
    )
    entry = LogEntry.objects.create(
        user_id=cast("int", request.user.pk),
        content_type=ContentType.objects.get_for_model(model, for_concrete_model=False),
        object_repr=name,
        action_flag=CHANGE,
        change_message=said,
    )

    def end(complete: bool) -> None:
        state = "Complete" if complete else "Broken off"
        done = f"{taking.description} {state}: {taking.export.rows} rows."
        entry.change_message = kept.details = done
        entry.save(update_fields=["change_message"])
        kept.save(update_fields=["details"])
        if complete:
            post_export.send(sender=None, model=model)

    return Watched(taking, end)


def _wrong(filterset: RecordFilter) -> list[tuple[Any, str]]:
    """Return the filters that are not valid, each with its label and what is wrong."""
    labels = {name: field.label for name, field in filterset.form.fields.items()}
    return [(labels.get(name, ""), " ".join(texts)) for name, texts in filterset.errors.items()]


def _joined(keys: list[int]) -> str:
    return ",".join(map(str, keys))
