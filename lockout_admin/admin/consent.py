"""A form that warns, and does what it is asked for all the same once somebody insists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.signing import Signer
from django.utils.translation import gettext_lazy as _

_SALT = "lockout_admin.consent"


class ConsentForm(forms.ModelForm):  # type: ignore[type-arg]
    """Shows a box to tick below its warnings, and nothing where there are none."""

    anyway = forms.CharField(
        label=_("Do it all the same"), required=False, widget=forms.HiddenInput
    )

    #: Whose consent it is: nobody works it out, and nobody else's counts.
    asked_by = ""

    def ask(self, about: str, warnings: Sequence[str], *, may_go_on: bool = True) -> None:
        """Raise `ValidationError` with the warnings, unless there was consent to just these.

        The consent is to these warnings about this thing, and to no others.
        """
        asked = Signer(salt=_SALT).signature("\0".join([self.asked_by, about, *warnings]))
        if not warnings or (may_go_on and self.cleaned_data["anyway"] == asked):
            return
        data: Any = self.data
        again = data.copy()
        again["anyway"] = ""
        self.data = again
        if may_go_on:
            self.fields["anyway"].widget = forms.CheckboxInput(attrs={"value": asked})
        raise ValidationError(list(warnings))
