"""Network rules as a table, out and in again: what was exported can be imported as it is."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import connections
from django.utils.translation import gettext_lazy as _
from import_export.fields import Field
from import_export.results import RowResult

from ..defences.dangers import Planned
from ..evidence import moments
from ..identity.text import cleaned
from ..models import NetworkRule
from ..models.fields import exact_network, parse_network
from ..models.networks import REASON_MAX_LENGTH, SOURCE_MAX_LENGTH, is_source
from .formulas import restored
from .resources import RecordResource, TextWidget, TimestampWidget, WordWidget

#: Rows of one statement.
_BATCH: Final = 1_000


class NetworkWidget(WordWidget):
    """A CIDR; in a file, an address is one as well."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        """Return the network in its one spelling. Raises `ValidationError` for what is none."""
        return str(exact_network(_text(value)))


class ActionWidget(WordWidget):
    """Blocked, or allowed."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        """Return the action; an empty cell blocks."""
        word = _text(value).lower() or NetworkRule.Action.BLOCK
        if word not in NetworkRule.Action:
            raise ValidationError(_("The action is “block” or “allow”."))
        return str(word)


class ReasonWidget(TextWidget):
    """Why: what an export has put in front of a formula is taken off again."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        """Return the reason."""
        reason = restored(_text(value))
        if len(reason) > REASON_MAX_LENGTH:
            said = _("The reason has more than %(count)d characters.")
            raise ValidationError(said, params={"count": REASON_MAX_LENGTH})
        return cleaned(reason, REASON_MAX_LENGTH)


class SourceWidget(WordWidget):
    """The list that a rule is of."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        """Return its name; an empty cell: by hand."""
        name = _text(value)
        if name:
            is_source(name)
        if len(name) > SOURCE_MAX_LENGTH:
            said = _("The name of a list has more than %(count)d characters.")
            raise ValidationError(said, params={"count": SOURCE_MAX_LENGTH})
        return name


class EndWidget(TimestampWidget):
    """Until when, in ISO 8601."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> datetime | None:
        """Return the moment; an empty cell: for ever."""
        text = _text(value)
        return moments.parse(text, is_end=True) if text else None


def _text(value: Any) -> str:
    return str(value or "").strip()


class NetworkRuleResource(RecordResource):
    """Network rules. A row that is there already (network, action, list) is replaced."""

    moment = "created_at"
    cidr = Field("cidr", "cidr", NetworkWidget())
    action = Field("action", "action", ActionWidget())
    reason = Field("reason", "reason", ReasonWidget())
    until = Field("until", "until", EndWidget())
    source = Field("source", "source", SourceWidget())
    created_by = Field("created_by", "created_by", TextWidget(), readonly=True)
    created_at = Field("created_at", "created_at", TimestampWidget(), readonly=True)

    class Meta:
        model = NetworkRule
        fields = ("cidr", "action", "reason", "until", "source", "created_by", "created_at")
        import_id_fields = ("cidr",)
        # Rows are told apart by the unique constraint, in one statement for many.
        force_init_instance = True
        use_bulk = True
        batch_size = _BATCH
        skip_diff = True
        use_transactions = True

    def __init__(self, actor: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.actor = actor
        #: Each rule of the file, with the number of its row.
        self.rows: dict[tuple[str, str, str], int] = {}
        self.planned: list[Planned] = []

    def known(self) -> int:
        """Return how many of the rules are there already."""
        cidrs = list(dict.fromkeys(cidr for cidr, _action, _source in self.rows))
        keys = (
            key
            for start in range(0, len(cidrs), _BATCH)
            for key in NetworkRule.objects.fresh()
            .filter(cidr__in=cidrs[start : start + _BATCH])
            .values_list("cidr", "action", "source")
        )
        return sum(key in self.rows for key in keys)

    def import_row(self, row: Any, instance_loader: Any, **kwargs: Any) -> RowResult:
        """Read a row; one of the same network, action and list may come once only.

        import-export's own takes three times as long, for what no row of these needs: to be
        looked for, compared, told apart from its like before.
        """
        outcome = RowResult()
        try:
            self.create_instances.append(self._read(row, kwargs["row_number"]))
            outcome.import_type = RowResult.IMPORT_TYPE_NEW
        except ValidationError as error:
            outcome.import_type = RowResult.IMPORT_TYPE_INVALID
            outcome.validation_error = error
        return outcome

    def _read(self, row: Any, number: int) -> NetworkRule:
        cells = {
            name: self.fields[name].widget.clean(row.get(name))
            for name in ("cidr", "action", "reason", "until", "source")
        }
        before = self.rows.setdefault((cells["cidr"], cells["action"], cells["source"]), number)
        if before != number:
            said = _("This is row %(number)d again.")
            raise ValidationError(said, params={"number": before})
        network = parse_network(cells["cidr"])
        self.planned.append(Planned(network, cells["action"], cells["source"], cells["until"]))
        first = cells["cidr"].partition("/")[0]
        return NetworkRule(first=first, created_by=self.actor, **cells)

    def bulk_create(
        self,
        using_transactions: bool,
        dry_run: bool,
        raise_errors: bool,
        batch_size: int | None = None,
        result: Any = None,
    ) -> None:
        """Write the rows of a batch, in place of those that are there; nothing in a dry run.

        What a database refuses is raised, and ends the transaction around it all.
        """
        rows = list(self.create_instances)
        self.create_instances.clear()
        if dry_run or not rows:
            return
        database = self.get_db_connection_name()
        # MariaDB knows by itself which constraint is meant, and does not want to be told.
        is_told = connections[database].features.supports_update_conflicts_with_target
        NetworkRule.objects.using(database).bulk_create(
            rows,
            update_conflicts=True,
            update_fields=["reason", "until"],
            unique_fields=["cidr", "action", "source"] if is_told else None,
        )
