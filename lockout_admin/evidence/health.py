"""Is the protection itself well? Each answer comes with what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..checks import backends
from ..conf import conf
from ..engine import strays
from ..engine.ruleset import rules_in_force
from ..engine.store import store
from ..figures import grouped
from ..models import FailedLogin, Outbox, SuccessfulLogin
from ..notifications import running

#: Records may be so much older than they are kept: whoever prunes does so once a day.
_PRUNED_WITHIN: Final = timedelta(days=2)
#: Messages that are due for so long wait for a sender that does not come.
_WAITS: Final = timedelta(minutes=15)
#: What is counted of them.
CAP: Final = 1_000


class State(IntEnum):
    """How bad it is."""

    OK = 0
    LOOK = 1
    BAD = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """One part, how it is, and what to do."""

    part: str
    state: State
    said: str
    #: Empty where there is nothing to do.
    remedy: str = ""

    @property
    def name(self) -> str:
        """The word of its colour."""
        return self.state.name.lower()


def findings() -> list[Finding]:
    """Return how each part is, in the active language."""
    return [found for look in _LOOKS for found in look()]


def _store() -> Iterable[Finding]:
    if store.get_many(["lockout_admin:health"]) is None:
        remedy = _("Look whether the database is up, and run 'manage.py migrate'.")
        yield Finding(_("store"), State.BAD, _("No store answers."), remedy)
    elif store.is_degraded:
        said = _("The cache “%(name)s” does not answer; the database has taken over.")
        remedy = _("All limits hold. Bring the cache back: logins cost more of the database.")
        yield Finding(_("cache"), State.BAD, said % {"name": conf.cache}, remedy)
    elif conf.cache is None:
        yield Finding(_("store"), State.OK, _("in the database"))
    else:
        yield Finding(_("cache"), State.OK, _("ok"))


def _proxy() -> Iterable[Finding]:
    if conf.trusted_proxies is not None:
        yield Finding(_("proxy"), State.OK, _("ok"))
        return
    said = _("Nobody has said whether the site is behind a proxy: no header is believed.")
    remedy = _("Set TRUSTED_PROXIES to how many proxies stand before the site; 0: none.")
    yield Finding(_("proxy"), State.LOOK, said, remedy)


def _retention() -> Iterable[Finding]:
    kept = timedelta(seconds=conf.retention_secs)
    before = timezone.now() - kept - _PRUNED_WITHIN
    models: tuple[Any, ...] = (FailedLogin, SuccessfulLogin)
    if not any(model.objects.filter(timestamp__lt=before).exists() for model in models):
        yield Finding(_("retention"), State.OK, _("ok"))
        return
    said = _("Records are older than the %(days)s days for which they are kept.")
    remedy = _("Run 'manage.py lockout_prune', once a day from cron.")
    yield Finding(_("retention"), State.LOOK, said % {"days": kept.days}, remedy)


def _mails() -> Iterable[Finding]:
    if not conf.base_url:
        said = _("The site's address is not known: no owner gets a mail, and no alert is sent.")
        yield Finding(_("mail"), State.LOOK, said, _("Set BASE_URL."))
        return
    now = timezone.now()
    due = Outbox.objects.filter(state=Outbox.State.WAITING, kind__in=Outbox.Kind.values)
    waiting = due.filter(due__lt=now - _WAITS).order_by()[:CAP].count()
    failed = Outbox.objects.filter(timestamp__gt=now - timedelta(days=1), why=Outbox.Why.FAILED)
    lost = failed.order_by()[:CAP].count()
    if waiting:
        said = ngettext("%(count)s mail waits.", "%(count)s mails wait.", waiting)
        yield Finding(
            _("mail"), State.BAD, said % {"count": grouped(waiting)}, _remedy_of_waiting()
        )
    elif lost:
        said = ngettext(
            "%(count)s mail could not be delivered today.",
            "%(count)s mails could not be delivered today.",
            lost,
        )
        remedy = _("Look for message_not_delivered in the log.")
        yield Finding(_("mail"), State.LOOK, said % {"count": grouped(lost)}, remedy)
    else:
        yield Finding(_("mail"), State.OK, _("ok"))


def _remedy_of_waiting() -> str:
    if running.kind() == "task":
        return _("Look whether the workers of the task backend run.")
    return _("Run 'manage.py lockout_notify --watch', and look for sender_failed in the log.")


def _paths() -> Iterable[Finding]:
    open_ways = [
        *backends.a_backend_is_guarded(),
        *backends.no_password_backend_is_unguarded(),
        *backends.async_is_guarded_too(),
    ]
    if open_ways:
        said = ngettext(
            "%(count)s unguarded login path", "%(count)s unguarded login paths", len(open_ways)
        )
        remedy = _("Run 'manage.py check --deploy': it names them, and says what to do.")
        yield Finding(_("paths"), State.BAD, said % {"count": len(open_ways)}, remedy)
    else:
        yield Finding(_("paths"), State.OK, _("all guarded"))


def _strays() -> Iterable[Finding]:
    found = len(strays.find())
    if found:
        said = ngettext(
            "%(count)s lock is known to the store alone.",
            "%(count)s locks are known to the store alone.",
            found,
        )
        remedy = _("Put them on record, on the page of active locks.")
        yield Finding(_("locks"), State.LOOK, said % {"count": grouped(found)}, remedy)


def _policy() -> Iterable[Finding]:
    watched = [rule.name for rule in rules_in_force() if not rule.enforces]
    if conf.only_watches:
        said = _("The site only watches: nobody is refused.")
        remedy = _("Set MODE to “enforce” once the lock history shows what you expect.")
        yield Finding(_("policy"), State.LOOK, said, remedy)
    elif watched:
        said = _("Rules that only watch: %(names)s")
        remedy = _("Take “mode” out of RULES once the lock history shows what you expect.")
        yield Finding(_("policy"), State.LOOK, said % {"names": ", ".join(watched)}, remedy)
    else:
        yield Finding(_("policy"), State.OK, _("enforced"))


_LOOKS: Final[tuple[Callable[[], Iterable[Finding]], ...]] = (
    _store,
    _proxy,
    _retention,
    _mails,
    _paths,
    _strays,
    _policy,
)
