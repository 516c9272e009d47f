"""Did they get in? The logins from the addresses that failures came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..models import FailedLogin, SuccessfulLogin
from .filters import FailureFilter, SuccessFilter
from .slices import at_most

#: Where counting ends: a database that may stop early reads no more than it has to.
CAP = 1000
_EVENTS = f"{SuccessfulLogin.Event.LOGIN},{SuccessfulLogin.Event.VERIFIED}"


@dataclass(frozen=True, slots=True)
class Entered:
    """Logins from the same addresses as some failures, in the same time."""

    #: At most `CAP`.
    count: int
    #: What selects them, on the screen of logins.
    filters: dict[str, str]

    @classmethod
    def beside(cls, failures: FailureFilter) -> Entered | None:
        """Return the logins beside the failures on a name, or from networks; else ``None``.

        A name without failures in this time has no addresses from which anybody could get in.
        """
        if not failures.is_valid():
            return None
        given = failures.data
        is_name = given.get("username") and given.get("match") in (None, "", "exact")
        wanted = {
            "net": given.get("net"),
            "failed": given.get("username") if is_name else None,
            **{name: given.get(name) for name in ("time", "after", "before")},
        }
        filters = {name: value for name, value in wanted.items() if value}
        if not {"net", "failed"} & filters.keys():
            return None
        if is_name and not _failures_in(given).exists():
            return None
        filters["event"] = _EVENTS
        found = SuccessFilter(filters, queryset=SuccessfulLogin.objects.all())
        return cls(at_most(found.qs.order_by("-timestamp"), CAP), filters)


def _failures_in(given: Mapping[str, str]) -> Any:
    kept = {name: given[name] for name in ("username", "time", "after", "before") if name in given}
    return FailureFilter(kept, queryset=FailedLogin.objects.all()).qs
