"""What the owner of an account does that somebody was in: signs it out, and chooses a password.

A new password is for the site's own page, where there is one: no mail of ours lets anybody do what
a mail of the site does not.
"""

from __future__ import annotations

from secrets import token_urlsafe
from typing import Any

from django.contrib.auth.tokens import default_token_generator
from django.db import router
from django.urls import NoReverseMatch, reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from ..defences import revoking, sessions
from ..engine import owners
from ..identity.subject import account_of
from ..models import AuditEntry, TrustedDevice


def can_reset(user: Any) -> bool:
    """Tell whether an account has a password here, and the site a page for a new one."""
    return bool(user.has_usable_password() and _reset_path(user))


def secure(user: Any) -> str:
    """Sign an account out everywhere; return where a password is chosen, empty for nowhere.

    Where it is chosen, the old one is good for nothing from now on.
    """
    resets = can_reset(user)
    if resets:
        # A usable one, as one that was chosen would be: its sessions end with it.
        user.set_password(token_urlsafe(32))
        user.save(update_fields=["password"])
    elif sessions.can_end():
        sessions.end({account_of(user)})
    revoking.end_all(user, TrustedDevice.End.REVOKED, owners.BY_MAIL)
    AuditEntry.objects.using(router.db_for_write(AuditEntry)).create(
        actor=owners.BY_MAIL,
        action=AuditEntry.Action.CHANGE,
        label=str(user.get_username())[:255],
        details="signed out everywhere" + (", password expired" if resets else ""),
    )
    return _reset_path(user) if resets else ""


def _reset_path(user: Any) -> str:
    """Return the page on which Django lets an account choose a password, by a link for one use."""
    key = force_bytes(user._meta.pk.value_to_string(user))
    token = default_token_generator.make_token(user)
    parts = {"uidb64": urlsafe_base64_encode(key), "token": token}
    try:
        return reverse("password_reset_confirm", kwargs=parts)
    except NoReverseMatch:
        return ""
