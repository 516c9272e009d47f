"""Attempts that were refused, by name and network: written after the response, in batches."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone

from ..identity.subject import USERNAME_MAX_LENGTH
from .fields import IPAddressField
from .querysets import RecordQuerySet
from .records import user_agent_key


class RefusedTries(models.Model):
    """What was refused of one name from one network within a few seconds, in one process.

    It is kept as long as an incident may begin with it; how much a lock refused in all, the lock
    keeps.
    """

    id = models.BigAutoField(primary_key=True)
    #: Of the last of them.
    timestamp = models.DateTimeField(default=timezone.now)
    subject = models.BigIntegerField(editable=False)
    username = models.CharField(max_length=USERNAME_MAX_LENGTH)
    network = models.BigIntegerField(null=True, editable=False)
    ip_address = IPAddressField(null=True)
    user_agent = user_agent_key()
    device = models.BigIntegerField(null=True, editable=False)
    times = models.PositiveIntegerField(default=1)

    objects: Any = models.Manager.from_queryset(RecordQuerySet)()

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["timestamp"], name="lockout_ref_when"),
            models.Index(fields=["subject", "timestamp"], name="lockout_ref_subject"),
            models.Index(fields=["network", "timestamp"], name="lockout_ref_network"),
        ]

    def __str__(self) -> str:
        return f"{self.username}: {self.times}"
