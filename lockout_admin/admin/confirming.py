"""Questions before what is hard to take back: blocking an incident's networks, merging another."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import Error
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ..figures import grouped
from ..identity.client import Client
from ..incidents import remedies, verbs
from ..incidents.remedies import Plan
from ..models import Incident
from . import consent, times
from .actors import Actor
from .deeds import page_url
from .incidentsight import Sees, leave_out_the_untold

logger = logging.getLogger("lockout_admin")


class Question(ABC):
    """A page about an incident that says what would happen, and does it on consent to just that."""

    template: str
    #: The permission of `Actor` that it takes.
    needs: str

    def __init__(self, screen: Any, request: HttpRequest, incident: Incident) -> None:
        self.screen = screen
        self.request = request
        self.incident = incident
        self.actor = Actor.of(request)
        if not getattr(self.actor, self.needs):
            raise PermissionDenied
        self.back = page_url(screen.admin_site.name, incident)

    def answer(self) -> HttpResponse:
        """Ask; on consent to just what was shown, do it."""
        if self.request.method == "POST" and consent.was_used(self.request):
            messages.info(self.request, _("That was done already."))
            return HttpResponseRedirect(self.back)
        return self._answer()

    @abstractmethod
    def _answer(self) -> HttpResponse:
        """Look at what was consented to, if anything was."""

    def _ask(self, title: Any, token: str, **more: Any) -> HttpResponse:
        context = {
            **self.screen.admin_site.each_context(self.request),
            "title": title,
            "opts": self.screen.opts,
            "media": self.screen.media,
            "incident": self.incident,
            "token": token,
            "back": self.back,
            **more,
        }
        return TemplateResponse(self.request, self.template, context)

    def _once(self, do: Callable[[], str]) -> HttpResponse:
        """Do it, once a consent, and say so; or why somebody was quicker.

        What fails may be tried again.
        """
        try:
            if consent.is_first(self.request):
                messages.success(self.request, do())
            else:
                messages.info(self.request, _("That was done already."))
        except Error:
            logger.exception("not_done: the database refused what staff confirmed.")
            consent.give_back(self.request)
            messages.error(self.request, _("The database is busy. Please try again."))
        except ValueError as error:
            messages.warning(self.request, _("Nothing was done: %(why)s") % {"why": error})
        return HttpResponseRedirect(self.back)


class BlockForm(forms.Form):
    """For how long networks are blocked."""

    days = forms.TypedChoiceField(
        label=gettext_lazy("For how long"),
        coerce=int,
        choices=[
            (1, gettext_lazy("a day")),
            (7, gettext_lazy("a week")),
            (30, gettext_lazy("30 days")),
        ],
        initial=remedies.BLOCK_FOR.days,
    )


class Blocking(Question):
    """Which networks would be blocked, and which not."""

    template = "lockout_admin/incident_block.html"
    needs = "blocks"

    def _answer(self) -> HttpResponse:
        plan = Plan.of(self.incident, Client.of(self.request).ip_address)
        shown = sorted(map(str, plan.block))
        about = ["block", self.incident.pk]
        form = BlockForm(self.request.POST if self.request.method == "POST" else None)
        if form.is_bound and not (shown and consent.opened(self.request, about) == [shown]):
            messages.warning(self.request, _("The networks have changed. Please look again."))
        elif form.is_valid():
            return self._once(lambda: self._block(plan, form.cleaned_data["days"]))
        token = consent.seal(self.request, about, shown)
        return self._ask(_("Block the networks"), token, plan=plan, form=form)

    def _block(self, plan: Plan, days: int) -> str:
        length = timedelta(days=days)
        count = remedies.block(plan.block, self.incident, self.actor.name, length)
        verbs.blocked(self.incident, count, self.actor.name)
        said = ngettext("%(count)s network is blocked.", "%(count)s networks are blocked.", count)
        return said % {"count": grouped(count)}


class Merging(Question):
    """What becomes of another incident that turns out to be a part of this one."""

    template = "lockout_admin/incident_merge.html"
    needs = "changes"

    def _answer(self) -> HttpResponse:
        given = self.request.GET.get("other", "")
        number = int(given) if given.isdecimal() and given.isascii() and len(given) < 19 else 0
        about = ["merge", self.incident.pk, number]
        if self.request.method == "POST":
            if consent.opened(self.request, about) is not None:
                return self._once(lambda: self._merge(number))
            messages.warning(self.request, _("That was shown too long ago. Please look again."))
        sees = Sees.of(self.request)
        other = self._open(number)
        if other is None:
            raise Http404
        token = consent.seal(self.request, about)
        leave_out_the_untold([other, self.incident], sees)
        return self._ask(
            _("Merge two incidents"),
            token,
            other=other,
            other_title=sees.title_of(other),
            own_title=sees.title_of(self.incident),
            since=times.ago(other.started_at),
        )

    def _merge(self, number: int) -> str:
        other = self._open(number)
        if other is None:
            raise ValueError(_("The other one is not open any more."))
        verbs.merge(self.incident, [other], self.actor.name)
        return _("The other one is a part of this one now.")

    def _open(self, number: int) -> Incident | None:
        """Return another one that nobody has closed, as far as the user may know."""
        others = Incident.objects.fresh().open(sees_logins=Sees.of(self.request).logins)
        found: Incident | None = others.exclude(pk=self.incident.pk).filter(pk=number).first()
        return found
