"""The table behind the store: for sites without a shared cache, and while one is down."""

from __future__ import annotations

from django.db import models


class StoreEntry(models.Model):
    """One entry of the store: a slot, a lock, a counter. Expired ones get deleted."""

    key = models.CharField(max_length=128, primary_key=True)
    #: JSON; a counter is a whole number.
    value = models.TextField()
    #: Unix time in microseconds.
    expires = models.BigIntegerField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["expires"], name="lockout_store_expires")]

    def __str__(self) -> str:
        return self.key
