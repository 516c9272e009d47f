"""What import-export knows of the records: their columns, and how a cell is written."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from import_export.fields import Field
from import_export.resources import ModelResource
from import_export.widgets import CharWidget, Widget

from .formulas import escaped
from .models import AccountLock, FailedLogin


class PlainWidget(Widget):  # type: ignore[misc]
    """A number: goes out as it is."""

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        """Return the value."""
        return value


class AddressWidget(PlainWidget):
    """An address as canonical text."""


class WordWidget(PlainWidget):
    """A word of ours, such as an outcome or a digest."""


class TextWidget(CharWidget):  # type: ignore[misc]
    """Text that a stranger may have typed: harmless to a spreadsheet, see `formulas`."""

    def render(self, value: str | None, obj: Any = None, **kwargs: Any) -> str | None:
        """Return the text with its formulas defused."""
        return escaped(value)


class TimestampWidget(Widget):  # type: ignore[misc]
    """A moment in ISO 8601 (RFC 3339): UTC, to the microsecond, always of the same length."""

    def render(self, value: datetime | None, obj: Any = None, **kwargs: Any) -> str | None:
        """Return such as ``2026-11-22T10:00:00.000001Z``; a naive moment is local time."""
        return None if value is None else value.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


class RecordResource(ModelResource):  # type: ignore[misc]
    """Records, newest first; for export only."""

    #: The moment that orders the records, served by an index together with the primary key.
    moment: ClassVar[str]

    WIDGETS_MAP: ClassVar[dict[str, type[Widget]]] = {
        "CharField": TextWidget,
        "DateTimeField": TimestampWidget,
        "BigAutoField": PlainWidget,
        "BigIntegerField": PlainWidget,
        "PositiveIntegerField": PlainWidget,
        "AddressField": AddressWidget,
    }


class FailedLoginResource(RecordResource):
    """Failed logins."""

    moment = "timestamp"
    user_agent = Field("user_agent__text", "user_agent", TextWidget())
    outcome = Field("outcome", "outcome", WordWidget())
    subject = Field("subject", "subject", WordWidget())

    class Meta:
        model = FailedLogin
        fields = ("id", "timestamp", "username", "address", "user_agent", "gateway", "outcome", "subject")


class AccountLockResource(RecordResource):
    """Locks, open and ended."""

    moment = "started_at"
    scope = Field("scope", "scope", WordWidget())
    reason = Field("reason", "reason", WordWidget())
    subject = Field("subject", "subject", WordWidget())

    class Meta:
        model = AccountLock
        fields = (
            "id",
            "scope",
            "username",
            "reason",
            "note",
            "locked_by",
            "started_at",
            "until",
            "failures",
            "refused",
            "ended_at",
            "ended_by",
            "end_note",
            "subject",
        )
