"""Above a list: what its range looks like, and what its filters come to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.contrib.admin.views.main import IGNORED_PARAMS, PAGE_VAR, SEARCH_VAR
from django.http import HttpRequest
from django.utils.functional import cached_property

from ..evidence import bars, loudness
from ..evidence.agents import described
from ..evidence.histograms import HEIGHT, WIDTH, Bar
from ..evidence.loudness import SHARED, Loudness
from ..evidence.selection import RecordFilter
from ..evidence.summaries import CAP, FIELDS, Summary
from ..figures import counted, grouped
from ..models import AccountLock, FailedLogin, SuccessfulLogin
from . import cells
from .times import ago, exact

#: Kind of event -> what lets somebody see it.
_PERMISSIONS: Final = {
    "failures": "lockout_admin.view_failedlogin",
    "refused": "lockout_admin.view_accountlock",
    "successes": "lockout_admin.view_successfullogin",
}


@dataclass(frozen=True)
class Column:
    """A bar of the picture: its numbers, its time, and the list of that time."""

    bar: Bar
    kinds: tuple[str, ...]
    url: str

    @property
    def counts(self) -> list[str]:
        """The numbers of the kinds that are shown."""
        numbers = dict(zip(_PERMISSIONS, self.bar.counts, strict=True))
        return [grouped(numbers[kind]) for kind in self.kinds]

    @cached_property
    def label(self) -> str:
        """From when to when."""
        return f"{exact(self.bar.start)} - {exact(self.bar.end)}"

    @property
    def start(self) -> str:
        """The start, as a filter takes it."""
        return self.bar.start.isoformat()

    @property
    def end(self) -> str:
        """The end, as a filter takes it."""
        return self.bar.end.isoformat()


@dataclass(frozen=True, slots=True)
class Picture:
    """A histogram as the template draws it."""

    columns: list[Column]
    loudness: Loudness
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def cap(self) -> str:
        """How far a bar is counted, of each kind."""
        return grouped(bars.CAP)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that are shown."""
        return self.loudness.histogram.kinds

    @property
    def highest(self) -> str:
        """What the highest bar has."""
        return grouped(self.loudness.histogram.highest)

    @property
    def used(self) -> int:
        """How much of the width has bars."""
        return sum(column.bar.width for column in self.columns)


def picture_of(request: HttpRequest, shown: Any, filterset: RecordFilter) -> Picture | None:
    """Return the picture of a list's range, of what the user may see; ``None``: of nothing."""
    kinds = [kind for kind, need in _PERMISSIONS.items() if request.user.has_perm(need)]
    if not filterset.is_valid():
        return None
    search = shown.model_admin.search_of(request.GET.get(SEARCH_VAR, ""))
    # Filters of one kind of record, or of a site's own, select nothing of another.
    others = shown.filter_params.keys() - {*SHARED, *IGNORED_PARAMS}
    is_of_one = any("".join(shown.filter_params[name]) for name in others)
    listed = _listed(shown) if is_of_one else None
    found = Loudness.of(filterset.data.dict(), kinds, search, listed)
    if found is None or not found.histogram.highest:
        return None
    drawn = found.histogram.kinds
    return Picture(
        [Column(bar, drawn, _zoomed(request, bar)) for bar in found.histogram.bars], found
    )


def _listed(shown: Any) -> dict[str, list[tuple[Any, int]]]:
    """Return the newest of what a list shows, by the kind that it is of."""
    model = shown.model._meta.concrete_model
    if model is AccountLock:
        newest = shown.queryset.order_by("-started_at", "-pk")
        return {"refused": list(newest.values_list("started_at", "refused")[: loudness.SAMPLE + 1])}
    if model is FailedLogin:
        return {"failures": [(moment, 1) for moment, *_rest in _visits(shown)]}
    ended = SuccessfulLogin.Event.LOGOUT
    visits = _visits(shown)
    return {"successes": [(moment, int(event != ended)) for moment, *_rest, event in visits]}


def _visits(shown: Any) -> list[tuple[Any, ...]]:
    """Return what a picture and a strip need of the newest: `FIELDS`, and of a login its event."""
    has_event = shown.model._meta.concrete_model is SuccessfulLogin
    found: list[tuple[Any, ...]] = shown.newest(
        loudness.SAMPLE + 1, *FIELDS, *(["event"] * has_event)
    )
    return found


def _zoomed(request: HttpRequest, bar: Bar) -> str:
    asked = request.GET.copy()
    for name in ("time", PAGE_VAR):
        asked.pop(name, None)
    asked["after"], asked["before"] = bar.start.isoformat(), bar.end.isoformat()
    return f"?{asked.urlencode()}"


@dataclass(frozen=True, slots=True)
class Strip:
    """A summary as the template words it."""

    summary: Summary
    site: str
    target: cells.Target

    @property
    def figures(self) -> dict[str, str]:
        """The numbers, with separators."""
        named = ("rows", "names", "existing", "networks", "refused")
        figures = {name: grouped(getattr(self.summary, name) or 0) for name in named}
        return {**figures, "entered": counted(self.summary.entered or 0, CAP)}

    @property
    def first(self) -> Any:
        """How long ago the oldest of the rows was."""
        return ago(self.summary.first)

    @property
    def last(self) -> Any:
        """How long ago the newest was."""
        return ago(self.summary.last)

    @property
    def networks(self) -> list[tuple[str, str, str]]:
        """The most frequent networks: text, rows, and where they are."""
        return [
            (net, grouped(count), self.target.url(self.site, net=net))
            for net, count in self.summary.top_networks
        ]

    @property
    def agents(self) -> list[tuple[str, str, str, str]]:
        """The most frequent user agents: words, rows, where they are, and all of the text."""
        return [
            (described(text), grouped(count), self._of_agent(text), text)
            for text, count in self.summary.top_agents
        ]

    def _of_agent(self, text: str) -> str:
        return self.target.url(self.site, agent=f'"{text}"')


def _is_about_somebody(request: HttpRequest) -> bool:
    """Tell whether the list is of a name or a source: in all else, honest people enter too."""
    return any(request.GET.get(name) for name in ("username", "net", "agent"))


def strip_of(request: HttpRequest, shown: Any, target: cells.Target, site: str) -> Strip | None:
    """Return the summary of a list that is shown; ``None``: it has no rows."""
    may_see = request.user.has_perm
    summary = Summary.of(
        [row[: len(FIELDS)] for row in _visits(shown)[: loudness.SAMPLE]],
        is_sample=shown.result_count > loudness.SAMPLE,
        with_refused=may_see(_PERMISSIONS["refused"]),
        with_entered=_is_about_somebody(request)
        and target is cells.FAILURES
        and may_see(_PERMISSIONS["successes"]),
    )
    return Strip(summary, site, target) if summary else None
