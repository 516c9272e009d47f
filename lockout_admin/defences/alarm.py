"""Whether the site as a whole is under attack: more failures of strangers than are usual.

What counts is the last ten minutes, and what is usual the same hour of the same weekday in the last
four weeks: the median, so that an attack of last week does not pass for usual. Attempts that left
a challenge unanswered count with the failures: else a challenge that holds would end the alarm. A
site without a history has the least (``ALARM_LEAST``) only.

Nothing of it is in the way of a login. A process in which somebody has failed since it counted, or
which knows of an alarm, asks the store once a minute, with whichever attempt comes, whether it is
its turn; of all processes one has it, counts by an index, and writes into the store what it found.
The first failure that a process sees has it count five seconds later: workers may live for less
than a minute. The alarm ends at half of what it began with. If nobody has counted for twenty
minutes nobody is challenged any more, and the end is told with the next attempt.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from django.db import Error
from django.utils import timezone

from ..conf import conf
from ..engine import gates
from ..engine.store import store
from ..identity.network import network_of, wide_network_of
from ..identity.subject import Subject
from ..models import FailedLogin
from ..models.transactions import shielded, tell
from ..signals import alarm_changed, login_failed

if TYPE_CHECKING:
    from ..engine.attempts import Attempt

logger = logging.getLogger("lockout_admin")

#: Seconds in which failures count.
WINDOW: Final = 600
#: So often they are counted, by one process; …
TURN_SECS: Final = 60
#: … for the first time so long after the first failure that a process sees.
_FIRST_SECS: Final = 5
#: So often a process that challenges asks whether there is an alarm.
LOOK_SECS: Final = 5
#: An alarm that nobody has looked at for so long is over, …
_FORGOTTEN_SECS: Final = 2 * WINDOW
#: … and so long somebody may still tell that it is.
_KEPT_SECS: Final = 7 * 24 * 60 * 60
_WEEKS: Final = 4
#: Rows that are counted; more are as many.
CAP: Final = 50_000
_HOUR: Final = timedelta(hours=1)
#: Sites and tenants that a process keeps.
_MOST: Final = 1000


@dataclass(slots=True)
class Site:
    """What a process knows of one site."""

    prefix: str
    #: When the alarm began, in Unix seconds; ``None``: all is calm.
    since: float | None = None
    #: Whether there is something to count, or to tell: a failure, or an alarm that was forgotten.
    is_due: bool = False
    #: When it last looked into the store, because somebody was to be challenged, …
    looked: float | None = None
    #: … or because ten minutes had passed; and when it last asked for the turn.
    watched: float | None = None
    counted: float | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def key(self, name: str) -> str:
        """Return a key of the store."""
        return f"{self.prefix}:{name}"


_sites: dict[str, Site] = {}


def connect() -> None:
    """Listen, and watch whoever comes while an alarm goes on."""
    login_failed.connect(_has_failed, dispatch_uid="lockout_admin.alarm")
    gates.register("alarm", _watch)


def is_on() -> bool:
    """Tell whether the site is under attack; a few seconds old at most."""
    site = _site()
    now = time.monotonic()
    if site.looked is None or not 0 <= now - site.looked < LOOK_SECS:
        site.looked = now
        _look(site)
    return site.since is not None


def asked(address: str | None) -> None:
    """Count somebody who has to answer a challenge; see `_count`."""
    _count("asked", address)
    watch()


def answered(address: str | None) -> None:
    """Count somebody who did."""
    _count("answered", address)


def watch(*, now: bool = False) -> None:
    """Count the failures, if a minute has passed and it is this process's turn; `now`: at once."""
    site = _site()
    moment = time.monotonic()
    if site.counted is None and not now:
        site.counted = moment - TURN_SECS + _FIRST_SECS
    due = now or site.counted is None or not 0 <= moment - site.counted < TURN_SECS
    if due and conf.alarm_least and site.lock.acquire(blocking=False):
        try:
            site.counted = moment
            if store.add(site.key("turn"), 1, TURN_SECS):
                site.is_due = False
                _reckon(site)
        except Error:
            logger.exception("alarm_not_reckoned: the failures could not be counted.")
        finally:
            site.lock.release()


def _has_failed(failure: FailedLogin, **signal: Any) -> None:
    if failure.device is None:
        _site().is_due = True
        watch()


def _watch(attempt: Attempt) -> None:
    site = _site()
    moment = time.monotonic()
    if site.watched is None:
        site.watched = moment
    elif not 0 <= moment - site.watched < WINDOW:
        # Another process may have raised it, and be gone.
        site.watched = moment
        _look(site)
    if site.is_due or site.since is not None:
        watch()


# -- Counting -----------------------------------------------------------------------------------


def _reckon(site: Site) -> None:
    now = timezone.now()
    since = _look(site)
    failures = _strangers(now - timedelta(seconds=WINDOW), now) + _unanswered(site, now)
    usual = _usual(site, now)
    least = max(conf.alarm_least, conf.alarm_factor * usual)
    site_is_on = failures >= (least / 2 if since else least)
    site.since = (since or now.timestamp()) if site_is_on else None
    store.set_many({site.key("state"): [site.since, now.timestamp()]}, _KEPT_SECS)
    if site_is_on != bool(since):
        began = datetime.fromtimestamp(since or now.timestamp(), timezone.get_default_timezone())
        facts = {"is_on": site_is_on, "failures": failures, "usual": usual, "since": began}
        tell(alarm_changed, FailedLogin, **facts)


def _look(site: Site) -> float | None:
    """Look into the store; return since when there is an alarm, even if nobody counts any more."""
    found = store.get_many([site.key("state")])
    if found is None:
        return site.since
    since, counted = found.get(site.key("state")) or (None, 0.0)
    is_forgotten = timezone.now().timestamp() - counted >= _FORGOTTEN_SECS
    site.since = None if is_forgotten else since
    site.is_due = site.is_due or bool(since and is_forgotten)
    return since


def _strangers(since: datetime, until: datetime) -> int:
    """Return how many failures of strangers there were, at most `CAP`."""
    rows = FailedLogin.objects.fresh().filter(timestamp__gt=since, timestamp__lte=until)
    with shielded(FailedLogin):
        # What a mail client repeats all night is no attack.
        return int(rows.filter(device=None, repeated=False).order_by()[:CAP].count())


def _usual(site: Site, now: datetime) -> float:
    """Return how many there are in ten minutes of this hour of the week; an hour old at most."""
    key = site.key("usual")
    known = (store.get_many([key]) or {}).get(key)
    if known is None:
        known = _usual_of(now)
        store.set_many({key: known}, 60 * 60)
    return float(known)


def _usual_of(now: datetime) -> float:
    with shielded(FailedLogin):
        first = FailedLogin.objects.fresh().order_by("timestamp").values_list("timestamp").first()
    weeks = [now - timedelta(weeks=week) for week in range(1, _WEEKS + 1)]
    known = [when for when in weeks if first and first[0] <= when - _HOUR / 2]
    hours = [_strangers(when - _HOUR / 2, when + _HOUR / 2) for when in known]
    return median(hours) * WINDOW / 3600 if hours else 0.0


# -- Challenges ---------------------------------------------------------------------------------


def _minute(now: datetime) -> int:
    return int(now.timestamp()) // 60


def _count(what: str, address: str | None) -> None:
    """Count one who comes from an address: once a minute for each network, the wide one of IPv6.

    To be asked costs nothing and locks nobody: who has one network shall raise no alarm with it.
    """
    key = _site().key(f"{what}:{_minute(timezone.now())}")
    network = wide_network_of(address) or network_of(address)
    if network and not store.add(f"{key}:{network}", 1, 2 * TURN_SECS):
        return
    if not store.increment(key) and not store.add(key, 1, 2 * WINDOW):
        store.increment(key)


def _unanswered(site: Site, now: datetime) -> int:
    minutes = range(_minute(now) - WINDOW // 60 + 1, _minute(now) + 1)
    keys = {what: [site.key(f"{what}:{one}") for one in minutes] for what in ("asked", "answered")}
    found = store.get_many([*keys["asked"], *keys["answered"]]) or {}
    total = {what: sum(int(found.get(key, 0)) for key in names) for what, names in keys.items()}
    return max(0, total["asked"] - total["answered"])


# -- Sites --------------------------------------------------------------------------------------


def _site() -> Site:
    # The subject of nobody keeps the namespaces apart.
    prefix = f"lockout_admin:{{alarm:{conf.isolation}{Subject.of('').key:x}}}"
    if prefix not in _sites and len(_sites) >= _MOST:
        _sites.clear()
    return _sites.get(prefix) or _sites.setdefault(prefix, Site(prefix))


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows does not fork
    os.register_at_fork(after_in_child=_sites.clear)
