"""The users' own admin: until when they are locked, and a way to unlock them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.utils import flatten_fieldsets, quote, unquote
from django.contrib.auth.admin import UserAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..engine import known
from ..engine.releases import UserSelection
from ..identity.field import username_of
from ..identity.subject import Subject
from . import cells
from .filtering import LockedNowFilter
from .owned import devices_of
from .records import CONSOLE_CSS, CONSOLE_JS
from .selections import hidden_of_action
from .successes import last_logins
from .unlocking import Confirmation
from .visits import may_see

if TYPE_CHECKING:
    _Mixin = admin.ModelAdmin[Any]
    _UserAdmin = UserAdmin[Any]
else:
    _Mixin = object
    _UserAdmin = (
        type("ThemedUserAdmin", (UserAdmin, import_string("unfold.admin.ModelAdmin")), {})
        if apps.is_installed("unfold")
        else UserAdmin
    )


class LockedUserAdminMixin(_Mixin):
    """Put it before the class of your user admin."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # None: this admin has no actions, not even those of the site.
        if self.actions is not None:
            self.actions = [*self.actions, "unlock_accounts"]

    @property
    def media(self) -> forms.Media:
        """Return the media of the user admin and those of the console."""
        return super().media + forms.Media(css=CONSOLE_CSS, js=CONSOLE_JS)

    # -- Permissions ----------------------------------------------------------------------------

    def has_unlock_permission(self, request: HttpRequest) -> bool:
        """Tell whether the user may unlock, and may see the locks."""
        return self.sees_locks(request) and request.user.has_perm(
            "lockout_admin.unlock_accountlock"
        )

    def sees_locks(self, request: HttpRequest) -> bool:
        """Tell whether the user may know who is locked."""
        return request.user.has_perm("lockout_admin.view_accountlock")

    # -- The list -------------------------------------------------------------------------------

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Return the columns, with the one that says until when a user is locked."""
        columns = list(super().get_list_display(request))
        return [*columns, "locked_until"] if self.sees_locks(request) else columns

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """Return the filters, with the one for users who are locked."""
        filters = list(super().get_list_filter(request))
        return [*filters, LockedNowFilter] if self.sees_locks(request) else filters

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[Any]:
        """Return the changelist, which looks up the locks of a page at once."""
        base = super().get_changelist(request, **kwargs)
        return type("LockedUserList", (_LocksOfPage, base), {})

    @admin.action(description=gettext_lazy("Unlock the selected users"), permissions=["unlock"])
    def unlock_accounts(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        """Ask, then unlock those of the selected users who are locked."""
        hidden = hidden_of_action(request, "unlock_accounts")
        return Confirmation(
            self, request, UserSelection(queryset), request.get_full_path(), hidden
        ).answer()

    # -- One user -------------------------------------------------------------------------------

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        """Return a user, with the lock there may be."""
        user = super().get_object(request, object_id, from_field)
        if user is not None:
            look_up([user])
            user.lockout_filters = self.get_preserved_filters(request)
            user.lockout_sees_failures = may_see(request, cells.FAILURES)
            user.lockout_sees_logins = may_see(request, cells.SUCCESSES)
        return user

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the sections, with one on the lock and the logins, unless they are in one."""
        sections = super().get_fieldsets(request, obj)
        there = flatten_fieldsets(sections)
        fields = [field for field in self._fields(request) if field not in there]
        if obj is None or not fields:
            return sections
        first, *others = sections
        return [first, (_("Lockout"), {"fields": fields}), *others]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the fields that are not for writing, the lock and the logins among them."""
        fields = super().get_readonly_fields(request, obj)
        return fields if obj is None else [*fields, *self._fields(request)]

    def _fields(self, request: HttpRequest) -> list[str]:
        fields = ["last_logins"] if may_see(request, cells.SUCCESSES) else []
        if request.user.has_perm("lockout_admin.view_trusteddevice"):
            fields.append("trusted_devices")
        if not self.sees_locks(request):
            return fields
        may = self.has_unlock_permission(request)
        return ["locked_until_with_unlock" if may else "locked_until", *fields]

    def get_urls(self) -> list[Any]:
        """Add the page that unlocks one user."""
        view = self.admin_site.admin_view(self.unlock_view)
        return [
            path("<path:object_id>/unlock/", view, name=self._unlock_name()),
            *super().get_urls(),
        ]

    def unlock_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then unlock one user."""
        user = self.get_object(request, unquote(object_id))
        may = self.has_unlock_permission(request) and self.has_view_or_change_permission(
            request, user
        )
        if user is None or not may:
            raise PermissionDenied
        url = reverse(
            f"admin:{self._unlock_name(page='change')}",
            args=[quote(user.pk)],
            current_app=self._site(),
        )
        back = add_preserved_filters(
            {"opts": self.opts, "preserved_filters": user.lockout_filters}, url
        )
        selection = UserSelection(self.model._base_manager.filter(pk=user.pk))
        return Confirmation(self, request, selection, back).answer()

    def _unlock_name(self, page: str = "unlock") -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{page}"

    def _site(self) -> str:
        return self.admin_site.name

    # -- Columns --------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("locked until"))
    def locked_until(self, user: Any) -> str:
        """When the lock ends, and the time that is left."""
        until = getattr(user, "lockout_until", None)
        return format_html("{} {}", cells.moment(until), cells.remaining(until)) if until else "-"

    @admin.display(description=gettext_lazy("locked until"))
    def locked_until_with_unlock(self, user: Any) -> str:
        """The same, and a way to unlock."""
        if getattr(user, "lockout_until", None) is None:
            return "-"
        url = reverse(
            f"admin:{self._unlock_name()}", args=[quote(user.pk)], current_app=self._site()
        )
        url = add_preserved_filters(
            {"opts": self.opts, "preserved_filters": getattr(user, "lockout_filters", "")}, url
        )
        return format_html(
            '{} <a class="lockout-unlock" href="{}">{}</a>',
            self.locked_until(user),
            url,
            _("Unlock"),
        )

    @admin.display(description=gettext_lazy("last logins"))
    def last_logins(self, user: Any) -> str:
        """The last logins, and a link to all of them."""
        return last_logins(self._site(), user)

    @admin.display(description=gettext_lazy("trusted devices"))
    def trusted_devices(self, user: Any) -> str:
        """The browsers that the user logged in with, and a link to all of them."""
        sees_logins = getattr(user, "lockout_sees_logins", False)
        return devices_of(self._site(), user, sees_logins=sees_logins)


class LockoutUserAdmin(LockedUserAdminMixin, _UserAdmin):
    """Django's user admin, with the locks: ``admin.site.register(User, LockoutUserAdmin)``."""


class _LocksOfPage:
    """A changelist that looks up the locks of its page at once."""

    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        """Read the page."""
        super().get_results(request)  # type: ignore[misc]
        look_up(list(self.result_list))


def look_up(users: list[Any]) -> None:
    """Put on `users` until when they are locked: one cache call and one query."""
    locks = known.of_names({user: Subject.of(username_of(user)) for user in users})
    for user in users:
        user.lockout_until = locks[user].until if user in locks else None
