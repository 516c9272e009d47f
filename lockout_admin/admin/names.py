"""The page for a name: how it stands, why, what to tell who calls, and the button that helps."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.utils import quote
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from .. import figures
from ..engine.releases import LockSelection
from ..evidence import advice, leads
from ..evidence.accounts import Account
from ..evidence.names import LINES, SAMPLE, NameDossier
from ..evidence.sight import Sight
from ..identity.network import network_of
from ..identity.sealing import unsealed
from ..models import AccountLock
from . import cells, incidentsight, owned, sentences, times
from .columns import LockColumns
from .unlocking import Confirmation


class NamePage(LockColumns):
    """A screen of locks with the page beside its list."""

    name_template = "lockout_admin/name.html"

    def get_urls(self) -> list[URLPattern]:
        """Add the page, and where its button leads to."""
        page = self.admin_site.admin_view(self.name_view)
        unlock = self.admin_site.admin_view(self.name_unlock_view)
        name = "lockout_admin_accountlock_name"
        return [
            path("name/<str:part>/", page, name=name),
            path("name/<str:part>/unlock/", unlock, name=f"{name}_unlock"),
            *super().get_urls(),
        ]

    @method_decorator(require_safe)
    def name_view(self, request: HttpRequest, part: str) -> HttpResponse:
        """Show it."""
        dossier = self._name_dossier(request, part)
        context = {
            **self.admin_site.each_context(request),
            "title": dossier.text,
            "opts": self.opts,
            "media": self.media,
            "dossier": dossier,
            **incidentsight.of_name(request, self.admin_site.name, dossier.keys),
            **self._name_shown(request, dossier),
        }
        if dossier.sight.locks:
            context["standing"], context["sentence"] = sentences.of_name(dossier)
            context["says"] = advice.to_say(dossier)
            if dossier.lock and self.has_unlock_permission(request):
                context["question"] = self._name_confirmation(request, part, dossier).question()
        return TemplateResponse(request, self.name_template, context)

    def name_unlock_view(self, request: HttpRequest, part: str) -> HttpResponse:
        """Ask, then end every lock of the name."""
        return self._name_confirmation(request, part, self._name_dossier(request, part)).answer()

    def _name_dossier(self, request: HttpRequest, part: str) -> NameDossier:
        sight = Sight.of(request.user.has_perm)
        if not sight.names:
            raise PermissionDenied
        text = unsealed(part)
        if text is None:
            raise Http404(_("There is no such name."))
        return NameDossier(text, sight)

    def _name_confirmation(
        self, request: HttpRequest, part: str, dossier: NameDossier
    ) -> Confirmation:
        site = self.admin_site.name
        rows = AccountLock.objects.fresh().open().filter(subject__in=dossier.keys)
        url = reverse("admin:lockout_admin_accountlock_name_unlock", args=[part], current_app=site)
        back = leads.to_name(site, dossier.text)
        return Confirmation(self, request, LockSelection(rows), back, asked_at=url)

    def _name_shown(self, request: HttpRequest, dossier: NameDossier) -> dict[str, Any]:
        site = self.admin_site.name
        return {
            "accounts": [
                (account, self._account_url(account, dossier.sight)) for account in dossier.accounts
            ],
            "other_names": [(leads.to_name(site, name), name) for name in dossier.other_names],
            "devices": self._name_devices(dossier),
            "may_revoke": dossier.sight.devices
            and request.user.has_perm("lockout_admin.revoke_trusteddevice"),
            "logins": [self._name_login(row) for row in dossier.logins],
            "sources": [self._name_source(source) for source in dossier.sources[:LINES]],
            "more_sources": max(0, len(dossier.sources) - LINES),
            "failed": figures.counted(len(dossier.failures), SAMPLE),
            "locks": [
                (row.pk, sentences.of_reason(row), times.ago(row.started_at), sentences.of_end(row))
                for row in dossier.locks
            ],
            "mails": [sentences.of_mail(row) for row in dossier.mails],
            "links": self._name_links(dossier),
        }

    def _account_url(self, account: Account, sight: Sight) -> str:
        opts = get_user_model()._meta
        if not sight.users:
            return ""
        try:
            return reverse(
                f"admin:{opts.app_label}_{opts.model_name}_change",
                args=[quote(account.key)],
                current_app=self.admin_site.name,
            )
        except NoReverseMatch:
            return ""

    def _name_devices(self, dossier: NameDossier) -> list[Any]:
        owned.look_up(dossier.devices, sees_logins=dossier.sight.logins)
        return [
            (
                row,
                owned.agent_of(row),
                self._network_link(row.ip_address),
                times.ago(row.lockout_first),  # type: ignore[attr-defined]
                times.ago(row.lockout_last) if row.lockout_last else "-",  # type: ignore[attr-defined]
            )
            for row in dossier.devices
        ]

    def _name_login(self, row: Any) -> tuple[Any, ...]:
        agent = cells.agent_in_words(row.user_agent.text) if row.user_agent else "-"
        link = self._network_link(row.ip_address)
        # What is usual goes without saying.
        event = "" if row.event == row.Event.LOGIN else row.get_event_display()
        return times.ago(row.timestamp), event, link, agent

    def _name_source(self, source: Any) -> tuple[Any, ...]:
        count = figures.counted(source.failures, SAMPLE)
        link = cells.network_link(self.admin_site.name, source.network)
        return link, count, times.ago(source.last), source.is_known

    def _network_link(self, address: str | None) -> Any:
        if address is None:
            return "-"
        return cells.network_link(self.admin_site.name, network_of(address) or address)

    def _name_links(self, dossier: NameDossier) -> list[tuple[str, Any]]:
        """Return where more of the name is."""
        site, name = self.admin_site.name, dossier.text
        sight = dossier.sight
        asked = [
            (sight.failures, "failedlogin", cells.FAILURES.of_name),
            (sight.logins, "successfullogin", cells.SUCCESSES.of_name),
            (sight.locks, "accountlock", _("All locks of this name")),
        ]
        links = [
            (leads.to_records(site, model, username=name), text)
            # An empty filter would select every name.
            for may_see, model, text in asked
            if may_see and name
        ]
        alike = leads.to_page(site, "accountlock_search", q=name, list="")
        return [(url, text) for url, text in [*links, (alike, _("Names like this one"))] if url]
