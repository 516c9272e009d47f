"""The page that tries other rules on the log, before a site switches."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from ..conf import SETTINGS, conf
from ..declarations.kinds import Whole
from ..declarations.presets import PRESETS
from ..declarations.ruleset import MODES, MOST_OF_A_LIMIT
from ..engine.ruleset import rules_in_force
from ..policy import telling, trial, words
from ..policy.comparison import Comparison, compare
from ..policy.picture import Picture
from .records import RecordAdmin

#: For so long a page replays; the command takes all the time that it needs.
MOST_SECS: Final = 20.0
_DAYS: Final = (1, 7, 30, 90)
_PRESET: Final = "PRESET"
_MODE: Final = "MODE"
_LABELS: Final = {
    "MAX_FAILED_LOGIN_ATTEMPTS": gettext_lazy("Wrong passwords on a name that lock it"),
    "FAILED_LOGIN_INTERVAL_SECS": gettext_lazy("In so many seconds"),
    "ACCOUNT_LOCKED_TIMEOUT_SECS": gettext_lazy("Seconds that a first lock lasts"),
    "LOCK_GROWTH_FACTOR": gettext_lazy("Each lock is so many times as long as the one before"),
    "LOCK_MAX_SECS": gettext_lazy("Seconds that the longest lock lasts"),
}
#: The limits of these follow from the settings above, or end a trust.
_OF_SETTINGS: Final = frozenset(["account", "device", "device-total"])


class TrialForm(forms.Form):
    """The plain values of the rules in force, to be changed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["days"] = forms.TypedChoiceField(
            label=_("How much of the log"), choices=_periods(), coerce=int, initial=30
        )
        presets = [(name, name) for name in PRESETS]
        self.fields[_PRESET] = forms.ChoiceField(
            label=_("Preset"), choices=presets, initial=conf.preset, help_text=_PRESET
        )
        self.fields[_MODE] = forms.ChoiceField(
            label=_("Mode"),
            choices=[(mode, words.mode_of(mode)) for mode in MODES],
            initial=conf.mode,
            help_text=_MODE,
        )
        declared = {setting.name: setting for setting in SETTINGS}
        for key, label in _LABELS.items():
            self.fields[key] = _field(declared[key], label)
        #: By the names of fields: the rules whose limits they are.
        self.rules = {} if self.has_own_rules else self._add_limits()

    @property
    def has_own_rules(self) -> bool:
        """Whether the site has a list of rules of its own: then RULES changes none by its name."""
        return not isinstance(conf.rules, dict)

    def _add_limits(self) -> dict[str, str]:
        names = {}
        for rule in rules_in_force():
            if rule.name not in _OF_SETTINGS:
                names[f"limit-{rule.name}"] = rule.name
                self.fields[f"limit-{rule.name}"] = forms.IntegerField(
                    label=_("Limit of the rule %(name)s") % {"name": rule.name},
                    min_value=1,
                    max_value=MOST_OF_A_LIMIT,
                    initial=rule.limit,
                )
        return names

    def clean(self) -> None:
        """Check what was changed as the settings of a site are checked."""
        # What was left as it is follows a preset that is tried.
        changed = {name: self.cleaned_data[name] for name in self.changed_fields}
        tried: dict[str, Any] = {
            name: value for name, value in changed.items() if name not in self.rules
        }
        limits = {
            self.rules[name]: {"limit": value}
            for name, value in changed.items()
            if name in self.rules
        }
        if limits:
            tried["RULES"] = limits
        try:
            self.tried = trial.checked(tried) if tried else None
        except trial.TrialError as error:
            for fault in error.faults:
                self.add_error(None, f"{fault.problem} {fault.remedy}")

    @property
    def changed_fields(self) -> list[str]:
        """The names of the values that are others than those in force, and that are right."""
        return [name for name in self.changed_data if name in self.cleaned_data and name != "days"]


def _periods() -> list[tuple[int, str]]:
    said = {
        days: ngettext("the last %(count)s day", "the last %(count)s days", days) % {"count": days}
        for days in _DAYS
    }
    return [*said.items()]


def _field(setting: Any, label: Any) -> forms.Field:
    kind = forms.IntegerField if isinstance(setting, Whole) else forms.FloatField
    return kind(
        label=label,
        min_value=setting.least,
        max_value=setting.most,
        initial=setting.__get__(conf, type(conf)),
        help_text=setting.name,
    )


class TrialPage(RecordAdmin):
    """A screen of locks with the page beside its list; whoever may view locks may try."""

    trial_template = "lockout_admin/trial.html"

    def get_urls(self) -> list[URLPattern]:
        """Add the page."""
        view = self.admin_site.admin_view(self.trial_view)
        return [
            path("policy/try/", view, name="lockout_admin_accountlock_try"),
            *super().get_urls(),
        ]

    # What takes so long is asked for by nobody's link: it needs the form's token.
    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def trial_view(self, request: HttpRequest) -> HttpResponse:
        """Show the form; replay the log under what was sent."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = TrialForm(request.POST if request.method == "POST" else None)
        comparison = _compared(form) if form.is_valid() else None
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": _("Try rules on the log"),
            "opts": self.opts,
            "form": form,
            **(_shown(comparison) if comparison else {}),
            "contradicted": trial.contradictions(form.tried) if comparison and form.tried else [],
        }
        return TemplateResponse(request, self.trial_template, context)


def _compared(form: TrialForm) -> Comparison:
    now = timezone.now()
    since = now - timedelta(days=form.cleaned_data["days"])
    return compare(since, now, form.tried, seconds=MOST_SECS)


def _shown(comparison: Comparison) -> dict[str, Any]:
    return {
        "comparison": comparison,
        "heads": telling.heads(comparison),
        "tables": [
            (_("What would have happened"), telling.lines(comparison)),
            (_("Locks by rule"), telling.lines_of_rules(comparison)),
        ],
        "limits": telling.LIMITS,
        "other_rules": telling.OTHER_RULES if telling.were_others(comparison) else "",
        "picture": Picture.of(comparison),
    }
