"""What the database remembers."""

from .audit import AuditEntry
from .devices import TrustedDevice
from .entries import StoreEntry
from .incidents import Incident
from .involved import IncidentEvent, IncidentName, IncidentNetwork
from .lessons import Exemption, IncidentCursor
from .locks import AccountLock, ActiveLock
from .networks import NetworkRule
from .outbox import Outbox
from .records import FailedLogin, SuccessfulLogin, UserAgent
from .refusals import RefusedTries

__all__ = [
    "AccountLock",
    "ActiveLock",
    "AuditEntry",
    "Exemption",
    "FailedLogin",
    "Incident",
    "IncidentCursor",
    "IncidentEvent",
    "IncidentName",
    "IncidentNetwork",
    "NetworkRule",
    "Outbox",
    "RefusedTries",
    "StoreEntry",
    "SuccessfulLogin",
    "TrustedDevice",
    "UserAgent",
]
