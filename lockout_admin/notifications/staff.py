"""Whether a name that was locked is that of a member of staff: found out where messages are sent.

Not where the lock begins: there nobody is looked up, whoever has the name.
"""

from __future__ import annotations

from typing import Any

from ..conf import conf
from ..models import Outbox
from ..signals import staff_locked


def is_to_look_at(row: Outbox) -> bool:
    """Tell whether a message may be about a member of staff."""
    return row.kind == Outbox.Kind.LOCKED and "staff" in conf.alerts


def look_at(row: Outbox, user: Any) -> None:
    """Say so if it is."""
    if is_to_look_at(row) and getattr(user, "is_staff", False):
        staff_locked.send_robust(Outbox, user=user, message=row)
