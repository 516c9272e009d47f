"""Every setting, declared once, and read from Django's settings at the moment of use.

The checks and the README's table are made from these declarations. Three numbers are plain Django
settings; all else is a key of the dict ``LOCKOUT_ADMIN``. Nothing is cached, nothing written back.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from django.conf import settings
from django.utils.encoding import force_bytes

from .declarations.defending import DefenceSettings
from .declarations.kinds import (
    CacheAlias,
    CookieName,
    Function,
    Header,
    Limit,
    Number,
    Paths,
    Proxies,
    Switch,
    Text,
    Whole,
)
from .declarations.notifying import NotificationSettings
from .declarations.operating import ConsoleSettings
from .declarations.ruleset import MONITOR, Mode, Preset, Ruleset
from .declarations.setting import Fault, Setting, faults_of_keys, written
from .declarations.values import DAY, is_list


class LockoutSettings(DefenceSettings, NotificationSettings, ConsoleSettings):
    """What holds: a right value of the site, else the default."""

    max_failed_login_attempts = Limit(
        "MAX_FAILED_LOGIN_ATTEMPTS",
        4,
        least=1,
        most=100,  # NIST SP 800-63B-4, 3.2.2
        plain=True,
        help="rule `account`: how many wrong passwords on a name lead to a lock; at most 100",
    )
    failed_login_interval_secs = Whole(
        "FAILED_LOGIN_INTERVAL_SECS",
        60,
        least=1,
        plain=True,
        help="rule `account`: the sliding window in which they count",
    )
    account_locked_timeout_secs = Whole(
        "ACCOUNT_LOCKED_TIMEOUT_SECS",
        60,
        least=1,
        plain=True,
        help="rule `account`: how long a first lock is",
    )

    cache = CacheAlias(
        "CACHE",
        None,
        help="`None`: the site's database holds slots and locks;"
        " or the alias of a cache on Redis or memcached",
    )
    device_cookie_age_secs = Whole(
        "DEVICE_COOKIE_AGE_SECS",
        400 * DAY,
        least=DAY,
        most=400 * DAY,  # browsers keep no cookie longer (RFC 6265bis, 5.5)
        help="for how long a browser is trusted by an owner who logged in with it: 400 days",
    )
    device_cookie_name = CookieName(
        "DEVICE_COOKIE_NAME",
        "lockout_device",
        help='the cookie by which an owner\'s browser is known; `""`: none, all are strangers',
    )
    device_of = Function(
        "DEVICE_OF",
        None,
        help="the dotted path of a function from a request to what stands for the device of an API"
        " client (a certificate, a header that a proxy sets), or to `None`",
    )
    forwarded_header = Header(
        "FORWARDED_HEADER",
        "X-Forwarded-For",
        help="the header to which trusted proxies append the address that called them",
    )
    ipv4_network_prefix = Whole(
        "IPV4_NETWORK_PREFIX",
        32,
        least=8,
        most=32,
        help="how many bits of an IPv4 address are its network",
    )
    ipv6_network_prefix = Whole(
        "IPV6_NETWORK_PREFIX",
        64,
        least=16,
        most=64,
        help="how many bits of an IPv6 address are its network; a customer has a /64 at least",
    )
    ipv6_wide_prefix = Whole(
        "IPV6_WIDE_PREFIX",
        48,
        least=16,
        most=64,
        help="likewise for the rules `network-wide` and `spraying-wide`;"
        " many a customer has a /48 (RFC 6177)",
    )
    lock_growth_factor = Number(
        "LOCK_GROWTH_FACTOR",
        2,
        least=1,
        most=100,
        help="rule `account`: each lock is so many times as long as the one before; 1: all alike",
    )
    lock_growth_window_secs = Whole(
        "LOCK_GROWTH_WINDOW_SECS",
        DAY,
        least=0,
        help="rule `account`: for how long an ended lock makes the next one longer",
    )
    lock_max_secs = Whole(
        "LOCK_MAX_SECS",
        60 * 60,
        least=1,
        help="rule `account`: the longest lock that growth leads to",
    )
    log_logouts = Switch(
        "LOG_LOGOUTS",
        default=False,
        help="`True`: logouts are recorded beside the logins",
    )
    log_successes = Switch(
        "LOG_SUCCESSES",
        default=True,
        help="`False`: only failures are recorded, and nobody can tell who got in",
    )
    mask_unknown_usernames = Switch(
        "MASK_UNKNOWN_USERNAMES",
        default=False,
        help="`True`: of a name that no account has, a digest is stored; it may be a password",
    )
    mode = Mode(
        "MODE",
        "enforce",
        help='`"monitor"`: nobody is refused but by a lock by hand, and the log and the console say'
        " what would have been",
    )
    namespace = Text(
        "NAMESPACE",
        "",
        help="keeps sites apart that share a cache or a database;"
        " a text, or a callable that returns one (a site with tenants)",
    )
    password_free_backends = Paths(
        "PASSWORD_FREE_BACKENDS",
        (),
        help="dotted paths of backends that check no password (single sign-on, permissions only)",
    )
    preset = Preset(
        "PRESET",
        "owasp",
        help="the standard whose rules hold where nothing else is set:"
        " `owasp`, `pci`, `nist`, `cis` or `cnil`; a check refuses what contradicts it",
    )
    raise_when_locked = Switch(
        "RAISE_WHEN_LOCKED",
        default=True,
        help="`False`: a guarded backend that refuses returns `None` and raises nothing",
    )
    retention_secs = Whole(
        "RETENTION_SECS",
        180 * DAY,
        least=DAY,
        help="how old records get until `lockout_prune` deletes them: 180 days",
    )
    rules = Ruleset(
        "RULES",
        {},
        help="changes to the rules in force by name; or a list of rules, or its dotted path",
    )
    trusted_proxies = Proxies(
        "TRUSTED_PROXIES",
        None,
        help='CIDRs (`"unix"` for a Unix socket) or a number;'
        " `None`: never said, no header is believed",
    )

    @property
    def only_watches(self) -> bool:
        """Whether nobody is refused, but by a lock that staff put on."""
        return self.mode == MONITOR

    @property
    def isolation(self) -> str:
        """Keeps the state of tests apart; see `testing`."""
        return str(written("LOCKOUT_ADMIN_ISOLATION", ""))

    @property
    def secrets(self) -> tuple[str | bytes, ...]:
        """``SECRET_KEY``, then the older ones that the site still honours; each once."""
        older = written("SECRET_KEY_FALLBACKS", ())
        if not older:
            return (settings.SECRET_KEY,)
        return _each_once((settings.SECRET_KEY, *_usable(older)))


def _usable(older: Any) -> list[str | bytes]:
    keys = older if is_list(older) else ()
    usable = [key for key in keys if key and isinstance(key, str | bytes)]
    if keys is not older or len(usable) < len(keys):
        problem = "SECRET_KEY_FALLBACKS has what is no key."
        Fault("", problem, "Make it a list of texts.").log_once("SECRET_KEY_FALLBACKS")
    return usable


@lru_cache(maxsize=16)
def _each_once(keys: tuple[str | bytes, ...]) -> tuple[str | bytes, ...]:
    # A slot is taken by each key of the site: by the same one twice, nobody would get any.
    found: dict[bytes, str | bytes] = {}
    for key in keys:
        found.setdefault(force_bytes(key), key)
    return tuple(found.values())


#: The declarations, in the order of the README's table.
SETTINGS: Final[tuple[Setting[Any], ...]] = tuple(
    declaration
    for owner in (LockoutSettings, *LockoutSettings.__bases__)
    for declaration in vars(owner).values()
    if isinstance(declaration, Setting)
)


def faults() -> list[Fault]:
    """Return all that is wrong with the settings of the site."""
    found = faults_of_keys()
    for setting in SETTINGS:
        found += setting.faults(setting.declared)
    return found


conf: Final = LockoutSettings()
