"""A form that warns, and does what it is asked for all the same once somebody insists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.signing import Signer
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from .records import BaseAdmin

_SALT = "lockout_admin.consent"


class ConsentForm(forms.ModelForm):  # type: ignore[type-arg]
    """Shows a box to tick below its warnings, and nothing where there are none."""

    anyway = forms.CharField(
        label=_("Do it all the same"), required=False, widget=forms.HiddenInput
    )

    #: Whose consent it is: nobody else's counts. `ConsentAdmin` says it.
    asked_by: str

    def ask(self, about: str, warnings: Sequence[str], *, may_go_on: bool = True) -> None:
        """Raise `ValidationError` with the warnings, unless there was consent to just these.

        The consent is to these warnings about this thing, and to no others, by who read them.
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


class ConsentAdmin(BaseAdmin):
    """A screen whose form may warn: it tells the form whom it asks."""

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Return the form."""
        form: Any = super().get_form(request, obj, change, **kwargs)
        # Django makes a class of its own for each request.
        form.asked_by = str(request.user.pk)
        return form
