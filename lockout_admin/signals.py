"""Signals. Each is sent once for one transition, with ``send_robust``: no receiver breaks a login."""

from __future__ import annotations

from django.dispatch import Signal

#: A wrong password was recorded. Arguments: ``failure`` (the `FailedLogin`, without a primary key when
#: the database refused it), ``request`` (or ``None``).
login_failed = Signal()

#: A lock was put on. Arguments: ``lock`` (the `AccountLock`), ``request`` (or ``None``).
account_locked = Signal()

#: A lock was ended early. Arguments: ``lock`` (the `AccountLock`, ended).
account_unlocked = Signal()

#: A right password ended a count of failures. Arguments: ``username``, ``failures`` (how many),
#: ``client`` (the `Client`), ``request`` (or ``None``).
failures_cleared = Signal()
