"""What the database remembers of locks."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..identity.subject import USERNAME_MAX_LENGTH
from .indexes import RareIndex
from .querysets import AccountLockManager


class AccountLock(models.Model):
    """One lock, from its start to its end: who, why, until when, ended by whom."""

    class Reason(models.TextChoices):
        """Why a lock was put on."""

        LIMIT = "limit", _("too many failed logins")
        MANUAL = "manual", _("locked by hand")

    class State(models.TextChoices):
        """Whether a lock refuses attempts, and if not, why; see `AccountLockQuerySet.in_states`."""

        OPEN = "open", _("locked now")
        EXPIRED = "expired", _("ended by time")
        RELEASED = "released", _("unlocked")
        MONITORED = "monitored", _("would have locked")

    class Confirmed(models.TextChoices):
        """How whoever unlocks knows that it is the account holder who asks."""

        CALL_BACK = "call-back", _("called back")
        TICKET = "ticket", _("ticket of the account holder")
        IN_PERSON = "in-person", _("in person")
        UNASKED = "unasked", _("nobody asked: for our own reasons")

    id = models.BigAutoField(primary_key=True)
    #: The name of the rule that put it on; empty for a lock by hand.
    rule = models.CharField(_("rule"), max_length=32, blank=True)
    #: What kind of thing is locked: the name of a `Scope`.
    scope = models.CharField(_("scope"), max_length=32, default="account")
    #: The digest of what is locked, see `Bucket.key`; of a name it is the subject.
    key = models.BigIntegerField(_("key"), editable=False)
    #: What is locked, as people read it: the name as it was typed, a network.
    label = models.CharField(_("name"), max_length=USERNAME_MAX_LENGTH)
    #: The subject whose attempts are refused, where there is one.
    subject = models.BigIntegerField(_("subject"), null=True, editable=False)
    reason = models.CharField(_("reason"), max_length=8, choices=Reason, default=Reason.LIMIT)
    note = models.CharField(_("note"), max_length=255, blank=True)
    locked_by = models.CharField(_("locked by"), max_length=USERNAME_MAX_LENGTH, blank=True)
    started_at = models.DateTimeField(_("since"), default=timezone.now)
    until = models.DateTimeField(_("until"))
    failures = models.PositiveIntegerField(_("failures"), default=0)
    #: The first of the failures that led here; two racers cannot lock twice for the same ones.
    first_failure = models.BigIntegerField(_("first failure"), null=True, editable=False)
    refused = models.PositiveIntegerField(_("refused attempts"), default=0)
    last_refused = models.DateTimeField(_("last refused attempt"), null=True, blank=True)
    #: A sample, with blanks between them.
    refused_from = models.CharField(
        _("addresses of refused attempts"), max_length=400, blank=True, default=""
    )
    #: Whether what was refused is all in here, and the store knows no more.
    settled = models.BooleanField(_("settled"), default=False, editable=False)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    ended_by = models.CharField(_("ended by"), max_length=USERNAME_MAX_LENGTH, blank=True)
    end_note = models.CharField(_("reason for the release"), max_length=255, blank=True)
    #: How the identity of who asked was confirmed; empty: nobody said so.
    confirmed = models.CharField(
        _("identity confirmed"), max_length=9, choices=Confirmed, blank=True, default=""
    )
    #: False: what a rule in mode "monitor" would have done; nobody is refused.
    enforced = models.BooleanField(_("enforced"), default=True)
    #: Makes the next lock longer: by reason of the limit, and no success or release has come since.
    grows = models.BooleanField(_("lengthens the next"), default=False)

    objects = AccountLockManager()

    class Meta:
        verbose_name = _("account lock")
        verbose_name_plural = _("lock history")
        default_permissions = ("view",)
        permissions = [
            ("lock_accountlock", _("Can lock usernames")),
            ("unlock_accountlock", _("Can unlock usernames")),
            ("export_accountlock", _("Can export account locks")),
        ]
        ordering = ["-started_at", "-id"]
        indexes = [
            models.Index(fields=["key", "-until"], name="lockout_lock_key"),
            models.Index(fields=["subject", "-until"], name="lockout_lock_subject"),
            # With the names, a search among the open ones reads no row that it does not find; with
            # the rest, the overview counts them and their kinds without their rows.
            models.Index(
                fields=["ended_at", "until", "id", "label", "key", "enforced", "reason", "subject"],
                name="lockout_lock_open",
            ),
            # What is open in its order: PostgreSQL would sort by the index above.
            models.Index(fields=["-until", "-id"], name="lockout_lock_until"),
            models.Index(fields=["-started_at", "-id"], name="lockout_lock_since"),
            # What somebody locked, or ended, at any time.
            RareIndex(fields=["locked_by", "-started_at"], usual="", name="lockout_lock_by"),
            RareIndex(fields=["ended_by", "-started_at"], usual="", name="lockout_lock_ended_by"),
            RareIndex(fields=["settled", "until"], usual=True, name="lockout_lock_unsettled"),
            models.Index(
                fields=["label", "-started_at"],
                name="lockout_lock_label",
                opclasses=["varchar_pattern_ops", "timestamptz_ops"],
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["scope", "key", "rule", "first_failure"], name="lockout_lock_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.label} ({self.started_at:%Y-%m-%d %H:%M:%S})"

    @property
    def is_by_hand(self) -> bool:
        """Whether somebody put it on, for a reason of their own."""
        return self.reason == self.Reason.MANUAL

    @property
    def state(self) -> AccountLock.State:
        """The state that `AccountLockQuerySet.in_states` would find it in."""
        if not self.enforced:
            return self.State.MONITORED
        if self.ended_at is not None:
            return self.State.RELEASED
        return self.State.OPEN if self.until > timezone.now() else self.State.EXPIRED


class ActiveLock(AccountLock):
    """A lock on the console's screen of open locks. Permissions are those of `AccountLock`."""

    class Meta:
        proxy = True
        default_permissions = ()
        verbose_name = _("active lock")
        verbose_name_plural = _("active locks")
