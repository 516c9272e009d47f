"""Which trusted device an attempt says that it comes from. Whether it is one, the records know."""

from __future__ import annotations

import logging
from typing import Any

from ..conf import conf
from .browser import Browser
from .subject import Subject, digest

logger = logging.getLogger("lockout_admin")

_SALT = "lockout_admin.device"


def device_of(request: Any, browser: Browser | None, subject: Subject) -> int | None:
    """Return the number of the device for a name, by what the site says or by the cookie."""
    if told := told_by_site(request):
        return number_of(told, subject)
    return browser.device_of(subject) if browser else None


def told_by_site(request: Any) -> str:
    """Return what stands for the device of an API client; empty where nothing does.

    A client certificate, or a header that a proxy sets: whatever `DEVICE_OF` makes of a request.
    """
    tell = conf.device_of
    if tell is None or request is None:
        return ""
    try:
        return str(tell(request) or "")
    except Exception:
        # The site's code must not break a login; a stranger's limits hold then.
        logger.exception("device_not_told: LOCKOUT_ADMIN['DEVICE_OF'] raised.")
        return ""


def number_of(told: str, subject: Subject) -> int:
    """Return the number of a device that the site tells of, for one spelling of a name."""
    return digest(_SALT, f"{told}\0{subject.username}") | 1
