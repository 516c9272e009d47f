"""The screen of active locks: look, unlock, lock by hand."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Max
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .. import lockout
from ..filters import ActiveLockFilter
from ..models import AccountLock, ActiveLock
from ..releases import LockSelection
from . import cells
from .columns import LockColumns
from .facts import is_open
from .forms import LockForm
from .unlocking import Confirmation, hidden_of_action


@admin.register(ActiveLock)
class ActiveLockAdmin(LockColumns):
    """The locks that refuse attempts now."""

    filterset_class = ActiveLockFilter
    orderings = {"-until": ("-until", "-id"), "until": ("until", "id")}
    ordering = ("-until", "-id")
    list_display = ("name", "has_account", "why", "left", "figures", "enforcement")
    list_display_links = ("name",)
    sortable_by = ("left",)
    actions = ("unlock",)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return the open locks."""
        rows: Any = super().get_queryset(request)
        return rows.open()

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Return the columns, with a way to unlock for those who may."""
        first, *others = super().get_list_display(request)
        # Next to the name: it must not need scrolling.
        return [first, "unlock_link", *others] if self.has_unlock_permission(request) else [first, *others]

    @admin.display(description=gettext_lazy("until"), ordering="until")
    def left(self, row: AccountLock) -> str:
        """Until when it lasts, how long that is, and since when it does."""
        parts = (cells.moment(row.until), cells.remaining(row.until), _("since"), cells.moment(row.started_at))
        return format_html("{} {} <small>{} {}</small>", *parts)

    @admin.action(description=gettext_lazy("Unlock the selected locks"), permissions=["unlock"])
    def unlock(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        """Ask, then unlock what is selected: every scope of each name."""
        hidden = [*hidden_of_action(request, "unlock"), ("after", request.GET.get("after", ""))]
        return Confirmation(self, request, LockSelection(queryset), request.get_full_path(), hidden).answer()

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Show the list. The time range of an action is that of the moment in which it was chosen."""
        if request.method == "POST":
            asked = request.GET.copy()
            if after := request.POST.get("after"):
                asked["time"], asked["after"] = "all", after
            request.GET = self.filterset_class(asked).pinned()
        return super().changelist_view(request, extra_context)

    def look_up(self, request: HttpRequest, rows: list[Any]) -> None:
        """Find out what the rows do not say, and how to come back to this list of them."""
        super().look_up(request, rows)
        for row in rows:
            row.preserved_filters = self.get_preserved_filters(request)

    # -- One lock -------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        """Add the page that unlocks one."""
        view = self.admin_site.admin_view(self.unlock_view)
        return [path("<int:pk>/unlock/", view, name="lockout_admin_activelock_unlock"), *super().get_urls()]

    def unlock_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, then unlock one: every scope of its name."""
        if not self.has_unlock_permission(request):
            raise PermissionDenied
        url = reverse("admin:lockout_admin_activelock_changelist", current_app=self.admin_site.name)
        kept: Any = {"opts": self.opts, "preserved_filters": self.get_preserved_filters(request)}
        back = add_preserved_filters(kept, url)
        row = AccountLock.objects.filter(pk=pk).first() if pk < 2**63 else None
        if row is None or not is_open(row):
            messages.warning(request, how_it_ended(row))
            return HttpResponseRedirect(back)
        selection = LockSelection(AccountLock.objects.open().filter(pk=pk))
        return Confirmation(self, request, selection, back).answer()

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show one; say so when it has ended meanwhile."""
        key = unquote(object_id)
        if key.isdecimal() and len(key) < 19 and self.has_view_permission(request):
            row = AccountLock.objects.filter(pk=key).first()
            if row is not None and not is_open(row):
                messages.warning(request, how_it_ended(row))
                return HttpResponseRedirect(
                    reverse("admin:lockout_admin_accountlock_change", args=[key], current_app=self.admin_site.name)
                )
        return super().change_view(request, object_id, *args, **kwargs)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Lead to the record, which has the audit entries."""
        return HttpResponseRedirect(
            reverse("admin:lockout_admin_accountlock_history", args=[object_id], current_app=self.admin_site.name)
        )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return what is asked to lock, or what is known of a lock."""
        if obj is None:
            return [(None, {"fields": ["username", "duration", "seconds", "note"]})]
        return [(None, {"fields": self.get_readonly_fields(request, obj)})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return all there is to say of a lock."""
        return [] if obj is None else ["linked_name", *self.get_list_display(request)[1:]]

    # -- Locking by hand ------------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let those lock who may."""
        return self.may(request, "lock")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Return the form that locks."""
        return super().get_form(request, obj, change, **({} if change else {"form": LockForm}), **kwargs)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
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
        lock = lockout.lock_account(
            data["username"], data["seconds"], by=request.user.get_username(), note=data["note"]
        )
        obj.pk = lock.id
        obj.refresh_from_db()

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Write the audit entry, on the lock's record: that page stays when the lock has ended."""
        time = cells.clock(round((obj.until - obj.started_at).total_seconds()))
        # Stays in English, as evidence does.
        return super().log_addition(request, AccountLock.objects.get(pk=obj.pk), f"Locked for {time}: {obj.note}")

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Say that it worked, and until when: an older lock may last longer."""
        said = _("“%(name)s” is locked until %(until)s.")
        open_rows = AccountLock.objects.fresh().filter(subject=obj.subject, ended_at=None)
        until = cells.local_time(open_rows.aggregate(last=Max("until"))["last"])
        messages.success(request, said % {"name": obj.username, "until": f"{until:%Y-%m-%d %H:%M:%S}"})
        return self.response_post_save_add(request, obj)


def how_it_ended(row: AccountLock | None) -> str:
    """Tell a person who came too late what happened to a lock."""
    if row is None:
        return _("There is no such lock.")
    if row.ended_at is None:
        return _("The lock of “%(name)s” has ended by itself.") % {"name": row.username}
    said = _("“%(name)s” has been unlocked already, by %(who)s.")
    return said % {"name": row.username, "who": row.ended_by or _("a program")}
