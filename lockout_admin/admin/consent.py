"""What somebody was shown and consents to: signed, so that the answer is to that, and theirs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final

from django import forms
from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest
from django.utils.crypto import get_random_string
from django.utils.translation import gettext_lazy as _

from ..engine.store import store
from .records import BaseAdmin

#: So many seconds after it was shown, something may still be confirmed.
CONFIRM_WITHIN_SECS: Final = 900
_SALT: Final = "lockout_admin.consent"
_SHOWN: Final = "lockout_admin.shown"


def seal(request: HttpRequest, about: Any, *facts: Any) -> str:
    """Return a token of what is shown to somebody: facts about something. No two are alike."""
    head = [str(request.user.pk), digest_of(about), get_random_string(12)]
    return signing.dumps([*head, *facts], salt=_SHOWN)


def opened(request: HttpRequest, about: Any) -> list[Any] | None:
    """Return the facts that were shown to just them about just this; ``None``: too long ago.

    Raises `PermissionDenied` for every other token.
    """
    try:
        token: list[Any] = signing.loads(
            request.POST.get("token", ""), salt=_SHOWN, max_age=CONFIRM_WITHIN_SECS
        )
    except signing.SignatureExpired:
        return None
    except signing.BadSignature:
        raise PermissionDenied from None
    if token[:2] != [str(request.user.pk), digest_of(about)]:
        raise PermissionDenied
    return token[3:]


def is_first(request: HttpRequest) -> bool:
    """Tell whether it is the first time that a token is made use of: a click may come twice.

    Without a store nobody knows, and it is done.
    """
    return store.add(_key(request), 1, CONFIRM_WITHIN_SECS) is not False


def was_used(request: HttpRequest) -> bool:
    """Tell whether a token was made use of; what it was about is no longer as it was shown."""
    return bool(store.get_many([_key(request)]))


def give_back(request: HttpRequest) -> None:
    """Have a token made use of again: what it was for has failed."""
    store.delete_many([_key(request)])


def _key(request: HttpRequest) -> str:
    return f"lockout_admin:{{consent}}:{digest_of(request.POST.get('token', ''))}"


def digest_of(about: Any) -> str:
    """Return a digest of what a token is about, or of what there is too much of for one."""
    return sha256(json.dumps(about).encode()).hexdigest()


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
        asked = signing.Signer(salt=_SALT).signature("\0".join([self.asked_by, about, *warnings]))
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
