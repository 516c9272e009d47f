"""Rules to be tried: read from a file, and checked by the declarations of the settings."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..conf import SETTINGS, LockoutSettings, conf
from ..declarations.setting import Fault, trying, written
from ..engine.ruleset import faults as faults_of_rules
from ..engine.ruleset import written_rules
from ..identity import columns
from .clauses import Clause, contradicted

#: What can be tried: the settings that make the rules, and no others.
KEYS: Final = (
    "PRESET",
    "MODE",
    "MAX_FAILED_LOGIN_ATTEMPTS",
    "FAILED_LOGIN_INTERVAL_SECS",
    "ACCOUNT_LOCKED_TIMEOUT_SECS",
    "LOCK_GROWTH_FACTOR",
    "LOCK_GROWTH_WINDOW_SECS",
    "LOCK_MAX_SECS",
    "RULES",
)
#: Files are small; a big one is another file.
_MOST_BYTES: Final = 64 * 1024

_SETTINGS: Final = {setting.name: setting for setting in SETTINGS}


class TrialError(ValueError):
    """What is to be tried can't be; each fault names the key and a remedy."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(" ".join(f"{fault.problem} {fault.remedy}" for fault in faults))
        self.faults = tuple(faults)


def read(data: bytes) -> dict[str, Any]:
    """Return what a file in TOML has tried; raise `TrialError`.

    TOML knows no None: ``false`` in the place of a rule drops it.
    """
    if len(data) > _MOST_BYTES:
        raise _wrong("The file is too big.", f"Rules take less than {_MOST_BYTES} bytes.")
    try:
        found = tomllib.loads(data.decode("utf-8-sig"))  # editors on Windows begin with a mark
    except (ValueError, RecursionError) as error:
        raise _wrong(
            f"The file is no TOML: {error}.",
            'Write it like PRESET = "pci", and [RULES.spraying] with limit = 15 below.',
        ) from error
    rules = found.get("RULES")
    if isinstance(rules, dict):
        found["RULES"] = {name: None if terms is False else terms for name, terms in rules.items()}
    return found


def checked(tried: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of Django's settings that are to be tried; raise `TrialError`.

    What is not named stays as the site has it, and so does a rule, and a term of a rule.
    """
    faults = [_unknown(key) for key in tried if key not in KEYS]
    faults += [
        fault
        for key, value in tried.items()
        if key in KEYS
        for fault in _SETTINGS[key].faults(value)
    ]
    if faults:
        raise TrialError(faults)
    values = _laid_over_the_site(tried)
    known = faults_of_rules()
    with trying(values):
        faults = [fault for fault in faults_of_rules() if fault not in known]
    if faults:
        raise TrialError(faults)
    return values


def contradictions(values: Mapping[str, Any]) -> list[Clause]:
    """Return the clauses of the preset that what is tried breaks; check E038 would refuse it."""
    with trying(values):
        if not LockoutSettings.preset.is_said:
            return []
        return contradicted(conf.preset, written_rules(), columns.number_said())


def _laid_over_the_site(tried: Mapping[str, Any]) -> dict[str, Any]:
    site = written("LOCKOUT_ADMIN", {})
    keys = dict(site) if isinstance(site, dict) else {}
    rules = keys.get("RULES")
    keys.update({key: value for key, value in tried.items() if not _SETTINGS[key].plain})
    if isinstance(rules, dict) and isinstance(tried.get("RULES"), dict):
        keys["RULES"] = {**rules, **_merged(rules, tried["RULES"])}
    plain = {key: value for key, value in tried.items() if _SETTINGS[key].plain}
    return {**plain, "LOCKOUT_ADMIN": keys}


def _merged(rules: Mapping[str, Any], tried: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: terms if terms is None else {**(rules.get(name) or {}), **terms}
        for name, terms in tried.items()
    }


def _unknown(key: str) -> Fault:
    problem = f"{key!r} is nothing that can be tried."
    return Fault("", problem, f"What makes the rules: {', '.join(KEYS)}.")


def _wrong(problem: str, remedy: str) -> TrialError:
    return TrialError([Fault("", problem, remedy)])
