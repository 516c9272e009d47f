"""The app."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LockoutAdminConfig(AppConfig):
    """Connects the log, the checks and the messages."""

    name = "lockout_admin"
    verbose_name = _("Lockout")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Import what registers itself; Django has the models by now."""
        from . import checks  # noqa: F401, PLC0415
        from .defences import install  # noqa: PLC0415
        from .engine import receivers  # noqa: PLC0415
        from .evidence import logs  # noqa: F401, PLC0415
        from .incidents import turns  # noqa: PLC0415
        from .notifications import due  # noqa: PLC0415

        install()
        receivers.connect()
        due.connect()
        turns.connect()
