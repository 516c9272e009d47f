"""The forms of the console: to lock a username by hand, to export rows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from import_export.forms import SelectableFieldsExportForm

from ..engine import locks
from ..evidence.bidi import SECONDS, clock
from ..evidence.sight import Sight
from ..identity.subject import USERNAME_MAX_LENGTH, Subject, folded
from ..models import AccountLock, ActiveLock
from ..models.accounts import existing
from .consent import ConsentForm
from .reasons import TO_LOCK, PresetInput

_HOUR = 60 * 60
_DAY = 24 * _HOUR
_LONGEST = 10 * 365 * _DAY

#: Rows that can be picked one by one; more are selected by a filter.
MOST_PICKED = 500


class LockForm(ConsentForm):
    """Whom to lock, for how long, why."""

    username = forms.CharField(
        label=_("Username"),
        max_length=USERNAME_MAX_LENGTH,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )
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
        widget=PresetInput(TO_LOCK),
        max_length=255,
        help_text=_("For the record: an incident, a request, a ticket."),
    )

    #: Who locks, and whether they may end the longer lock that stands.
    actor: Any = None
    may_shorten = False

    class Meta:
        model = ActiveLock
        fields = ("note",)

    def clean_username(self) -> str:
        """Refuse a name without a visible character."""
        username: str = self.cleaned_data["username"]
        if not folded(username):
            raise ValidationError(self.fields["username"].error_messages["required"], "required")
        return username

    def clean(self) -> dict[str, Any]:
        """Work out the seconds."""
        super().clean()
        duration = self.cleaned_data.get("duration")
        seconds = self.cleaned_data.get("seconds")
        if duration == "custom" and not seconds and "seconds" not in self.errors:
            self.add_error("seconds", _("Give the number of seconds."))
        if duration != "custom":
            self.cleaned_data["seconds"] = int(duration or 0)
        if not self.errors:
            self._warn(Subject.of(self.cleaned_data["username"]), self.cleaned_data["seconds"])
        return self.cleaned_data

    def _warn(self, subject: Subject, seconds: int) -> None:
        """Warn where a lock may not be what was meant."""
        may_go_on = self._longer(subject, seconds) is None or self.may_shorten
        self.ask(str(subject.key), self._warnings(subject, seconds), may_go_on=may_go_on)

    def _warnings(self, subject: Subject, seconds: int) -> list[str]:
        warnings = []
        name = {"name": subject.username}
        may_know = Sight.of(self.actor.has_perm).accounts
        if may_know and not existing({subject.username}):
            warnings.append(gettext("No account has the name “%(name)s”.") % name)
        if subject.key == Subject.of(self.actor.get_username()).key:
            warnings.append(gettext("“%(name)s” is you: you could not log in again.") % name)
        if longer := self._longer(subject, seconds):
            said = gettext(
                "“%(name)s” is locked until %(until)s already. This lock ends sooner: to put it on,"
                " the longer one has to end."
            )
            warnings.append(said % {**name, "until": clock(longer.until, SECONDS)})
        return warnings

    def _longer(self, subject: Subject, seconds: int) -> AccountLock | None:
        row = locks.open_row(subject.keys, by_hand=True)
        ends = timezone.now() + timedelta(seconds=seconds)
        return row if row and row.until > ends else None


class ExportForm(SelectableFieldsExportForm):  # type: ignore[misc]
    """Format and columns, whether formulas stay, and the rows that were picked by hand."""

    raw = forms.BooleanField(
        label=_("Text exactly as it was typed"),
        help_text=_(
            "Strangers choose usernames and user agents. A text that a spreadsheet would run as a"
            " formula gets a single quote in front, and so does a text that begins with a quote."
            " Choose the exact text only for a program that is not a spreadsheet. JSON Lines always"
            " has it."
        ),
        required=False,
    )
    picked = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, formats: Any, resources: Any, **kwargs: Any) -> None:
        super().__init__(formats, resources, **kwargs)
        choices = [choice for choice in self.fields["format"].choices if choice[0]]
        self.fields["format"] = forms.ChoiceField(
            label=_("Format"), choices=choices, initial=choices[0][0]
        )
        for names in self.resource_fields.values():
            for name in names:
                self.fields[name].label = name.partition("_")[2]
        self.order_fields(["resource", "format", "raw"])

    def _validate_any_field_selected(self, resource: Any) -> None:
        if not self._selected_resource_fields:
            raise ValidationError(_("Choose at least one column."))

    def clean_picked(self) -> list[int]:
        """Return primary keys."""
        keys = [key for key in self.cleaned_data["picked"].split(",", MOST_PICKED + 1) if key]
        if len(keys) > MOST_PICKED or not all(key.isdecimal() and len(key) < 19 for key in keys):
            raise ValidationError(
                _("The selection is not valid. Go back to the list and select again.")
            )
        return [int(key) for key in keys]
