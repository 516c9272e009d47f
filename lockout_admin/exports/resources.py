"""What import-export knows of the records: their columns, and how a cell is written."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from import_export.fields import Field
from import_export.resources import ModelResource
from import_export.widgets import CharWidget, Widget

from ..models import AccountLock, FailedLogin, SuccessfulLogin
from .formulas import escaped


class PlainWidget(Widget):  # type: ignore[misc]
    """A number: goes out as it is."""

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        """Return the value."""
        return value


class AddressWidget(PlainWidget):
    """An address as canonical text."""


class WordWidget(PlainWidget):
    """A word of ours, such as an outcome."""


class DigestWidget(Widget):  # type: ignore[misc]
    """A digest as 16 hexadecimal digits, as in a mask: a spreadsheet would round the number."""

    def render(self, value: int | None, obj: Any = None, **kwargs: Any) -> str | None:
        """Return the digits."""
        return None if value is None else f"{value:016x}"


class FlagWidget(Widget):  # type: ignore[misc]
    """Yes or no, as 1 or 0: the same in every format."""

    def render(self, value: bool | None, obj: Any = None, **kwargs: Any) -> int | None:
        """Return the number; nothing where nobody knows."""
        return None if value is None else int(value)


class TextWidget(CharWidget):  # type: ignore[misc]
    """Text that a stranger may have typed: harmless to a spreadsheet, see `formulas`."""

    def render(self, value: str | None, obj: Any = None, **kwargs: Any) -> str | None:
        """Return the text with its formulas defused."""
        return escaped(value)


class TimestampWidget(Widget):  # type: ignore[misc]
    """A moment in ISO 8601 (RFC 3339): UTC, to the microsecond, always of the same length."""

    def render(self, value: datetime | None, obj: Any = None, **kwargs: Any) -> str | None:
        """Return such as ``2026-11-22T10:00:00.000001Z``; a naive moment is local time."""
        if value is None:
            return None
        return value.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


class RecordResource(ModelResource):  # type: ignore[misc]
    """Records, newest first; for export only."""

    #: The moment that orders the records, served by an index together with the primary key.
    moment: ClassVar[str]

    WIDGETS_MAP: ClassVar[dict[str, type[Widget]]] = {
        "CharField": TextWidget,
        "DateTimeField": TimestampWidget,
        "BigAutoField": PlainWidget,
        "BigIntegerField": DigestWidget,
        "BooleanField": FlagWidget,
        "PositiveIntegerField": PlainWidget,
        "IPAddressField": AddressWidget,
    }


class FailedLoginResource(RecordResource):
    """Failed logins."""

    moment = "timestamp"
    user_agent = Field("user_agent__text", "user_agent", TextWidget())
    outcome = Field("outcome", "outcome", WordWidget())

    class Meta:
        model = FailedLogin
        fields = (
            "id",
            "timestamp",
            "username",
            "ip_address",
            "user_agent",
            "path",
            "outcome",
            "repeated",
            "common",
            "subject",
        )


class SuccessfulLoginResource(RecordResource):
    """Successful logins."""

    moment = "timestamp"
    user_agent = Field("user_agent__text", "user_agent", TextWidget())
    event = Field("event", "event", WordWidget())

    class Meta:
        model = SuccessfulLogin
        fields = (
            "id",
            "timestamp",
            "event",
            "username",
            "account",
            "ip_address",
            "user_agent",
            "path",
            "subject",
        )


class AccountLockResource(RecordResource):
    """Locks, open and ended."""

    moment = "started_at"
    rule = Field("rule", "rule", WordWidget())
    scope = Field("scope", "scope", WordWidget())
    reason = Field("reason", "reason", WordWidget())
    confirmed = Field("confirmed", "confirmed", WordWidget())

    class Meta:
        model = AccountLock
        fields = (
            "id",
            "rule",
            "scope",
            "label",
            "enforced",
            "reason",
            "note",
            "locked_by",
            "started_at",
            "until",
            "failures",
            "refused",
            "last_refused",
            "refused_from",
            "ended_at",
            "ended_by",
            "end_note",
            "confirmed",
            "subject",
        )
