"""The evidence of an incident as one file: what it is, who and what is in it, its failures."""

from __future__ import annotations

import json
import logging
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from django.db.models import Max
from django.forms.models import model_to_dict
from django.http import FileResponse, HttpRequest
from django.utils import timezone

from ..evidence import events
from ..evidence.composition import of_incident
from ..exports.export import Export
from ..exports.formats import JSONLines
from ..exports.resources import FailedLoginResource, RecordResource, SuccessfulLoginResource
from ..identity.client import Client
from ..models import (
    AuditEntry,
    FailedLogin,
    Incident,
    IncidentEvent,
    IncidentName,
    IncidentNetwork,
    RefusedTries,
    SuccessfulLogin,
)
from ..models.walks import walk

#: Rows of failures, and of logins, that a bundle has at most; it says so where there are more.
MOST: Final = 100_000
_KEYS: Final = 500
_IN_MEMORY: Final = 5_000_000
_COLUMNS: Final[dict[str, tuple[Any, list[str]]]] = {
    "names.jsonl": (
        IncidentName,
        ["username", "exists", "evaluated", "refused", "entered_at", "account", "how"],
    ),
    "networks.jsonl": (
        IncidentNetwork,
        ["network", "evaluated", "refused", "entered", "honest"],
    ),
    "events.jsonl": (IncidentEvent, ["when", "what", "by", "text"]),
}
_OF_REFUSALS: Final = ["timestamp", "username", "ip_address", "times"]
_ABOUT: Final = {
    "incident.json": "What it is: all figures of it.",
    "names.jsonl": "Names that were tried: passwords compared, tries refused, who was entered.",
    "networks.jsonl": "Networks that it came from.",
    "events.jsonl": "What was found and done, and by whom: at the moment when it was.",
    "refused.jsonl": "Tries that a lock refused, some in a line (times); kept for some days.",
    "failures-of-names.jsonl": "Passwords that were compared and wrong, on these names.",
    "failures-from-networks.jsonl": "The same from these networks: many are in both files.",
    "logins.jsonl": "Logins with the names whose accounts were entered.",
}


def answer(request: HttpRequest, incident: Incident, by: str) -> FileResponse:
    """Return the file; who took it is on record before the first byte goes out."""
    AuditEntry.objects.create(
        actor=by,
        action=AuditEntry.Action.EXPORT,
        label="incidents",
        details=f"Evidence of incident {incident.pk}.",
    )
    fields: dict[str, Any] = {
        "event.action": "export",
        "source.ip": Client.of(request).ip_address,
        "export.model": "lockout_admin.incident",
        "export.selection": f"incident {incident.pk}",
    }
    events.write(logging.WARNING, "authz_admin", "unknown", by, category="iam", **fields)
    file: Any = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - Django closes
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        sums = {name: _put(archive, name, lines) for name, lines in _files(incident)}
        taken = {"incident": incident.pk, "taken_by": by, "taken_at": timezone.now()}
        archive.writestr("manifest.json", _json(taken | {"about": _ABOUT, "sha256": sums}))
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=f"incident-{incident.pk}.zip")


def _put(archive: zipfile.ZipFile, name: str, lines: Iterable[bytes]) -> str:
    """Write a file; return its SHA-256, so that whoever gets it later can tell it is the same."""
    digest = sha256()
    with archive.open(name, "w") as part:
        for line in lines:
            digest.update(line)
            part.write(line)
    return digest.hexdigest()


def _files(incident: Incident) -> Iterator[tuple[str, Iterable[bytes]]]:
    yield "incident.json", [_json(model_to_dict(incident) | _more(incident)).encode()]
    for name, (model, columns) in _COLUMNS.items():
        yield name, _lines(model.objects.filter(incident=incident), columns)
    refused = of_incident(RefusedTries.objects.fresh(), incident)
    yield "refused.jsonl", _lines(_most(refused), _OF_REFUSALS, by="timestamp")
    for name, resource, rows in _records(incident):
        yield name, Export(rows, resource, JSONLines()).chunks()


def _more(incident: Incident) -> dict[str, Any]:
    return {"id": incident.pk, "found_at": incident.found_at, "most_rows_of_a_file": MOST}


def _json(value: Any) -> str:
    return json.dumps(value, default=_shown, ensure_ascii=False)


def _shown(value: Any) -> str:
    # As exports have moments.
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)


def _lines(found: Any, columns: list[str], by: str = "pk") -> Iterator[bytes]:
    for rows in walk(found, columns, 2_000, by=by):
        for row in rows:
            yield (_json(dict(zip(columns, row, strict=False))) + "\n").encode()


def _records(incident: Incident) -> Iterator[tuple[str, RecordResource, Any]]:
    """Yield the failures on the names, from the networks, and the logins of those entered."""
    span = {"timestamp__range": (incident.started_at, incident.last_seen_at)}
    subjects = IncidentName.objects.filter(incident=incident)
    # Whoever guessed a password comes in after the last of what was tried.
    last = subjects.aggregate(last=Max("entered_at"))["last"] or incident.last_seen_at
    entered = {"timestamp__range": (incident.started_at, max(last, incident.last_seen_at))}
    numbers = IncidentNetwork.objects.filter(incident=incident)
    named = subjects.order_by("-refused", "pk").values_list("subject", flat=True)[:_KEYS]
    came = numbers.order_by("-refused", "pk").values_list("number", flat=True)[:_KEYS]
    inside = subjects.filter(entered_at__isnull=False).values_list("subject", flat=True)[:_KEYS]
    of_names = FailedLogin.objects.filter(subject__in=list(named), **span)
    from_networks = FailedLogin.objects.filter(network__in=list(came), **span)
    logins = SuccessfulLogin.objects.filter(subject__in=list(inside), **entered)
    failed: Any = FailedLoginResource()
    yield "failures-of-names.jsonl", failed, _most(of_names)
    yield "failures-from-networks.jsonl", failed, _most(from_networks)
    yield "logins.jsonl", SuccessfulLoginResource(), _most(logins)


def _most(rows: Any) -> Any:
    newest = rows.order_by("-timestamp", "-pk").values_list("timestamp", flat=True)
    last = list(newest[MOST : MOST + 1])
    return rows.filter(timestamp__gt=last[0]) if last else rows
