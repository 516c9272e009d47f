"""What the console's templates need: the first look, and technical text in any language."""

from __future__ import annotations

from typing import Any

from django import template

from ..bidi import technical, with_addresses
from ..overview import CAP, Overview

register = template.Library()
register.filter(technical)
register.filter(with_addresses)


@register.inclusion_tag("lockout_admin/overview.html", takes_context=True)
def lockout_overview(context: Any) -> dict[str, Any]:
    """Show the figures that the user may see."""
    user = context["request"].user
    may_see = user.has_perms(["lockout_admin.view_accountlock", "lockout_admin.view_failedlogin"])
    return {"overview": Overview.now() if may_see else None, "cap": CAP}
