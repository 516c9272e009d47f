"""Where the pages for names, for networks and for questions are; empty where a site has none."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse

from ..identity.sealing import sealed


def to_name(site: str, name: str) -> str:
    """Return the URL of the page for a name, which does not have the name in it."""
    return _url("accountlock_name", site, sealed(name))


def to_network(site: str, network: str) -> str:
    """Return the URL of the page for an address or a network."""
    return _url("accountlock_network", site, network)


def to_incident(site: str, number: int) -> str:
    """Return the URL of the page for an incident."""
    return _url("incident_change", site, number)


def to_search(site: str) -> str:
    """Return the URL of the page that answers questions."""
    return _url("accountlock_search", site)


def to_policy(site: str) -> str:
    """Return the URL of the page of the rules in force."""
    return _url("accountlock_policy", site)


def to_records(site: str, model: str, **filters: str) -> str:
    """Return the URL of the records that filters select, of any time."""
    return to_page(site, f"{model}_changelist", time="all", **filters)


def to_page(site: str, page: str, **query: str) -> str:
    """Return the URL of another page of the console, with a query."""
    url = _url(page, site)
    return f"{url}?{urlencode(query)}" if url else ""


def _url(page: str, site: str, *args: Any) -> str:
    try:
        return reverse(f"admin:lockout_admin_{page}", args=args, current_app=site)
    except NoReverseMatch:
        return ""
