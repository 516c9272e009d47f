"""What the console's templates need: the first look, and technical text in any language."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.module_loading import import_string

from ..evidence import leads
from ..evidence.bidi import set_apart, technical, with_addresses
from ..evidence.sight import Sight
from ..evidence.watching import notice
from ..figures import grouped

register = template.Library()
register.filter(grouped)
register.filter(technical)
register.filter(set_apart)
register.filter(with_addresses)


def _of_admin(name: str, context: Any) -> dict[str, Any]:
    """Ask the console; a site without Django's admin loads this module all the same."""
    look: Any = import_string(f"lockout_admin.admin.looks.{name}")
    found: dict[str, Any] = look(context["request"])
    return found


@register.inclusion_tag("lockout_admin/overview.html", takes_context=True)
def lockout_overview(context: Any) -> dict[str, Any]:
    """Show the figures that the user may see."""
    return _of_admin("overview", context)


@register.inclusion_tag("lockout_admin/headline.html", takes_context=True)
def lockout_headline(context: Any) -> dict[str, Any]:
    """Show in one line whether the site is under attack."""
    return _of_admin("headline", context)


@register.inclusion_tag("lockout_admin/watching.html")
def lockout_watching() -> dict[str, Any]:
    """Say so where the site only watches."""
    return {"notice": notice()}


@register.inclusion_tag("lockout_admin/search_box.html", takes_context=True)
def lockout_search(context: Any, *, focus: bool = True) -> dict[str, Any]:
    """Show the search box, for whoever has anything to find; `focus`: it waits for the keys."""
    request = context["request"]
    site = getattr(request, "current_app", "") or request.resolver_match.namespace
    sees_some = Sight.of(request.user.has_perm).networks and not context.get("is_popup")
    return {
        "search_url": leads.to_search(site) if sees_some else "",
        "asked": request.GET.get("q", "") if context.get("found") else "",
        "focus": focus,
    }
