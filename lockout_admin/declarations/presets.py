"""Presets: what holds where a site says nothing, by the name of a standard.

The rules that follow from them, beyond these settings, are in `engine.presets`.
"""

from __future__ import annotations

from typing import Any, Final

from .values import LONGEST

_HALF_AN_HOUR: Final = 30 * 60
_QUARTER: Final = 15 * 60

#: By preset: the defaults of settings that are others than the usual ones.
PRESETS: Final[dict[str, dict[str, Any]]] = {
    "owasp": {},
    "pci": {"ACCOUNT_LOCKED_TIMEOUT_SECS": _HALF_AN_HOUR},
    # What was pruned would count no more.
    "nist": {"RETENTION_SECS": LONGEST},
    "cis": {
        "MAX_FAILED_LOGIN_ATTEMPTS": 5,
        "FAILED_LOGIN_INTERVAL_SECS": _QUARTER,
        "ACCOUNT_LOCKED_TIMEOUT_SECS": _QUARTER,
    },
    "cnil": {},
}
