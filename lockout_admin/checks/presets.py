"""Checks of the preset: what a site promises with its name, its other settings must not break."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error, Info, Tags, register
from django.utils.translation import override

from ..conf import LockoutSettings, conf
from ..engine.ruleset import written_rules
from ..identity import columns
from ..policy.clauses import contradicted

_OF_RULES = (
    " What RULES says of a rule goes before, its interval and its mode as well: take out what does"
    " not keep this."
)


@register(Tags.security)
def a_preset_is_kept(**kwargs: Any) -> list[CheckMessage]:
    """E038: settings contradict the standard that PRESET names."""
    if not LockoutSettings.preset.is_said:
        return []
    several = columns.number_said()
    with override("en"):
        return [
            Error(
                f"LOCKOUT_ADMIN['PRESET'] is {conf.preset!r}, which other settings contradict."
                f" {clause.standard}: {clause.says}",
                hint=f"{clause.remedy}{_OF_RULES}{_hint_of_names(several)}",
                id="lockout_admin.E038",
            )
            for clause in contradicted(conf.preset, written_rules(), several)
        ]


@register(Tags.security)
def a_preset_is_in_force(**kwargs: Any) -> list[CheckMessage]:
    """I046: the whole app only watches, so no clause of the preset holds yet."""
    if not (LockoutSettings.preset.is_said and conf.only_watches):
        return []
    return [
        Info(
            f"LOCKOUT_ADMIN['PRESET'] is {conf.preset!r}, and the whole app only watches: no clause"
            " of it holds yet.",
            hint="When you have seen what would have been locked, set LOCKOUT_ADMIN['MODE'] to"
            " 'enforce'.",
            id="lockout_admin.I046",
        )
    ]


def _hint_of_names(several: int) -> str:
    if several == 1:
        return ""
    return (
        f" Backends find an account by {several} names, and each has limits of its own: divide the"
        f" limits by {several}, or have longer locks."
    )
