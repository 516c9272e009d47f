"""What ends the trust in devices: a new password, a name that is given up, staff.

Failures end it as well, see `devices.rules`.
"""

from __future__ import annotations

import logging
from typing import Any

from django.contrib.auth import get_user_model
from django.db import Error
from django.db.models.signals import post_delete, pre_save

from ..engine.journal import current_request
from ..identity.browser import Browser
from ..identity.columns import lookup_fields, value_of
from ..identity.subject import account_of
from ..identity.text import ascii_lower
from ..models import TrustedDevice
from ..models.transactions import shielded
from ..signals import password_changed
from . import devices

logger = logging.getLogger("lockout_admin")

End = TrustedDevice.End


def connect() -> None:
    """Listen to new passwords and to accounts that change; called once, when the app is ready."""
    for signal, receiver in (
        (password_changed, password_is_new),
        (pre_save, account_is_saved),
        (post_delete, account_is_deleted),
    ):
        signal.connect(receiver, dispatch_uid=f"lockout_admin.revoking.{receiver.__name__}")


def password_is_new(user: Any = None, **signal: Any) -> None:
    """End the trust in the devices of an account that has a new password.

    Not in the browser whose session has changed it: a siege is when owners change passwords.
    """
    request = current_request()
    is_own = bool(request and account_of(user) == account_of(getattr(request, "user", None)))
    browser = Browser.of(request) if is_own else None
    owner = browser.owner_of(user) if browser else None
    is_trusted = owner and TrustedDevice.objects.fresh().trusted().filter(pk=owner.device).exists()
    end_all(user, End.PASSWORD)
    if browser and owner and is_trusted:
        devices.trust(browser, request, user, names_before=owner.names)


def account_is_saved(instance: Any = None, update_fields: Any = None, **signal: Any) -> None:
    """End the trust in the devices of an account that gives a name up: somebody else may get it."""
    if not isinstance(instance, get_user_model()) or instance._state.adding:
        return
    try:
        with shielded(type(instance)):
            is_lost = _gives_a_name_up(instance, update_fields)
    except Exception:
        # A fault here must break no change of an account.
        logger.exception("names_unreadable: an account was saved; its devices are trusted on.")
        return
    if is_lost:
        end_all(instance, End.NAME)


def account_is_deleted(instance: Any = None, **signal: Any) -> None:
    """End the trust in the devices of an account that is gone."""
    if isinstance(instance, get_user_model()):
        end_all(instance, End.NAME)


def _gives_a_name_up(user: Any, update_fields: Any) -> bool:
    fields = lookup_fields()
    columns = {field.partition("__")[0] for field in fields}
    if update_fields is not None and columns.isdisjoint(update_fields):
        return False
    before = get_user_model()._base_manager.filter(pk=user.pk).values(*fields).first() or {}
    return any(
        name not in (None, "") and ascii_lower(str(name)) != ascii_lower(str(value_of(user, field)))
        for field, name in before.items()
    )


def end_all(user: Any, reason: str, by: str = "") -> int:
    """End the trust in all devices of an account; return how many there were."""
    try:
        with shielded(TrustedDevice):
            rows = TrustedDevice.objects.fresh().filter(account=account_of(user))
            return int(rows.end(reason, by))
    except Error:
        logger.exception("devices_not_ended: the database refused to end the trust in devices.")
        return 0
