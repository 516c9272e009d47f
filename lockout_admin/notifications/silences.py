"""How often those who look after the site are told of one thing: at once, then ever less often.

A message says how things are when it goes out. So one that waits says for all that came after it,
and one that went out after another was written has said for that one, too.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone

from ..models import Outbox

#: From the first message of a topic to the second; each silence is twice as long as the last one.
FIRST: Final = timedelta(minutes=10)
LONGEST: Final = timedelta(hours=12)
#: After so long without a message a topic is a new one.
_FORGOTTEN: Final = timedelta(days=7)
#: How long another sender's message may take to show whether it went out.
_SOON: Final = timedelta(seconds=30)

Kind = Outbox.Kind
State = Outbox.State


def is_said(kind: str, topic: str) -> bool:
    """Tell whether a message waits that will say it, so that no other need be written."""
    return Outbox.objects.filter(topic=topic, kind=kind, state=State.WAITING).exists()


def why_not(row: Outbox) -> str:
    """Return why a message is not sent: another says it, or it holds no more. Empty: it is sent."""
    others = _others(row)
    same = others.filter(kind=row.kind)
    is_told = same.filter(state=State.SENT, sent_at__gte=row.timestamp).exists()
    is_older_due = same.filter(state=State.WAITING, pk__lt=row.pk).exists()
    if is_told or is_older_due or _holds_no_more(row, others):
        return Outbox.Why.NOT_NEW
    return ""


def until(row: Outbox) -> datetime | None:
    """Return until when a message waits; ``None``: it need not."""
    if not row.topic:
        return None
    now = timezone.now()
    same = _others(row).filter(kind=row.kind)
    if same.filter(state=State.SENDING, due__gt=now, pk__lt=row.pk).exists():
        return now + _SOON
    sent = same.filter(state=State.SENT, sent_at__gt=now - _FORGOTTEN)
    moments = list(sent.order_by("-timestamp").values_list("sent_at", flat=True)[:10])
    if not moments:
        return None
    silence = min(LONGEST, FIRST * 2 ** (len(moments) - 1))
    end: datetime = max(moments) + silence
    return end if end > now else None


def _others(row: Outbox) -> Any:
    return Outbox.objects.filter(topic=row.topic, notifier=row.notifier).exclude(pk=row.pk)


def _holds_no_more(row: Outbox, others: Any) -> bool:
    """Tell whether what is degraded is well by now, or nobody knows that what is well was not."""
    if row.kind == Kind.DEGRADED:
        return bool(others.filter(kind=Kind.WELL, pk__gt=row.pk).exists())
    if row.kind == Kind.WELL:
        sent = others.filter(kind__in=(Kind.DEGRADED, Kind.WELL), state=State.SENT)
        last = sent.order_by("-sent_at", "-pk").values_list("kind", flat=True).first()
        return bool(last != Kind.DEGRADED)
    return False
