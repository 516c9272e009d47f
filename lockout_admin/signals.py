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

#: An attempt from a blocked network was let in, for the site only watches (`MODE`). Arguments as
#: those of `network_refused`.
would_refuse = Signal()

#: Attempts of strangers that a challenge would have met were let in, for the site only watches.
#: Once a minute and process. Arguments: ``asked`` (how many since it was told last), ``client``
#: (the `Client` of this one), ``request`` (or ``None``).
would_challenge = Signal()

#: Network rules were written or deleted, perhaps in a transaction that goes on. Sent with ``send``
#: by the model and its queryset. No arguments.
network_rules_changed = Signal()

#: An account has a new password, which may be saved in a transaction that goes on. Arguments:
#: ``user``.
password_changed = Signal()

#: An account was logged in to with a device that is none of those which it has. Arguments:
#: ``user``, ``request``.
new_device = Signal()

#: A cache that the engine works with does not answer, or answers again. Sent by each process that
#: finds out. Arguments: ``name`` (its alias), ``is_well``, ``reason`` (why it was given up).
engine_changed = Signal()

#: A rule has locked the account of a member of staff, as a sender of messages found out. Arguments:
#: ``user``, ``message`` (the `Outbox` row of the lock).
staff_locked = Signal()

#: The site as a whole is under attack, or is no longer. Arguments: ``is_on``, ``failures`` (of
#: strangers in the last ten minutes, with the attempts that left a challenge unanswered), ``usual``
#: (how many there are at that hour of the week), ``since`` (when the alarm began).
alarm_changed = Signal()

#: An incident has come to another state; sent after the commit. Arguments: ``incident`` (the
#: `Incident`), ``what`` (a value of `IncidentEvent.What`: "found", "entered", "over", "resumed", or
#: what staff did).
incident_changed = Signal()
