"""What the database remembers: every failure, every lock."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .client import GATEWAY_MAX_LENGTH, USER_AGENT_MAX_LENGTH
from .fields import AddressField
from .identity import USERNAME_MAX_LENGTH
from .querysets import AccountLockManager, FailedLoginManager, UserAgentManager


class UserAgent(models.Model):
    """A user agent, stored once however often it comes: so that a rare one is found fast among many rows."""

    #: A keyed digest of the text, see `UserAgentManager.key_of`: known before the row is.
    id = models.BigIntegerField(primary_key=True)
    text = models.CharField(_("user agent"), max_length=USER_AGENT_MAX_LENGTH)
    first_seen = models.DateTimeField(_("first seen"), default=timezone.now)

    objects = UserAgentManager()

    class Meta:
        verbose_name = _("user agent")
        verbose_name_plural = _("user agents")

    def __str__(self) -> str:
        return self.text


class FailedLogin(models.Model):
    """One wrong password. Never changed by hand, deleted by retention only."""

    class Outcome(models.TextChoices):
        """What became of a failure."""

        COUNTED = "counted", _("counted")
        LOCKED = "locked", _("led to a lock")
        CLEARED = "cleared", _("ended by a success")
        RELEASED = "released", _("ended by an unlock")

    id = models.BigAutoField(primary_key=True)
    timestamp = models.DateTimeField(_("when"), default=timezone.now)
    username = models.CharField(_("username"), max_length=USERNAME_MAX_LENGTH)
    subject = models.CharField(_("subject"), max_length=32, editable=False)
    address = AddressField(_("address"), null=True)
    user_agent = models.ForeignKey(
        UserAgent,
        verbose_name=_("user agent"),
        null=True,
        on_delete=models.DO_NOTHING,
        # A row is written whether or not that of its user agent could be.
        db_constraint=False,
        db_index=False,
        related_name="failures",
    )
    gateway = models.CharField(_("gateway"), max_length=GATEWAY_MAX_LENGTH, blank=True)
    outcome = models.CharField(_("outcome"), max_length=8, choices=Outcome, default=Outcome.COUNTED)

    objects = FailedLoginManager()

    class Meta:
        verbose_name = _("failed login")
        verbose_name_plural = _("failed logins")
        default_permissions = ("view",)
        permissions = [("export_failedlogin", _("Can export failed logins"))]
        ordering = ["-timestamp", "-id"]
        indexes = [
            models.Index(fields=["-timestamp", "-id"], name="lockout_fail_when"),
            models.Index(fields=["subject", "-timestamp"], name="lockout_fail_subject"),
            # The operator classes serve LIKE 'prefix%' on PostgreSQL; elsewhere they mean nothing.
            models.Index(
                fields=["username", "-timestamp"],
                name="lockout_fail_username",
                opclasses=["varchar_pattern_ops", "timestamptz_ops"],
            ),
            models.Index(fields=["address", "-timestamp"], name="lockout_fail_address"),
            models.Index(fields=["user_agent", "-timestamp"], name="lockout_fail_agent"),
            models.Index(fields=["outcome", "-timestamp"], name="lockout_fail_outcome"),
        ]

    def __str__(self) -> str:
        return f"{self.username} ({self.timestamp:%Y-%m-%d %H:%M:%S})"


class AccountLock(models.Model):
    """One lock, from its start to its end: who, why, until when, ended by whom."""

    class Scope(models.TextChoices):
        """What a lock refuses."""

        ACCOUNT = "account", _("account")

    class Reason(models.TextChoices):
        """Why a lock was put on."""

        LIMIT = "limit", _("too many failed logins")
        MANUAL = "manual", _("locked by hand")

    id = models.BigAutoField(primary_key=True)
    scope = models.CharField(_("scope"), max_length=8, choices=Scope, default=Scope.ACCOUNT)
    username = models.CharField(_("username"), max_length=USERNAME_MAX_LENGTH)
    subject = models.CharField(_("subject"), max_length=32, editable=False)
    reason = models.CharField(_("reason"), max_length=8, choices=Reason, default=Reason.LIMIT)
    note = models.CharField(_("note"), max_length=255, blank=True)
    locked_by = models.CharField(_("locked by"), max_length=USERNAME_MAX_LENGTH, blank=True)
    started_at = models.DateTimeField(_("since"), default=timezone.now)
    until = models.DateTimeField(_("until"))
    failures = models.PositiveIntegerField(_("failures"), default=0)
    #: The first of the failures that led here; unique, so that two racers cannot lock twice.
    first_failure = models.BigIntegerField(_("first failure"), null=True, unique=True, editable=False)
    refused = models.PositiveIntegerField(_("refused attempts"), default=0)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    ended_by = models.CharField(_("ended by"), max_length=USERNAME_MAX_LENGTH, blank=True)
    end_note = models.CharField(_("reason for the release"), max_length=255, blank=True)
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
            models.Index(fields=["subject", "-until"], name="lockout_lock_subject"),
            # With the names, a search among the open ones reads no row that it does not find.
            models.Index(fields=["ended_at", "until", "id", "username", "subject"], name="lockout_lock_open"),
            # What is open in its order: PostgreSQL would sort by the index above.
            models.Index(fields=["-until", "-id"], name="lockout_lock_until"),
            models.Index(fields=["-started_at", "-id"], name="lockout_lock_since"),
            models.Index(
                fields=["username", "-started_at"],
                name="lockout_lock_username",
                opclasses=["varchar_pattern_ops", "timestamptz_ops"],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.username} ({self.started_at:%Y-%m-%d %H:%M:%S})"


class ActiveLock(AccountLock):
    """A lock on the console's screen of open locks. Permissions are those of `AccountLock`."""

    class Meta:
        proxy = True
        default_permissions = ()
        verbose_name = _("active lock")
        verbose_name_plural = _("active locks")
