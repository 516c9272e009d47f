"""What staff do about an incident: each deed asks its permission, is done, and says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from ..incidents import verbs
from ..models import Exemption, Incident
from ..models.lessons import TEACHING
from . import bundles
from .actors import Actor
from .incidentsight import Sees

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
    if verdict not in dict(Sees.of(request).verdicts):
        # It would be open still for whoever says so.
        verdict = ""
    verbs.close(incident, verdict, actor.name, note)
    if verdict in TEACHING:
        return _(
            "It is closed. What it came from raises no incident any more, with these user agents:"
            " see the exemptions, where this can be undone."
        )
    return _("It is closed.")


def _reopen(request: HttpRequest, incident: Incident, actor: Actor) -> str:
    verbs.reopen(incident, actor.name, sees_logins=Sees.of(request).logins)
    if Exemption.objects.filter(incident=incident, ended_at=None).exists():
        return _(
            "It is open again. What it has taught stays in force: see the exemptions, where this"
            " can be undone."
        )
    return _("It is open again.")


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
    "bundle": (_name, "exports"),
}
