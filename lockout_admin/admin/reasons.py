"""Why somebody unlocks or locks, and how they know who asks: fields that forms share."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..conf import conf
from ..models import AccountLock

#: What is said most often; anybody may say more, or something else.
TO_UNLOCK = (
    gettext_lazy("The account holder mistyped the password"),
    gettext_lazy("The password was reset, the account holder goes on with the new one"),
    gettext_lazy("Somebody else guessed, the account holder is known"),
    gettext_lazy("A program with an old password, now corrected"),
    gettext_lazy("The attack is over"),
)
TO_LOCK = (
    gettext_lazy("Phishing report, waits for a new password"),
    gettext_lazy("Password seen in a leak"),
    gettext_lazy("Unusual sign-in, under investigation"),
    gettext_lazy("Left the company"),
)
TO_REVOKE = (
    gettext_lazy("The device was lost or stolen"),
    gettext_lazy("The account holder does not know the device"),
    gettext_lazy("An attack has entered the account"),
    gettext_lazy("Left the company"),
)
TO_HELP = (
    gettext_lazy("An attack has entered the account"),
    gettext_lazy("The account holder has reported it"),
    gettext_lazy("Password seen in a leak"),
    gettext_lazy("To be safe, until the account holder is reached"),
)


class PresetInput(forms.TextInput):
    """A line of text with things to say, which a script turns into buttons."""

    def __init__(self, presets: Any, attrs: dict[str, Any] | None = None) -> None:
        self.presets = presets
        super().__init__({"autocomplete": "off", "class": "vTextField", **(attrs or {})})

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Return the input, and the list that it names."""
        listed = f"{name}-presets"
        line = super().render(name, value, {**(attrs or {}), "list": listed}, renderer)
        options = format_html_join("", '<option value="{}">', ((text,) for text in self.presets))
        return format_html(
            '{}<datalist id="{}" data-label="{}">{}</datalist>', line, listed, _("Presets"), options
        )


class ReasonForm(forms.Form):
    """Why a lock is ended, and how it was confirmed that the account holder asks."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        min_length=3,
        max_length=255,
        help_text=gettext_lazy(
            "For the record: how you know that it is the account holder, a ticket, an incident."
        ),
        widget=PresetInput(TO_UNLOCK, {"autofocus": True}),
    )
    confirmed = forms.ChoiceField(
        label=gettext_lazy("Identity confirmed"),
        required=False,
        choices=[("", gettext_lazy("not said")), *AccountLock.Confirmed.choices],
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self.fields["confirmed"].required = conf.identity_required


def described(reason: str, confirmed: str) -> str:
    """Return what the audit says of a release; in English, as evidence does."""
    return f"Unlocked: {reason}" + (f" (identity: {confirmed})" if confirmed else "")
