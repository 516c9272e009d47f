"""Helping those whose accounts were entered: a page that says whom, asks why, and then does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, override

from ..defences import sessions
from ..figures import grouped
from ..incidents import remedies
from ..models import Incident
from . import consent, deeds
from .actors import Actor
from .confirming import Question
from .reasons import TO_HELP, PresetInput

#: Names, each with why it is left out; empty: it is not.
Touched = list[tuple[str, str]]
#: Says what was done, in the language of whoever reads it.
Said = Callable[[], str]

_WHY_NOT: Final = {
    "": "",
    "told": gettext_lazy("told already"),
    "inactive": gettext_lazy("not active"),
    "address": gettext_lazy("has no address"),
}


class HelpForm(forms.Form):
    """Why it is done."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        min_length=3,
        max_length=200,
        help_text=gettext_lazy("For the record: an incident, a request, a ticket."),
        widget=PresetInput(TO_HELP, {"autofocus": True}),
    )


@dataclass(frozen=True, slots=True)
class Help:
    """One way to help."""

    title: Promise
    #: What happens to whom, once it is confirmed.
    means: Promise
    #: The permission of `Actor` that it takes.
    needs: str
    #: Whether the site can do it.
    is_there: Callable[[], bool]
    touched: Callable[[Incident, Actor], Touched]
    #: Does it, for a reason.
    do: Callable[[Incident, Actor, str], Said]


class Helping(Question):
    """Whose accounts would be helped, and why some not."""

    template = "lockout_admin/incident_help.html"

    def __init__(self, screen: Any, request: HttpRequest, incident: Incident, verb: str) -> None:
        if verb not in _HELPS:
            raise Http404
        self.help = _HELPS[verb]
        self.needs = self.help.needs
        super().__init__(screen, request, incident)
        self.about = [verb, incident.pk]

    def _answer(self) -> HttpResponse:
        touched = self.help.touched(self.incident, self.actor) if self.help.is_there() else []
        names = [name for name, why in touched if not why]
        if not names:
            return self._nothing(touched)
        form = HelpForm(self.request.POST if self.request.method == "POST" else None)
        if form.is_bound and not self._is_consent(names):
            messages.warning(self.request, _("The accounts have changed. Please look again."))
        elif form.is_valid():
            return self._once(lambda: self._help(form.cleaned_data["reason"]))
        return self._ask(
            self.help.title,
            consent.seal(self.request, self.about, consent.digest_of(names)),
            help=self.help,
            names=names,
            left_out=[(name, why) for name, why in touched if why],
            form=form,
        )

    def _is_consent(self, names: list[str]) -> bool:
        return consent.opened(self.request, self.about) == [consent.digest_of(names)]

    def _help(self, reason: str) -> str:
        said = self.help.do(self.incident, self.actor, reason)
        with override("en"):  # as evidence is
            deeds.helped(self.incident, self.actor, f"{said()} {reason}")
        return said()

    def _nothing(self, touched: Touched) -> HttpResponse:
        reasons = sorted({why for _name, why in touched})
        why = ", ".join(reasons) or _("there is no such account, or the site has no means for it")
        messages.warning(self.request, _("Nothing was done: %(why)s") % {"why": why})
        return HttpResponseRedirect(self.back)


# -- Who is touched -----------------------------------------------------------------------------


def _names(incident: Incident, _actor: Actor) -> Touched:
    return [(name, "") for name in remedies.names_of(incident)]


def _accounts(incident: Incident, _actor: Actor) -> Touched:
    users = remedies.users_of(remedies.entered(incident))
    return sorted((str(user.get_username()), "") for user in users)


def _changeable(incident: Incident, actor: Actor) -> Touched:
    kept = _("a superuser, whom superusers alone change")
    return sorted(
        (
            str(user.get_username()),
            kept if remedies.is_left_out(user, is_root=actor.is_root) else "",
        )
        for user in remedies.users_of(remedies.entered(incident))
    )


def _owners(incident: Incident, _actor: Actor) -> Touched:
    return sorted(
        (str(owner.user.get_username()), str(_WHY_NOT[owner.why_not]))
        for owner in remedies.owners(incident)
    )


# -- What is done -------------------------------------------------------------------------------


def _lock(incident: Incident, actor: Actor, reason: str) -> Said:
    count = remedies.lock(incident, actor.name, reason)
    return lambda: (
        ngettext(
            "%(count)s name is locked for a day.", "%(count)s names are locked for a day.", count
        )
        % {"count": grouped(count)}
    )


def _passwords(incident: Incident, actor: Actor, reason: str) -> Said:
    count = remedies.expire_passwords(incident, actor.name, reason, is_root=actor.is_root)
    return lambda: (
        ngettext(
            "%(count)s account has to choose a new password; its sessions have ended.",
            "%(count)s accounts have to choose new passwords; their sessions have ended.",
            count,
        )
        % {"count": grouped(count)}
    )


def _sessions(incident: Incident, actor: Actor, reason: str) -> Said:
    count, is_all = remedies.end_sessions(incident, actor.name, reason)

    def said() -> str:
        done = ngettext("%(count)s session has ended.", "%(count)s sessions have ended.", count)
        more = "" if is_all else _("There are too many to look through: ask for new passwords.")
        return f"{done % {'count': grouped(count)}} {more}".strip()

    return said


def _tell(incident: Incident, actor: Actor, reason: str) -> Said:
    count = remedies.tell_owners(incident, actor.name, reason)
    return lambda: (
        ngettext("%(count)s owner is told by mail.", "%(count)s owners are told by mail.", count)
        % {"count": grouped(count)}
    )


_HELPS: Final = {
    "tell": Help(
        gettext_lazy("Tell their owners"),
        gettext_lazy(
            "Each gets one mail, at the address that the account has now: look first whether"
            " somebody has changed it. It says when somebody was in, and leads to a page that"
            " signs all devices out and asks for a new password."
        ),
        "tells",
        remedies.can_tell,
        _owners,
        _tell,
    ),
    "lock": Help(
        gettext_lazy("Lock them for a day"),
        gettext_lazy(
            "Nobody logs in by these names, until the day is over or somebody unlocks them."
        ),
        "locks",
        lambda: True,
        _names,
        _lock,
    ),
    "sessions": Help(
        gettext_lazy("End their sessions"),
        gettext_lazy("Everybody who is logged in to these accounts is logged out."),
        "accounts",
        sessions.can_end,
        _accounts,
        _sessions,
    ),
    "passwords": Help(
        gettext_lazy("Ask for new passwords"),
        gettext_lazy(
            "Their passwords are good for nothing from then on, and their sessions end. Owners"
            " choose new ones by the site's page for forgotten passwords."
        ),
        "accounts",
        lambda: True,
        _changeable,
        _passwords,
    ),
}
