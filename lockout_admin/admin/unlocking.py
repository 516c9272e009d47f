"""Unlocking: a confirmation with the exact number, a reason, an audit entry each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import CHANGE, LogEntry
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ..releases import Extent, Outcome, Selection, release_all

#: For how many seconds a number that was shown may be confirmed.
CONFIRM_WITHIN_SECS = 900
#: After how many seconds a long unlock asks to go on: servers end requests, usually after 30.
PAUSE_AFTER_SECS = 20
_SALT = "lockout_admin.unlock"


class UnlockForm(forms.Form):
    """Why the locks are ended."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        min_length=3,
        max_length=255,
        help_text=gettext_lazy("For the record: how you know that it is the account holder, a ticket, an incident."),
        widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "off", "class": "vTextField"}),
    )


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What is asked, and how to get back to it."""

    admin: Any
    request: HttpRequest
    selection: Selection
    back: str
    #: Fields that lead the answer back to the action: without a selected row the changelist ignores it.
    hidden: list[tuple[str, str]] = field(default_factory=list)

    def answer(self) -> HttpResponse:
        """Ask, or do what was confirmed."""
        if not self.admin.has_unlock_permission(self.request):
            raise PermissionDenied
        if "token" not in self.request.POST:
            return self._ask(UnlockForm())
        form, confirmed = UnlockForm(self.request.POST), self._confirmed()
        if confirmed is None:
            messages.warning(self.request, _("This took a while. Please look at the number again."))
            return self._ask(form)
        return self._unlock(form, *confirmed) if form.is_valid() else self._ask(form)

    def _confirmed(self) -> tuple[Extent, int] | None:
        try:
            user, count, top, done = signing.loads(self.request.POST["token"], salt=_SALT, max_age=CONFIRM_WITHIN_SECS)
        except signing.SignatureExpired:
            return None
        except signing.BadSignature:
            raise PermissionDenied from None
        if user != str(self.request.user.pk):
            raise PermissionDenied
        return Extent(count, top), done

    def _ask(self, form: UnlockForm, top: int | None = None, done: int = 0) -> HttpResponse:
        extent = self.selection.extent(top)
        if not extent.count:
            messages.warning(self.request, _("None of these is locked any more."))
            return HttpResponseRedirect(self.back)
        token = signing.dumps([str(self.request.user.pk), extent.count, extent.top, done], salt=_SALT)
        context = {
            **self.admin.admin_site.each_context(self.request),
            "title": _("Unlock"),
            "opts": self.admin.opts,
            "media": self.admin.media,
            "form": form,
            "count": extent.count,
            "names": extent.shown,
            "more": extent.names - len(extent.shown),
            "hidden": [*self.hidden, ("token", token)],
            "back": self.back,
            # What was confirmed goes on by itself where there are scripts.
            "goes_on": top is not None,
        }
        return TemplateResponse(self.request, "lockout_admin/unlock.html", context)

    def _unlock(self, form: UnlockForm, extent: Extent, done: int) -> HttpResponse:
        reason = form.cleaned_data["reason"]
        outcome = release_all(
            self.selection,
            extent.top,
            self.request.user.get_username(),
            reason,
            audit=lambda objects: self._log(objects, reason),
            seconds=PAUSE_AFTER_SECS,
        )
        self._say(outcome, extent, done + outcome.unlocked)
        if outcome.finished:
            return HttpResponseRedirect(self.back)
        return self._ask(form, extent.top, done + outcome.unlocked)

    def _log(self, objects: list[Any], reason: str) -> None:
        # Stays in English, as evidence does.
        LogEntry.objects.log_actions(str(self.request.user.pk), objects, CHANGE, f"Unlocked: {reason}")

    def _say(self, outcome: Outcome, extent: Extent, done: int) -> None:
        (messages.success if done else messages.warning)(self.request, _what_came_of(outcome, done))
        missed = extent.count - outcome.unlocked
        if outcome.finished and missed > 0:
            late = ngettext(
                "%(count)d had ended meanwhile, or was unlocked by somebody else: see the lock history.",
                "%(count)d had ended meanwhile, or were unlocked by somebody else: see the lock history.",
                missed,
            )
            messages.warning(self.request, late % {"count": missed})
        if outcome.held:
            anew = ngettext(
                "%(count)d name has been locked anew meanwhile, and stays locked.",
                "%(count)d names have been locked anew meanwhile, and stay locked.",
                outcome.held,
            )
            messages.warning(self.request, anew % {"count": outcome.held})
        if not outcome.finished:
            messages.warning(self.request, _("There are more: confirm again to go on."))
        if not outcome.cache_cleared:
            messages.error(
                self.request,
                _(
                    "The cache does not answer. The locks are ended in the records, but once the cache is back it may"
                    " refuse logins until they would have ended by themselves. Unlock again then."
                ),
            )


def _what_came_of(outcome: Outcome, done: int) -> str:
    if outcome.unlocked == done == 1 and not outcome.held:
        return _("“%(name)s” is unlocked.") % {"name": outcome.last}
    return ngettext("%(count)d lock ended.", "%(count)d locks ended.", done) % {"count": done}


def hidden_of_action(request: HttpRequest, action: str) -> list[tuple[str, str]]:
    """Return the fields that start `action` of a changelist again."""
    across = request.POST.get("select_across", "0")
    chosen = request.POST.getlist(ACTION_CHECKBOX_NAME)
    return [
        ("action", action),
        ("select_across", across),
        *((ACTION_CHECKBOX_NAME, pk) for pk in (chosen[:1] if across == "1" else chosen)),
    ]
