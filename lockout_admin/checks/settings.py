"""Checks of the settings themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as CheckWarning

from ..client import not_networks
from ..conf import DEFAULTS, THRESHOLD_DEFAULTS, conf

#: NIST SP 800-63B-4, 3.2.2.
_MOST_ATTEMPTS = 100
_DAY = 24 * 60 * 60
#: What calendars and caches can reckon with.
_LONGEST = 3650 * _DAY


@register(Tags.security)
def threshold_is_possible(**kwargs: Any) -> list[CheckMessage]:
    """E001: the three numbers of the threshold are whole numbers from 1 on, and no longer than ten years."""
    return [
        Error(
            f"{name} is {getattr(settings, name)!r}.",
            hint=f"Set it to a whole number from 1 to {_LONGEST}; the default is {default}.",
            id="lockout_admin.E001",
        )
        for name, default in THRESHOLD_DEFAULTS.items()
        if not _is_number(getattr(settings, name, default), int, 1, _LONGEST)
    ]


@register(Tags.security)
def attempts_are_bounded(**kwargs: Any) -> list[CheckMessage]:
    """E002: a limit above 100 is none."""
    limit = conf.max_failed_login_attempts
    if not _is_number(limit, int, _MOST_ATTEMPTS + 1, _LONGEST):
        return []
    return [
        Error(
            f"MAX_FAILED_LOGIN_ATTEMPTS is {limit}: more guesses than NIST SP 800-63B-4, 3.2.2 allows in a row.",
            hint=f"Set it to at most {_MOST_ATTEMPTS}.",
            id="lockout_admin.E002",
        )
    ]


@register(Tags.security)
def settings_are_a_dict(**kwargs: Any) -> list[CheckMessage]:
    """E003: LOCKOUT_ADMIN is a dict."""
    if isinstance(conf.raw, dict):
        return []
    return [
        Error(
            f"LOCKOUT_ADMIN is a {type(conf.raw).__name__}.",
            hint="Set it to a dict of settings, or leave it out.",
            id="lockout_admin.E003",
        )
    ]


@register(Tags.security)
def keys_are_known(**kwargs: Any) -> list[CheckMessage]:
    """E004: a misspelt key would be a setting that does nothing."""
    return [
        Error(
            f"LOCKOUT_ADMIN has an unknown key {key!r}.",
            hint=f"Known keys: {', '.join(sorted(DEFAULTS))}.",
            id="lockout_admin.E004",
        )
        for key in conf.declared
        if key not in DEFAULTS
    ]


@register(Tags.security)
def numbers_are_possible(**kwargs: Any) -> list[CheckMessage]:
    """E005: the numbers among the keys are in their range; a lock can't shrink, evidence lasts for a day."""
    least = {"LOCK_GROWTH_FACTOR": 1, "LOCK_GROWTH_WINDOW_SECS": 0, "LOCK_MAX_SECS": 1, "RETENTION_SECS": _DAY}
    return [
        Error(
            f"LOCKOUT_ADMIN[{key!r}] is {value!r}.",
            hint=f"Set it to a number from {least[key]} to {_LONGEST}; the default is {DEFAULTS[key]}.",
            id="lockout_admin.E005",
        )
        for key, value in conf.declared.items()
        if key in least and not _is_number(value, float if key == "LOCK_GROWTH_FACTOR" else int, least[key], _LONGEST)
    ]


@register(Tags.security)
def texts_and_switches_are_such(**kwargs: Any) -> list[CheckMessage]:
    """E006: texts are text, switches are True or False."""
    return [
        Error(
            f"LOCKOUT_ADMIN[{key!r}] is {value!r}.",
            hint=f"Set it to a {type(DEFAULTS[key]).__name__}; the default is {DEFAULTS[key]!r}.",
            id="lockout_admin.E006",
        )
        for key, value in conf.declared.items()
        if isinstance(DEFAULTS.get(key), str | bool) and type(value) is not type(DEFAULTS[key])
    ]


@register(Tags.security)
def proxies_are_networks(**kwargs: Any) -> list[CheckMessage]:
    """E007: TRUSTED_PROXIES names networks, or how many proxies there are."""
    proxies = conf.declared.get("TRUSTED_PROXIES")
    if proxies is None or _is_number(proxies, int, 0, 100):
        return []
    wrong = not_networks(proxies) if _is_list(proxies) else [repr(proxies)]
    return [
        Error(
            f"LOCKOUT_ADMIN['TRUSTED_PROXIES'] has {entry}, which is no network.",
            hint="List CIDRs such as '10.0.0.0/8' (or 'unix' for a Unix socket), or set the number of proxies.",
            id="lockout_admin.E007",
        )
        for entry in wrong
    ]


@register(Tags.security)
def header_lists_addresses(**kwargs: Any) -> list[CheckMessage]:
    """E015: the header of the proxies is a list of addresses, which RFC 7239's ``Forwarded`` is not."""
    header = conf.declared.get("FORWARDED_HEADER", "X-Forwarded-For")
    if not isinstance(header, str) or header.strip().lower() not in ("", "forwarded"):
        return []
    return [
        Error(
            f"LOCKOUT_ADMIN['FORWARDED_HEADER'] is {header!r}, in which no address can be read.",
            hint="Let the proxy append to X-Forwarded-For, and leave the setting out.",
            id="lockout_admin.E015",
        )
    ]


@register(Tags.security)
def clocks_are_not_put_back(**kwargs: Any) -> list[CheckMessage]:
    """W017: local time has an hour twice a year that comes twice or not at all."""
    if settings.USE_TZ:
        return []
    return [
        CheckWarning(
            "USE_TZ is False: in the night in which clocks are put back, locks last an hour longer or shorter.",
            hint="Set USE_TZ to True.",
            id="lockout_admin.W017",
        )
    ]


def _is_number(value: object, kind: type, least: int, most: int) -> bool:
    kinds = (int, float) if kind is float else int
    return isinstance(value, kinds) and not isinstance(value, bool) and least <= value <= most


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)
