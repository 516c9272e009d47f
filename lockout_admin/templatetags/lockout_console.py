"""What the console's templates need: the first look, and technical text in any language."""

from __future__ import annotations

import re
from typing import Any

from django import template
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString

from ..admin.cells import technical
from ..overview import CAP, Overview

#: An address or a network inside a sentence, whose full stop is not part of it.
_ADDRESS = re.compile(r"(?<![\w.:])[0-9a-f]+[.:][0-9a-f.:]*[0-9a-f:](?:/[0-9]+)?", re.IGNORECASE)

register = template.Library()
register.filter("technical", technical)


@register.filter
def addresses(text: str) -> SafeString:
    """Return a sentence whose addresses are written from left to right."""
    return SafeString(_ADDRESS.sub(lambda found: technical(found[0]), conditional_escape(text)))


@register.inclusion_tag("lockout_admin/overview.html", takes_context=True)
def lockout_overview(context: Any) -> dict[str, Any]:
    """Show the figures that the user may see."""
    user = context["request"].user
    may_see = user.has_perms(["lockout_admin.view_accountlock", "lockout_admin.view_failedlogin"])
    return {"overview": Overview.now() if may_see else None, "cap": CAP}
