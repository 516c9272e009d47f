"""Checks of the settings themselves. What is wrong with each, its declaration in `conf` tells."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as CheckWarning

from ..conf import LockoutSettings, faults


@register(Tags.security)
def threshold_is_possible(**kwargs: Any) -> list[CheckMessage]:
    """E001: the three plain settings are whole numbers from 1 on, and no longer than ten years."""
    return _errors("E001")


@register(Tags.security)
def attempts_are_bounded(**kwargs: Any) -> list[CheckMessage]:
    """E002: a limit above 100 is none."""
    return _errors("E002")


@register(Tags.security)
def settings_are_a_dict(**kwargs: Any) -> list[CheckMessage]:
    """E003: LOCKOUT_ADMIN is a dict."""
    return _errors("E003")


@register(Tags.security)
def keys_are_known(**kwargs: Any) -> list[CheckMessage]:
    """E004: a misspelt key would be a setting that does nothing."""
    return _errors("E004")


@register(Tags.security)
def numbers_are_possible(**kwargs: Any) -> list[CheckMessage]:
    """E005: numbers are in their range: a lock can't shrink, evidence lasts for a day."""
    return _errors("E005")


@register(Tags.security)
def values_are_of_their_kind(**kwargs: Any) -> list[CheckMessage]:
    """E006: texts are text, switches are True or False, lists are lists."""
    return _errors("E006")


@register(Tags.security)
def proxies_are_networks(**kwargs: Any) -> list[CheckMessage]:
    """E007: TRUSTED_PROXIES names networks, or how many proxies there are."""
    return _errors("E007")


@register(Tags.security)
def cache_exists(**kwargs: Any) -> list[CheckMessage]:
    """E008: the cache that holds the locks is one of CACHES."""
    return _errors("E008")


@register(Tags.security)
def header_lists_addresses(**kwargs: Any) -> list[CheckMessage]:
    """E015: the header of the proxies is a list of addresses, which RFC 7239's is not."""
    return _errors("E015")


@register(Tags.security)
def rules_are_of_their_shape(**kwargs: Any) -> list[CheckMessage]:
    """E018: RULES has known terms within their range; a wrong one leaves all rules as they are."""
    return _errors("E018")


@register(Tags.security)
def clocks_are_not_put_back(**kwargs: Any) -> list[CheckMessage]:
    """W017: local time has an hour twice a year that comes twice or not at all."""
    if settings.USE_TZ:
        return []
    return [
        CheckWarning(
            "USE_TZ is False: in the night in which clocks are put back, locks last an hour longer"
            " or shorter.",
            hint="Set USE_TZ to True.",
            id="lockout_admin.W017",
        )
    ]


@register(Tags.security, deploy=True)
def proxies_are_declared(**kwargs: Any) -> list[CheckMessage]:
    """W024: behind a proxy that nobody told of, all failures have the proxy's address."""
    # A wrong value is E007's.
    if LockoutSettings.trusted_proxies.declared is not None:
        return []
    return [
        CheckWarning(
            "LOCKOUT_ADMIN['TRUSTED_PROXIES'] was never set: behind a proxy, each failure is logged"
            " with the proxy's address.",
            hint="Set it to the number of proxies before the site (0: none), or to their CIDRs.",
            id="lockout_admin.W024",
        )
    ]


@register(Tags.security)
def apps_of_the_console_are_installed(**kwargs: Any) -> list[CheckMessage]:
    """E020: the console's pages are made of templates of other apps."""
    if not apps.is_installed("django.contrib.admin"):
        return []
    return [
        Error(
            f"{name!r} is not in INSTALLED_APPS: pages of the console have no templates.",
            hint=f"Add {name!r} to INSTALLED_APPS.",
            id="lockout_admin.E020",
        )
        for name in ("django_filters", "import_export")
        if not apps.is_installed(name)
    ]


def _errors(check: str) -> list[CheckMessage]:
    return [
        Error(fault.problem, hint=fault.remedy, id=f"lockout_admin.{check}")
        for fault in faults()
        if fault.check == check
    ]
