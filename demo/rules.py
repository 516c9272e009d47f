"""The rule of old alone, to compare with."""

from __future__ import annotations

from typing import Any, Final

ACCOUNT: Final = "account"

#: Keys of ``LOCKOUT_ADMIN`` that leave nothing but the rule `account`: no other rule, no trusted
#: browser, no mail.
ACCOUNT_ALONE: Final[dict[str, Any]] = {
    "RULES": dict.fromkeys(
        (
            "account-daily",
            "account-total",
            "device",
            "device-total",
            "network",
            "spraying",
            "network-wide",
            "spraying-wide",
        )
    ),
    "DEVICE_COOKIE_NAME": "",
    "NOTIFIERS": (),
}


def of(name: str) -> dict[str, Any]:
    """Return what a choice of rules changes in ``LOCKOUT_ADMIN``."""
    return ACCOUNT_ALONE if name == ACCOUNT else {}
