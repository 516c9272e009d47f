"""Unlocking: a confirmation with the exact number, a reason, an audit entry each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..engine.releases import Extent, Outcome, Selection, release_all
from ..figures import grouped
from ..models import AccountLock, AuditEntry
from . import cells, consent, times
from .facts import facts_of, look_up
from .reasons import ReasonForm, described
from .selections import PAUSE_AFTER_SECS


class UnlockForm(ReasonForm):
    """Why the locks are ended; a consent of its own for those that were put on by hand."""

    def __init__(self, data: Any = None, *, by_hand: int) -> None:
        super().__init__(data)
        if by_hand:
            self.fields["by_hand"] = _consent(by_hand)


def _consent(by_hand: int) -> forms.BooleanField:
    label = ngettext(
        "I have read why %(count)s lock was put on by hand. End it as well.",
        "I have read why %(count)s locks were put on by hand. End them as well.",
        by_hand,
    )
    return forms.BooleanField(
        label=label % {"count": grouped(by_hand)},
        error_messages={"required": _("Tick this, or go back and leave them out.")},
    )


@dataclass(frozen=True, slots=True)
class Undone:
    """One lock of those that are about to end, in cells of a table."""

    name: str
    why: str
    since: str
    until: str
    led_by: str
    refused: str

    @classmethod
    def of(cls, row: AccountLock, site: str) -> Undone:
        """Return the cells of a lock that was looked up."""
        facts = facts_of(row)
        return cls(
            cells.label_link(site, row),
            cells.why(row),
            times.ago(row.started_at),
            cells.moment(row.until),
            cells.sources(site, grouped(row.failures), facts.sources),
            cells.refusals(site, facts.refused),
        )


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A question to confirm, and the way back."""

    admin: Any
    request: HttpRequest
    selection: Selection
    back: str
    #: Fields that lead the answer to the action: without a selected row the list ignores it.
    hidden: list[tuple[str, str]] = field(default_factory=list)
    #: Where the answer goes, if another page asks the question; see `question`.
    asked_at: str = ""

    def question(self) -> dict[str, Any] | None:
        """Return the question, for a page that asks it beside others; ``None``: none is locked."""
        extent = self.selection.extent()
        return {**self._question(None, extent, 0), "url": self.asked_at} if extent.count else None

    def answer(self) -> HttpResponse:
        """Ask, or do what was confirmed."""
        if not self.admin.has_unlock_permission(self.request):
            raise PermissionDenied
        if "token" not in self.request.POST:
            return self._ask()
        confirmed = self._confirmed()
        if confirmed is None:
            messages.warning(self.request, _("This took a while. Please look at the number again."))
            return self._ask(self.request.POST)
        extent, done = confirmed
        now = self.selection.extent(extent.top)
        if now.by_hand > extent.by_hand or (not done and now.count > extent.count):
            # A lock that was written earlier can come to light later than the page.
            messages.warning(self.request, _("There are more locks now. Please look again."))
            return self._ask(self.request.POST)
        form = UnlockForm(self.request.POST, by_hand=extent.by_hand)
        return self._unlock(form, extent, done) if form.is_valid() else self._ask(self.request.POST)

    def _confirmed(self) -> tuple[Extent, int] | None:
        shown = consent.opened(self.request, self._about())
        if shown is None:
            return None
        count, top, by_hand, done = shown
        return Extent(count, top, by_hand), done

    def _about(self) -> list[Any]:
        """Return what tells this question from that about other locks."""
        return [self.asked_at or self.request.get_full_path(), self.hidden]

    def _ask(self, data: Any = None, top: int | None = None, done: int = 0) -> HttpResponse:
        extent = self.selection.extent(top)
        if not extent.count:
            messages.warning(self.request, _("None of these is locked any more."))
            return HttpResponseRedirect(self.back)
        context = {
            **self.admin.admin_site.each_context(self.request),
            "title": _("Unlock"),
            "opts": self.admin.opts,
            "media": self.admin.media,
            **self._question(data, extent, done),
            "back": self.back,
            # A script sends the form again: this was confirmed.
            "goes_on": top is not None,
        }
        return TemplateResponse(self.request, "lockout_admin/unlock.html", context)

    def _question(self, data: Any, extent: Extent, done: int) -> dict[str, Any]:
        rows = list(extent.shown)
        look_up(rows)
        token = consent.seal(
            self.request, self._about(), extent.count, extent.top, extent.by_hand, done
        )
        return {
            "form": UnlockForm(data, by_hand=extent.by_hand),
            "total": extent.count,
            "locks": [Undone.of(row, self.admin.admin_site.name) for row in rows],
            "more": extent.count - len(rows),
            "hidden": [*self.hidden, ("token", token)],
        }

    def _unlock(self, form: UnlockForm, extent: Extent, done: int) -> HttpResponse:
        reason, confirmed = form.cleaned_data["reason"], form.cleaned_data["confirmed"]
        outcome = release_all(
            self.selection,
            extent.top,
            str(self.request.user.get_username()),
            reason,
            confirmed=confirmed,
            audit=lambda objects: self._log(objects, described(reason, confirmed)),
            seconds=PAUSE_AFTER_SECS,
        )
        self._say(outcome, extent, done + outcome.unlocked)
        if outcome.finished:
            return HttpResponseRedirect(self.back)
        return self._ask(self.request.POST, extent.top, done + outcome.unlocked)

    def _log(self, objects: list[Any], said: str) -> None:
        AuditEntry.objects.bulk_create(
            AuditEntry(
                actor=self.request.user.get_username(),
                action=AuditEntry.Action.UNLOCK,
                label=row.label,
                details=said,
            )
            for row in objects
            if isinstance(row, AccountLock)
        )
        LogEntry.objects.log_actions(str(self.request.user.pk), objects, CHANGE, said)

    def _say(self, outcome: Outcome, extent: Extent, done: int) -> None:
        (messages.success if done else messages.warning)(self.request, _what_came_of(outcome, done))
        missed = extent.count - outcome.unlocked
        if outcome.finished and missed > 0:
            late = ngettext(
                "%(count)s had already ended, or somebody else ended it: see the lock history.",
                "%(count)s had already ended, or somebody else ended them: see the lock history.",
                missed,
            )
            messages.warning(self.request, late % {"count": grouped(missed)})
        if outcome.held:
            anew = ngettext(
                "%(count)s name has been locked anew meanwhile, and stays locked.",
                "%(count)s names have been locked anew meanwhile, and stay locked.",
                outcome.held,
            )
            messages.warning(self.request, anew % {"count": grouped(outcome.held)})
        if not outcome.finished:
            messages.warning(self.request, _("There are more. Confirm again to continue."))
        if not outcome.cache_cleared:
            messages.error(
                self.request,
                _(
                    "The cache does not answer. The records say that the locks have ended, but when"
                    " the cache is back it may refuse logins for the time that the locks had left."
                    " The list of active locks shows them then: unlock them there."
                ),
            )


def _what_came_of(outcome: Outcome, done: int) -> str:
    if outcome.unlocked == done == 1 and not outcome.held:
        return _("“%(name)s” is unlocked.") % {"name": outcome.last}
    return ngettext("%(count)s lock ended.", "%(count)s locks ended.", done) % {
        "count": grouped(done)
    }
