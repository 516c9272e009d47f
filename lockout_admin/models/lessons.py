"""What the search for incidents has been taught, and how far it has read."""

from __future__ import annotations

from typing import Any

from django.db import models, router
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..identity.subject import USERNAME_MAX_LENGTH
from .incidents import Incident
from .networks import CIDR_MAX_LENGTH

#: The verdicts that teach.
TEACHING = (Incident.Verdict.SCANNER, Incident.Verdict.CLIENT)


class Exemption(models.Model):
    """What staff have taught: this network and user agent raise no incident."""

    id = models.BigAutoField(primary_key=True)
    #: Empty: any.
    network = models.CharField(_("network"), max_length=CIDR_MAX_LENGTH, blank=True)
    #: Whole, as the records have it; empty: any.
    user_agent = models.TextField(_("user agent"), blank=True)
    verdict = models.CharField(
        _("verdict"),
        max_length=8,
        choices=[(one.value, one.label) for one in TEACHING],
    )
    incident = models.ForeignKey(
        Incident, null=True, blank=True, on_delete=models.SET_NULL, related_name="exemptions"
    )
    by = models.CharField(_("by"), max_length=USERNAME_MAX_LENGTH, blank=True)
    created_at = models.DateTimeField(_("since"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    ended_by = models.CharField(_("ended by"), max_length=USERNAME_MAX_LENGTH, blank=True)

    objects: Any = models.Manager()

    class Meta:
        verbose_name = _("exemption")
        verbose_name_plural = _("exemptions")
        default_permissions = ("view", "change")
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["ended_at", "-created_at"], name="lockout_exe_ended")]

    def __str__(self) -> str:
        return " ".join(filter(None, (self.network, self.user_agent)))


class CursorQuerySet(models.QuerySet[Any]):
    """The one row."""

    def hold(self) -> bool:
        """Have everybody else who does so wait until the transaction ends; False: no row yet."""
        rows = self.using(router.db_for_write(self.model))
        return bool(rows.filter(pk=1).update(turn=models.F("turn") + 1))


class IncidentCursor(models.Model):
    """How far the records have been read, and what is usual at this site. One row."""

    id = models.SmallIntegerField(primary_key=True)
    #: Written first by whoever reads on, or changes an incident: the others wait.
    turn = models.BigIntegerField(default=0)
    failure = models.BigIntegerField(default=0)
    success = models.BigIntegerField(default=0)
    refusal = models.BigIntegerField(default=0)
    #: How far they were asked for crowds, which takes patience.
    crowd_failure = models.BigIntegerField(default=0)
    crowd_refusal = models.BigIntegerField(default=0)
    #: Numbers of rows that were not there yet when others behind them were, see `incidents.gaps`.
    missing = models.JSONField(default=dict)
    #: What is usual, see `incidents.thresholds`.
    usual = models.JSONField(default=dict)
    usual_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)

    objects: Any = models.Manager.from_queryset(CursorQuerySet)()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.failure}, {self.success}, {self.refusal}"
