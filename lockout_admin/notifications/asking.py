"""Whoever asks for a mail: how many one network may ask for, counted in the store.

Who asks from a mail reads the owner's: no count of strangers is in the way.
"""

from __future__ import annotations

from typing import Any, Final

from ..conf import conf
from ..engine.store import store
from ..identity.client import Client
from ..identity.network import network_of
from ..identity.subject import digest
from . import due, links, sieges

_HOUR_SECS: Final = 60 * 60
_SALT: Final = "lockout_admin.asking"


def ask(typed: str, client: Client) -> str:
    """Have a mail sent, if the network may ask; return the nonce for the browser's cookie."""
    if _has_asked_enough(client):
        return links.made_up()
    return due.help_is_asked_for(typed, client)


def ask_afresh(user: Any, client: Client) -> str:
    """Have a mail sent to whom a mail belongs; empty: it was enough for today."""
    return "" if sieges.has_enough(user) else due.help_is_asked_for_again(user, client)


def _has_asked_enough(client: Client) -> bool:
    network = network_of(client.ip_address)
    if network is None:
        # Everybody's, maybe: the limit of the account and the cap of the site have to do.
        return False
    key = f"lockout_admin:{{asked:{digest(_SALT, network):x}}}"
    if store.add(key, 1, _HOUR_SECS):
        return False
    return (store.increment(key) or 0) > conf.asked_mails_per_network
