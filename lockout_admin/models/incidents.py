"""Incidents: what belongs together of failures, refusals and successes, and what staff said."""

from __future__ import annotations

from typing import Any, Final

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..figures import grouped
from ..identity.subject import USERNAME_MAX_LENGTH
from .querysets import RecordQuerySet

#: Rows of names, and of networks, that an incident keeps; beyond they are only counted, by what the
#: records of failures and refusals tell apart.
MOST_PARTS: Final = 10_000
TITLE_MAX_LENGTH: Final = 120


class IncidentQuerySet(RecordQuerySet):
    """Incidents."""

    def unmerged(self) -> IncidentQuerySet:
        """Return those that stand for themselves."""
        return self.filter(merged_into=None)

    def open(self, *, sees_logins: bool = True) -> IncidentQuerySet:
        """Return those that nobody has closed.

        For who may not know of logins, also those that were closed because people came in.
        """
        return self.unmerged().exclude(Incident.closed(sees_logins=sees_logins))

    def whole(self, pk: int) -> Incident | None:
        """Return an incident, or the one that it is a part of by now; ``None``: there is none."""
        row: Incident | None = self.filter(pk=pk).first() if 0 < pk < 2**63 else None
        while row is not None and row.merged_into is not None:
            row = row.merged_into
        return row

    def going_on(self) -> IncidentQuerySet:
        """Return those that are not over."""
        return self.unmerged().filter(over_at=None)


class Incident(models.Model):
    """An attack, or what looks like one, from its first guess to its last."""

    class Kind(models.TextChoices):
        """What is being tried."""

        BRUTE_FORCE = "brute-force", _("brute force")
        SPRAYING = "spraying", _("spraying")
        STUFFING = "stuffing", _("stuffing")
        DISTRIBUTED = "distributed", _("distributed brute force")
        DICTIONARY = "dictionary", _("dictionary")
        KEEPING_OUT = "keeping-out", _("keeping owners out")

    class State(models.TextChoices):
        """What staff have done about it."""

        OPEN = "open", _("open")
        ACKNOWLEDGED = "acknowledged", _("acknowledged")
        CLOSED = "closed", _("closed")

    class Verdict(models.TextChoices):
        """What it was, in the end."""

        NONE = "", _("no verdict")
        ATTACK = "attack", _("attack")
        SCANNER = "scanner", _("our own scanner")
        CLIENT = "client", _("a broken client")
        PEOPLE = "people", _("people who came in after all")
        NOTHING = "nothing", _("nothing")

    class Sign(models.TextChoices):
        """What gave it away: a number that had come to a threshold."""

        NAMES_IN_AN_HOUR = (
            "names-hour",
            _("%(counted)s strange names from one network in an hour; the threshold is %(least)s."),
        )
        NAMES_IN_A_DAY = (
            "names-day",
            _("%(counted)s strange names from one network in a day; the threshold is %(least)s."),
        )
        TRIES_IN_AN_HOUR = (
            "tries-hour",
            _(
                "%(counted)s tries on strange names from one network in an hour; "
                "the threshold is %(least)s."
            ),
        )
        TRIES_IN_A_DAY = (
            "tries-day",
            _(
                "%(counted)s tries on strange names from one network in a day; "
                "the threshold is %(least)s."
            ),
        )
        TRIES_ON_A_NAME = (
            "name",
            _(
                "%(counted)s tries on one name from strange networks in a day; "
                "the threshold is %(least)s."
            ),
        )
        CROWD = (
            "crowd",
            _(
                "%(counted)s names or networks fail within an hour from where nobody comes in; "
                "the threshold is %(least)s."
            ),
        )
        CROWD_OF_A_DAY = (
            "crowd-day",
            _(
                "%(counted)s names or networks fail within a day from where nobody comes in; "
                "the threshold is %(least)s."
            ),
        )
        SAME_GUESS = (
            "guess",
            _("The same guess on %(counted)s names in a day; that is no coincidence."),
        )

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    #: The name or the network that it is about, as people read it; empty: many of both.
    about = models.CharField(_("about"), max_length=USERNAME_MAX_LENGTH, blank=True)
    title = models.CharField(_("title"), max_length=TITLE_MAX_LENGTH, blank=True)
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.OPEN)
    verdict = models.CharField(
        _("verdict"), max_length=8, choices=Verdict, default=Verdict.NONE, blank=True
    )
    started_at = models.DateTimeField(_("since"))
    #: When the last guess was; whoever guessed right may come in later, which is not for everybody.
    last_seen_at = models.DateTimeField(_("last seen"))
    found_at = models.DateTimeField(_("found"), default=timezone.now)
    #: When it was found to be over; ``None``: it goes on.
    over_at = models.DateTimeField(_("over"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    merged_into = models.ForeignKey(
        "self", verbose_name=_("merged into"), null=True, blank=True, on_delete=models.SET_NULL
    )
    names = models.PositiveIntegerField(_("names"), default=0)
    names_existing = models.PositiveIntegerField(_("names of accounts"), default=0)
    networks = models.PositiveIntegerField(_("networks"), default=0)
    #: Passwords that were verified and wrong, …
    evaluated = models.PositiveIntegerField(_("evaluated"), default=0)
    #: … attempts that a lock refused, …
    refused = models.PositiveIntegerField(_("refused"), default=0)
    #: … and accounts that were entered.
    entered = models.PositiveIntegerField(_("entered"), default=0)
    #: Passwords of those evaluated that are on the list of common ones, …
    common = models.PositiveIntegerField(default=0, editable=False)
    #: … or that were tried before on the name from the network.
    repeated = models.PositiveIntegerField(default=0, editable=False)
    #: The user agent of most of it, see `UserAgent.id`.
    agent = models.BigIntegerField(null=True, editable=False)
    #: Why it was raised: what was counted, how much, and the threshold; see `because`.
    sign = models.CharField(max_length=12, choices=Sign, blank=True, editable=False)
    counted = models.PositiveIntegerField(default=0, editable=False)
    least = models.PositiveIntegerField(default=0, editable=False)

    objects: Any = models.Manager.from_queryset(IncidentQuerySet)()

    class Meta:
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")
        default_permissions = ("view", "change")
        ordering = ["-last_seen_at", "-id"]
        indexes = [
            models.Index(fields=["-last_seen_at", "-id"], name="lockout_inc_seen"),
            models.Index(fields=["state", "-last_seen_at"], name="lockout_inc_state"),
            models.Index(fields=["over_at", "last_seen_at"], name="lockout_inc_over"),
            models.Index(fields=["kind", "-last_seen_at"], name="lockout_inc_kind"),
        ]

    def __str__(self) -> str:
        # Whom it is about is not for everybody: see `Sees.title_of`.
        return self.title or f"{Incident.Kind(self.kind).label} #{self.pk}"

    @staticmethod
    def closed(*, sees_logins: bool) -> models.Q:
        """Return what selects those that are closed, as far as somebody may know; see `open`."""
        is_closed = models.Q(state=Incident.State.CLOSED)
        if sees_logins:
            return is_closed
        return is_closed & ~models.Q(verdict=Incident.Verdict.PEOPLE)

    @property
    def because(self) -> str:
        """Why it was raised, in the language of whoever reads it; empty: nobody noted it."""
        if not self.sign:
            return ""
        numbers = {"counted": grouped(self.counted), "least": grouped(self.least)}
        return str(self.Sign(self.sign).label) % numbers

    @property
    def is_over(self) -> bool:
        """Whether nothing of it has come for a while."""
        return self.over_at is not None

    @property
    def is_closed(self) -> bool:
        """Whether staff are done with it."""
        return self.state == self.State.CLOSED
