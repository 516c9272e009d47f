"""Every page, verb and action of the console, for every permission: who comes in, and what is told.

The tables are compared with the admin site: what is not in them fails.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import pytest
from django.contrib.admin import site
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client, RequestFactory
from django.urls import get_resolver, reverse
from django.utils import timezone

from lockout_admin import urls
from lockout_admin.admin import deeds, helping
from lockout_admin.evidence import leads
from lockout_admin.identity.network import number_of
from lockout_admin.identity.subject import Subject
from lockout_admin.incidents import remedies, turns, verbs
from lockout_admin.models import (
    AuditEntry,
    Exemption,
    Incident,
    IncidentEvent,
    IncidentName,
    IncidentNetwork,
    NetworkRule,
    TrustedDevice,
)

from ..measuring import unmeasured

#: Who comes in: any of these sets of permissions; nobody; everybody who is staff; a fixed answer.
Sets = tuple[frozenset[str], ...]
Need = Sets | int


def any_of(*needs: str) -> Sets:
    return tuple(frozenset(need.split()) for need in needs)


NOBODY: Final = 403
NO_SUCH: Final = 405
NAMES: Final = any_of("view_failedlogin", "view_successfullogin", "view_accountlock")
SOURCES: Final = (*NAMES, frozenset(["view_networkrule"]))
LOCKS: Final = any_of("view_accountlock")
UNLOCKS: Final = any_of("view_accountlock unlock_accountlock")
INCIDENTS: Final = any_of("view_incident")
CHANGES: Final = any_of("view_incident change_incident")
RULES: Final = any_of("view_networkrule", "change_networkrule")
ADDS: Final = any_of("add_networkrule")
WRITES: Final = any_of("add_networkrule change_networkrule")


def record(view: Need) -> dict[str, tuple[Need, Need]]:
    """Return the pages that each screen of evidence has, to look only."""
    return {
        "changelist": (view, view),
        "add": (NOBODY, NOBODY),
        "change": (view, NOBODY),
        "history": (view, view),
        "delete": (NOBODY, NOBODY),
    }


def both(need: Need) -> tuple[Need, Need]:
    return need, need


def exported(kind: str) -> dict[str, tuple[Need, Need]]:
    need = any_of(f"view_{kind} export_{kind}")
    return {"export": (need, need)}


#: Model -> page -> who may read it, and who may post to it.
PAGES: Final[dict[str, dict[str, tuple[Need, Need]]]] = {
    kind: {**record(any_of(f"view_{kind}")), **exported(kind)}
    for kind in ("failedlogin", "successfullogin", "accountlock")
}
PAGES["accountlock"] |= {
    "policy": (LOCKS, NO_SUCH),
    "try": (LOCKS, LOCKS),
    "search": (SOURCES, NO_SUCH),
    "name": (NAMES, NO_SUCH),
    "name_unlock": (UNLOCKS, UNLOCKS),
    "network": (SOURCES, NO_SUCH),
}
PAGES["activelock"] = {
    **record(LOCKS),
    "add": both(any_of("view_accountlock lock_accountlock")),
    "export": both(any_of("view_accountlock export_accountlock")),
    # It leads to the record, whoever asks.
    "history": (302, 302),
    "unlock": (UNLOCKS, UNLOCKS),
    "record": (NOBODY, UNLOCKS),
}
PAGES["auditentry"] = record(any_of("view_auditentry"))
PAGES["trusteddevice"] = record(any_of("view_trusteddevice"))
PAGES["exemption"] = record(any_of("view_exemption"))
PAGES["incident"] = {
    **record(INCIDENTS),
    "history": (INCIDENTS, NOBODY),
    "thresholds": (INCIDENTS, NO_SUCH),
    # What is posted repeats what was shown: see the tests of incidents.
    "block": (
        any_of(
            "view_incident change_incident view_successfullogin view_networkrule add_networkrule"
        ),
        NOBODY,
    ),
    "merge": (CHANGES, NOBODY),
}
PAGES["networkrule"] = {
    **record(RULES),
    "add": (ADDS, ADDS),
    "change": (RULES, any_of("change_networkrule")),
    "delete": both(any_of("delete_networkrule")),
    "export": both(
        any_of("view_networkrule export_networkrule", "change_networkrule export_networkrule")
    ),
    "import": (WRITES, WRITES),
    # What is posted repeats what was shown: see the tests of imports.
    "process_import": (NO_SUCH, NOBODY),
}

TELLS: Final = any_of("view_incident change_incident view_successfullogin")
CHANGES_USERS: Final = any_of("view_incident change_incident view_successfullogin change_user")
#: How those whose accounts were entered are helped, once it is confirmed -> who may.
HELPS: Final[dict[str, Need]] = {
    "tell": TELLS,
    "lock": any_of("view_incident change_incident view_successfullogin lock_accountlock"),
    "sessions": CHANGES_USERS,
    "passwords": CHANGES_USERS,
}
#: What is done about an incident -> who may.
VERBS: Final[dict[str, Need]] = {
    **dict.fromkeys(["acknowledge", "name", "note", "close", "reopen"], CHANGES),
    "bundle": any_of(
        "view_incident view_failedlogin view_successfullogin export_failedlogin"
        " export_successfullogin"
    ),
}

#: Model -> action of its list -> who is offered it.
ACTIONS: Final[dict[str, dict[str, Need]]] = {
    **{
        kind: {"export_selected": any_of(f"view_{kind} export_{kind}")}
        for kind in ("failedlogin", "successfullogin", "accountlock")
    },
    "activelock": {
        "unlock": UNLOCKS,
        "export_selected": any_of("view_accountlock export_accountlock"),
    },
    "networkrule": {
        "export_selected": PAGES["networkrule"]["export"][0],
        "delete_selected": any_of("delete_networkrule"),
    },
    "trusteddevice": {"revoke": any_of("view_trusteddevice revoke_trusteddevice")},
    "exemption": {"undo": any_of("view_exemption change_exemption")},
    "auditentry": {},
    "incident": {},
}

#: Every permission that has a meaning here, each given alone.
ALONE: Final = [
    *("view_failedlogin", "view_successfullogin", "view_accountlock", "view_networkrule"),
    *("view_trusteddevice", "view_incident", "view_exemption", "view_auditentry"),
    *("export_failedlogin", "export_successfullogin", "export_accountlock", "export_networkrule"),
    *("lock_accountlock", "unlock_accountlock", "revoke_trusteddevice", "receive_alerts"),
    *("change_incident", "change_exemption", "view_user", "change_user"),
    *("add_networkrule", "change_networkrule", "delete_networkrule"),
]


@dataclass(frozen=True)
class Page:
    """One way to ask: a method, an address, who may."""

    name: str
    method: str
    url: str
    need: Need


def is_met(need: Need, held: set[str]) -> bool:
    return not isinstance(need, int) and any(one <= held for one in need)


def patterns() -> dict[str, set[str]]:
    """Return what the admin site has: the names of the pages of each model of the app."""
    found: dict[str, set[str]] = {}
    for model, screen in site._registry.items():
        if model._meta.app_label == "lockout_admin":
            kind = str(model._meta.model_name)
            pages = {str(one.name).removeprefix(f"lockout_admin_{kind}_") for one in screen.urls}
            # The last one of Django's leads from an old address to the page.
            found[kind] = pages - {"None"}
    return found


# -- The data set -------------------------------------------------------------------------------


@pytest.fixture
def world(clock: Any, fail: Any, enter: Any, lock: Any) -> dict[str, Any]:
    """One of everything; each name and text stands in one kind of record only."""
    users = get_user_model().objects
    now = timezone.now()
    # It is nobody's turn for ten seconds: what is made up here stays as it is.
    turns.group_if_due()
    users.create_user("hugo-of-no-record", "hugo@secret.example", "right")
    ellen = users.create_user("ellen", "ellen@secret.example", "right")
    failure = fail("walter-failed", ip_address="192.0.2.7", ago=7200)
    login = enter("ingrid-in", ago=17_207, account="77")
    device = TrustedDevice.objects.create(
        pk=7, account=str(ellen.pk), until=now + timedelta(days=9), ip_address="192.0.2.9"
    )
    enter("ellen", ago=26_173, account=str(ellen.pk), device=device.pk)
    locked = lock("luke-locked")
    found = {"started_at": now - timedelta(hours=2), "last_seen_at": now}
    incident = Incident.objects.create(
        kind="brute-force", about="anna-about", sign="name", counted=9, least=7, entered=1, **found
    )
    one = {"incident": incident, "exists": True}
    for name, more in (
        ("tom-tried", {}),
        ("ellen", {"entered_at": now - timedelta(seconds=40_081), "account": str(ellen.pk)}),
    ):
        IncidentName.objects.create(subject=Subject.of(name).key, username=name, **one, **more)
    IncidentNetwork.objects.create(
        incident=incident, network="192.0.2.7/32", number=number_of("192.0.2.7/32"), entered=1
    )
    IncidentEvent.objects.create(incident=incident, what="found", text="9 tries on anna-about")
    IncidentEvent.objects.create(incident=incident, what="entered", text="ellen")
    other = Incident.objects.create(kind="dictionary", about="mia-merged", **found)
    verbs.merge(incident, [other], "olga")
    beside = Incident.objects.create(kind="stuffing", about="nora-stands-out", **found)
    verbs.helped(incident, "1 account entered was helped", "olga")
    remedies.lock(incident, "olga", "a call")
    rule = NetworkRule.objects.create(cidr="198.51.100.0/24", action="block", reason="why-blocked")
    taught = Exemption.objects.create(user_agent="our-scanner/1.0", verdict="scanner")
    audit = AuditEntry.objects.create(actor="olga", action="change", details="what-staff-did")
    return {
        "failedlogin": failure,
        "successfullogin": login,
        "trusteddevice": device,
        "accountlock": locked,
        "activelock": locked,
        "incident": incident,
        "beside": beside,
        "networkrule": rule,
        "exemption": taught,
        "auditentry": audit,
    }


def address(kind: str, page: str, world: dict[str, Any]) -> str:
    if (kind, page) == ("accountlock", "network"):
        return leads.to_network("admin", "192.0.2.7")
    args: list[Any] = []
    if (kind, page) in {("accountlock", "name"), ("accountlock", "name_unlock")}:
        args = [leads.to_name("admin", "luke-locked").split("/")[-2]]
    elif page in {"change", "history", "delete", "unlock", "block", "merge"}:
        args = [world[kind].pk]
    url = reverse(f"admin:lockout_admin_{kind}_{page}", args=args)
    if page == "merge":
        return f"{url}?other={world['beside'].pk}"
    # A name that is asked for is no secret.
    return f"{url}?luke-locked" if page.startswith("name") else url


#: What a list is asked for beside: each filter that could tell more than the rows do.
QUESTIONS: Final = [
    *("?time=all", "?time=all&username=ellen", "?time=all&net=192.0.2.0/24", "?q=ellen"),
    *("?q=anna-about", "?q=192.0.2.7", "?q=nobody-has-this"),
]
#: What is typed into the search box.
TYPED: Final = [
    *("hugo", "hugo-of-no-record", "hugo@secret.example", "secret.example", "ellen", "nobody"),
    *("-", "anna", "192.0.2.7", "192.0.2.0/24", "luke"),
]


def every_page(world: dict[str, Any]) -> Iterator[Page]:
    for kind, pages in PAGES.items():
        for page, (reads, posts) in pages.items():
            url = address(kind, page, world)
            yield Page(f"{kind} {page}", "get", url, reads)
            yield Page(f"{kind} {page}", "post", url, posts)
    deed = "admin:lockout_admin_incident_do"
    for verb, need in VERBS.items():
        url = reverse(deed, args=[world["incident"].pk, verb])
        yield Page(f"incident {verb}", "get", url, NO_SUCH)
        yield Page(f"incident {verb}", "post", url, need)
    for verb, need in HELPS.items():
        url = reverse("admin:lockout_admin_incident_help", args=[world["incident"].pk, verb])
        yield Page(f"incident help {verb}", "get", url, need)
        # Nobody can be told here; the others are posted with what was shown.
        yield Page(f"incident help {verb}", "post", url, need if verb == "tell" else NOBODY)


def every_question(world: dict[str, Any]) -> Iterator[str]:
    """Yield addresses whose answers could tell something: for whoever is let in."""
    for kind, pages in PAGES.items():
        if "search" in pages:
            search = address(kind, "search", world)
            yield from (f"{search}?q={text}&list=" for text in TYPED)
        yield from (address(kind, "changelist", world) + query for query in QUESTIONS)
    incident = world["incident"].pk
    yield f"{address('failedlogin', 'changelist', world)}?time=all&incident={incident}"
    yield f"{address('incident', 'change', world)}?all=1"
    for name in ("ellen", "hugo-of-no-record", "nobody-has-this", "luke-locked", "ingrid-in"):
        # The name is asked for, and so no secret.
        yield f"{leads.to_name('admin', name)}?{name}"
    yield leads.to_network("admin", "192.0.2.0/24")
    yield reverse("admin:index")
    yield reverse("admin:app_list", args=["lockout_admin"])
    query = "?term=&app_label=lockout_admin&model_name={}&field_name={}".format
    for model, field in (("exemption", "incident"), ("incident", "merged_into")):
        yield reverse("admin:autocomplete") + query(model, field)


#: What stands on a page -> who may read it there.
SECRETS: Final[dict[str, Need]] = {
    "walter-failed": any_of("view_failedlogin"),
    "ingrid-in": any_of("view_successfullogin"),
    "luke-locked": LOCKS,
    "anna-about": any_of("view_incident view_failedlogin"),
    "tom-tried": any_of("view_incident view_failedlogin"),
    "mia-merged": any_of("view_incident view_failedlogin"),
    "nora-stands-out": any_of("view_incident view_failedlogin"),
    # Which names exist: told by the lists of failures and of users.
    "hugo-of-no-record": any_of("view_failedlogin", "view_user", "change_user"),
    "no account of this spelling": any_of("view_failedlogin"),
    "No account has": any_of("view_failedlogin", "view_user", "change_user"),
    "exists": any_of("view_failedlogin"),
    "of accounts": any_of("view_failedlogin"),
    # Whose they are.
    "secret.example": any_of("view_user", "change_user"),
    # When somebody logged in, and who got in.
    ":13:13": any_of("view_successfullogin"),
    ":43:47": any_of("view_successfullogin"),
    ":51:59": any_of("view_successfullogin"),
    "entered": any_of("view_successfullogin"),
    "why-blocked": RULES,
    "our-scanner": any_of("view_exemption"),
    "what-staff-did": any_of("view_auditentry"),
}


def told(page: str, held: set[str], asked: str) -> list[str]:
    """Return the secrets on a page that are not for whoever reads it."""
    # What was typed comes back.
    shown = page.replace("lockout-entered", "")
    return [
        text
        for text, need in SECRETS.items()
        if text in shown and text not in asked and not is_met(need, held)
    ]


@pytest.fixture(autouse=True)
def _each_refusal_is_not_logged_with_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger("django.request"), "disabled", True)


def member(held: set[str]) -> Client:
    """Return the browser of a member of staff with these permissions."""
    users = get_user_model().objects
    user, _created = users.get_or_create(username="sam-of-staff", defaults={"is_staff": True})
    user.user_permissions.set(Permission.objects.filter(codename__in=held))
    client = Client()
    client.force_login(user)
    return client


def read(answer: Any) -> str:
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    answer.getvalue()
    return str(body.decode(errors="replace"))


# -- The tables are whole -----------------------------------------------------------------------


def test_no_page_is_missing_in_the_table() -> None:
    there = patterns()
    # The verbs have a table of their own.
    there["incident"] -= {"do", "help"}
    assert {kind: set(pages) for kind, pages in PAGES.items()} == there
    assert set(VERBS) == set(deeds._DEEDS)
    assert set(HELPS) == set(helping._HELPS)


def test_no_action_is_missing_in_the_table(admin_user: Any) -> None:
    request = RequestFactory().get("/")
    request.user = admin_user
    there = {
        str(model._meta.model_name): set(screen.get_actions(request))
        for model, screen in site._registry.items()
        if model._meta.app_label == "lockout_admin"
    }
    assert there == {kind: set(actions) for kind, actions in ACTIONS.items()}


def test_no_permission_is_missing_in_the_table(db: None) -> None:
    own = Permission.objects.filter(content_type__app_label="lockout_admin")
    there = {one for one in own.values_list("codename", flat=True) if not _is_of_no_page(one)}
    assert there == set(ALONE) - {"view_user", "change_user"}


def _is_of_no_page(codename: str) -> bool:
    # Django makes four for a table without a screen.
    return codename.endswith("_useragent")


def test_owners_have_four_pages_and_no_more() -> None:
    assert [one.name for one in urls.urlpatterns] == ["ask", "code", "fresh", "link"]
    assert get_resolver().reverse_dict.getlist("login")


# -- Who comes in, and what is told -------------------------------------------------------------


def test_nobody_comes_in_without_being_staff(world: Any, alice: Any) -> None:
    owner = Client()
    owner.force_login(alice)
    for browser in (Client(), owner):
        for page in every_page(world):
            answer = unmeasured(getattr(browser, page.method))(page.url)
            assert answer.status_code == 302, page
            assert answer.url.startswith("/admin/login/"), page


@pytest.mark.parametrize("codename", ["", *ALONE])
def test_one_permission_opens_its_pages_and_no_other(world: Any, codename: str) -> None:
    held = {codename} - {""}
    browser = member(held)
    faults: list[tuple[Any, ...]] = []
    for page in every_page(world):
        answer = unmeasured(getattr(browser, page.method))(page.url)
        expected = page.need if isinstance(page.need, int) else (200, 302)
        if not isinstance(page.need, int) and not is_met(page.need, held):
            expected = 403
        allowed = expected if isinstance(expected, tuple) else (expected,)
        is_right = answer.status_code in allowed
        faults += [(page.name, page.method, answer.status_code, expected)] * (not is_right)
        faults += [(page.name, text) for text in told(read(answer), held, page.url)]
    for url in every_question(world):
        faults += [(url, text) for text in told(read(unmeasured(browser.get)(url)), held, url)]
    assert faults == []


def several(pages: list[Page]) -> list[frozenset[str]]:
    """Return the needs of more than one permission."""
    needs = {one for page in pages if not isinstance(page.need, int) for one in page.need}
    more = [one for one in needs if len(one) > 1]
    return sorted(more, key=lambda one: sorted(one))


def test_what_takes_several_permissions_takes_each_of_them(world: Any) -> None:
    pages = list(every_page(world))
    faults = []
    for need in several(pages):
        mine = [page for page in pages if not isinstance(page.need, int) and need in page.need]
        for missing in (*need, ""):
            held = need - {missing}
            browser = member(set(held))
            for page in mine:
                answer = unmeasured(getattr(browser, page.method))(page.url)
                answer.getvalue()
                expected = {200, 302} if is_met(page.need, set(held)) else {403}
                is_right = answer.status_code in expected
                faults += [(page.name, page.method, missing, answer.status_code)] * (not is_right)
    assert faults == []


def test_nothing_is_posted_without_the_token_of_the_form(world: Any) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(get_user_model().objects.create_superuser("root"))
    posts = [page for page in every_page(world) if page.method == "post"]
    statuses = {page.name: browser.post(page.url).status_code for page in posts}
    assert set(statuses.values()) == {403}


@pytest.mark.parametrize("kind", ACTIONS)
def test_who_may_only_look_is_offered_no_action_and_can_forge_none(world: Any, kind: str) -> None:
    model = "accountlock" if kind == "activelock" else kind
    browser = member({f"view_{model}"})
    url = reverse(f"admin:lockout_admin_{kind}_changelist")
    assert browser.get(url).context["action_form"] is None
    for action in ACTIONS[kind]:
        form = {"action": action, "_selected_action": world[kind].pk, "reason": "x", "post": "yes"}
        answer = browser.post(url, form)
        assert answer.status_code in {200, 302, 403}
        assert "token" not in dict((answer.context or {}).get("hidden", []))
    row = type(world[kind])._base_manager.get(pk=world[kind].pk)
    assert getattr(row, "ended_at", None) is None
