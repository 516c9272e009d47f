"""The page for a network or an address: what holds for it, whom it tried, who comes from there."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from .. import figures
from ..evidence import leads
from ..evidence.origins import LINES, RULES, NetworkDossier, Seen
from ..evidence.sight import Sight
from ..models import NetworkRule
from ..models.fields import parse_network
from . import cells, incidentsight, pills, sentences, times
from .records import RecordAdmin

Action = NetworkRule.Action


class NetworkPage(RecordAdmin):
    """A screen of locks with the page beside its list."""

    network_template = "lockout_admin/network.html"

    def get_urls(self) -> list[URLPattern]:
        """Add the page."""
        view = self.admin_site.admin_view(self.network_view)
        return [
            path("network/<path:text>/", view, name="lockout_admin_accountlock_network"),
            *super().get_urls(),
        ]

    @method_decorator(require_safe)
    def network_view(self, request: HttpRequest, text: str) -> HttpResponse:
        """Show it."""
        sight = Sight.of(request.user.has_perm)
        if not sight.networks:
            raise PermissionDenied
        try:
            # A zone belongs to a host's own links; databases refuse it.
            network = parse_network(text.replace("%", "?"))
        except ValidationError:
            raise Http404(_("There is no such network.")) from None
        dossier = NetworkDossier(network, sight)
        context = {
            **self.admin_site.each_context(request),
            "title": dossier.text,
            "opts": self.opts,
            "media": self.media,
            "dossier": dossier,
            "incidents": incidentsight.of_network(request, self.admin_site.name, network),
            **self._network_shown(request, dossier),
        }
        if sight.locks or sight.rules:
            context["standing"], context["sentence"] = sentences.of_network(dossier)
        return TemplateResponse(request, self.network_template, context)

    def _network_shown(self, request: HttpRequest, dossier: NetworkDossier) -> dict[str, Any]:
        sight = dossier.sight
        return {
            "tried": self._network_tried(dossier) if sight.failures else [],
            "failed": _counted(dossier.failures) if sight.failures else "",
            "names_tried": figures.grouped(dossier.failures.names) if sight.failures else "",
            "names_entered": figures.grouped(dossier.logins.names) if sight.logins else "",
            "people": self._network_people(dossier) if sight.logins else [],
            "entered": _counted(dossier.logins) if sight.logins else "",
            "locks": [
                (
                    row.pk,
                    cells.network_link(self.admin_site.name, row.label),
                    sentences.of_reason(row),
                    times.ago(row.started_at),
                    sentences.of_end(row),
                )
                for row in dossier.locks
            ],
            "rules": [self._network_rule(request, rule) for rule in dossier.rules[:LINES]],
            **self._network_more(dossier),
            "actions": self._network_actions(request, dossier),
            "links": self._network_links(request, dossier),
        }

    def _network_tried(self, dossier: NetworkDossier) -> list[tuple[Any, ...]]:
        return [
            (
                cells.name_link(self.admin_site.name, name),
                figures.grouped(count),
                _account(name in dossier.known_names),
            )
            for name, count in dossier.failures.by_name()
        ]

    def _network_people(self, dossier: NetworkDossier) -> list[tuple[Any, ...]]:
        last = {row.username: row.timestamp for row in reversed(dossier.logins.rows)}
        return [
            (
                cells.name_link(self.admin_site.name, name, cells.SUCCESSES),
                figures.grouped(count),
                times.ago(last[name]),
            )
            for name, count in dossier.logins.by_name()
        ]

    def _network_more(self, dossier: NetworkDossier) -> dict[str, Any]:
        """Return how many there are beside those that are shown, and where all of them are."""
        site, net, sight = self.admin_site.name, dossier.cidr, dossier.sight
        rules = len(dossier.rules)
        url = leads.to_page(site, "networkrule_changelist", net=net)
        more = {"more_rules": _more(rules, rules == RULES, url)}
        if sight.failures:
            url = leads.to_page(site, "failedlogin_changelist", time="30d", net=net)
            more["more_tried"] = _more_names(dossier.failures, url)
        if sight.logins:
            url = leads.to_page(site, "successfullogin_changelist", time="30d", net=net)
            more["more_people"] = _more_names(dossier.logins, url)
        return more

    def _network_rule(self, request: HttpRequest, rule: NetworkRule) -> tuple[Any, ...]:
        may_change = _may_change(request) and not rule.source
        return (
            rule,
            "ended" if rule.has_ended else rule.action,
            cells.moment(rule.until) if rule.until else _("for ever"),
            may_change,
        )

    def _network_actions(
        self, request: HttpRequest, dossier: NetworkDossier
    ) -> list[tuple[str, str]]:
        """Return the forms that block and allow, filled in, for whoever may.

        Where a rule by hand is about just this network, it is changed: no second one beside it.
        """
        own = _own_actions(dossier)
        if not request.user.has_perm("lockout_admin.add_networkrule"):
            return []
        if own and _may_change(request):
            return []
        labels = {Action.BLOCK: _("Block %(network)s"), Action.ALLOW: _("Allow %(network)s")}
        # The form refuses a second one of a kind, and to block what is allowed.
        refused = {Action.BLOCK, *own} if Action.ALLOW in own else own
        site = self.admin_site.name
        forms = [
            (
                label % {"network": dossier.text},
                leads.to_page(site, "networkrule_add", action=action, cidr=dossier.cidr),
            )
            for action, label in labels.items()
            if action not in refused
        ]
        return [(label, url) for label, url in forms if url]

    def _network_links(
        self, request: HttpRequest, dossier: NetworkDossier
    ) -> list[tuple[str, Any]]:
        """Return where more of it is, and what takes it out as evidence."""
        sight = dossier.sight
        asked = [
            (sight.failures, "failedlogin", _("All failures from there"), _("Export the failures")),
            (sight.logins, "successfullogin", _("All logins from there"), _("Export the logins")),
        ]
        links = []
        for may_see, model, said, taken in asked:
            if may_see:
                links.append((f"{model}_changelist", said))
            if may_see and request.user.has_perm(f"lockout_admin.export_{model}"):
                links.append((f"{model}_export", taken))
        site, net = self.admin_site.name, dossier.cidr
        found = [(leads.to_page(site, page, time="all", net=net), said) for page, said in links]
        return [(url, said) for url, said in found if url]


def _own_actions(dossier: NetworkDossier) -> set[Action]:
    """Return what is done to just this network, by hand."""
    own = [one for one in dossier.rules if one.cidr == dossier.cidr and not one.source]
    return {Action(one.action) for one in own if not one.has_ended}


def _may_change(request: HttpRequest) -> bool:
    return request.user.has_perm("lockout_admin.change_networkrule")


def _account(exists: bool) -> Any:
    """Return whether an account has a name that strangers tried: then it is under attack."""
    if not exists:
        return pills.account(exists=False)
    return pills.pill(pills.Tone.URGENT, _("account"), _("exists, and was attacked"))


def _more_names(seen: Seen, url: str) -> tuple[int, str, str] | None:
    return _more(seen.names, seen.is_cut, url)


def _more(count: int, is_cut: bool, url: str) -> tuple[int, str, str] | None:
    left = count - LINES
    return (left, figures.grouped(left) + "+" * is_cut, url) if left > 0 else None


def _counted(seen: Any) -> str:
    count, is_cut = seen.said
    return figures.counted(count, count if is_cut else count + 1)
