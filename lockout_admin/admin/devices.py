"""The screen of trusted devices: which browsers owners logged in with, and an end to the trust."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ..evidence.bidi import isolated, technical
from ..figures import grouped
from ..models import AuditEntry, TrustedDevice
from . import cells
from .owned import agent_of, look_up
from .paging import CappedPaginator
from .reasons import TO_REVOKE, PresetInput
from .records import CONSOLE_CSS, ScreenAdmin, check_keys
from .selections import Selected

_End = TrustedDevice.End


class RevokeForm(forms.Form):
    """Why the trust ends."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=200,
        widget=PresetInput(TO_REVOKE, {"autofocus": True}),
    )


class TrustedNowFilter(admin.SimpleListFilter):
    """Devices that are trusted, or no more."""

    title = gettext_lazy("trusted now")
    parameter_name = "trusted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the choices."""
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Return the devices that are, or all others."""
        if self.value() not in {"yes", "no"}:
            return queryset if self.value() is None else queryset.none()
        trusted = {"ended_at": None, "until__gt": timezone.now()}
        if self.value() == "yes":
            return queryset.filter(**trusted)
        return queryset.exclude(**trusted)


@admin.register(TrustedDevice)
class TrustedDeviceAdmin(ScreenAdmin):
    """Browsers of owners, newest first."""

    list_display = ("owner", "agent", "source", "seen_first", "seen_last", "state")
    list_display_links = None
    list_filter = (TrustedNowFilter,)
    list_select_related = ("user_agent",)
    sortable_by = ()
    search_fields = ("account",)
    search_help_text = gettext_lazy("The whole name of an account")
    actions = ("revoke",)
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    class Media:
        css = CONSOLE_CSS

    # -- Permissions ----------------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let nobody make up a device, not even superusers."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let nobody change one, not even superusers."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let nobody delete one, not even superusers."""
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Tell whether the user may end the trust."""
        return self.has_view_permission(request) and request.user.has_perm(
            "lockout_admin.revoke_trusteddevice"
        )

    # -- The list -------------------------------------------------------------------------------

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        """Find the devices of an account, by its username or its primary key."""
        term = search_term.strip()
        # Django's form drops a term with a NUL, and so would show everything.
        if "\0" in request.GET.get("q", ""):
            return queryset.none(), False
        if not term:
            return queryset, False
        return queryset.filter(account__in=[term, *_accounts_called(term)]), False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Show the list under its name."""
        title = {"title": _("Trusted devices")}
        return super().changelist_view(request, {**title, **(extra_context or {})})

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Return the list, with what its columns need beside the rows."""
        changelist = super().get_changelist_instance(request)
        look_up(list(changelist.result_list), sees_logins=_sees_logins(request))
        return changelist

    # -- Revoking -------------------------------------------------------------------------------

    @admin.action(
        description=gettext_lazy("Trust the selected devices no more"), permissions=["revoke"]
    )
    def revoke(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        """Ask, then end the trust in the selected devices."""
        rows = queryset.filter(ended_at=None, until__gt=timezone.now())
        # The key of a device is a number drawn by lot: it tells nothing of its age.
        selected = Selected(request, "revoke", rows, "first_seen")
        confirmed = selected.confirmed()
        form = RevokeForm(None if confirmed is None else request.POST)
        if confirmed is not None and form.is_valid():
            reason = form.cleaned_data["reason"]
            count = sum(self._end(request, some, reason) for some in selected.chunks(confirmed))
            said = ngettext(
                "%(count)s device is trusted no more.",
                "%(count)s devices are trusted no more.",
                count,
            )
            messages.success(request, said % {"count": grouped(count)})
            if not selected.paused:
                return HttpResponseRedirect(request.get_full_path())
        question = selected.question()
        if not question["total"]:
            messages.warning(request, _("None of these is trusted any more."))
            return None
        look_up(question["rows"], sees_logins=_sees_logins(request))
        context = {
            **self.admin_site.each_context(request),
            **question,
            "title": _("Trust no more"),
            "opts": self.opts,
            "media": self.media,
            "form": form,
            "devices": [
                (self.owner(row), self.agent(row), self.seen_first(row), self.seen_last(row))
                for row in question["rows"]
            ],
        }
        return TemplateResponse(request, "lockout_admin/revoke.html", context)

    def response_action(
        self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """Refuse what is no key before a database stumbles over it."""
        check_keys(request)
        return super().response_action(request, queryset, *args, **kwargs)

    def _end(self, request: HttpRequest, keys: list[Any], reason: str) -> int:
        actor = request.user.get_username()
        rows = TrustedDevice.objects.fresh().filter(pk__in=keys, ended_at=None)
        devices = list(rows)
        look_up(devices, sees_logins=False)
        count: int = rows.end(_End.REVOKED, actor)
        AuditEntry.objects.bulk_create(
            AuditEntry(
                actor=actor,
                action=AuditEntry.Action.REVOKE,
                label=getattr(row, "lockout_owner", "") or row.account,
                details=f"Trusted device of account {row.account} revoked: {reason}",
            )
            for row in devices
        )
        return count

    # -- Columns --------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("account"))
    def owner(self, row: Any) -> str:
        """The username of the account; its primary key where it is gone."""
        return isolated(row.lockout_owner or row.account)

    @admin.display(description=gettext_lazy("user agent"))
    def agent(self, row: Any) -> str:
        """What it is in words, and what the browser calls itself."""
        raw = technical(cells.cut(row.user_agent.text)) if row.user_agent else ""
        return format_html("{}<br><small>{}</small>", agent_of(row), raw)

    @admin.display(description=gettext_lazy("IP address"))
    def source(self, row: Any) -> str:
        """Where it was when it was first trusted."""
        return cells.address_links(self.admin_site.name, row.ip_address, cells.SUCCESSES)

    @admin.display(description=gettext_lazy("first seen"))
    def seen_first(self, row: Any) -> str:
        """When its owner logged in with it first."""
        return cells.moment(getattr(row, "lockout_first", row.first_seen))

    @admin.display(description=gettext_lazy("last login"))
    def seen_last(self, row: Any) -> str:
        """When its owner logged in with it last, by the log of logins."""
        return cells.moment(row.lockout_last) if row.lockout_last else "-"

    @admin.display(description=gettext_lazy("state"))
    def state(self, row: Any) -> str:
        """Whether it is trusted, and if not, why."""
        if row.ended_at:
            why = _End(row.end_reason).label
            by = isolated(row.ended_by) if row.ended_by else ""
            return format_html("{} {}<br>{}", why, by, cells.moment(row.ended_at))
        if row.until <= timezone.now():
            return _("ended by time")
        return _("trusted for one login") if row.for_once else _("trusted")


def _sees_logins(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("lockout_admin.view_successfullogin"))


def _accounts_called(name: str) -> list[str]:
    model: Any = get_user_model()
    try:
        users = model._base_manager.filter(**{model.USERNAME_FIELD: name})[:1]
        return [str(user.pk) for user in users]
    except Exception:  # noqa: BLE001 - fields are anybody's, and so is what they raise
        return []
