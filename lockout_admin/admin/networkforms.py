"""The form of a network rule: which network, for how long, why."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..defences import dangers, rulebook
from ..evidence.bidi import clock
from ..evidence.inputs import MomentField, MomentInput, TechnicalInput
from ..identity.client import Client
from ..models import NetworkRule
from ..models.fields import exact_network, parse_network
from .consent import ConsentForm

_HOUR = 60 * 60
_DAY = 24 * _HOUR
_FOR_EVER, _AT, _KEEP = "ever", "at", "keep"


class NetworkRuleForm(ConsentForm):
    """A network, blocked or allowed."""

    cidr = forms.CharField(
        label=_("Network"),
        max_length=64,
        help_text=_("An address or a network: 203.0.113.7, 203.0.113.0/24, 2001:db8::/64"),
        widget=TechnicalInput(attrs={"class": "vTextField", "autocomplete": "off"}),
    )
    duration = forms.ChoiceField(
        label=_("For how long"),
        initial=str(_DAY),
        choices=[
            (str(_HOUR), _("1 hour")),
            (str(_DAY), _("1 day")),
            (str(30 * _DAY), _("30 days")),
            (_FOR_EVER, _("for ever")),
            (_AT, _("until the moment below")),
        ],
    )
    at = MomentField(
        label=_("Until"),
        required=False,
        is_end=True,
        widget=MomentInput(is_end=True),
        help_text=_("Only if you chose to give it."),
    )
    reason = forms.CharField(
        label=_("Reason"),
        min_length=3,
        max_length=255,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text=_("For the record: an incident, a request, a ticket."),
    )

    #: Of the member of staff who fills it in.
    request: HttpRequest

    class Meta:
        model = NetworkRule
        fields = ("cidr", "action", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            duration: Any = self.fields["duration"]
            duration.choices = [(_KEEP, self._as_it_is()), *duration.choices]
            self.initial["duration"] = _KEEP

    def clean_cidr(self) -> str:
        """Return the network in its one spelling."""
        return str(exact_network(self.cleaned_data["cidr"]))

    def clean(self) -> dict[str, Any]:
        """Work out the end, and look at what else is said of the network, and who is in it."""
        super().clean()
        data = self.cleaned_data
        if not self.errors:
            data["until"] = self._until(data["duration"], data["at"])
        if not self.errors:
            self._look_at_others(data["cidr"], data["action"])
        if not self.errors:
            self._warn(data["cidr"], data["action"])
        return data

    def save(self, commit: bool = True) -> Any:
        """Write the end as well."""
        self.instance.until = self.cleaned_data["until"]
        return super().save(commit)

    def _as_it_is(self) -> str:
        until = self.instance.until
        if until is None:
            return gettext("as it is: for ever")
        return gettext("as it is: until %(until)s") % {"until": clock(until)}

    def _until(self, duration: str, at: datetime | None) -> datetime | None:
        if duration == _KEEP:
            kept: datetime | None = self.instance.until
            return kept
        if duration == _FOR_EVER:
            return None
        if duration != _AT:
            return timezone.now() + timedelta(seconds=int(duration))
        if at is None:
            self.add_error("at", gettext("Give the moment."))
        elif at <= timezone.now():
            self.add_error("at", gettext("This moment is over."))
        return at

    def _look_at_others(self, cidr: str, action: str) -> None:
        others = NetworkRule.objects.fresh().filter(cidr=cidr).exclude(pk=self.instance.pk)
        same = others.filter(action=action, source="").open().first()
        if same is not None:
            said = gettext("There is a rule for %(network)s already: change that one.")
            self.add_error("cidr", said % {"network": cidr})
        if action == NetworkRule.Action.BLOCK and rulebook.is_allowed(cidr, but=self.instance):
            self.add_error("cidr", rulebook.STRONGER % {"network": cidr})

    def _warn(self, cidr: str, action: str) -> None:
        own = Client.of(self.request).ip_address
        found = dangers.of([dangers.Planned(parse_network(cidr), action)], own)
        self.ask(f"{action} {cidr}", told(self.request, found))


def told(request: HttpRequest, found: Iterable[dangers.Danger]) -> list[str]:
    """Return what somebody is told of dangers, who may not know of logins."""
    logins = request.user.has_perm("lockout_admin.view_successfullogin")
    return [danger.told(logins=logins) for danger in found]
