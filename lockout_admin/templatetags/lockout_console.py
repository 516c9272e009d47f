"""What the console's templates need: the first look, and technical text in any language."""

from __future__ import annotations

from typing import Any

from django import template

from ..evidence.bidi import technical, with_addresses
from ..evidence.overview import CAP, Overview

register = template.Library()
register.filter(technical)
register.filter(with_addresses)

_PERMISSIONS = ("lockout_admin.view_accountlock", "lockout_admin.view_failedlogin")


@register.inclusion_tag("lockout_admin/overview.html", takes_context=True)
def lockout_overview(context: Any) -> dict[str, Any]:
    """Show the figures that the user may see."""
    user = context["request"].user
    # One by one: a user model needs no more than has_perm() for the admin.
    may_see = all(map(user.has_perm, _PERMISSIONS))
    return {
        "overview": Overview.now() if may_see else None,
        "sees_policy": user.has_perm("lockout_admin.view_accountlock"),
        "cap": CAP,
        "sees_logins": user.has_perm("lockout_admin.view_successfullogin"),
    }
