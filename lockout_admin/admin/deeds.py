"""What staff do about an incident: each deed asks its permission, is done, and says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..figures import grouped
from ..identity.client import Client
from ..incidents import remedies, verbs
from ..incidents.remedies import Plan
from ..models import Exemption, Incident
from ..models.lessons import TEACHING
from . import bundles, consent
from .actors import Actor

#: Characters of a note that a form takes.
_NOTE: Final = 4_000


def page_url(site: str, incident: Incident) -> str:
    """Return the URL of the page of an incident."""
    return reverse("admin:lockout_admin_incident_change", args=[incident.pk], current_app=site)


def do(site: str, request: HttpRequest, incident: Incident, verb: str) -> HttpResponseBase:
    """Do one deed, and lead back; raise `Http404` for none, `PermissionDenied` for not allowed."""
    if verb not in _DEEDS:
        raise Http404
    deed, needed = _DEEDS[verb]
    actor = Actor.of(request)
    if not getattr(actor, needed):
        raise PermissionDenied
    if verb == "bundle":
        return bundles.answer(request, incident, actor.name)
    try:
        messages.success(request, deed(request, incident, actor))
    except ValueError as error:
        messages.warning(request, _("Nothing was done: %(why)s") % {"why": error})
    return HttpResponseRedirect(page_url(site, incident))


def _text(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "").replace("\0", "")[:_NOTE]


def _acknowledge(request: HttpRequest, incident: Incident, actor: Actor) -> str:
    verbs.acknowledge(incident, actor.name)
    return _("You are at it: everybody can see that.")


def _name(request: HttpRequest, incident: Incident, actor: Actor) -> str:
    verbs.name(incident, _text(request, "title"), actor.name)
    return _("It has another title.")


def _note(request: HttpRequest, incident: Incident, actor: Actor) -> str:
    verbs.note(incident, _text(request, "note"), actor.name)
    return _("The note is in the time line.")


def _close(request: HttpRequest, incident: Incident, actor: Actor) -> str:
    verdict, note = _text(request, "verdict"), _text(request, "note")
    verbs.close(incident, verdict, actor.name, note)
    if verdict in TEACHING:
        return _(
            "It is closed. What it came from raises no incident any more, with these user agents:"
            " see the exemptions, where this can be undone."
        )
    return _("It is closed.")


def _reopen(request: HttpRequest, incident: Incident, actor: Actor) -> str:
    verbs.reopen(incident, actor.name)
    if Exemption.objects.filter(incident=incident, ended_at=None).exists():
        return _(
            "It is open again. What it has taught stays in force: see the exemptions, where this"
            " can be undone."
        )
    return _("It is open again.")


def _merge(request: HttpRequest, incident: Incident, actor: Actor) -> str:
    number = request.POST.get("other", "")
    is_key = number.isdecimal() and number.isascii() and len(number) < 19
    other = Incident.objects.fresh().open().filter(pk=int(number) if is_key else 0).first()
    if other is None:
        raise ValueError(_("There is no such incident."))
    verbs.merge(incident, [other], actor.name)
    return _("The other one is a part of this one now.")


def noted(incident: Incident, actor: Actor, said: str) -> str:
    """Write what was done into the time line, and return it."""
    verbs.note(incident, said, actor.name)
    return said


def helped(incident: Incident, actor: Actor, said: str) -> None:
    """Write whom staff helped into the time line: for those who may see who was entered."""
    verbs.helped(incident, said, actor.name)


Deed = Callable[[HttpRequest, Incident, Actor], str]
#: Verb -> what it does, and what of `Actor` it takes.
_DEEDS: Final[dict[str, tuple[Deed, str]]] = {
    "acknowledge": (_acknowledge, "changes"),
    "name": (_name, "changes"),
    "note": (_note, "changes"),
    "close": (_close, "changes"),
    "reopen": (_reopen, "changes"),
    "merge": (_merge, "changes"),
    "bundle": (_name, "exports"),
}


class Blocking:
    """The page that says which networks would be blocked, and which not, and blocks them."""

    template: Final = "lockout_admin/incident_block.html"

    def __init__(self, screen: Any, request: HttpRequest, incident: Incident) -> None:
        self.screen = screen
        self.request = request
        self.incident = incident
        self.actor = Actor.of(request)
        if not self.actor.blocks:
            raise PermissionDenied

    def answer(self) -> HttpResponse:
        """Ask; on consent to just these networks, block them."""
        plan = Plan.of(self.incident, Client.of(self.request).ip_address)
        shown = sorted(map(str, plan.block))
        about = ["block", self.incident.pk]
        back = page_url(self.screen.admin_site.name, self.incident)
        if self.request.method == "POST":
            agreed = consent.opened(self.request, about)
            if agreed == [shown] and shown:
                self._block(plan)
                return HttpResponseRedirect(back)
            messages.warning(self.request, _("The networks have changed. Please look again."))
        context = {
            **self.screen.admin_site.each_context(self.request),
            "title": _("Block the networks"),
            "opts": self.screen.opts,
            "media": self.screen.media,
            "plan": plan,
            "incident": self.incident,
            "token": consent.seal(self.request, about, shown),
            "back": back,
            "days": remedies.BLOCK_FOR.days,
        }
        return TemplateResponse(self.request, self.template, context)

    def _block(self, plan: Plan) -> None:
        count = remedies.block(plan.block, self.incident, self.actor.name)
        said = ngettext(
            "%(count)s network is blocked.", "%(count)s networks are blocked.", count
        ) % {"count": grouped(count)}
        messages.success(self.request, noted(self.incident, self.actor, said))
