"""What staff did. Django's own audit entries are deleted with the account of who acted."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..identity.subject import USERNAME_MAX_LENGTH


class AuditEntry(models.Model):
    """One deed of one member of staff. Nobody changes it; retention deletes it."""

    class Action(models.TextChoices):
        """What was done."""

        LOCK = "lock", _("locked")
        UNLOCK = "unlock", _("unlocked")
        EXPORT = "export", _("exported")
        REVOKE = "revoke", _("trust ended")
        BLOCK = "block", _("blocked")
        ALLOW = "allow", _("allowed")
        CHANGE = "change", _("changed")
        DELETE = "delete", _("deleted")
        IMPORT = "import", _("imported")
        TELL = "tell", _("owner told")

    id = models.BigAutoField(primary_key=True)
    timestamp = models.DateTimeField(_("when"), default=timezone.now)
    #: A name, and no reference: it stays when the account goes.
    actor = models.CharField(_("who"), max_length=USERNAME_MAX_LENGTH)
    action = models.CharField(_("what"), max_length=8, choices=Action)
    #: The name that was locked or unlocked, the network, or the kind of records that went out.
    label = models.CharField(_("on"), max_length=USERNAME_MAX_LENGTH)
    #: In English, as evidence is.
    details = models.TextField(_("details"), blank=True)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        default_permissions = ("view",)
        ordering = ["-timestamp", "-id"]
        indexes = [
            models.Index(fields=["-timestamp", "-id"], name="lockout_audit_when"),
            models.Index(fields=["actor", "-timestamp"], name="lockout_audit_actor"),
            models.Index(fields=["label", "-timestamp"], name="lockout_audit_label"),
            models.Index(fields=["action", "-timestamp"], name="lockout_audit_action"),
        ]

    def __str__(self) -> str:
        return f"{self.actor}: {self.action} {self.label}"
