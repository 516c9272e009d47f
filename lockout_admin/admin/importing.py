"""The import page of a screen: read, show what it would do, do it once that is confirmed.

import-export keeps the file in between (``IMPORT_EXPORT_TMP_STORAGE_CLASS``: a folder of this host
unless the site says otherwise) and reads the rows; nothing is written unless all of them are right.
"""

from __future__ import annotations

import os
from dataclasses import astuple, dataclass
from hashlib import sha256
from typing import Any, Final, cast

from django import forms
from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import Error
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST
from import_export.admin import ImportMixin

from ..defences import dangers
from ..exports import networks, tables
from ..figures import grouped
from ..identity.client import Client
from ..identity.text import cleaned
from ..models import AuditEntry
from .networkforms import told

#: So many seconds after it was read, a file may still be confirmed.
CONFIRM_WITHIN_SECS: Final = 900
#: More than a million rows have.
MOST_BYTES: Final = 64 * 1024 * 1024
#: Rows that are wrong, and dangers, of which a page shows the first.
_SHOWN: Final = 100
_SALT: Final = "lockout_admin.import"


class FileForm(forms.Form):
    """Which file."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy(
            "CSV in UTF-8 with a line of headers: cidr, and if you like action (block or allow),"
            " reason, until (a date; empty: for ever), source (the name of a list). What was"
            " exported here can be imported as it is."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.txt,text/csv"}),
    )

    def clean_file(self) -> Any:
        """Refuse what is too big to be read at once."""
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            raise ValidationError(
                _("The file is too big: at most %(size)d MB.") % {"size": MOST_BYTES >> 20}
            )
        return file


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be confirmed: by whom, which file, and whether that takes a consent."""

    user: str
    stored: str
    name: str
    digest: str
    needs_consent: bool


class ImportAdminMixin(ImportMixin):  # type: ignore[misc]
    """A page that imports network rules."""

    import_template = "lockout_admin/import.html"

    def has_import_permission(self, request: HttpRequest) -> bool:
        """Tell whether rules may be written anew and over old ones."""
        return bool(self.has_add_permission(request) and self.has_change_permission(request))

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Ask for a file; say what is wrong with it, or what it would do."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        sent = (request.POST, request.FILES) if request.method == "POST" else ()
        form = FileForm(*sent)
        if not form.is_valid():
            return self._page(request, form=form)
        file = form.cleaned_data["file"]
        data = b"".join(file.chunks())
        try:
            table = tables.read(data)
        except ValidationError as error:
            form.add_error("file", error)
            return self._page(request, form=form)
        resource = networks.NetworkRuleResource()
        wrong = tables.faults(resource.import_data(table, dry_run=True))
        if wrong:
            shown = {"wrong": wrong[:_SHOWN], "more": len(wrong) - _SHOWN}
            return self._page(request, form=FileForm(), **shown)
        return self._ask(request, resource, data, cleaned(file.name, 100))

    @method_decorator(require_POST)
    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Do what was confirmed."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        question = self._confirmed(request)
        if question and question.needs_consent and not request.POST.get("anyway"):
            messages.error(request, _("Nothing was imported: the warnings were not ticked off."))
            return HttpResponseRedirect(self._import_url("import"))
        data = self._stored(question) if question else b""
        if question is None or not data:
            messages.warning(request, _("This took a while. Please choose the file again."))
            return HttpResponseRedirect(self._import_url("import"))
        try:
            self._import(request, data, question)
        except Error:
            messages.error(request, _("The database refused the rows. Nothing was imported."))
        return HttpResponseRedirect(self._import_url("changelist"))

    def _ask(
        self,
        request: HttpRequest,
        resource: networks.NetworkRuleResource,
        data: bytes,
        name: str,
    ) -> HttpResponse:
        found = dangers.of(resource.planned, Client.of(request).ip_address)
        storage = self.get_tmp_storage_class()(read_mode="rb", encoding=None)
        storage.save(data)
        stored = os.path.basename(storage.name)
        digest = sha256(data).hexdigest()
        needs_consent = any(danger.asks for danger in found)
        question = Question(str(request.user.pk), stored, name, digest, needs_consent)
        known = resource.known()
        return self._page(
            request,
            token=signing.dumps(astuple(question), salt=_SALT),
            name=name,
            total=len(resource.rows),
            new=len(resource.rows) - known,
            known=known,
            needs_consent=needs_consent,
            dangers=told(request, found[:_SHOWN]),
            more=len(found) - _SHOWN,
        )

    def _confirmed(self, request: HttpRequest) -> Question | None:
        try:
            answer = signing.loads(
                request.POST.get("token", ""), salt=_SALT, max_age=CONFIRM_WITHIN_SECS
            )
        except signing.SignatureExpired:
            return None
        except signing.BadSignature:
            raise PermissionDenied from None
        question = Question(*answer)
        if question.user != str(request.user.pk):
            raise PermissionDenied
        return question

    def _stored(self, question: Question) -> bytes:
        """Return the file that was shown; empty where it is gone, or is another by now."""
        storage = self.get_tmp_storage_class()(name=question.stored, read_mode="rb", encoding=None)
        try:
            data: bytes = storage.read() or b""
            storage.remove()
        except OSError:  # of another host, or confirmed before
            return b""
        return data if sha256(data).hexdigest() == question.digest else b""

    def _import(self, request: HttpRequest, data: bytes, question: Question) -> None:
        actor = str(request.user.get_username())
        resource = networks.NetworkRuleResource(actor=actor)
        # All of them were right when they were shown.
        resource.import_data(tables.read(data), raise_errors=True)
        count = len(resource.rows)
        said = f"{count} network rules of {question.name}, SHA-256 {question.digest}"
        AuditEntry.objects.create(
            actor=actor, action=AuditEntry.Action.IMPORT, label=question.name, details=said
        )
        LogEntry.objects.create(
            user_id=cast("int", request.user.pk),
            content_type=ContentType.objects.get_for_model(self.model),
            object_repr=question.name,
            action_flag=CHANGE,
            change_message=f"Imported {said}",
        )
        done = ngettext(
            "%(count)s network rule was imported.", "%(count)s network rules were imported.", count
        )
        messages.success(request, done % {"count": grouped(count)})

    def _page(self, request: HttpRequest, **shown: Any) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": _("Import network rules"),
            "opts": self.opts,
            "media": self.media,
            "changelist_url": self._import_url("changelist"),
            "import_url": self._import_url("import"),
            "process_url": self._import_url("process_import"),
            **shown,
        }
        return TemplateResponse(request, self.import_template, context)

    def _import_url(self, page: str) -> str:
        name = "admin:{}_{}_{}".format(*self.get_model_info(), page)
        return reverse(name, current_app=self.admin_site.name)
