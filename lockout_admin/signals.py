"""Signals. Each is sent once a transition, with ``send_robust``: no receiver breaks a login."""

from __future__ import annotations

from django.dispatch import Signal

#: A wrong password was recorded. Arguments: ``failure`` (the `FailedLogin`, without a primary key
#: when the database refused it), ``request`` (or ``None``), ``client`` (the `Client`).
login_failed = Signal()

#: A login was recorded, or a right password without one, or a logout. Arguments: ``success`` (the
#: `SuccessfulLogin`, without a primary key when the database refused it), ``request`` (or
#: ``None``), ``failures`` (on the same name in the 24 hours before, those ended by a success left
#: out).
login_succeeded = Signal()

#: A lock was put on. Arguments: ``lock`` (the `AccountLock`), ``request`` (or ``None``), ``client``
#: (the `Client`).
account_locked = Signal()

#: A rule in mode "monitor" would have put a lock on. Arguments: ``lock`` (the `AccountLock`, which
#: refuses nobody), ``request`` (or ``None``).
would_lock = Signal()

#: A lock was ended early. Arguments: ``lock`` (the `AccountLock`, ended).
account_unlocked = Signal()

#: A right password ended a count of failures. Arguments: ``username``, ``failures`` (how many),
#: ``client`` (the `Client`), ``request`` (or ``None``).
failures_cleared = Signal()

#: An attempt from a blocked network was refused. Of a siege, each process tells once a minute a
#: network. Arguments: ``network`` (the CIDR of the rule), ``refused`` (how many attempts since it
#: was told last), ``client`` (the `Client` of this one), ``request`` (or ``None``).
network_refused = Signal()

#: Network rules were written or deleted, perhaps in a transaction that goes on. Sent with ``send``
#: by the model and its queryset. No arguments.
network_rules_changed = Signal()

#: An account has a new password, which may be saved in a transaction that goes on. Arguments:
#: ``user``.
password_changed = Signal()

#: An account was logged in to with a device that is none of those which it has. Arguments:
#: ``user``, ``request``.
new_device = Signal()
