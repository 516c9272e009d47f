"""The demo's users, with their locks."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import get_user_model

from lockout_admin.admin import LockoutUserAdmin

admin.site.unregister(get_user_model())
admin.site.register(get_user_model(), LockoutUserAdmin)
