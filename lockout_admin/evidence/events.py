"""The one writer of the log: a record an event, in the OWASP vocabulary, with ECS fields.

Everything a stranger typed is JSON with ASCII escapes, so that no line can be forged (CWE-117,
ASVS 5.0 16.4.1).
"""

from __future__ import annotations

import json
import logging
from typing import Any

logger = logging.getLogger("lockout_admin")


def write(
    level: int,
    code: str,
    outcome: str,
    username: str,
    *,
    category: str = "authentication",
    **fields: Any,
) -> None:
    """Write a record: `code` of the OWASP vocabulary, `outcome` of ECS."""
    record = {
        "event.category": category,
        "event.code": code,
        "event.outcome": outcome,
        "user.name": username,
        **fields,
    }
    # `extra` is for JSON formatters, which do their own escaping; the message is for everyone else.
    logger.log(level, "%s %s", code, json.dumps(record), extra={"event": code, "ecs": record})
