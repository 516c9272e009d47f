"""Checks of the challenge."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as CheckWarning
from django.utils.module_loading import import_string

from ..conf import LockoutSettings, conf
from ..defences.challenge import is_one
from ..notifications import notifiers


@register(Tags.security)
def challenge_exists(**kwargs: Any) -> list[CheckMessage]:
    """E045: a path that leads to no challenge asks nobody."""
    named = LockoutSettings.challenge.declared
    if not named or _is_challenge(named):
        return []
    return [
        Error(
            f"LOCKOUT_ADMIN['CHALLENGE'] is {named!r}, where no challenge is: nobody is asked.",
            hint="Name a subclass of lockout_admin.defences.challenge.Challenge, which has all"
            " methods. The proof of work needs a package: pip install 'lockout-admin[challenge]'.",
            id="lockout_admin.E045",
        )
    ]


@register(Tags.security, deploy=True)
def browsers_can_compute(**kwargs: Any) -> list[CheckMessage]:
    """W046: browsers do no cryptography for a page that came by plain HTTP."""
    is_secure = settings.SECURE_SSL_REDIRECT or settings.SESSION_COOKIE_SECURE
    if not conf.challenge or is_secure or urlsplit(conf.base_url).scheme == "https":
        return []
    return [
        CheckWarning(
            "LOCKOUT_ADMIN['CHALLENGE'] is set, and nothing says that the site is served over"
            " HTTPS: without it, and elsewhere than on localhost, no browser does a proof of work.",
            hint="Serve the site over HTTPS, and set SECURE_SSL_REDIRECT or SESSION_COOKIE_SECURE.",
            id="lockout_admin.W046",
        )
    ]


@register(Tags.security, deploy=True)
def there_is_another_way_in(**kwargs: Any) -> list[CheckMessage]:
    """W047: whoever can't answer a challenge gets in by mail, where the site sends some."""
    if not conf.challenge or notifiers.owners_are_told():
        return []
    return [
        CheckWarning(
            "LOCKOUT_ADMIN['CHALLENGE'] is set, and owners get no mail: whoever can't run scripts"
            " has no way in while challenges are asked for.",
            hint="Set BASE_URL, and have a notifier that tells owners in NOTIFIERS.",
            id="lockout_admin.W047",
        )
    ]


def _is_challenge(named: Any) -> bool:
    try:
        found = import_string(named) if isinstance(named, str) else named
    except Exception:  # noqa: BLE001 - a module of the site's may raise anything
        return False
    return is_one(found)
