"""The pages on which owners help themselves: asking, the code, the link.

What they say is the same for every name. GET and HEAD do nothing: programs that scan mails open
every link.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from ..conf import conf
from ..defences import devices
from ..engine import owners
from ..identity.client import Client
from ..identity.subject import USERNAME_MAX_LENGTH
from ..models import AccountLock, Outbox
from . import asking, entrances, holders, links, securing
from .links import Opening

#: The cookie of the browser that asked.
COOKIE: Final = "lockout_asked"
View = Callable[..., HttpResponse]


class AskForm(forms.Form):
    """Whose account it is."""

    name = forms.CharField(
        label=gettext_lazy("Your name for logging in"),
        max_length=USERNAME_MAX_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
    )


class CodeForm(forms.Form):
    """The code of the mail, in the digits of any script."""

    code = forms.CharField(
        label=gettext_lazy("The six digits of the mail"),
        max_length=20,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "dir": "ltr"}
        ),
    )

    def clean_code(self) -> str:
        """Return its digits."""
        digits = (unicodedata.digit(char, None) for char in self.cleaned_data["code"])
        return "".join(str(digit) for digit in digits if digit is not None)


def _private(view: View) -> View:
    """Keep a page out of caches, and its address, which opens it, out of other sites' logs.

    Not ``no-referrer``: browsers would hide the origin of a form from our own site as well, and
    the protection of its forms wants to see it.
    """

    @csrf_protect
    @require_http_methods(["GET", "HEAD", "POST"])
    def private(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response.headers["Cache-Control"] = "no-store, private"
        response.headers["Referrer-Policy"] = "same-origin"
        return response

    return private


@_private
def ask(request: HttpRequest) -> HttpResponse:
    """Have a mail sent; the answer is the same for every name, and so is what it costs."""
    form = AskForm(request.POST if request.method == "POST" else None)
    if not links.ask_path():
        return _told(request, _("No mail is sent here"), _("This site sends no mails."))
    if request.method != "POST" or not form.is_valid():
        return _page(request, "ask", _("Is this your account?"), form=form)
    return _to_the_code(request, asking.ask(form.cleaned_data["name"], Client.of(request)))


@_private
def fresh(request: HttpRequest, token: str) -> HttpResponse:
    """Have another mail sent, for whoever has one of the account."""
    user = links.whose(token)
    if user is None:
        text = _("It is older than a month, or your password or your address was changed.")
        return _is_over(request, text, links.ask_path())
    if request.method != "POST":
        return _page(request, "fresh", _("A fresh mail"))
    nonce = asking.ask_afresh(user, Client.of(request))
    if not nonce:
        text = _("You have asked for several mails today. Open the newest one, or try tomorrow.")
        return _told(request, _("No mail is sent now"), text, contact=conf.contact)
    return _to_the_code(request, nonce)


def _to_the_code(request: HttpRequest, nonce: str) -> HttpResponse:
    response = HttpResponseRedirect(links.path_to("code"), status=HTTPStatus.SEE_OTHER)
    response.set_cookie(
        COOKIE,
        links.asked_cookie(nonce),
        max_age=links.ASKED_LASTS,
        path=links.path_to("code"),
        secure=request.is_secure() or settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


@sensitive_post_parameters("code")
@_private
def code(request: HttpRequest) -> HttpResponse:
    """Take the code of the mail, in the browser that asked for it."""
    form = CodeForm(request.POST if request.method == "POST" else None)
    opening = None
    if request.method == "POST" and form.is_valid():
        cookie = request.COOKIES.get(COOKIE, "")
        opening = links.opened_by_code(cookie, form.cleaned_data["code"])
    if opening:
        return _do(request, opening)
    is_wrong = request.method == "POST"
    return _page(request, "code", _("Look into your mail"), form=form, is_wrong=is_wrong)


@_private
def link(request: HttpRequest, token: str) -> HttpResponse:
    """Show what an owner can do who has opened the link of a mail, and do it."""
    opening = links.opened(token)
    if opening is None:
        return _is_spent(request, links.path_after(token))
    if opening.row.kind == Outbox.Kind.ENTERED:
        return _secure(request, opening)
    if request.method == "POST":
        return _do(request, opening)
    if lock := owners.locked_for_staff(opening.user):
        return _is_for_staff(request, lock)
    return _page(request, "link", _("Your account"))


# -- What the buttons do ------------------------------------------------------------------------


def _do(request: HttpRequest, opening: Opening) -> HttpResponse:
    """Do what a button says, once. A lock that only staff end leaves the link as it is."""
    if lock := owners.locked_for_staff(opening.user):
        return _is_for_staff(request, lock)
    if request.POST.get("do") == "login" and devices.can_trust():
        if not opening.spend():
            return _is_spent(request, links.fresh_path_of(opening.user))
        response = HttpResponseRedirect(entrances.login_path() or "/", status=HTTPStatus.SEE_OTHER)
        devices.trust_next_login(request, opening.user, opening.row.username)
        return response
    if request.POST.get("do") != "end":
        return _page(request, "link", _("Your account"))
    if not opening.spend():
        return _is_spent(request, links.fresh_path_of(opening.user))
    ended = owners.end(opening.user, owners.BY_MAIL, holders.address_of(opening.user))
    if ended.going_on:
        text = _(
            "What was tried under your name is forgotten, but not what was tried under others."
        )
        return _told(request, _("The lock goes on"), text, contact=conf.contact)
    return _told(request, _("The lock has ended"), _("You can log in now, in any browser."))


def _secure(request: HttpRequest, opening: Opening) -> HttpResponse:
    """Sign an account out everywhere, once. A lock is in nobody's way: nobody gets in by this."""
    if request.method != "POST":
        resets = securing.can_reset(opening.user)
        return _page(request, "entered", _("Somebody was in your account"), resets=resets)
    if not opening.spend():
        return _is_spent(request, links.ask_path())
    if url := securing.secure(opening.user):
        return HttpResponseRedirect(url, status=HTTPStatus.SEE_OTHER)
    text = _("Whoever knows your password can log in again: log in now, and change it at once.")
    return _told(request, _("All devices are signed out"), text, contact=conf.contact)


def _is_spent(request: HttpRequest, ask_url: str) -> HttpResponse:
    text = _("It was used, or is older than a quarter of an hour, or your password was changed.")
    return _is_over(request, text, ask_url)


def _is_over(request: HttpRequest, text: str, ask_url: str) -> HttpResponse:
    answer = _told(request, _("This link is over"), text, ask_url=ask_url)
    answer.status_code = HTTPStatus.GONE
    return answer


def _is_for_staff(request: HttpRequest, lock: AccountLock) -> HttpResponse:
    if not lock.is_by_hand:
        text = _(
            "Too many wrong passwords were tried. Only somebody of this site can end this lock."
        )
        return _told(request, _("The lock goes on"), text, contact=conf.contact)
    text = _("Somebody of this site has locked your account. Only they can end this lock.")
    return _told(request, _("Locked by hand"), text, contact=conf.contact)


def _told(request: HttpRequest, title: str, text: str, **context: Any) -> HttpResponse:
    return _page(request, "outcome", title, **{"text": text, "ask_url": "", **context})


def _page(request: HttpRequest, name: str, title: str, **context: Any) -> HttpResponse:
    known = {
        "title": title,
        "ask_url": links.ask_path(),
        "login_url": entrances.login_path(),
        "can_trust": devices.can_trust(),
    }
    return render(request, f"lockout_admin/{name}.html", {**known, **context})
