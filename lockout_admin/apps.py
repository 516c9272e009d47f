"""The app."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.auth.signals import user_login_failed
from django.utils.translation import gettext_lazy as _


class LockoutAdminConfig(AppConfig):
    """Connects the log and the checks."""

    name = "lockout_admin"
    verbose_name = _("Lockout")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Import what registers itself; Django has the models by now."""
        from . import checks, logs  # noqa: F401, PLC0415
        from .decorators import end_open_attempt  # noqa: PLC0415

        user_login_failed.connect(end_open_attempt, dispatch_uid="lockout_admin.end_open_attempt")
