"""What is to be told to owners and to the security team: written in the request, sent elsewhere."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..identity.subject import ACCOUNT_MAX_LENGTH, USERNAME_MAX_LENGTH
from .fields import IPAddressField
from .indexes import RareIndex


class Outbox(models.Model):
    """One message of one notifier, for a name that may be anybody's or nobody's.

    It is written for every name alike: whether there is an account, the sender looks later.
    """

    class Kind(models.TextChoices):
        """What is told."""

        ASKED = "asked", "help asked for"
        #: By whoever has a mail of ours, and so reads the owner's.
        FRESH = "fresh", "help asked for from a mail"
        LOCKED = "locked", "locked"
        NEW_DEVICE = "device", "login from a new device"
        AFTER_FAILURES = "failures", "login after failures"
        #: By staff, from an incident.
        ENTERED = "entered", "account entered"
        #: Of nobody's name: the site as a whole.
        ALARM = "alarm", "site under attack"
        CALM = "calm", "attack on the site is over"
        #: For those who look after the site.
        INCIDENT = "incident", "incident"
        ENTRY = "entry", "account entered in an incident"
        STAFF = "staff", "account of staff locked"
        DEGRADED = "degraded", "engine degraded"
        WELL = "well", "engine well again"

    #: What somebody has to look at, see `notifications.alerts`.
    ALERTS = (Kind.INCIDENT, Kind.ENTRY, Kind.STAFF, Kind.DEGRADED, Kind.WELL)
    #: What is told of the site, and not of one account.
    OF_THE_SITE = (Kind.ALARM, Kind.CALM, *ALERTS)
    #: Somebody sits and waits for it.
    WAITED_FOR = (Kind.ASKED, Kind.FRESH)

    class State(models.TextChoices):
        """Where it is on its way."""

        WAITING = "waiting", "waiting"
        #: Somebody is at it, or has died of it: it is due again at the end of the lease.
        SENDING = "sending", "being sent"
        SENT = "sent", "sent"
        DROPPED = "dropped", "not sent"

    class Why(models.TextChoices):
        """Why it was not sent."""

        NO_ACCOUNT = "account", "no active account, or several"
        NO_ADDRESS = "address", "no address"
        NOT_NEW = "siege", "told already"
        LIMIT = "limit", "asked for too often"
        LATE = "late", "too late"
        FAILED = "failed", "could not be delivered"
        OFF = "off", "no such notifier any more"

    id = models.BigAutoField(primary_key=True)
    timestamp = models.DateTimeField(default=timezone.now)
    kind = models.CharField(max_length=8, choices=Kind)
    #: The dotted path of the class that sends it.
    notifier = models.CharField(max_length=255)
    #: The digest that all spellings of the name share, see `Subject.key`.
    subject = models.BigIntegerField(editable=False)
    #: As the evidence has it.
    username = models.CharField(max_length=USERNAME_MAX_LENGTH)
    #: The primary key of the account, as text: known from a login, or once it is looked for.
    account = models.CharField(max_length=ACCOUNT_MAX_LENGTH, blank=True)
    #: A keyed digest of the address that it goes to, see `mailboxes`: never the address.
    mailbox = models.BigIntegerField(null=True, editable=False)
    failures = models.PositiveIntegerField(default=0)
    until = models.DateTimeField(null=True)
    ip_address = IPAddressField(null=True)
    #: See `identity.agents`: never what was sent.
    agent = models.CharField(max_length=32, blank=True)
    #: See `notifications.entrances`: no path, which strangers write as well.
    entrance = models.CharField(max_length=8, blank=True)
    language = models.CharField(max_length=16, blank=True)
    #: What an alert is about: those of one topic are told with growing silence.
    topic = models.CharField(max_length=64, blank=True, default="")
    reason = models.CharField(max_length=255, blank=True, default="")
    #: When it happened, of what is told long after.
    happened_at = models.DateTimeField(null=True)

    due = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    why = models.CharField(max_length=8, choices=Why, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    #: Of whoever is at it: of two who claim it, one finds his own number.
    claim = models.BigIntegerField(null=True, editable=False)
    sent_at = models.DateTimeField(null=True)

    #: What the link and the code are made of; without the site's secret it is of no use.
    nonce = models.CharField(max_length=43, editable=False)
    #: A digest of the account as it was when the link was made; see `links`.
    bound = models.CharField(max_length=64, blank=True, editable=False)
    tries = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        permissions = [("receive_alerts", _("Can receive alerts"))]
        indexes = [
            models.Index(fields=["state", "kind", "due"], name="lockout_out_due"),
            models.Index(fields=["account", "kind", "sent_at"], name="lockout_out_account"),
            models.Index(fields=["mailbox", "kind", "sent_at"], name="lockout_out_mailbox"),
            models.Index(fields=["sent_at", "state"], name="lockout_out_sent"),
            models.Index(fields=["claim"], name="lockout_out_claim"),
            models.Index(fields=["nonce"], name="lockout_out_nonce"),
            # Whether an alert is said already.
            RareIndex(
                fields=["topic", "kind", "state", "timestamp"], usual="", name="lockout_out_topic"
            ),
            # Retention walks along it.
            models.Index(fields=["timestamp", "id"], name="lockout_out_when"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.username} ({self.timestamp:%Y-%m-%d %H:%M:%S})"
