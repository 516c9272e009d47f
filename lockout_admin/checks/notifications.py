"""Checks of what owners and the security team are told."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as CheckWarning
from django.utils.module_loading import import_string

from ..conf import conf
from ..notifications import entrances, links, notifiers
from ..notifications.notifiers import Notifier, is_one


@register(Tags.security)
def notifiers_exist(**kwargs: Any) -> list[CheckMessage]:
    """E030: a path that leads to no notifier tells nobody."""
    return [
        Error(
            f"LOCKOUT_ADMIN['NOTIFIERS'] has {path!r}, where no notifier is.",
            hint="Name subclasses of lockout_admin.notifications.notifiers.Notifier, which have"
            " all methods.",
            id="lockout_admin.E030",
        )
        for path in conf.notifiers
        if _class_of(path) is None
    ]


@register(Tags.security, deploy=True)
def owners_have_links(**kwargs: Any) -> list[CheckMessage]:
    """W031: without the site's address no link can be made, so that owners are told nothing."""
    if conf.base_url or not any(cls.to_owner for cls in _classes()):
        return []
    return [
        CheckWarning(
            "LOCKOUT_ADMIN['BASE_URL'] is not set: owners get no mail when strangers lock their"
            " names, and no way in.",
            hint="Set it to the site's address, such as 'https://example.org', or NOTIFIERS to ().",
            id="lockout_admin.W031",
        )
    ]


@register(Tags.security)
def links_lead_to_pages(**kwargs: Any) -> list[CheckMessage]:
    """W032: the pages that links lead to are the site's to include."""
    if not notifiers.owners_are_told() or links.path_to("ask"):
        return []
    return [
        CheckWarning(
            "Owners are told of locks, but the pages on which they end one are not there.",
            hint="Add path('account/', include('lockout_admin.urls')) to the site's urls.",
            id="lockout_admin.W032",
        )
    ]


@register(Tags.security)
def owners_find_the_login(**kwargs: Any) -> list[CheckMessage]:
    """W036: "Log in here" leads to the page on which people log in."""
    if not notifiers.owners_are_told() or entrances.login_path():
        return []
    return [
        CheckWarning(
            f"LOGIN_URL is {str(settings.LOGIN_URL)!r}, where no page is, and the site has no admin"
            " to log in to: owners whom a mail lets in are not led to a login.",
            hint="Set LOGIN_URL to the path or the name of the page on which people log in.",
            id="lockout_admin.W036",
        )
    ]


@register(Tags.security, deploy=True)
def links_are_secret(**kwargs: Any) -> list[CheckMessage]:
    """W033: over plain HTTP everybody on the way reads the link."""
    if urlsplit(conf.base_url).scheme != "http":
        return []
    return [
        CheckWarning(
            f"LOCKOUT_ADMIN['BASE_URL'] is {conf.base_url!r}: links go over the wire unencrypted.",
            hint="Serve the site over HTTPS.",
            id="lockout_admin.W033",
        )
    ]


@register(Tags.security, deploy=True)
def somebody_can_be_asked(**kwargs: Any) -> list[CheckMessage]:
    """W034: a lock by hand binds its owner, who wants to know whom to call."""
    if conf.contact or not notifiers.owners_are_told():
        return []
    return [
        CheckWarning(
            "LOCKOUT_ADMIN['CONTACT'] is not set: whoever was locked by hand is not told whom to"
            " ask.",
            hint="Set it to a telephone number, an address, a name.",
            id="lockout_admin.W034",
        )
    ]


@register(Tags.security)
def webhooks_are_signed(**kwargs: Any) -> list[CheckMessage]:
    """W035: a webhook that can't be signed, or has no receiver, posts nothing."""
    if bool(conf.webhook_url) == bool(conf.webhook_secret):
        return []
    missing = "WEBHOOK_SECRET" if conf.webhook_url else "WEBHOOK_URL"
    return [
        CheckWarning(
            f"LOCKOUT_ADMIN[{missing!r}] is not set: the webhook posts nothing.",
            hint="Set both, and list lockout_admin.notifications.webhook.WebhookNotifier in"
            " NOTIFIERS.",
            id="lockout_admin.W035",
        )
    ]


def _classes() -> list[type[Notifier]]:
    return [found for path in conf.notifiers if (found := _class_of(path))]


def _class_of(path: str) -> type[Notifier] | None:
    try:
        found = import_string(path)
    except Exception:  # noqa: BLE001 - a module of the site's may raise anything
        return None
    return found if is_one(found) else None
