"""Its admin, with the list of users."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.urls import path

from lockout_admin.admin import LockedUserAdminMixin


class PersonAdmin(LockedUserAdminMixin, admin.ModelAdmin):  # type: ignore[type-arg]
    fields = ("is_active", "is_staff")


admin.site.register(get_user_model(), PersonAdmin)
urlpatterns = [path("admin/", admin.site.urls)]
