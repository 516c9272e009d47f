"""What the database remembers."""

from .audit import AuditEntry
from .devices import TrustedDevice
from .entries import StoreEntry
from .locks import AccountLock, ActiveLock
from .networks import NetworkRule
from .outbox import Outbox
from .records import FailedLogin, SuccessfulLogin, UserAgent

__all__ = [
    "AccountLock",
    "ActiveLock",
    "AuditEntry",
    "FailedLogin",
    "NetworkRule",
    "Outbox",
    "StoreEntry",
    "SuccessfulLogin",
    "TrustedDevice",
    "UserAgent",
]
