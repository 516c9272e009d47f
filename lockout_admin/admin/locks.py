"""The screen of active locks: look, unlock, lock by hand."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Max
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from .. import lockout
from ..engine import locks
from ..engine.known import Enforcement
from ..engine.releases import LockSelection
from ..evidence.bidi import SECONDS, clock, set_apart
from ..evidence.filters import ActiveLockFilter
from ..exports.resources import AccountLockResource
from ..identity.subject import Subject
from ..models import AccountLock, ActiveLock, AuditEntry
from . import pills, times
from .columns import FIGURES, LOCK_PAGE, visible
from .consent import ConsentAdmin
from .exporting import ExportAdminMixin
from .facts import facts_of
from .forms import LockForm
from .selections import hidden_of_action
from .strays import StrayLocks
from .unlocking import Confirmation


@admin.register(ActiveLock)
class ActiveLockAdmin(ConsentAdmin, ExportAdminMixin, StrayLocks):
    """The locks that refuse attempts now."""

    filterset_class = ActiveLockFilter
    change_list_template = "admin/lockout_admin/activelock/change_list.html"
    orderings = {
        # "limit" before "manual", in each the newest first. The open ones alone are sorted: by an
        # index in this order, a database would walk over all that have ended.
        "reason": ("reason", "-started_at", "-id"),
        "-until": ("-until", "-id"),
        "until": ("until", "id"),
    }
    ordering = ("reason", "-started_at", "-id")
    list_display = ("name", "about", "because", "began", "left", *FIGURES)
    list_display_links = ("name",)
    sortable_by = ("left",)
    actions = ("unlock", "export_selected")
    resource_classes = [AccountLockResource]

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return the open locks."""
        rows: Any = super().get_queryset(request)
        return rows.open()

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Return the columns, with a way to unlock for those who may."""
        first, *others = super().get_list_display(request)
        # Next to the name: it must not need scrolling.
        return [first, *self._way_to_unlock(request), *others]

    def _way_to_unlock(self, request: HttpRequest) -> list[str]:
        return ["unlock_link"] if self.has_unlock_permission(request) else []

    @admin.display(description=gettext_lazy("until"), ordering="until")
    def left(self, row: AccountLock) -> str:
        """The time that is left; what enforces it, if that is not the cache."""
        facts = facts_of(row)
        if facts.enforcement is Enforcement.ENFORCED:
            return times.left(row.until)
        return format_html("{} {}", times.left(row.until), pills.enforcement(facts))

    def get_model_perms(self, request: HttpRequest) -> dict[str, bool]:
        """Return what Django's index offers: it would call locking a name "Add"."""
        return {**super().get_model_perms(request), "add": False}

    @admin.action(description=gettext_lazy("Unlock the selected locks"), permissions=["unlock"])
    def unlock(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        """Ask, then end every lock of the selected names."""
        hidden = [*hidden_of_action(request, "unlock"), ("after", request.GET.get("after", ""))]
        return Confirmation(
            self, request, LockSelection(queryset), request.get_full_path(), hidden
        ).answer()

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Show the list. An action keeps the time range that held when it was chosen."""
        if request.method == "POST":
            asked = request.GET.copy()
            if after := request.POST.get("after"):
                asked["time"] = "all"
                asked["after"] = after
            request.GET = self.filterset_class(asked).pinned()
        return super().changelist_view(request, extra_context)

    def look_up(self, request: HttpRequest, rows: list[Any]) -> None:
        """Find out what the rows do not say, and how to come back to this list."""
        super().look_up(request, rows)
        for row in rows:
            row.preserved_filters = self.get_preserved_filters(request)

    # -- One lock -------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        """Add the page that unlocks one."""
        view = self.admin_site.admin_view(self.unlock_view)
        return [
            path("<int:pk>/unlock/", view, name="lockout_admin_activelock_unlock"),
            *super().get_urls(),
        ]

    def unlock_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, then end every lock of one name."""
        if not self.has_unlock_permission(request):
            raise PermissionDenied
        url = self.url_of("activelock_changelist")
        kept: Any = {"opts": self.opts, "preserved_filters": self.get_preserved_filters(request)}
        back = add_preserved_filters(kept, url)
        row = AccountLock.objects.fresh().filter(pk=pk).first() if pk < 2**63 else None
        if row is None or row.state != AccountLock.State.OPEN:
            messages.warning(request, how_it_ended(row))
            return HttpResponseRedirect(back)
        selection = LockSelection(AccountLock.objects.fresh().open().filter(pk=pk))
        return Confirmation(self, request, selection, back).answer()

    def change_view(
        self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Show one; say so when it has ended meanwhile."""
        key = unquote(object_id)
        if key.isdecimal() and len(key) < 19 and self.has_view_permission(request):
            row = AccountLock.objects.fresh().filter(pk=key).first()
            if row is not None and row.state != AccountLock.State.OPEN:
                messages.warning(request, how_it_ended(row))
                return HttpResponseRedirect(self.url_of("accountlock_change", key))
        return super().change_view(request, object_id, *args, **kwargs)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Lead to the record, which has the audit entries."""
        return HttpResponseRedirect(self.url_of("accountlock_history", object_id))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the questions for a new lock, or all that is known of one."""
        if obj is None:
            return [(None, {"fields": ["username", "duration", "seconds", "note", "anyway"]})]
        return [(None, {"fields": self.get_readonly_fields(request, obj)})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return all there is to say of a lock."""
        if obj is None:
            return []
        return visible(request, ["linked_name", *self._way_to_unlock(request), *LOCK_PAGE])

    # -- Locking by hand ------------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tell whether the user may lock by hand: the form tells how a name stands."""
        return self.has_view_permission(request) and self.may(request, "lock")

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Return the form that locks."""
        if change:
            return super().get_form(request, obj, change, **kwargs)
        form: Any = super().get_form(request, obj, change, form=LockForm, **kwargs)
        form.actor = request.user
        form.may_shorten = self.has_unlock_permission(request)
        return form

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Lock by hand."""
        return super().add_view(
            request,
            form_url,
            {
                "title": _("Lock a username"),
                "show_save_and_add_another": False,
                "show_save_and_continue": False,
                **(extra_context or {}),
            },
        )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Lock."""
        data = form.cleaned_data
        actor = str(request.user.get_username())
        shorten = form.may_shorten and bool(data["anyway"])
        keys = Subject.of(data["username"]).keys
        standing = locks.open_row(keys, by_hand=True) if shorten else None
        lock = lockout.lock_account(
            data["username"], data["seconds"], by=actor, note=data["note"], shorten=shorten
        )
        if standing and AccountLock.objects.fresh().released().filter(pk=standing.pk).exists():
            AuditEntry.objects.create(
                actor=actor,
                action=AuditEntry.Action.UNLOCK,
                label=standing.label,
                details=f"Unlocked for a shorter lock: {data['note']} (it was: {standing.note})",
            )
        obj.pk = lock.id
        obj.refresh_from_db(using=AccountLock.objects.fresh().db)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Write the audit entry, on the lock's record: that page stays when the lock has ended."""
        # Stays in English, as evidence does.
        with override("en"):
            time = times.length(round((obj.until - obj.started_at).total_seconds()))
        said = f"Locked for {time}: {obj.note}"
        AuditEntry.objects.create(
            actor=str(request.user.get_username()),
            action=AuditEntry.Action.LOCK,
            label=obj.label,
            details=said,
        )
        return super().log_addition(request, AccountLock.objects.fresh().get(pk=obj.pk), said)

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Say until when the name is locked: an older lock may last longer."""
        said = _("“%(name)s” is locked until %(until)s.")
        subjects = Subject.of(obj.label).keys
        open_rows = AccountLock.objects.fresh().open().filter(subject__in=subjects)
        until = clock(open_rows.aggregate(last=Max("until"))["last"], SECONDS)
        messages.success(request, said % {"name": set_apart(obj.label), "until": until})
        return self.response_post_save_add(request, obj)


def how_it_ended(row: AccountLock | None) -> str:
    """Say why a lock can't be ended any more."""
    if row is None:
        return _("There is no such lock.")
    if row.state == AccountLock.State.MONITORED:
        return _("“%(name)s” was never locked: the rule only watches.") % {"name": row.label}
    if row.ended_at is None:
        return _("The lock of “%(name)s” has ended by itself.") % {"name": row.label}
    said = _("“%(name)s” has been unlocked already, by %(who)s.")
    return said % {"name": row.label, "who": row.ended_by or _("a program")}
