"""Who may not see successful logins does not learn of one from what was never tried."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from lockout_admin.evidence import leads
from lockout_admin.identity.network import number_of
from lockout_admin.identity.subject import Subject
from lockout_admin.incidents import entries
from lockout_admin.incidents.growing import Growth
from lockout_admin.incidents.tries import Login
from lockout_admin.incidents.varieties import Notes
from lockout_admin.models import Incident, IncidentName, IncidentNetwork, Outbox

from .conftest import list_url, page_url
from .test_importing import send
from .test_networks import FORM, errors

NOBODY_KNOWS = ("view_incident", "view_failedlogin")
KNOWS = (*NOBODY_KNOWS, "view_successfullogin")
#: Where somebody came in from who was not found by what was tried.
ENTRY = "203.0.113.99/32"


@pytest.fixture
def who_may(db: None) -> Callable[..., Client]:
    """Return a browser of staff with these permissions and no others."""

    def who_may(*codenames: str) -> Client:
        user = get_user_model().objects.create_user("-".join(codenames), is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        browser = Client()
        browser.force_login(user)
        return browser

    return who_may


@pytest.fixture
def entered(db: None) -> Incident:
    now = timezone.now()
    incident = Incident.objects.create(
        kind=Incident.Kind.SPRAYING,
        started_at=now - timedelta(hours=2),
        last_seen_at=now,
        names=2,
        networks=2,
        evaluated=5,
        entered=1,
    )
    named = {"incident": incident, "exists": True, "first_seen_at": now}
    for name, evaluated in (("tried", 5), ("victim", 0)):
        key = Subject.of(name).key
        IncidentName.objects.create(subject=key, username=name, evaluated=evaluated, **named)
    IncidentName.objects.filter(username="victim").update(entered_at=now, account="1", how="agent")
    for network, evaluated in (("198.51.100.1/32", 5), (ENTRY, 0)):
        number = number_of(network)
        IncidentNetwork.objects.create(
            incident=incident, network=network, number=number, evaluated=evaluated
        )
    return incident


def test_the_page_of_an_incident_leaves_out_what_was_never_tried(
    who_may: Any, entered: Incident
) -> None:
    page = who_may(*NOBODY_KNOWS).get(page_url(entered)).content.decode()
    assert "tried" in page
    assert "198.51.100.1" in page
    assert "victim" not in page
    assert "203.0.113.99" not in page
    known = who_may(*KNOWS).get(page_url(entered)).content.decode()
    assert "victim" in known
    assert "203.0.113.99" in known


def test_no_number_counts_what_was_never_tried(who_may: Any, entered: Incident) -> None:
    Incident.objects.update(names_existing=2)
    for browser, count in ((who_may(*NOBODY_KNOWS), 1), (who_may(*KNOWS), 2)):
        (row,) = browser.get(list_url("incident")).context["cl"].result_list
        found = browser.get(page_url(entered)).context["page"].incident
        assert {row.names, row.networks, found.names, found.names_existing} == {count}
        first = browser.get(reverse("admin:index")).content.decode()
        assert f"{count} name" in first


def test_an_entry_moves_no_incident(entered: Incident) -> None:
    before = entered.last_seen_at
    key = Subject.of("later").key
    login = Login(1, before + timedelta(hours=1), key, "later", None, None, None, None, "2")
    entries.enter(entered, login, "agent", Growth(timezone.now(), Notes([])))
    entered.refresh_from_db()
    assert (entered.entered, entered.last_seen_at) == (2, before)


@pytest.mark.parametrize("term", ["victim", "203.0.113.99"])
def test_no_search_finds_it_by_that(who_may: Any, entered: Incident, term: str) -> None:
    url = list_url("incident", f"?q={term}")
    assert who_may(*NOBODY_KNOWS).get(url).context["cl"].result_count == 0
    assert who_may(*KNOWS).get(url).context["cl"].result_count == 1


@pytest.mark.parametrize("term", ["tried", "198.51.100.1"])
def test_what_was_tried_is_found(who_may: Any, entered: Incident, term: str) -> None:
    url = list_url("incident", f"?q={term}")
    assert who_may(*NOBODY_KNOWS).get(url).context["cl"].result_count == 1


def test_the_page_of_a_name_leaves_out_the_mails_that_tell_of_a_login(
    who_may: Any, fail: Any
) -> None:
    user = get_user_model().objects.create_user("alice", "alice@example.com")
    fail()
    kinds = (Outbox.Kind.LOCKED, Outbox.Kind.NEW_DEVICE, Outbox.Kind.ENTERED)
    for kind in (*kinds, Outbox.Kind.AFTER_FAILURES):
        Outbox.objects.create(
            kind=kind,
            notifier=kind,
            subject=Subject.of("alice").key,
            username="alice",
            account=str(user.pk),
            nonce=f"of {kind}",
            state=Outbox.State.SENT,
        )
    seen = ("view_accountlock", "view_failedlogin")
    url = leads.to_name("admin", "alice")
    untold = who_may(*seen).get(url).context["dossier"].mails
    assert [row.kind for row in untold] == [Outbox.Kind.LOCKED]
    assert len(who_may(*seen, "view_successfullogin").get(url).context["dossier"].mails) == 4


BLOCKS = ("view_networkrule", "add_networkrule", "change_networkrule")
ADD = list_url("networkrule", "add/")


@pytest.mark.parametrize("way", ["form", "import"])
def test_blocking_a_network_that_people_log_in_from_says_neither_how_many_nor_when(
    who_may: Any, enter: Any, way: str
) -> None:
    enter("alice")
    enter("bob", ago=60)

    def warned(*more: str) -> str:
        browser = who_may(*BLOCKS, *more)
        if way == "import":
            return "".join(send(browser, "203.0.113.0/24\n").context["dangers"])
        return errors(browser.post(ADD, {**FORM, "cidr": "203.0.113.0/24"}))

    assert warned("view_successfullogin").startswith("2 accounts logged in from 203.0.113.0/24")
    assert warned().startswith("People logged in from 203.0.113.0/24 in the last 7 days.")
