"""Who and what is in an incident: names, networks, and what happened when."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..identity.subject import ACCOUNT_MAX_LENGTH, USERNAME_MAX_LENGTH
from .incidents import Incident
from .networks import CIDR_MAX_LENGTH


class IncidentName(models.Model):
    """A name that was tried in an incident."""

    id = models.BigAutoField(primary_key=True)
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="tried")
    #: The digest that all spellings share, see `Subject.key`.
    subject = models.BigIntegerField(_("subject"), editable=False)
    #: As it was typed first, cleaned.
    username = models.CharField(_("username"), max_length=USERNAME_MAX_LENGTH)
    #: Whether there was such an account when it was first tried.
    exists = models.BooleanField(_("account exists"), default=False)
    evaluated = models.PositiveIntegerField(_("evaluated"), default=0)
    refused = models.PositiveIntegerField(_("refused"), default=0)
    first_seen_at = models.DateTimeField(_("first tried"), null=True)
    entered_at = models.DateTimeField(_("entered"), null=True, blank=True)
    #: The primary key of the account that was entered, as text.
    account = models.CharField(_("account"), max_length=ACCOUNT_MAX_LENGTH, blank=True)
    #: How somebody is thought to have entered: "network", "agent", "guess", "name"; or
    #: "returned", see `incidents.returning`.
    how = models.CharField(_("how"), max_length=8, blank=True)
    #: When staff had its owner told; of all names of one account the same.
    told_at = models.DateTimeField(_("owner told"), null=True, blank=True)

    objects: Any = models.Manager()

    class Meta:
        verbose_name = _("name of an incident")
        verbose_name_plural = _("names of incidents")
        default_permissions = ()
        indexes = [
            models.Index(fields=["subject", "incident"], name="lockout_inn_subject"),
            models.Index(fields=["incident", "-entered_at"], name="lockout_inn_entered"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["incident", "subject"], name="lockout_inn_once")
        ]

    def __str__(self) -> str:
        return self.username


class IncidentNetwork(models.Model):
    """A network that an incident came from."""

    id = models.BigAutoField(primary_key=True)
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="sources")
    network = models.CharField(_("network"), max_length=CIDR_MAX_LENGTH)
    #: As a number, see `identity.network.number_of`: in its order, and as the records have it.
    number = models.BigIntegerField(_("network"), editable=False)
    evaluated = models.PositiveIntegerField(_("evaluated"), default=0)
    refused = models.PositiveIntegerField(_("refused"), default=0)
    entered = models.PositiveIntegerField(_("entered"), default=0)
    #: Accounts that came in from there and have nothing to do with it.
    honest = models.PositiveIntegerField(_("honest accounts"), default=0)

    objects: Any = models.Manager()

    class Meta:
        verbose_name = _("network of an incident")
        verbose_name_plural = _("networks of incidents")
        default_permissions = ()
        indexes = [models.Index(fields=["number", "incident"], name="lockout_inw_number")]
        constraints = [
            models.UniqueConstraint(fields=["incident", "number"], name="lockout_inw_once")
        ]

    def __str__(self) -> str:
        return self.network


class IncidentEvent(models.Model):
    """One line of the time line of an incident."""

    class What(models.TextChoices):
        """What happened."""

        FOUND = "found", _("found")
        ENTERED = "entered", _("account entered")
        GREW = "grew", _("grew")
        OVER = "over", _("over")
        RESUMED = "resumed", _("resumed")
        ACKNOWLEDGED = "acknowledged", _("acknowledged")
        NAMED = "named", _("named")
        MERGED = "merged", _("merged")
        CLOSED = "closed", _("closed")
        REOPENED = "reopened", _("reopened")
        NOTED = "noted", _("note")
        HELPED = "helped", _("accounts helped")
        BLOCKED = "blocked", _("networks blocked")

    id = models.BigAutoField(primary_key=True)
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="events")
    when = models.DateTimeField(_("when"), default=timezone.now)
    what = models.CharField(_("what"), max_length=12, choices=What)
    #: A name, and no reference: it stays when the account goes. Empty: the site found it.
    by = models.CharField(_("by"), max_length=USERNAME_MAX_LENGTH, blank=True)
    #: What people wrote; of the site only names and numbers, which need no translation.
    text = models.TextField(_("text"), blank=True)
    #: With what it was closed.
    verdict = models.CharField(max_length=8, choices=Incident.Verdict, blank=True, editable=False)

    objects: Any = models.Manager()

    class Meta:
        verbose_name = _("event of an incident")
        verbose_name_plural = _("events of incidents")
        default_permissions = ()
        ordering = ["when", "id"]
        indexes = [models.Index(fields=["incident", "when", "id"], name="lockout_ine_when")]

    def __str__(self) -> str:
        return f"{self.what} ({self.when:%Y-%m-%d %H:%M:%S})"
