"""Checks of the preset: what a site promises with its name, its other settings must not break."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.utils.translation import override

from ..conf import LockoutSettings, conf
from ..engine.ruleset import rules_in_force
from ..policy.clauses import contradicted


@register(Tags.security)
def a_preset_is_kept(**kwargs: Any) -> list[CheckMessage]:
    """E038: settings contradict the standard that PRESET names."""
    if not LockoutSettings.preset.is_said:
        return []
    with override("en"):
        return [
            Error(
                f"LOCKOUT_ADMIN['PRESET'] is {conf.preset!r}, which other settings contradict."
                f" {clause.standard}: {clause.says}",
                hint=str(clause.remedy),
                id="lockout_admin.E038",
            )
            for clause in contradicted(conf.preset, rules_in_force())
        ]
