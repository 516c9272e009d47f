"""Which object stands for a request, wherever it is met."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from django.http import HttpRequest, parse_cookie

#: Where our middleware for ASGI leaves the visit in the scope.
_KEY = "lockout_admin.visit"


class Visit:
    """A request of ASGI without Django: what the app remembers of it is kept here."""

    def __init__(self, scope: Mapping[str, Any]) -> None:
        self.scope = scope

    def inside(self) -> dict[str, Any]:
        """Return the scope for those further in, by which they find this visit."""
        return {**self.scope, _KEY: self}

    @cached_property
    def COOKIES(self) -> dict[str, str]:  # noqa: N802 - as requests of Django have it
        """What the client brought. HTTP/2 may send each cookie in a header of its own."""
        return dict(parse_cookie("; ".join(self._headers("cookie"))))

    def header(self, name: str) -> str:
        """Return a header of the request; empty where there is none."""
        return next(iter(self._headers(name)), "")

    def _headers(self, name: str) -> list[str]:
        wanted = name.lower().encode()
        headers = self.scope.get("headers") or ()
        return [value.decode("latin-1") for key, value in headers if key.lower() == wanted]

    def is_secure(self) -> bool:
        """Tell whether it came by HTTPS, as far as the server knows."""
        return self.scope.get("scheme") == "https"


def bare(request: Any) -> Any:
    """Return the one object that keeps what belongs to a request, of several that stand for it.

    Django REST framework puts one around Django's; Starlette makes as many as are asked for.
    """
    inner = getattr(request, "_request", request)
    if isinstance(inner, HttpRequest):
        # It may be mounted in an application of ASGI: its own middleware answers it.
        return inner
    return scope_of(inner).get(_KEY, inner)


def scope_of(request: Any) -> Mapping[str, Any]:
    """Return the scope of ASGI that a request is, or has; an empty one where there is none."""
    scope = request if isinstance(request, Mapping) else getattr(request, "scope", None)
    return scope if isinstance(scope, Mapping) else {}


def header_of(request: Any, name: str) -> str:
    """Return a header of a request, of Django's or of an ASGI scope; empty where there is none."""
    inner = getattr(request, "_request", request)
    if isinstance(inner, HttpRequest):
        return str(inner.headers.get(name, ""))
    wanted = name.lower().encode()
    headers = scope_of(inner).get("headers") or ()
    found = [value.decode("latin-1") for key, value in headers if key.lower() == wanted]
    return found[0] if found else ""


def cookie_of(request: Any, name: str) -> str:
    """Return a cookie of a request likewise."""
    inner = bare(request)
    if not hasattr(inner, "COOKIES"):
        inner = Visit(scope_of(inner))
    return str(inner.COOKIES.get(name, ""))
