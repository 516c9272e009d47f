"""Who is at which message: claimed for as long as a lease, marked before it goes out.

A claim is one UPDATE: of two senders, one finds his own number in the row. What has been claimed
anew since, because a lease was over, the first leaves alone.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import F, Min, Q, QuerySet
from django.utils import timezone

from ..identity.subject import account_of
from ..models import Outbox
from . import links, mailboxes, notifiers

State = Outbox.State

#: Longer than any server of mails or hooks may take for one message.
LEASE: Final = timedelta(minutes=10)
_AT_ONCE: Final = 100
#: After so long a sender looks anew: with a slow server, what somebody waits for must not wait for
#: all that was due when it began.
_LONG: Final = timedelta(seconds=5)


@dataclass(slots=True)
class Sent:
    """What became of the messages that were due."""

    sent: int = 0
    dropped: int = 0
    #: To be tried again later.
    postponed: int = 0


@dataclass(slots=True)
class Batch:
    """Messages that one sender has claimed."""

    claim: int
    rows: list[Outbox]
    count: Sent
    begun: datetime = field(default_factory=timezone.now)
    #: See `mailboxes`.
    firsts: mailboxes.Firsts = field(default_factory=dict)
    _dropped: dict[str, list[int]] = field(default_factory=dict)

    def mark(self, row: Outbox, user: Any) -> bool:
        """Say that a message goes out now, for others to see; False: it is another's by now."""
        row.state = State.SENDING
        row.sent_at = timezone.now()
        row.due = row.sent_at + LEASE
        row.account = account_of(user) or row.account
        row.bound = links.bound_of(user, row) if user is not None else ""
        row.mailbox = mailboxes.keys_of(user)[0] if user is not None else None
        names = ("state", "sent_at", "due", "account", "bound", "mailbox")
        return bool(self._own(row.pk).update(**{name: getattr(row, name) for name in names}))

    def is_sent(self, row: Outbox) -> None:
        """Say that it is out."""
        self._own(row.pk).update(state=State.SENT, claim=None)
        self.count.sent += 1

    def postpone(self, row: Outbox, until: datetime, attempts: int) -> None:
        """Leave it to whoever comes after a moment."""
        self._own(row.pk).update(
            state=State.WAITING, due=until, attempts=attempts, sent_at=None, claim=None
        )
        self.count.postponed += 1

    @property
    def takes_long(self) -> bool:
        """Tell whether somebody may be waiting by now."""
        return timezone.now() > self.begun + _LONG

    def give_back(self, rows: list[Outbox]) -> None:
        """Leave messages that were not begun to whoever looks next."""
        self._own(*[row.pk for row in rows]).update(
            due=timezone.now(), attempts=F("attempts") - 1, claim=None
        )

    def drop(self, row: Outbox, why: str) -> None:
        """Send it never: of many, with one statement at the end."""
        self._dropped.setdefault(why, []).append(row.pk)
        self.count.dropped += 1

    def drop_marked(self, row: Outbox, why: str) -> None:
        """Send it never: now, for others wait for what becomes of it."""
        self.drop(row, why)
        self.close()

    def close(self) -> None:
        """Write what was dropped."""
        for why, pks in self._dropped.items():
            self._own(*pks).update(state=State.DROPPED, why=why, sent_at=None, claim=None)
        self._dropped.clear()

    def _own(self, *pks: int) -> QuerySet[Outbox]:
        return Outbox.objects.filter(pk__in=pks, claim=self.claim)


def claim(before: datetime, count: Sent) -> Batch | None:
    """Claim some of what was due before a moment; ``None``: nothing was."""
    while pks := _due_keys(before):
        number = secrets.randbits(62)
        due = Q(due__lte=before, state__in=(State.WAITING, State.SENDING))
        taken = Outbox.objects.filter(due, pk__in=pks).update(
            claim=number, due=timezone.now() + LEASE, attempts=F("attempts") + 1
        )
        if taken:
            rows = Outbox.objects.filter(claim=number, pk__in=pks)
            return Batch(number, sorted(rows, key=lambda row: pks.index(row.pk)), count)
    return None


def next_in(older_than: float = 0.0) -> float | None:
    """Return in how many seconds the next message is due; ``None``: there is none."""
    found = _open_rows().aggregate(next=Min("due"))["next"]
    if found is None:
        return None
    wait: timedelta = found + timedelta(seconds=older_than) - timezone.now()
    return max(0.0, wait.total_seconds())


def _due_keys(before: datetime) -> list[int]:
    """Return what is due: what owners are told first, and of that what somebody waits for."""
    due = _open_rows().filter(due__lte=before).order_by("due", "pk").values_list("pk", flat=True)
    if not due.exists():
        return []
    to_owners = due.filter(notifier__in=notifiers.to_owners())
    others = due.exclude(notifier__in=notifiers.to_owners())
    return _first(to_owners) or _first(others)


def _first(due: Any) -> list[int]:
    found: list[int] = []
    waited_for = Outbox.WAITED_FOR
    for rows in (
        due.filter(kind=Outbox.Kind.FRESH),
        due.filter(kind=Outbox.Kind.ASKED),
        due.exclude(kind__in=waited_for),
    ):
        found += rows[: _AT_ONCE - len(found)]
    return found


def _open_rows() -> QuerySet[Outbox]:
    return Outbox.objects.filter(state__in=(State.WAITING, State.SENDING))
