"""Every setting, read from Django's settings at the moment of use.

The three numbers of the threshold are plain Django settings; all else is a key of the dict
``LOCKOUT_ADMIN``. Nothing is cached here and nothing is written back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

from django.conf import settings

#: The plain Django settings of the threshold, with their defaults.
THRESHOLD_DEFAULTS: Final[dict[str, int]] = {
    "MAX_FAILED_LOGIN_ATTEMPTS": 4,
    "FAILED_LOGIN_INTERVAL_SECS": 60,
    "ACCOUNT_LOCKED_TIMEOUT_SECS": 60,
}

#: The keys of ``settings.LOCKOUT_ADMIN``, with their defaults.
DEFAULTS: Final[dict[str, Any]] = {
    "CACHE": "default",
    "FORWARDED_HEADER": "X-Forwarded-For",
    "LOCK_GROWTH_FACTOR": 2,
    "LOCK_GROWTH_WINDOW_SECS": 24 * 60 * 60,
    "LOCK_MAX_SECS": 60 * 60,
    "MASK_UNKNOWN_USERNAMES": False,
    "NAMESPACE": "",
    "RAISE_WHEN_LOCKED": True,
    "RETENTION_SECS": 180 * 24 * 60 * 60,
    "TRUSTED_PROXIES": None,
}


class LockoutSettings:
    """One typed property a setting."""

    @property
    def max_failed_login_attempts(self) -> int:
        """Wrong passwords evaluated per username and interval (NIST SP 800-63B-4, 3.2.2: at most 100)."""
        return self._threshold("MAX_FAILED_LOGIN_ATTEMPTS")

    @property
    def failed_login_interval_secs(self) -> int:
        """Length in seconds of the sliding window in which failures are counted."""
        return self._threshold("FAILED_LOGIN_INTERVAL_SECS")

    @property
    def account_locked_timeout_secs(self) -> int:
        """Length in seconds of a first lock."""
        return self._threshold("ACCOUNT_LOCKED_TIMEOUT_SECS")

    @property
    def cache(self) -> str:
        """Alias, in ``settings.CACHES``, of the cache that holds slots and locks."""
        return cast("str", self._key("CACHE"))

    @property
    def forwarded_header(self) -> str:
        """HTTP header to which trusted proxies append the address they were called from."""
        return cast("str", self._key("FORWARDED_HEADER"))

    @property
    def lock_growth_factor(self) -> float:
        """By how much each lock of the growth window lengthens the next one; 1 keeps locks alike."""
        return cast("float", self._key("LOCK_GROWTH_FACTOR"))

    @property
    def lock_growth_window_secs(self) -> int:
        """For how many seconds an ended lock makes the next one longer."""
        return cast("int", self._key("LOCK_GROWTH_WINDOW_SECS"))

    @property
    def lock_max_secs(self) -> int:
        """Longest automatic lock in seconds."""
        return cast("int", self._key("LOCK_MAX_SECS"))

    @property
    def mask_unknown_usernames(self) -> bool:
        """Store a digest in place of a username that no account has: it may be a password."""
        return cast("bool", self._key("MASK_UNKNOWN_USERNAMES"))

    @property
    def namespace(self) -> str:
        """Keeps the state of sites that share a cache or a database apart."""
        return cast("str", self._key("NAMESPACE"))

    @property
    def isolation(self) -> str:
        """Keeps the state of tests apart; see `testing`."""
        return getattr(settings, "LOCKOUT_ADMIN_ISOLATION", "")

    @property
    def raise_when_locked(self) -> bool:
        """Whether a guarded backend raises `AccountLocked` (True) or returns ``None`` (False)."""
        return cast("bool", self._key("RAISE_WHEN_LOCKED"))

    @property
    def retention_secs(self) -> int:
        """Age in seconds at which ``lockout_prune`` deletes records (CNIL: six months to a year)."""
        return cast("int", self._key("RETENTION_SECS"))

    @property
    def trusted_proxies(self) -> int | Sequence[str] | None:
        """CIDRs of the proxies, or how many there are; ``None`` when the site never said."""
        return cast("int | Sequence[str] | None", self._key("TRUSTED_PROXIES"))

    @property
    def declared(self) -> dict[str, Any]:
        """``settings.LOCKOUT_ADMIN`` as the site wrote it; empty when it is no dict."""
        return self.raw if isinstance(self.raw, dict) else {}

    @property
    def raw(self) -> Any:
        """``settings.LOCKOUT_ADMIN``, whatever it is."""
        return getattr(settings, "LOCKOUT_ADMIN", {})

    def _threshold(self, name: str) -> int:
        return cast("int", getattr(settings, name, THRESHOLD_DEFAULTS[name]))

    def _key(self, name: str) -> Any:
        return self.declared.get(name, DEFAULTS[name])


conf: Final = LockoutSettings()
