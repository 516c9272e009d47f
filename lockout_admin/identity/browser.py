"""The browser of a request, known again by a signed cookie, and whose devices it is.

From its first failure on a browser has a number, which trusts nothing. An owner who logs in makes
it a device of his: strangers are counted and locked apart from it (OWASP, "Slow Down Online
Guessing Attacks with Device Cookies"). The cookie holds digests, no name in clear.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import patch_vary_headers

from ..conf import conf
from .origin import is_of_another_site
from .subject import Subject, account_of, digest, digests, spellings_of
from .visit import Visit, bare

_SALT = "lockout_admin.browser"
#: Owners of one browser that are remembered: the newest, …
MOST_OWNERS = 20
#: … and names of each.
_MOST_NAMES = 8
#: Characters of a cookie that are looked at; ours are shorter.
_LONGEST = 4096
_ATTRIBUTE = "_lockout_admin_browser"
_BITS = 63


@dataclass(frozen=True, slots=True)
class Owner:
    """An account that trusts the browser."""

    #: The number of the device: of this browser for this account.
    device: int
    #: The digest of the primary key of the account.
    account: int
    #: The digests of its names: in any letter case (`spellings_of`), or of one spelling
    #: (`Subject.fines`).
    names: tuple[int, ...]
    #: Until when it trusts the browser for one login, in seconds since 1970; 0: it is for good.
    once_until: int = 0


@dataclass(slots=True)
class Browser:
    """What the cookie of a request says, and what the next one is to say."""

    #: The number of the browser; 0 before it has one.
    id: int = 0
    owners: list[Owner] = field(default_factory=list)
    is_changed: bool = False

    @classmethod
    def of(cls, request: Any) -> Browser | None:
        """Return the browser of a request, the same one each time.

        ``None`` where neither Django nor our middleware for ASGI takes requests in.
        """
        visit = bare(request)
        cookies = getattr(visit, "COOKIES", None)
        if cookies is None or not conf.device_cookie_name:
            return None
        browser = getattr(visit, _ATTRIBUTE, None)
        if not isinstance(browser, cls):
            browser = cls._read(cookies.get(cookie_name()))
            setattr(visit, _ATTRIBUTE, browser)
        return browser

    @classmethod
    def _read(cls, cookie: Any) -> Self:
        """Return what a cookie says; one that is forged, or of another shape, says nothing."""
        if not isinstance(cookie, str) or not 0 < len(cookie) <= _LONGEST:
            return cls()
        try:
            number, owners = _signer().unsign_object(cookie)
            found = [
                Owner(device, account, tuple(names), int(once))
                for device, account, names, once in owners
            ]
            return cls(int(number), found)
        except (BadSignature, ValueError, TypeError):
            return cls()

    @property
    def cookie(self) -> str:
        """What the cookie is to hold."""
        owners = [
            [owner.device, owner.account, list(owner.names), owner.once_until]
            for owner in self.owners
        ]
        return str(_signer().sign_object([self.id, owners]))

    def set_cookie(self, request: HttpRequest | Visit, response: HttpResponseBase) -> None:
        """Let the browser know it: as the session's cookie, and for no script."""
        response.set_cookie(
            cookie_name(),
            self.cookie,
            max_age=conf.device_cookie_age_secs,
            domain=settings.SESSION_COOKIE_DOMAIN,
            path=settings.SESSION_COOKIE_PATH,
            secure=settings.SESSION_COOKIE_SECURE or request.is_secure(),
            httponly=True,
            samesite="Lax",
        )
        patch_vary_headers(response, ["Cookie"])

    def known(self) -> int:
        """Return its number; one without gets one, unless the site only watches: it is not told."""
        if not self.id and not conf.only_watches:
            self.id = new_number()
            self.is_changed = True
        return self.id

    def device_of(self, subject: Subject) -> int | None:
        """Return the device that it is for a name, as far as the cookie says."""
        # As it was typed before any letter case: two accounts may differ in that alone.
        for names in (subject.fines, spellings_of(subject)):
            for owner in self._trusting():
                if not set(names).isdisjoint(owner.names):
                    return owner.device
        return None

    def owner_of(self, user: Any) -> Owner | None:
        """Return what the cookie says of an account."""
        accounts = _accounts(user)
        return next((owner for owner in self._trusting() if owner.account in accounts), None)

    def trust(self, user: Any, device: int, names: Sequence[int], *, once_until: int = 0) -> None:
        """Make it a device of an account, in place of what it was.

        For one login beside it: who does not log in then keeps what the browser was before.
        """
        self.known()
        accounts = _accounts(user)
        others = [
            owner
            for owner in self.owners
            if owner.account not in accounts or (once_until and not owner.once_until)
        ]
        owner = Owner(device, accounts[0], tuple(names[:_MOST_NAMES]), once_until)
        self.owners = [*others, owner][-MOST_OWNERS:]
        self.is_changed = True

    def _trusting(self) -> list[Owner]:
        """Return the owners for whom it is a device now, the newest first."""
        now = time.time()
        return [one for one in reversed(self.owners) if not 0 < one.once_until <= now]


def of_nothing(names: Sequence[int]) -> list[int]:
    """Return as many digests that no name has, always the same.

    A name that another account has as well is no name of a device, and the cookie must not tell.
    """
    return [digest("lockout_admin.nothing", f"{name:x}") & (2**31 - 1) for name in names]


def cookie_name() -> str:
    """Return the name of the cookie; empty where the site wants none.

    Sites with namespaces of their own may share a domain: none overwrites another's.
    """
    name = conf.device_cookie_name
    return f"{name}_{digest(_SALT, ''):x}" if name and conf.namespace else name


def new_number() -> int:
    """Return a number that nobody guesses."""
    return secrets.randbits(_BITS) | 1


def changed(request: Any) -> Browser | None:
    """Return the browser of a request whose cookie is to be set.

    A site that only watches sets none. Nor is one set in the answer to a form of another site that
    brought none: the browser may have one.
    """
    browser = getattr(request, _ATTRIBUTE, None)
    if not isinstance(browser, Browser) or not browser.is_changed or conf.only_watches:
        return None
    return browser if cookie_name() in request.COOKIES or not is_of_another_site(request) else None


def _accounts(user: Any) -> tuple[int, ...]:
    """Return the digests of an account, by each secret of the site."""
    return digests("lockout_admin.account", account_of(user))


def _signer() -> Signer:
    # It reads the cookies that older keys of the site have signed, too.
    return Signer(salt=f"{_SALT}{conf.namespace}{conf.isolation}")
