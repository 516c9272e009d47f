"""Whether a page of another site has sent a request.

A browser sends no ``SameSite=Lax`` cookie with a form that another site posts, and keeps the one
that the answer sets: without a look at where it came from, any page could take the trusted device
out of its visitors' browsers (a kind of login CSRF; OWASP, "Cross-Site Request Forgery Prevention",
on Fetch Metadata and the Origin header).
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings

from .visit import Visit, header_of

#: Methods with which a browser that follows a link comes: it sends its ``Lax`` cookies then.
_SAFE: Final = ("GET", "HEAD", "OPTIONS")


def is_of_another_site(request: Any) -> bool:
    """Tell whether a page of another site has sent a request; no for what is no browser's."""
    if _method_of(request) in _SAFE:
        return False
    told = header_of(request, "Sec-Fetch-Site")
    if told:
        return told == "cross-site"
    origin = header_of(request, "Origin")
    # Browsers that are old, or talk plain HTTP.
    return bool(origin) and not any(_are_alike(_host_of(origin), own) for own in _own(request))


def _own(request: Any) -> list[str]:
    hosts = [f"//{header_of(request, 'Host')}"]
    if settings.USE_X_FORWARDED_HOST:
        hosts.append(f"//{header_of(request, 'X-Forwarded-Host')}")
    return [*map(_host_of, hosts), *(_host_of(one) for one in settings.CSRF_TRUSTED_ORIGINS)]


def _host_of(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removeprefix("*.")
    except ValueError:
        return ""


def _are_alike(one: str, other: str) -> bool:
    """Tell whether a host is the other, or below it: ``app.example.org`` and ``example.org``."""
    if not one or not other:
        return False
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")


def _method_of(request: Any) -> str:
    if isinstance(request, Visit):
        return str(request.scope.get("method", ""))
    return str(getattr(request, "method", "") or "")
