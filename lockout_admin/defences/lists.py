"""Networks that are blocked or allowed.

*Blocked*: refused before anything is counted, so that nobody keeps a name locked from there; no
row, no slot, no count, and the answer is that of a lock. *Allowed*: free of the rules on networks,
bound by those on accounts like everybody.

Each process has the rules compiled (`matching`), and asks at most every two seconds whether they
are still the ones: one read of the store. A change deletes the mark that all processes have seen;
the next one that asks puts up another, and each that sees a mark it does not know reads the rules
again. What is read after a mark is at least as young as the mark. A store or a database that does
not answer changes nothing: the last rules hold.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from django.db import Error
from django.utils import timezone

from ..conf import conf
from ..engine import gates
from ..engine.store import store
from ..identity.client import parse_address
from ..models import NetworkRule
from ..models.transactions import on_commit, shielded, tell
from ..signals import network_refused, network_rules_changed, would_refuse
from .matching import Match, Networks
from .telling import Telling, is_over

if TYPE_CHECKING:
    from ..engine.attempts import Attempt
    from ..identity.client import Client

logger = logging.getLogger("lockout_admin")

#: So often a process asks whether the rules have changed.
CHECK_SECS: Final = 2
#: So often it reads them whatever it is told: rows may be changed past all programs, and a mark
#: that could not be deleted while the store was down may come back with it.
RELOAD_SECS: Final = 600
#: After a database has not answered: one that hangs costs an attempt its time-out each time.
RETRY_SECS: Final = 20
#: How long a mark stays.
_MARK_SECS: Final = 24 * 60 * 60
#: Sites and tenants whose rules a process keeps.
_MOST: Final = 1000


class Lists:
    """The rules of one site, as this process knows them."""

    def __init__(self, key: str) -> None:
        #: Where the store has the mark.
        self.key = key
        self.networks = Networks()
        self._seen: Any = None
        self._checked = self._loaded = float("-inf")
        self._pause: float = CHECK_SECS
        self._lock = threading.Lock()

    def in_force(self) -> Networks:
        """Return the rules, at most a few seconds old."""
        if is_over(self._checked, self._pause):
            # The first to come waits for them; later, one asks, and all others go on.
            is_first = self._seen is None
            if self._lock.acquire(blocking=is_first):
                try:
                    self._check()
                finally:
                    self._lock.release()
        return self.networks

    def look_again(self) -> None:
        """Ask before the next attempt."""
        self._checked = float("-inf")

    def _check(self) -> None:
        if not is_over(self._checked, self._pause):
            return
        self._pause = CHECK_SECS
        try:
            mark = self._mark()
            if mark is not None and (mark != self._seen or is_over(self._loaded, RELOAD_SECS)):
                self.networks = _read()
                self._seen = mark
                self._loaded = time.monotonic()
        except Error:
            logger.exception("network_rules_unreadable: those that were read last still hold.")
            self._pause = RETRY_SECS
        self._checked = time.monotonic()

    def _mark(self) -> Any:
        """Return the mark in the store; put one up if there is none. ``None``: no store answers."""
        found = store.get_many([self.key])
        if found is None or self.key in found:
            return found and found[self.key]
        mark = uuid4().hex
        if store.add(self.key, mark, _MARK_SECS):
            return mark
        return (store.get_many([self.key]) or {}).get(self.key)


def _read() -> Networks:
    with shielded(NetworkRule):
        rows = NetworkRule.objects.fresh().open().order_by()
        networks = Networks(rows.values_list("cidr", "action", "until", "source"))
    if networks.unreadable:
        logger.error("network_rule_unreadable: %d rows are no networks.", networks.unreadable)
    return networks


class _Known:
    """The lists of all sites of this process, and what it has told of their refusals."""

    def __init__(self) -> None:
        self.start_over()

    def start_over(self) -> None:
        """Know nothing, as a new process does; share no lock with the one it was forked from."""
        self._lists: dict[str, Lists] = {}
        self.told = Telling()

    def of_site(self) -> Lists:
        """Return the lists of the site, or tenant, that is served at the moment."""
        site = f"{conf.namespace}{conf.isolation}"
        if site not in self._lists and len(self._lists) >= _MOST:
            self._lists.clear()
        return self._lists.get(site) or self._lists.setdefault(site, Lists(_key()))


def _key() -> str:
    """Return where the store has the mark: all sites that share a store share it.

    For they may share the rules as well, or have a table each, as tenants do; nobody knows.
    """
    return f"lockout_admin:{{networks:{conf.isolation}}}:mark"


_known = _Known()


def connect() -> None:
    """Put the gate up, and listen for changes."""
    gates.register("lists", refuses)
    network_rules_changed.connect(have_changed, dispatch_uid="lockout_admin.lists")


def is_allowed(ip_address: str | None) -> bool:
    """Tell whether rules on networks leave an address alone."""
    match = _match(ip_address)
    return match is not None and match.is_allowed


def are_any() -> bool:
    """Tell whether any network is blocked or allowed."""
    return _known.of_site().in_force().size > 0


def refuses(attempt: Attempt) -> float | None:
    """Return for how many seconds an attempt is refused because of where it comes from.

    At most as long as a first lock is: nobody learns from it how long a network is blocked. An
    address that may be a proxy's is nobody's in particular, and blocked for nobody.
    """
    if attempt.network is None:
        return None
    now = attempt.started.timestamp()
    match = _match(attempt.client.ip_address, now)
    if match is None or match.is_allowed:
        return None
    _tell(match.cidr, attempt.client, attempt.request)
    return min(match.until - now, conf.account_locked_timeout_secs)


def have_changed(**signal: Any) -> None:
    """Have every process read the rules again; in a transaction, once it is committed."""
    key, lists = _key(), _known.of_site()

    def forget() -> None:
        store.clear([key])
        lists.look_again()

    on_commit(NetworkRule, forget)


def _match(ip_address: str | None, now: float | None = None) -> Match | None:
    networks = _known.of_site().in_force()
    if not networks.size or ip_address is None:
        return None
    address = parse_address(ip_address)
    if address is None:
        return None
    return networks.find(address, timezone.now().timestamp() if now is None else now)


def _tell(network: str, client: Client, request: Any) -> None:
    refused = _known.told.count(network)
    if refused:
        facts = {"network": network, "refused": refused, "client": client, "request": request}
        tell(would_refuse if conf.only_watches else network_refused, NetworkRule, **facts)


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows does not fork
    os.register_at_fork(after_in_child=_known.start_over)
