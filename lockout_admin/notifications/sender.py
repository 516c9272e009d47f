"""Sends what is due, each message once, however many senders there are.

Before a message goes out it is marked, and only then the rules are asked: of two messages to one
owner, each sender sees the other's.
"""

from __future__ import annotations

import logging
import random
from collections import Counter
from datetime import timedelta
from typing import Any, Final

from django.db import InterfaceError, OperationalError
from django.utils import timezone

from ..models import Outbox
from . import holders, links, notifiers, sieges, silences, staff
from .claims import Batch, Sent, claim
from .notifiers import Notice, Notifier

logger = logging.getLogger("lockout_admin")

Why = Outbox.Why

#: Waits after failed deliveries, in seconds: 12 hours in all. Then it is dropped.
WAITS: Final = (30, 120, 600, 1800, 3600, 7200, 14400, 14400)
#: What an owner can do something about by a link.
_WITH_LINK: Final = (*Outbox.WAITED_FOR, Outbox.Kind.LOCKED, Outbox.Kind.ENTERED)
#: After so many failures in a row nothing more is handed to a notifier in the same run: a server
#: that hangs must not keep the others from sending.
_GIVE_UP: Final = 3
#: After so long nobody wants to know; of what was asked for, once the browser has forgotten.
_LATE: Final = timedelta(days=1)
_LATE_IF_ASKED: Final = timedelta(seconds=links.ASKED_LASTS)

#: By notifier: how many deliveries in a row have failed.
Failing = Counter[str]


def send_due(older_than: float = 0.0) -> Sent:
    """Send what is due, batch by batch; `older_than`: leave out what is due for less seconds."""
    count = Sent()
    failing = Failing()
    while batch := claim(timezone.now() - timedelta(seconds=older_than), count):
        send(batch, failing)
        batch.close()
    return count


def send(batch: Batch, failing: Failing) -> None:
    """Send what was claimed."""
    found: list[tuple[Outbox, type[Notifier]]] = []
    for row in batch.rows:
        notifier = notifiers.of_path(row.notifier)
        if notifier is None or _is_late(row):
            batch.drop(row, Why.LATE if notifier else Why.OFF)
        else:
            found.append((row, notifier))
    owners = _owners([row for row, notifier in found if _is_of_somebody(row, notifier)])
    for number, (row, notifier) in enumerate(found):
        if number and batch.takes_long:
            batch.give_back([row for row, _notifier in found[number:]])
            break
        if failing[row.notifier] >= _GIVE_UP:
            _try_again(batch, row)
            continue
        try:
            owner = owners.get(row.pk)
            staff.look_at(row, owner)
            _deliver(batch, row, notifier, owner if notifier.to_owner else None, failing)
        except (InterfaceError, OperationalError):
            raise
        except Exception as error:  # noqa: BLE001 - accounts are anybody's, and so are notifiers
            _has_failed(batch, row, error)


def _is_of_somebody(row: Outbox, notifier: type[Notifier]) -> bool:
    return notifier.to_owner or staff.is_to_look_at(row)


def _owners(rows: list[Outbox]) -> dict[int, Any]:
    """Return whose the names are; one that the database can't be asked for is in nobody's way."""
    try:
        return holders.of_rows(rows)
    except (InterfaceError, OperationalError):
        raise
    except Exception:
        logger.exception("owner_not_looked_for: the names of a batch are looked for one by one.")
        if len(rows) == 1:
            return {}
        return {pk: user for row in rows for pk, user in _owners([row]).items()}


def _is_late(row: Outbox) -> bool:
    late = _LATE_IF_ASKED if row.kind in Outbox.WAITED_FOR else _LATE
    return row.timestamp < timezone.now() - late


# -- One message --------------------------------------------------------------------------------


def _deliver(
    batch: Batch, row: Outbox, notifier: type[Notifier], user: Any, failing: Failing
) -> None:
    if notifier.to_owner and (user is None or not holders.address_of(user)):
        batch.drop(row, Why.NO_ADDRESS if user else Why.NO_ACCOUNT)
    elif why := notifier.why_not(row):
        batch.drop(row, why)
    elif batch.mark(row, user) and _may_go(batch, row, notifier, user):
        failing[row.notifier] += 1
        notifier().notify(_notice(row, user))
        failing[row.notifier] = 0
        batch.is_sent(row)


def _may_go(batch: Batch, row: Outbox, notifier: type[Notifier], user: Any) -> bool:
    """Ask the rules about a message that is marked. First whether another is on its way.

    What was on its way a moment ago is sent by the time of the second question.
    """
    until = sieges.rival_until(row, user, batch.firsts)
    if until is None and user is not None and (why := sieges.why_not(row, user, batch.firsts)):
        batch.drop_marked(row, why)
        return False
    if row.topic and (why := silences.why_not(row)):
        batch.drop_marked(row, why)
        return False
    until = until or silences.until(row) or sieges.full_until(row, notifier.most_per_hour())
    if until is None:
        return True
    # Two who do so at once must not meet again.
    jitter = timedelta(seconds=random.uniform(0, 5))  # noqa: S311
    batch.postpone(row, until + jitter, row.attempts - 1)
    return False


def _notice(row: Outbox, user: Any) -> Notice:
    if user is None:
        return Notice(row)
    link = links.address_of(row) if row.kind in _WITH_LINK else ""
    code = links.code_of(row.nonce) if row.kind in Outbox.WAITED_FOR else ""
    return Notice(row, user, link, code, links.fresh_address_of(user))


def _has_failed(batch: Batch, row: Outbox, error: Exception) -> None:
    logger.error(
        "message_not_delivered: %s by %s, attempt %d: %s",
        row.kind,
        row.notifier,
        row.attempts,
        type(error).__name__,
        exc_info=error,
    )
    if row.attempts > len(WAITS):
        batch.drop_marked(row, Why.FAILED)
        return
    wait = timedelta(seconds=WAITS[row.attempts - 1])
    batch.postpone(row, timezone.now() + wait, row.attempts)


def _try_again(batch: Batch, row: Outbox) -> None:
    batch.postpone(row, timezone.now() + timedelta(seconds=WAITS[0]), row.attempts - 1)
