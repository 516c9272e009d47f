"""What the database remembers of logins, failed and successful."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..identity.client import PATH_MAX_LENGTH, USER_AGENT_MAX_LENGTH
from ..identity.subject import ACCOUNT_MAX_LENGTH, USERNAME_MAX_LENGTH
from .fields import IPAddressField
from .indexes import RareIndex
from .querysets import FailedLoginManager, SuccessfulLoginManager, UserAgentManager


class UserAgent(models.Model):
    """A user agent, stored once however often it comes: a rare one is found fast."""

    #: A keyed digest of the text, see `UserAgentManager.key_of`: known before the row is.
    id = models.BigIntegerField(primary_key=True)
    text = models.CharField(_("user agent"), max_length=USER_AGENT_MAX_LENGTH)
    first_seen = models.DateTimeField(_("first seen"), default=timezone.now)

    objects = UserAgentManager()

    class Meta:
        verbose_name = _("user agent")
        verbose_name_plural = _("user agents")
        # Retention walks along it.
        indexes = [models.Index(fields=["first_seen", "id"], name="lockout_agent_seen")]

    def __str__(self) -> str:
        return self.text


def user_agent_key() -> models.ForeignKey[Any, Any]:
    """Return a field for the user agent; a row is written whether or not that of its agent is."""
    return models.ForeignKey(
        UserAgent,
        verbose_name=_("user agent"),
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )


class LoginRecord(models.Model):
    """Who came with which name, from where, with what. Never changed by hand."""

    # The order in which they take the least room in a row.
    id = models.BigAutoField(primary_key=True)
    timestamp = models.DateTimeField(_("when"), default=timezone.now)
    #: The digest that all spellings of the username share, see `Subject.key`.
    subject = models.BigIntegerField(_("subject"), editable=False)
    user_agent = user_agent_key()
    #: The network as a number, see `identity.network`; ``None``: the address says nothing.
    network = models.BigIntegerField(_("network"), null=True, editable=False)
    #: Of an IPv6 address, the network that a provider assigns to one customer.
    wide_network = models.BigIntegerField(_("wide network"), null=True, editable=False)
    #: The number of the browser, see `identity.browser`; ``None`` for what keeps no cookies.
    browser = models.BigIntegerField(_("browser"), null=True, editable=False)
    #: The number of the trusted device that it came from; ``None``: a stranger's.
    device = models.BigIntegerField(_("device"), null=True, editable=False)
    ip_address = IPAddressField(_("IP address"), null=True)
    #: As it was typed, cleaned.
    username = models.CharField(_("username"), max_length=USERNAME_MAX_LENGTH)
    path = models.CharField(_("path"), max_length=PATH_MAX_LENGTH, blank=True)

    class Meta:
        abstract = True
        default_permissions = ("view",)
        ordering = ["-timestamp", "-id"]

    def __str__(self) -> str:
        return f"{self.username} ({self.timestamp:%Y-%m-%d %H:%M:%S})"


def _indexes(prefix: str) -> list[models.Index]:
    """Return the indexes that the screens of login records have in common."""
    return [
        # Ascending: new rows go to the end, where pages are filled. All read it backwards.
        models.Index(fields=["timestamp"], name=f"{prefix}_when"),
        models.Index(fields=["subject", "timestamp"], name=f"{prefix}_subject"),
        # The operator class serves LIKE 'prefix%' on PostgreSQL; elsewhere it means nothing.
        models.Index(
            fields=["username"], name=f"{prefix}_username", opclasses=["varchar_pattern_ops"]
        ),
        models.Index(fields=["ip_address", "timestamp"], name=f"{prefix}_address"),
        models.Index(fields=["user_agent", "timestamp"], name=f"{prefix}_agent"),
        # A network with millions of old rows costs no more than a fresh one.
        models.Index(fields=["network", "timestamp"], name=f"{prefix}_network"),
        RareIndex(fields=["wide_network", "timestamp"], usual=None, name=f"{prefix}_wide"),
    ]


class FailedLogin(LoginRecord):
    """One wrong password. Deleted by retention only."""

    class Outcome(models.TextChoices):
        """What became of a failure."""

        COUNTED = "counted", _("counted")
        LOCKED = "locked", _("led to a lock")
        CLEARED = "cleared", _("ended by a success")
        FORGIVEN = "forgiven", _("ended by a success in the same browser")
        RELEASED = "released", _("ended by an unlock")

    #: The digest of this one spelling, see `Subject.fine`.
    fine = models.IntegerField(_("spelling"), editable=False)
    #: Whether it was the same wrong password as before, from the same network within a day.
    repeated = models.BooleanField(_("repeated"), default=False)
    #: Whether the password is on Django's list of common ones; ``None``: it was not seen.
    common = models.BooleanField(_("common password"), null=True, default=None)
    outcome = models.CharField(_("outcome"), max_length=8, choices=Outcome, default=Outcome.COUNTED)

    objects = FailedLoginManager()

    class Meta(LoginRecord.Meta):
        verbose_name = _("failed login")
        verbose_name_plural = _("failed logins")
        permissions = [("export_failedlogin", _("Can export failed logins"))]
        indexes = [
            *_indexes("lockout_fail"),
            RareIndex(
                fields=["outcome", "timestamp"], usual="counted", name="lockout_fail_outcome"
            ),
            RareIndex(fields=["device", "timestamp"], usual=None, name="lockout_fail_device"),
        ]


class SuccessfulLogin(LoginRecord):
    """One login, or the end of one. Outlives the account; deleted by retention only."""

    class Event(models.TextChoices):
        """What happened."""

        LOGIN = "login", _("logged in")
        #: An API without sessions, or a second factor that is still to come.
        VERIFIED = "verified", _("right password, no session")
        LOGOUT = "logout", _("logged out")

    #: The primary key of the account, as text; empty where only its name is known.
    account = models.CharField(_("account"), max_length=ACCOUNT_MAX_LENGTH, blank=True)
    event = models.CharField(_("event"), max_length=8, choices=Event, default=Event.LOGIN)

    objects = SuccessfulLoginManager()

    class Meta(LoginRecord.Meta):
        verbose_name = _("successful login")
        verbose_name_plural = _("successful logins")
        permissions = [("export_successfullogin", _("Can export successful logins"))]
        indexes = [
            *_indexes("lockout_in"),
            models.Index(fields=["account", "timestamp"], name="lockout_in_account"),
            RareIndex(fields=["event", "timestamp"], usual="login", name="lockout_in_event"),
            RareIndex(fields=["device", "timestamp"], usual=None, name="lockout_in_device"),
        ]
