"""Since when the site, or a rule by itself, only watches.

Nobody can ask settings since when they are so. So the first attempt that meets it in a process
has it written down, as an audit entry: once, for as long as nothing is enforced again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from django.db import Error, router
from django.utils import timezone

from ..conf import conf
from ..models import AccountLock, AuditEntry
from ..models.transactions import shielded
from .journal import outside_transactions
from .rules import DAY, Bucket
from .ruleset import rules_in_force

logger = logging.getLogger("lockout_admin")

#: Who did it, in the audit: nobody who is known.
ACTOR: Final = "settings"
#: What only watches, where it is the site as a whole.
SITE: Final = "MODE"
#: After so long one is reminded of it: a site's first two weeks, and time to read.
REMINDED_SECS: Final = 30 * DAY
#: So often a process looks whether it is written down.
_LOOK_SECS: Final = 60 * 60
#: Sites and rules that a process keeps in mind.
_MOST: Final = 1000

#: When this process looked last.
_looked: dict[tuple[str, str], float] = {}


def note(buckets: Sequence[Bucket]) -> None:
    """Have it written down that what an attempt falls into only watches; once an hour, look."""
    site = f"{conf.namespace}{conf.isolation}"
    for name in _watching(bucket.rule.name for bucket in buckets if not bucket.rule.enforces):
        now = time.monotonic()
        if 0 <= now - _looked.get((site, name), float("-inf")) < _LOOK_SECS:
            continue
        if len(_looked) >= _MOST:
            _looked.clear()
        _looked[site, name] = now
        outside_transactions(AuditEntry, partial(_write_down, name))


def since(name: str = SITE) -> datetime | None:
    """Return since when it only watches, as far as it is written down."""
    entries = AuditEntry.objects.using(router.db_for_write(AuditEntry))
    own = entries.filter(actor=ACTOR, label=name).order_by("-timestamp")
    return own.values_list("timestamp", flat=True).first()


def too_long() -> list[tuple[str, datetime]]:
    """Return what has only watched for longer than one should need: the site, or its rules."""
    before = timezone.now() - timedelta(seconds=REMINDED_SECS)
    found = []
    for name in _watching(rule.name for rule in rules_in_force() if not rule.enforces):
        began = _since_then(name)
        if began is not None and began <= before:
            found.append((name, began))
    return found


def _watching(rules: Iterable[str]) -> list[str]:
    return [SITE] if conf.only_watches else list(rules)


def _write_down(name: str) -> None:
    try:
        with shielded(AuditEntry):
            began = _since_then(name)
            if began is None:
                _create(name)
            elif timezone.now() - began >= timedelta(seconds=REMINDED_SECS):
                logger.warning(
                    "only_watches: %s, since %s; it refuses nobody. See W041.",
                    name,
                    began.isoformat(timespec="seconds"),
                )
    except Error:
        logger.exception("watching_not_recorded: the database refused to say since when.")


def _create(name: str) -> None:
    AuditEntry.objects.using(router.db_for_write(AuditEntry)).create(
        actor=ACTOR,
        action=AuditEntry.Action.CHANGE,
        label=name,
        details="It only watches from now on, and refuses nobody.",
    )


def _since_then(name: str) -> datetime | None:
    """Return since when; ``None`` where it is not written down, or has refused meanwhile."""
    began = since(name)
    if began is None:
        return None
    locks = AccountLock.objects.fresh().filter(started_at__gt=began, enforced=True)
    own = locks.exclude(rule="") if name == SITE else locks.filter(rule=name)
    return None if own.exists() else began
