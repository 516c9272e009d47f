"""Every page of the console that shows records, with filters: name and URL.

Those of any time are as full on small tables as on big ones, so that their plans are compared.
"""

from __future__ import annotations

from typing import Final

from lockout_admin.evidence import leads

from .cast import LOUD_ADDRESS, LOUD_NAME, RARE_ADDRESS, RARE_NAME

_APP: Final = "/admin/lockout_admin/"
FAILURES: Final = f"{_APP}failedlogin/"
SUCCESSES: Final = f"{_APP}successfullogin/"
ACTIVE: Final = f"{_APP}activelock/"
HISTORY: Final = f"{_APP}accountlock/"
INCIDENTS: Final = f"{_APP}incident/"
AUDIT: Final = f"{_APP}auditentry/"

_VISITS: Final = {
    "": "",
    "last 30 days": "?time=30d",
    "any time": "?time=all",
    "by network": "?time=all&net=32.0.0.0/3",
    "busy address": f"?time=all&net={LOUD_ADDRESS}",
    "of a day from a network": "?net=32.0.0.0/3",
    "by user agent": "?time=all&agent=Chrome/1",
    "of a day by user agent": "?agent=Chrome/1",
    "rare user agent": "?time=all&agent=needle",
    "no such user agent": "?time=all&agent=haystack",
    "by path": "?time=24h&path=api",
    "busy name": f"?time=all&username={LOUD_NAME}",
    "busy name of a day": f"?username={LOUD_NAME}",
    "rare name": f"?time=all&username={RARE_NAME}",
    "no such name": "?time=all&username=nobody",
    "beginning": "?time=all&username=user&match=prefix",
    "part of a name": "?time=24h&username=ser&match=contains",
    "search": "?time=all&q=64.0.0.0/2",
    "search for a name": f"?time=all&q={LOUD_NAME}",
    "by address": "?time=all&o=4",
    "oldest first": "?time=all&o=1",
    "deep": "?time=all&p=100",
    "nothing in a day": "?username=nobody",
}
_FAILURES: Final = {
    "by outcome": "?time=all&outcome=locked",
    "usual outcome": "?time=all&outcome=counted",
    "of accounts": "?time=24h&account=yes",
    "of no accounts": "?time=24h&account=no",
    "repeated": "?time=24h&repeated=yes",
    "common": "?time=24h&common=yes",
    "pattern of names": "?time=24h&pattern=names",
    "pattern of addresses": "?time=24h&pattern=addresses",
    "pattern of agents": "?time=24h&pattern=agents",
    "of an incident": "?time=all&incident=2",
    "of an incident, oldest first": "?time=all&incident=2&o=1",
    "network, oldest first": "?time=all&net=32.0.0.0/3&o=1",
}
_SUCCESSES: Final = {
    "without session": "?time=all&event=verified",
    "of an account": "?time=all&account=2",
    "of a busy account": "?time=all&account=1",
    "after failures": f"?time=all&failed={RARE_NAME}",
    "after many failures": f"?time=all&failed={LOUD_NAME}",
}
_LOCKS: Final = {
    "": "",
    "page 15": "?p=15",
    "search": "?q=user1",
    "by hand": "?reason=manual",
    "by somebody": "?by=staff",
    "of a name": f"?username={RARE_NAME}",
    "beginning": "?username=user&match=prefix",
}
_HISTORY: Final = {
    "any time": "?time=all",
    "open": "?time=all&state=open",
    "expired": "?time=all&state=expired",
    "released": "?time=all&state=released",
}
_OTHERS: Final = {
    "first page": "/admin/",
    "overview": _APP,
    "overview, first time": _APP,
    "incidents": INCIDENTS,
    "incidents, closed": f"{INCIDENTS}?state=closed",
    "incidents, over": f"{INCIDENTS}?going=no",
    "incidents, kind": f"{INCIDENTS}?kind=spraying",
    "incidents, search": f"{INCIDENTS}?q={RARE_NAME}",
    "incidents, search for a network": f"{INCIDENTS}?q={LOUD_ADDRESS}",
    "incident": f"{INCIDENTS}1/change/",
    "incident, all of it": f"{INCIDENTS}1/change/?all=1",
    "big incident": f"{INCIDENTS}2/change/",
    "big incident, all of it": f"{INCIDENTS}2/change/?all=1",
    "merge two incidents": f"{INCIDENTS}1/merge/?other=3",
    "block the networks of one": f"{INCIDENTS}1/block/",
    "block many networks": f"{INCIDENTS}2/block/",
    "thresholds": f"{INCIDENTS}thresholds/",
    "audit": AUDIT,
    "audit of somebody busy": f"{AUDIT}?by=staff",
    "audit of somebody": f"{AUDIT}?by={RARE_NAME}",
    "audit on a name": f"{AUDIT}?on=user2",
    "audit of a kind": f"{AUDIT}?action=lock",
    "audit, search": f"{AUDIT}?q=user2",
    "exemptions": f"{_APP}exemption/",
    "devices": f"{_APP}trusteddevice/",
    "network rules": f"{_APP}networkrule/",
    "network rules, search": f"{_APP}networkrule/?net={LOUD_ADDRESS}",
    "policy": f"{HISTORY}policy/",
    "find a name": f"{HISTORY}search/?q=user77&list",
    "find an account's address": f"{HISTORY}search/?q=user77@example.com&list",
    "find a part": f"{HISTORY}search/?q=ser77&list",
    "find nothing": f"{HISTORY}search/?q=haystack&list",
    "find an address": f"{HISTORY}search/?q={LOUD_ADDRESS}&list",
    "find a network": f"{HISTORY}search/?q=32.0.0.0/8&list",
    # Locked in tables of any size: else one page has a form that the other has not.
    "a name": leads.to_name("admin", "user4"),
    "a busy name": leads.to_name("admin", LOUD_NAME),
    "a rare name": leads.to_name("admin", RARE_NAME),
    "nobody's name": leads.to_name("admin", "haystack"),
    "an address": leads.to_network("admin", RARE_ADDRESS),
    "a busy address": leads.to_network("admin", LOUD_ADDRESS),
    "a range": leads.to_network("admin", "32.0.0.0/20"),
    "a busy range": leads.to_network("admin", "32.0.0.0/3"),
    "all networks": leads.to_network("admin", "0.0.0.0/0"),
    "export of failures": f"{FAILURES}export/",
    "export of all failures": f"{FAILURES}export/?time=all",
    "export of a busy name": f"{FAILURES}export/?time=all&username={LOUD_NAME}",
    "export of logins": f"{SUCCESSES}export/?time=all",
    "export of locks": f"{HISTORY}export/?time=all",
    "export of active locks": f"{ACTIVE}export/",
    "export of rules": f"{_APP}networkrule/export/",
}


def _named(kind: str, url: str, queries: dict[str, str]) -> dict[str, str]:
    return {f"{kind}, {name}".rstrip(", "): f"{url}{query}" for name, query in queries.items()}


PAGES: Final[dict[str, str]] = {
    **_OTHERS,
    **_named("failures", FAILURES, _VISITS | _FAILURES),
    **_named("logins", SUCCESSES, _VISITS | _SUCCESSES),
    **_named("active locks", ACTIVE, _LOCKS),
    **_named("lock history", HISTORY, _LOCKS | _HISTORY),
}
