"""The form to lock a username by hand."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from ..identity import folded
from ..models import ActiveLock

_HOUR = 60 * 60
_DAY = 24 * _HOUR
_LONGEST = 10 * 365 * _DAY


class LockForm(forms.ModelForm):  # type: ignore[type-arg]
    """Whom to lock, for how long, why."""

    duration = forms.ChoiceField(
        label=_("For how long"),
        initial=str(_DAY),
        choices=[
            (str(15 * 60), _("15 minutes")),
            (str(_HOUR), _("1 hour")),
            (str(8 * _HOUR), _("8 hours")),
            (str(_DAY), _("1 day")),
            (str(7 * _DAY), _("7 days")),
            (str(30 * _DAY), _("30 days")),
            ("custom", _("as many seconds as given below")),
        ],
    )
    seconds = forms.IntegerField(
        label=_("Seconds"),
        required=False,
        min_value=1,
        max_value=_LONGEST,
        help_text=_("Only if you chose to give them."),
    )
    note = forms.CharField(
        label=_("Reason"),
        min_length=3,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        max_length=255,
        help_text=_("For the record: an incident, a request, a ticket."),
    )

    class Meta:
        model = ActiveLock
        fields = ("username", "note")

    def clean_username(self) -> str:
        """Refuse a name of characters that cannot be seen."""
        username: str = self.cleaned_data["username"]
        if not folded(username):
            raise ValidationError(self.fields["username"].error_messages["required"], "required")
        return username

    def clean(self) -> dict[str, Any]:
        """Work out the seconds."""
        super().clean()
        duration, seconds = self.cleaned_data.get("duration"), self.cleaned_data.get("seconds")
        if duration == "custom" and not seconds and "seconds" not in self.errors:
            self.add_error("seconds", _("Give the number of seconds."))
        if duration != "custom":
            self.cleaned_data["seconds"] = int(duration or 0)
        return self.cleaned_data
