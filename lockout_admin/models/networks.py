"""Networks that staff, or a list that somebody publishes, block or allow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final, TypeVar

from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..identity.subject import USERNAME_MAX_LENGTH
from ..signals import network_rules_changed
from .fields import IPAddressField, Network, parse_network
from .querysets import RecordQuerySet

T = TypeVar("T")

#: Characters of the longest CIDR of IPv6.
CIDR_MAX_LENGTH: Final = 43
REASON_MAX_LENGTH: Final = 255
SOURCE_MAX_LENGTH: Final = 64
#: Networks that one statement asks for: of 1,000 MariaDB makes a table, and reads all rules for it.
_AT_ONCE: Final = 999

is_source = RegexValidator(
    r"\A[a-z0-9][a-z0-9._-]*\Z",
    _("A name of small letters, digits, dots, dashes and underscores, such as spamhaus-drop."),
    code="invalid_source",
)


class NetworkRuleQuerySet(RecordQuerySet):
    """Network rules. Whatever changes some says so; `_raw_delete` alone does not."""

    def open(self) -> NetworkRuleQuerySet:
        """Return those that have not ended."""
        return self.filter(models.Q(until=None) | models.Q(until__gt=timezone.now()))

    def ended(self) -> NetworkRuleQuerySet:
        """Return those whose time is over."""
        return self.filter(until__lte=timezone.now())

    def holding(
        self, networks: Iterable[Network]
    ) -> Iterator[tuple[str, str, datetime | None, str]]:
        """Yield the open ones for all of any of these; `defences.matching` reads them so."""
        every = sorted(_around_any(networks))
        for start in range(0, len(every), _AT_ONCE):
            some = self.open().filter(cidr__in=every[start : start + _AT_ONCE]).order_by()
            yield from some.values_list("cidr", "action", "until", "source")

    def bulk_create(self, *args: Any, **kwargs: Any) -> list[Any]:
        """Write new rows; each must be normalised."""
        return _told(super().bulk_create(*args, **kwargs))

    def update(self, **kwargs: Any) -> int:
        """Change rows; a new ``cidr`` must come with its ``first``."""
        return _told(super().update(**kwargs))

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete rows."""
        return _told(super().delete())

    # As Django's own have it: the manager has no method that deletes all, a template calls neither.
    delete.queryset_only = True  # type: ignore[attr-defined]
    delete.alters_data = True  # type: ignore[attr-defined]
    update.alters_data = True  # type: ignore[attr-defined]


def about(network: Network) -> models.Q:
    """Return the condition of a rule for all of a network, or for a part of it; by indexes."""
    return models.Q(cidr__in=around(network)) | models.Q(first__net=network)


def around(network: Network) -> list[str]:
    """Return the networks that all of a network is in, the widest first, itself last."""
    return [str(network.supernet(new_prefix=one)) for one in range(network.prefixlen + 1)]


def _around_any(networks: Iterable[Network]) -> set[str]:
    """Return all networks that one of these is in."""
    found: set[str] = set()
    for network in networks:
        for length in range(network.prefixlen, -1, -1):
            wide = str(network.supernet(new_prefix=length))
            if wide in found:
                # Whatever that is in is found, too.
                break
            found.add(wide)
    return found


def _told(answer: T) -> T:
    network_rules_changed.send(NetworkRule)
    return answer


class NetworkRule(models.Model):
    """One network, blocked or allowed; see `defences.lists` for what that means."""

    class Action(models.TextChoices):
        """What is done to those who come from there."""

        BLOCK = "block", _("blocked")
        ALLOW = "allow", _("allowed")

    id = models.BigAutoField(primary_key=True)
    #: In its one spelling: no host bits, IPv4 as such, a single address with its /32 or /128.
    cidr = models.CharField(_("network"), max_length=CIDR_MAX_LENGTH)
    #: Its first address: puts networks in their order, and finds those inside of another.
    first = IPAddressField(_("first address"), editable=False)
    action = models.CharField(_("action"), max_length=5, choices=Action, default=Action.BLOCK)
    reason = models.CharField(_("reason"), max_length=REASON_MAX_LENGTH, blank=True)
    #: A name, and no reference: it stays when the account goes.
    created_by = models.CharField(_("created by"), max_length=USERNAME_MAX_LENGTH, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    until = models.DateTimeField(_("until"), null=True, blank=True, help_text=_("Empty: for ever."))
    #: The list that brought it; what comes anew from there takes its place. Empty: by hand.
    source = models.CharField(
        _("list"), max_length=SOURCE_MAX_LENGTH, blank=True, default="", validators=[is_source]
    )

    objects = models.Manager.from_queryset(NetworkRuleQuerySet)()

    class Meta:
        verbose_name = _("network rule")
        verbose_name_plural = _("network rules")
        permissions = [("export_networkrule", _("Can export network rules"))]
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="lockout_net_created"),
            models.Index(fields=["first", "id"], name="lockout_net_first"),
            models.Index(fields=["until", "id"], name="lockout_net_until"),
            models.Index(fields=["source", "id"], name="lockout_net_source"),
        ]
        constraints = [
            # Two published lists may name one network: each brings and takes back its own.
            models.UniqueConstraint(
                fields=["cidr", "action", "source"],
                name="lockout_net_once",
                violation_error_message=_("There is such a rule already."),
            )
        ]

    def __str__(self) -> str:
        return self.cidr

    @property
    def has_ended(self) -> bool:
        """Whether its time is over."""
        return self.until is not None and self.until <= timezone.now()

    def normalise(self) -> None:
        """Write the network in its one spelling. Raises `ValidationError` for what is none."""
        network = parse_network(self.cidr)
        self.cidr = str(network)
        self.first = str(network.network_address)

    def save_base(self, *args: Any, **kwargs: Any) -> None:
        """Save it under its one spelling, fixtures too."""
        self.normalise()
        super().save_base(*args, **kwargs)
        network_rules_changed.send(NetworkRule)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete it."""
        return _told(super().delete(*args, **kwargs))
