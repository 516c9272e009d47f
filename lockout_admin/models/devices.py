"""Browsers that owners logged in with."""

from __future__ import annotations

from typing import Any

from django.db import models, router
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..identity.subject import ACCOUNT_MAX_LENGTH, USERNAME_MAX_LENGTH
from .fields import IPAddressField
from .records import user_agent_key


class TrustedDeviceQuerySet(models.QuerySet[Any]):
    """Devices."""

    def fresh(self) -> Any:
        """Read from the database that is written to: a replica may be behind."""
        return self.using(router.db_for_write(self.model))

    def trusted(self) -> Any:
        """Return those that an attempt is counted apart for."""
        return self.filter(until__gt=timezone.now(), ended_at=None)

    def end(self, reason: str, by: str = "") -> int:
        """Trust them no more; return how many there were."""
        still = self.filter(ended_at=None)
        return still.update(ended_at=timezone.now(), end_reason=reason, ended_by=by)


class TrustedDevice(models.Model):
    """One browser of one account: what strangers fail on the name is not counted for it."""

    class End(models.TextChoices):
        """Why a device is trusted no more."""

        REVOKED = "revoked", _("revoked")
        PASSWORD = "password", _("password changed")
        NAME = "name", _("name given up")
        USED_UP = "used up", _("too many failed logins")

    #: In the cookie; nobody guesses it, and the cookie is signed.
    id = models.BigIntegerField(primary_key=True)
    #: The primary key of the account, as text.
    account = models.CharField(_("account"), max_length=ACCOUNT_MAX_LENGTH)
    user_agent = user_agent_key()
    ip_address = IPAddressField(_("IP address"), null=True)
    first_seen = models.DateTimeField(_("first seen"), default=timezone.now)
    until = models.DateTimeField(_("until"))
    #: Whether it is trusted for one login only, which makes it a device for good.
    for_once = models.BooleanField(_("for one login"), default=False)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    end_reason = models.CharField(_("why"), max_length=8, choices=End, blank=True)
    ended_by = models.CharField(_("ended by"), max_length=USERNAME_MAX_LENGTH, blank=True)

    objects = models.Manager.from_queryset(TrustedDeviceQuerySet)()

    class Meta:
        verbose_name = _("trusted device")
        verbose_name_plural = _("trusted devices")
        default_permissions = ("view",)
        permissions = [("revoke_trusteddevice", _("Can revoke trusted devices"))]
        ordering = ["-first_seen", "-id"]
        indexes = [
            models.Index(fields=["account", "-first_seen"], name="lockout_device_account"),
            # Retention walks along it.
            models.Index(fields=["first_seen", "id"], name="lockout_device_seen"),
        ]

    def __str__(self) -> str:
        return f"{self.account} ({self.first_seen:%Y-%m-%d %H:%M:%S})"
