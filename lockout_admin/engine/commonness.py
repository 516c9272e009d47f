"""Whether a password is on Django's own list of common ones: a yes or a no, and nothing else."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.views.decorators.debug import sensitive_variables

#: No common password is longer.
_LONGEST = 64


@sensitive_variables()
def of(password: Any) -> bool | None:
    """Tell whether `password` is a common one; ``None`` for what is no text, or nothing."""
    if not isinstance(password, str) or not password:
        return None
    return len(password) <= _LONGEST and password.lower().strip() in _common()


@cache
def _common() -> set[str]:
    return CommonPasswordValidator().passwords
