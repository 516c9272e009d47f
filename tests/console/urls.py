"""An admin site of its own name, where users show their locks."""

from __future__ import annotations

from django.contrib.admin import AdminSite
from django.contrib.auth import get_user_model
from django.urls import path

from lockout_admin.admin import LockoutUserAdmin
from lockout_admin.admin.failures import FailedLoginAdmin
from lockout_admin.admin.history import LockHistoryAdmin
from lockout_admin.admin.locks import ActiveLockAdmin
from lockout_admin.models import AccountLock, ActiveLock, FailedLogin

site = AdminSite(name="console")
site.register(get_user_model(), LockoutUserAdmin)
site.register(FailedLogin, FailedLoginAdmin)
site.register(AccountLock, LockHistoryAdmin)
site.register(ActiveLock, ActiveLockAdmin)

urlpatterns = [path("console/", site.urls)]
