"""What a challenged person gets to see, in whichever page the refusal is told."""

from __future__ import annotations

import json
import logging
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from ..exceptions import AccountLocked, ChallengeRequired
from .challenge import COOKIE, in_force

logger = logging.getLogger("lockout_admin")


def rendered(request: Any, refusal: AccountLocked) -> SafeString | str:
    """Return the challenge of a refusal as HTML; empty where there is none."""
    kind = in_force()
    if not isinstance(refusal, ChallengeRequired) or kind is None:
        return ""
    context = {"challenge": json.dumps(refusal.challenge), "cookie": COOKIE}
    try:
        return render_to_string(kind.template, context, request)
    except Exception:
        logger.exception("challenge_not_rendered: see %s.", kind.template)
        return ""
