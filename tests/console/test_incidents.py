"""The pages of incidents: what they show, to whom, and what can be done there."""

from __future__ import annotations

import io
import json
import logging
import re
import zipfile
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from unittest.mock import Mock

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.contrib.sessions.backends.db import SessionStore
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.html import strip_tags

from lockout_admin import lockout
from lockout_admin.admin.consent import CONFIRM_WITHIN_SECS
from lockout_admin.admin.incidentsight import Sees
from lockout_admin.defences import sessions
from lockout_admin.evidence import leads
from lockout_admin.evidence.logs import log_incident
from lockout_admin.identity.network import number_of
from lockout_admin.identity.subject import Subject
from lockout_admin.incidents import remedies, turns, verbs
from lockout_admin.models import (
    AccountLock,
    AuditEntry,
    Exemption,
    Incident,
    IncidentEvent,
    IncidentName,
    IncidentNetwork,
    NetworkRule,
    Outbox,
    RefusedTries,
    UserAgent,
)
from lockout_admin.models.incidents import MOST_PARTS

from .conftest import FIREFOX, list_url, said

LIST = list_url("incident")
EXEMPTIONS = list_url("exemption")
THRESHOLDS = f"{LIST}thresholds/"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def url_of(incident: Incident, page: str = "change") -> str:
    return f"{LIST}{incident.pk}/{page}/"


def tried(incident: Incident, username: str, **fields: Any) -> IncidentName:
    subject = Subject.of(username).key
    return IncidentName.objects.create(
        incident=incident, subject=subject, username=username, **fields
    )


def came(incident: Incident, network: str, **fields: Any) -> IncidentNetwork:
    number = number_of(network)
    return IncidentNetwork.objects.create(
        incident=incident, network=network, number=number, **fields
    )


@pytest.fixture
def bob(db: None) -> Any:
    """His account was entered."""
    return get_user_model().objects.create_user("bob", "bob@example.com", "right")


@pytest.fixture
def incident(bob: Any, fail: Any, enter: Any) -> Incident:
    """Spraying from one network, which got into Bob's account."""
    now = timezone.now()
    fail("carol", ip_address="192.0.2.7", network=number_of("192.0.2.7/32"), ago=60)
    enter("bob", account=str(bob.pk), ago=30)
    UserAgent.objects.remember(FIREFOX)
    # It is nobody's turn for ten seconds: what is made up here stays as it is.
    turns.group_if_due()
    row = Incident.objects.create(
        kind="spraying",
        about="192.0.2.0/24",
        started_at=now - timedelta(hours=2),
        last_seen_at=now,
        names=195,
        names_existing=9,
        networks=2,
        evaluated=22,
        refused=173,
        entered=1,
        agent=UserAgent.objects.key_of(FIREFOX),
        sign="names-hour",
        counted=195,
        least=14,
    )
    tried(row, "carol", evaluated=1, exists=True)
    tried(row, "bob", exists=True, entered_at=now, account=str(bob.pk), how="network")
    came(row, "192.0.2.7/32", evaluated=20, entered=1)
    came(row, "198.51.100.9/32", evaluated=2, honest=3)
    IncidentEvent.objects.create(incident=row, what="found", text="carol and 194 more")
    IncidentEvent.objects.create(incident=row, what="entered", text="bob")
    return row


def given(client: Client, *codenames: str) -> Client:
    """Give the analyst, or whoever it is, just these permissions."""
    user = get_user_model().objects.get(pk=client.session["_auth_user_id"])
    user.groups.clear()
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    assert user.user_permissions.count() == len(codenames)
    return client


def do(client: Client, incident: Incident, verb: str, **form: str) -> Any:
    return client.post(url_of(incident, f"do/{verb}"), form, follow=True)


def helped(client: Client, incident: Incident, verb: str, reason: str = "Ticket 4711") -> Any:
    """Look at what is to be done, and confirm it with a reason."""
    url = url_of(incident, f"help/{verb}")
    token = client.get(url).context["token"]
    return client.post(url, {"token": token, "reason": reason}, follow=True)


# -- What is shown ------------------------------------------------------------------------------


def test_the_list(staff: Any, incident: Incident) -> None:
    page = staff("security").get(LIST).content.decode()
    assert "spraying 192.0.2.0/24" in page
    assert "goes on" in page
    assert "195 · 2" in page
    assert "22 · 173" in page
    assert 'lockout-urgent" title="">1</span>' in page


def test_the_list_of_what_is_over(staff: Any, incident: Incident) -> None:
    Incident.objects.update(over_at=timezone.now(), entered=0, state="closed", verdict="attack")
    page = staff("security").get(LIST).content.decode()
    assert ">over<" in page
    assert "closed: attack" in page


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("?state=open", 1),
        ("?state=closed", 0),
        ("?state=x", 0),
        ("?going=yes", 1),
        ("?going=no", 0),
        ("?kind=spraying", 1),
        ("?kind=stuffing", 0),
        ("?q=carol", 1),
        ("?q=CAROL", 1),
        ("?q=dave", 0),
        ("?q=192.0.2.7", 1),
        ("?q=192.0.2.8", 0),
        ("?q=%00", 0),
        ("?q=+", 1),
    ],
)
def test_what_filters_and_search_find(
    staff: Any, incident: Incident, query: str, count: int
) -> None:
    answer = staff("security").get(LIST + query)
    assert len(answer.context["cl"].result_list) == count


@pytest.mark.parametrize("query", ["names__gt=1", "about__startswith=1", "tried__username=bob"])
def test_nothing_else_can_be_asked(staff: Any, incident: Incident, query: str) -> None:
    assert staff("security").get(f"{LIST}?{query}").status_code == 400


def test_the_page(staff: Any, incident: Incident) -> None:
    page = staff("root").get(url_of(incident)).content.decode()
    for text in (
        "Spraying 192.0.2.0/24",
        "1 account was entered",
        "9 of accounts",
        "carol",
        "198.51.100.9/32",
        "195 strange names from one network in an hour; the threshold is 14.",
        "Firefox",
        "carol and 194 more",
        "Lock them for a day",
        "End their sessions",
        "Ask for new passwords",
        "Export the evidence",
        "Block its networks",
        "lockout-chart-failures",
    ):
        assert text in page, text


def rows_of(page: Any, title: str) -> list[str]:
    """Return the first cell of each row below a heading."""
    _before, _title, after = page.content.decode().partition(f'id="lockout-{title}-title"')
    table, _end, _after = after.partition("</table>")
    cells = re.findall(r'<th scope="row">(.*?)</th>', table)
    return [" ".join(strip_tags(cell).split()) for cell in cells]


def test_who_and_what_got_in_is_listed_first_and_the_rest_is_counted(
    staff: Any, incident: Incident
) -> None:
    for number in range(25):
        tried(incident, f"name{number}", evaluated=9)
        came(incident, f"203.0.113.{number}/32", evaluated=30)
    Incident.objects.filter(pk=incident.pk).update(names=27, networks=27)
    page = staff("root").get(url_of(incident))
    assert rows_of(page, "names")[:2] == ["bob", "name0"]
    assert rows_of(page, "networks")[:2] == ["192.0.2.7/32", "203.0.113.0/32"]
    assert len(rows_of(page, "names")) == len(rows_of(page, "networks")) == 20
    assert page.content.decode().count("and 7 more") == 2


def test_who_may_not_see_logins_sees_the_busiest_first(staff: Any, incident: Incident) -> None:
    came(incident, "203.0.113.9/32", evaluated=30)
    browser = given(staff("analyst"), "view_incident", "view_failedlogin")
    page = browser.get(url_of(incident))
    assert rows_of(page, "names") == ["carol"]
    assert rows_of(page, "networks")[0] == "203.0.113.9/32"


def drawn(browser: Client, incident: Incident) -> list[str]:
    return [row.label for row in browser.get(url_of(incident)).context["page"].picture.rows]


def test_the_picture_says_what_is_drawn(staff: Any, incident: Incident) -> None:
    browser = staff("root")
    assert drawn(browser, incident) == ["failures", "refused, in part"]
    begun = timezone.now() - timedelta(days=3)
    Incident.objects.filter(pk=incident.pk).update(started_at=begun)
    assert drawn(browser, incident) == ["failures", "refused, of the last 2 days"]
    Incident.objects.filter(pk=incident.pk).update(networks=201, names=202, refused=0)
    assert drawn(browser, incident)[0] == "failures from the 200 networks with the most"
    Incident.objects.filter(pk=incident.pk).update(names=201)
    assert drawn(browser, incident) == ["failures on the 200 names with the most", "refused"]
    Incident.objects.filter(pk=incident.pk).update(networks=0)
    assert drawn(browser, incident)[0] == "failures on the 200 names with the most"


def refuse(username: str, address: str, times: int, ago: float) -> None:
    RefusedTries.objects.create(
        timestamp=timezone.now() - timedelta(seconds=ago),
        subject=Subject.of(username).key,
        username=username,
        network=number_of(f"{address}/32"),
        ip_address=address,
        times=times,
    )


def test_an_incident_is_made_of_what_came_from_its_networks_on_its_names(
    staff: Any, incident: Incident, fail: Any
) -> None:
    """The picture and the list have the same failures; others of these names are none of it."""
    place = {"ip_address": "192.0.2.7", "network": number_of("192.0.2.7/32")}
    fail("carol", ago=50)
    fail("dave", ago=50, **place)
    fail("carol", ago=3 * 3600, **place)
    fail("carol", ago=40, device=7, **place)
    refuse("carol", "192.0.2.7", 40, 30)
    refuse("carol", "192.0.2.99", 500, 30)
    refuse("dave", "192.0.2.7", 500, 30)
    browser = staff("root")
    # Whichever there are fewer of, the others tell as well.
    for names in (1, 195):
        Incident.objects.filter(pk=incident.pk).update(names=names)
        page = browser.get(url_of(incident)).context["page"]
        assert [row.total for row in page.picture.rows] == [1, 40]
    shown = browser.get(page.evidence)
    assert shown.status_code == 200
    assert [row.username for row in shown.context["cl"].result_list] == ["carol"]
    assert f"Incident: <bdi>{incident.pk}</bdi>" in shown.content.decode()
    Incident.objects.filter(pk=incident.pk).update(evaluated=0)
    assert "The failures in the list" not in browser.get(url_of(incident)).content.decode()
    # An incident without networks, of tries that had none.
    fail("carol", ago=20, network=None, ip_address=None)
    Incident.objects.filter(pk=incident.pk).update(networks=0)
    assert browser.get(page.evidence).context["cl"].result_count == 3


def test_more_than_is_read_is_counted_by_slice(
    staff: Any, incident: Incident, fail: Any, monkeypatch: Any
) -> None:
    place = {"ip_address": "192.0.2.7", "network": number_of("192.0.2.7/32")}
    for ago in (3600, 60, 0):
        fail("carol", ago=ago, **place)
        refuse("carol", "192.0.2.7", 2000, ago + 1)
        refuse("carol", "192.0.2.7", 500, ago + 1)
    now = timezone.now()
    Incident.objects.filter(pk=incident.pk).update(last_seen_at=now, refused=7500)
    browser = staff("root")
    shapes = []
    for read in (6, 3):
        monkeypatch.setattr("lockout_admin.admin.incidentpicture._READ", read)
        failures, refused = browser.get(url_of(incident)).context["page"].picture.rows
        assert failures.total == 4
        assert bool(failures.cap) is (read < 4)
        assert (refused.label, refused.total) == ("refused", 7500)
        shapes.append(refused.counts)
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("most", ["names", "networks"])
def test_what_is_not_kept_of_an_incident_is_not_asked_for(
    staff: Any, incident: Incident, fail: Any, most: str
) -> None:
    """Of more names, or networks, than are kept, the others tell alone."""
    fail("dave", ago=50, ip_address="192.0.2.7", network=number_of("192.0.2.7/32"))
    fail("carol", ago=50)
    Incident.objects.filter(pk=incident.pk).update(**{most: MOST_PARTS + 1})
    page = staff("root").get(f"{list_url('failedlogin')}?time=all&incident={incident.pk}")
    shown = {row.username for row in page.context["cl"].result_list}
    assert shown == ({"carol", "dave"} if most == "names" else {"carol"})
    assert page.context["cl"].result_count == 2


@pytest.mark.parametrize("given_as", ["x", "0", "-1", "9" * 30, "1.5", "\0", "424242"])
def test_an_incident_that_is_not_there_has_no_failures(
    staff: Any, incident: Incident, given_as: str
) -> None:
    url = list_url("failedlogin")
    page = staff("root").get(url, {"time": "all", "incident": given_as})
    assert page.status_code == 200
    assert page.context["cl"].result_count == 0


def test_the_failures_of_an_incident_are_for_who_sees_incidents(
    staff: Any, incident: Incident
) -> None:
    url = f"{list_url('failedlogin')}?time=all&incident={incident.pk}"
    browser = staff("analyst")
    for more, count in ((["view_incident"], 1), ([], 0)):
        given(browser, "view_failedlogin", *more)
        assert browser.get(url).context["cl"].result_count == count


def test_what_was_merged_has_the_failures_of_the_whole(staff: Any, incident: Incident) -> None:
    found = {"started_at": timezone.now(), "last_seen_at": timezone.now()}
    part = Incident.objects.create(kind="spraying", merged_into=incident, **found)
    page = staff("root").get(f"{list_url('failedlogin')}?time=all&incident={part.pk}")
    assert page.context["cl"].result_count == 1


def test_whether_it_is_about_a_network_or_about_a_name_like_one(
    staff: Any, incident: Incident
) -> None:
    """It is about where it comes from, if no name of it stands out; names are not for everybody."""
    IncidentNetwork.objects.filter(incident=incident, honest=3).delete()
    Incident.objects.filter(pk=incident.pk).update(
        kind="dictionary", about="192.0.2.7/32", networks=1, names=3
    )
    browser = given(staff("analyst"), "view_incident")
    assert "Dictionary 192.0.2.7/32" in strip_tags(browser.get(url_of(incident)).content.decode())
    tried(incident, "192.0.2.7/32", evaluated=9)
    assert "Dictionary 192.0.2.7" not in strip_tags(browser.get(url_of(incident)).content.decode())


def test_all_names_and_networks_are_a_click_away(
    staff: Any, incident: Incident, monkeypatch: Any
) -> None:
    for number in range(25):
        tried(incident, f"name{number}", evaluated=1)
        came(incident, f"203.0.113.{number}/32", evaluated=1)
    Incident.objects.filter(pk=incident.pk).update(names=27, networks=27)
    browser = staff("root")
    shown = browser.get(url_of(incident)).content.decode()
    assert shown.count('<a href="?all=1#') == 2
    page = browser.get(url_of(incident), {"all": "1"})
    assert len(rows_of(page, "names")) == len(rows_of(page, "networks")) == 27
    monkeypatch.setattr("lockout_admin.admin.incidentpage.ALL", 26)
    shown = browser.get(url_of(incident), {"all": "1"}).content.decode()
    assert shown.count("the exported evidence has all of them") == 2


def test_the_networks_that_a_rule_holds_for_say_so(staff: Any, incident: Incident) -> None:
    came(incident, "2001:db8::/64", evaluated=1)
    create = NetworkRule.objects.create
    create(cidr="192.0.2.0/24", first="192.0.2.0")
    create(cidr="198.51.100.0/24", first="198.51.100.0")
    create(cidr="198.51.100.9", first="198.51.100.9", action="allow")
    create(cidr="2001:db8::/48", until=timezone.now() - timedelta(hours=1))
    shown = rows_of(staff("root").get(url_of(incident)), "networks")
    assert set(shown) == {"192.0.2.7/32 blocked", "198.51.100.9/32 allowed", "2001:db8::/64"}
    browser = given(staff("analyst"), "view_incident")
    shown = rows_of(browser.get(url_of(incident)), "networks")
    assert "blocked" not in " ".join(shown)


def test_of_two_rules_on_one_network_the_one_that_allows_holds(
    staff: Any, incident: Incident
) -> None:
    for action in ("allow", "block"):
        NetworkRule.objects.create(cidr="192.0.2.7", action=action)
    assert "192.0.2.7/32 allowed" in rows_of(staff("root").get(url_of(incident)), "networks")


def test_a_rule_by_hand_goes_before_those_of_lists(staff: Any, incident: Incident) -> None:
    NetworkRule.objects.create(cidr="192.0.2.7", source="published")
    NetworkRule.objects.create(cidr="192.0.2.0/24", action="allow")
    assert "192.0.2.7/32 allowed" in rows_of(staff("root").get(url_of(incident)), "networks")


@pytest.mark.parametrize(
    ("lead", "is_there"),
    [
        (leads.to_name("admin", "carol"), True),
        (leads.to_name("admin", "dave"), False),
        (leads.to_network("admin", "192.0.2.7"), True),
        (leads.to_network("admin", "192.0.2.0/24"), True),
        (leads.to_network("admin", "192.0.2.8"), False),
        (leads.to_network("admin", "192.0.0.0/8"), True),
        (leads.to_network("admin", "193.0.0.0/8"), False),
        (leads.to_network("admin", "0.0.0.0/0"), True),
        # Another family, though its numbers are around those of IPv4.
        (leads.to_network("admin", "::/0"), False),
    ],
)
def test_a_name_and_a_network_lead_to_what_goes_on(
    staff: Any, incident: Incident, lead: str, is_there: bool
) -> None:
    browser = staff("root")
    assert (f'href="{url_of(incident)}"' in browser.get(lead).content.decode()) is is_there
    Incident.objects.filter(pk=incident.pk).update(over_at=timezone.now())
    assert f'href="{url_of(incident)}"' not in browser.get(lead).content.decode()


@pytest.mark.parametrize("source", ["2001:db8:bad:7::/64", "fe00:bad::/64"])
@pytest.mark.parametrize(
    ("network", "is_there"),
    [("{}:/48", True), ("{}:/32", True), ("::/0", True), ("2001:db9::/32", False)],
)
def test_a_wide_network_of_ipv6_leads_to_what_comes_from_inside(
    staff: Any, incident: Incident, source: str, network: str, is_there: bool
) -> None:
    came(incident, source)
    wide = network.format(source.partition("bad")[0] + "bad:")
    page = staff("root").get(leads.to_network("admin", wide)).content.decode()
    assert (f'href="{url_of(incident)}"' in page) is is_there


def test_an_address_leads_to_the_incident_of_the_network_that_it_counts_for(
    staff: Any, incident: Incident, settings: Any
) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "IPV4_NETWORK_PREFIX": 24}
    came(incident, "203.0.113.0/24")
    page = staff("root").get(leads.to_network("admin", "203.0.113.9")).content.decode()
    assert f'href="{url_of(incident)}"' in page


@pytest.mark.parametrize(
    ("lead", "permissions", "is_there"),
    [
        (leads.to_name("admin", "carol"), ["view_accountlock"], False),
        (leads.to_name("admin", "carol"), ["view_accountlock", "view_incident"], False),
        (leads.to_name("admin", "carol"), ["view_failedlogin", "view_incident"], True),
        # Somebody came in under this name, and that is all there is of it.
        (leads.to_name("admin", "bob"), ["view_failedlogin", "view_incident"], False),
        (leads.to_network("admin", "192.0.2.7"), ["view_accountlock", "view_incident"], True),
        (leads.to_network("admin", "192.0.2.7"), ["view_accountlock"], False),
        # Somebody came in from there, and that is all there is of it.
        (leads.to_network("admin", "100.0.0.0/6"), ["view_accountlock", "view_incident"], False),
        (leads.to_network("admin", "100.0.0.0/6"), ["view_successfullogin", "view_incident"], True),
    ],
)
def test_nobody_is_led_to_what_they_may_not_see(
    staff: Any, incident: Incident, lead: str, permissions: list[str], is_there: bool
) -> None:
    came(incident, "100.9.9.9/32", entered=1)
    page = given(staff("analyst"), *permissions).get(lead)
    assert (url_of(incident) in page.content.decode()) is is_there


IT_SEEMS = "Somebody else came in with this name, it seems:"


@pytest.mark.parametrize(
    ("permissions", "is_told"),
    [
        (["view_failedlogin", "view_successfullogin", "view_incident"], True),
        (["view_failedlogin", "view_incident"], False),
        (["view_failedlogin", "view_successfullogin"], False),
        (["view_successfullogin", "view_incident", "view_accountlock"], False),
    ],
)
def test_the_page_of_a_name_says_that_it_was_entered_until_that_is_settled(
    staff: Any, incident: Incident, permissions: list[str], is_told: bool
) -> None:
    Incident.objects.update(over_at=timezone.now())
    browser, page = given(staff("analyst"), *permissions), leads.to_name("admin", "bob")
    assert (IT_SEEMS in browser.get(page).content.decode()) is is_told
    assert IT_SEEMS not in browser.get(leads.to_name("admin", "carol")).content.decode()
    Incident.objects.update(state="closed")
    assert IT_SEEMS not in browser.get(page).content.decode()


def test_an_incident_in_which_a_name_was_entered_is_named_once(
    staff: Any, incident: Incident
) -> None:
    page = staff("root").get(leads.to_name("admin", "bob")).content.decode()
    assert page.count(f'href="{url_of(incident)}"') == 1


def test_the_evidence_is_a_click_away(staff: Any, incident: Incident) -> None:
    browser = staff("security")
    page = browser.get(url_of(incident))
    found = browser.get(page.context["page"].evidence)
    assert [row.username for row in found.context["cl"].result_list] == ["carol"]


def test_the_evidence_of_an_incident_about_a_name(staff: Any, incident: Incident) -> None:
    Incident.objects.update(kind="brute-force", about="carol", over_at=timezone.now())
    browser = staff("security")
    page = browser.get(url_of(incident))
    assert page.context["page"].picture.rows[0].total == 1
    found = browser.get(page.context["page"].evidence)
    assert [row.username for row in found.context["cl"].result_list] == ["carol"]


@pytest.mark.parametrize(
    ("language", "shown"), [("en", "192.0.2.0/24"), ("fa", "\u2068192.0.2.0/24\u2069")]
)
def test_what_it_is_about_keeps_its_direction(language: str, shown: str) -> None:
    incident = Incident(kind="spraying", about="192.0.2.0/24")
    with translation.override(language):
        assert Sees(names=True, logins=True).title_of(incident).endswith(f" {shown}")


def test_an_incident_about_many(staff: Any, incident: Incident) -> None:
    Incident.objects.update(about="", agent=None, title="Monday's botnet")
    page = staff("security").get(url_of(incident))
    assert page.status_code == 200
    assert "Monday&#x27;s botnet" in page.content.decode()


def test_a_part_of_another_leads_to_the_whole(staff: Any, incident: Incident) -> None:
    part = Incident.objects.create(
        kind="spraying", started_at=timezone.now(), last_seen_at=timezone.now()
    )
    part.merged_into = incident
    part.save()
    assert staff("security").get(url_of(part)).context["page"].incident == incident
    assert len(staff("root").get(LIST).context["cl"].result_list) == 1


def test_a_part_of_a_part_leads_to_the_whole(staff: Any, incident: Incident) -> None:
    now = timezone.now()
    part, piece = (
        Incident.objects.create(kind="spraying", started_at=now, last_seen_at=now) for _ in range(2)
    )
    verbs.merge(part, [piece], "olga")
    verbs.merge(incident, [part], "olga")
    assert staff("security").get(url_of(piece)).context["page"].incident == incident


def test_the_order_does_not_tell_who_got_in(staff: Any, incident: Incident) -> None:
    now = timezone.now()
    newer = Incident.objects.create(kind="stuffing", started_at=now, last_seen_at=now)
    Incident.objects.filter(pk=incident.pk).update(over_at=now)
    first = url_of(incident), url_of(newer)
    browser = staff("security")
    assert first[0] in browser.get("/admin/").content.decode()
    given(browser, "view_incident", "view_failedlogin")
    assert first[1] in browser.get("/admin/").content.decode()


@pytest.mark.parametrize("key", ["0", "99", "x", "9" * 30, "-1", "1_0"])
def test_no_such_incident(staff: Any, key: str) -> None:
    assert staff("security").get(f"{LIST}{key}/change/").status_code == 404


def test_the_thresholds(staff: Any) -> None:
    page = staff("support").get(THRESHOLDS).content.decode()
    assert "Tries on strange names from one network" in page


# -- What is not shown --------------------------------------------------------------------------


def test_who_may_not_see_names_sees_none(staff: Any, incident: Incident) -> None:
    Incident.objects.update(kind="brute-force", about="carol")
    browser = given(staff("analyst"), "view_incident", "view_successfullogin")
    for url in (LIST, url_of(incident), "/admin/"):
        page = browser.get(url).content.decode()
        assert "carol" not in page
        assert "of accounts" not in page
    assert not browser.get(f"{LIST}?q=carol").context["cl"].result_list


def test_who_may_not_see_logins_does_not_learn_who_got_in(staff: Any, incident: Incident) -> None:
    browser = given(staff("analyst"), "view_incident", "view_failedlogin", "change_incident")
    for url in (LIST, url_of(incident), "/admin/", "/admin/lockout_admin/"):
        page = browser.get(url).content.decode()
        assert "entered" not in page.replace("lockout-entered", ""), url
        assert "honest" not in page


# -- What is done -------------------------------------------------------------------------------


def test_the_life_of_an_incident(staff: Any, incident: Incident) -> None:
    browser = staff("security")
    do(browser, incident, "acknowledge")
    do(browser, incident, "name", title="The Monday one")
    do(browser, incident, "note", note="Told the provider.")
    do(browser, incident, "close", verdict="attack", note="It stopped.")
    incident.refresh_from_db()
    assert (incident.state, incident.verdict) == ("closed", "attack")
    assert incident.title == "The Monday one"
    assert "The Monday one" in browser.get(LIST).content.decode()
    do(browser, incident, "reopen")
    incident.refresh_from_db()
    assert incident.state == "open"
    done = incident.events.exclude(by="").values_list("what", "by")
    verbs = ["acknowledged", "named", "noted", "closed", "reopened"]
    assert list(done) == [(what, "security") for what in verbs]
    assert browser.get(url_of(incident, "history")).status_code == 200


def test_two_become_one(staff: Any, incident: Incident) -> None:
    other = Incident.objects.create(
        kind="stuffing", started_at=timezone.now(), last_seen_at=timezone.now(), evaluated=8
    )
    browser = staff("security")
    assert f"#{other.pk} stuffing" in browser.get(url_of(incident)).content.decode()
    url = f"{url_of(incident, 'merge')}?other={other.pk}"
    asked = browser.get(url)
    assert "stuffing" in asked.content.decode()
    assert "for good" in asked.content.decode()
    incident.refresh_from_db()
    assert incident.evaluated == 22
    answer = browser.post(url, {"token": asked.context["token"]}, follow=True)
    assert "is a part of this one now" in said(answer)
    incident.refresh_from_db()
    assert incident.evaluated == 30
    # It is a part of another by now.
    assert browser.get(url).status_code == 404


def test_a_merge_that_was_shown_long_ago_is_shown_again(
    staff: Any, incident: Incident, clock: Any
) -> None:
    found = {"started_at": timezone.now(), "last_seen_at": timezone.now()}
    other = Incident.objects.create(kind="stuffing", **found)
    browser = staff("security")
    url = f"{url_of(incident, 'merge')}?other={other.pk}"
    token = browser.get(url).context["token"]
    clock.tick(CONFIRM_WITHIN_SECS + 1)
    assert "shown too long ago" in said(browser.post(url, {"token": token}))
    assert Incident.objects.unmerged().count() == 2


def test_whoever_merges_a_moment_too_late_is_told_why(
    staff: Any, incident: Incident, monkeypatch: Any
) -> None:
    found = {"started_at": timezone.now(), "last_seen_at": timezone.now()}
    other = Incident.objects.create(kind="stuffing", **found)
    browser = staff("security")
    url = f"{url_of(incident, 'merge')}?other={other.pk}"
    token = browser.get(url).context["token"]
    late = ValueError("An incident is merged into another one, once.")
    monkeypatch.setattr(verbs, "merge", Mock(side_effect=late))
    assert "Nothing was done" in said(browser.post(url, {"token": token}, follow=True))


@pytest.mark.parametrize("other", ["", "x", "9" * 30, "99", "²", "0", "\0"])
def test_what_is_not_there_is_not_merged(staff: Any, incident: Incident, other: str) -> None:
    browser, url = staff("security"), url_of(incident, "merge")
    assert browser.get(url, {"other": other}).status_code == 404
    assert browser.get(url, {"other": str(incident.pk)}).status_code == 404


@pytest.mark.parametrize(
    ("verb", "form"),
    [
        ("reopen", {}),
        ("note", {"note": " \0"}),
        ("close", {"verdict": "nonsense"}),
        ("close", {}),
    ],
)
def test_what_makes_no_sense_is_said(
    staff: Any, incident: Incident, verb: str, form: dict[str, str]
) -> None:
    assert "Nothing was done" in said(do(staff("security"), incident, verb, **form))


def test_an_unknown_verb(staff: Any, incident: Incident) -> None:
    assert do(staff("root"), incident, "explode").status_code == 404


def test_the_accounts_that_were_entered_are_locked(staff: Any, incident: Incident) -> None:
    assert "1 name is locked for a day" in said(helped(staff("security"), incident, "lock"))
    assert lockout.is_account_locked("bob")
    assert not lockout.is_account_locked("carol")
    entry = AuditEntry.objects.get(action="lock")
    assert (entry.label, entry.actor) == ("bob", "security")
    assert entry.details == f"Ticket 4711 (incident {incident.pk})"
    assert incident.events.get(what="helped").text.endswith("Ticket 4711")
    # Whoever sees the lock learns what was typed, and not that an account was entered.
    assert AccountLock.objects.get(label="bob").note == "Ticket 4711"


def test_who_is_locked_says_so(staff: Any, incident: Incident) -> None:
    root = staff("root")
    assert "locked now" not in root.get(url_of(incident)).content.decode()
    helped(root, incident, "lock")
    assert "locked now" in root.get(url_of(incident)).content.decode()
    seen = ["view_incident", "view_failedlogin", "view_successfullogin"]
    others = given(staff("analyst"), *seen)
    assert "locked now" not in others.get(url_of(incident)).content.decode()


def test_their_passwords_are_expired(staff: Any, incident: Incident, bob: Any) -> None:
    session = Client()
    session.force_login(bob)
    root = staff("root")
    assert "1 account has to choose" in said(helped(root, incident, "passwords"))
    bob.refresh_from_db()
    assert not bob.check_password("right")
    assert bob.has_usable_password()
    assert session.get("/admin/").status_code == 302
    assert "password expired: Ticket 4711" in AuditEntry.objects.get().details


def test_superusers_are_changed_by_superusers(staff: Any, incident: Incident, bob: Any) -> None:
    bob.is_superuser = True
    bob.save()
    browser = given(
        staff("security"), "view_incident", "change_incident", "view_successfullogin", "change_user"
    )
    answer = browser.get(url_of(incident, "help/passwords"), follow=True)
    assert "superusers alone" in said(answer)
    ann = get_user_model().objects.create_user("ann")
    tried(incident, "ann", entered_at=timezone.now(), account=str(ann.pk))
    page = browser.get(url_of(incident, "help/passwords"))
    assert (page.context["names"], page.context["left_out"][0][0]) == (["ann"], "bob")
    assert "1 account has to choose" in said(helped(browser, incident, "passwords"))
    bob.refresh_from_db()
    assert bob.check_password("right")


def test_their_sessions_are_ended(staff: Any, incident: Incident, bob: Any, alice: Any) -> None:
    root, mine, hers = staff("root"), Client(), Client()
    mine.force_login(bob)
    hers.force_login(alice)
    assert "1 session has ended" in said(helped(root, incident, "sessions"))
    assert not SessionStore().exists(mine.session.session_key or "-")
    assert SessionStore().exists(hers.session.session_key or "-")


def test_too_many_sessions(staff: Any, incident: Incident, monkeypatch: Any) -> None:
    monkeypatch.setattr(sessions, "MOST", 1)
    assert "too many to look through" in said(helped(staff("root"), incident, "sessions"))


def test_sessions_that_cannot_be_listed(staff: Any, incident: Incident, settings: Any) -> None:
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    root = staff("root")
    answer = root.get(url_of(incident, "help/sessions"), follow=True)
    assert "the site has no means" in said(answer)
    assert "End their sessions" not in root.get(url_of(incident)).content.decode()


def test_help_is_confirmed_with_a_reason_and_says_whom_it_touches(
    staff: Any, incident: Incident
) -> None:
    browser, url = staff("security"), url_of(incident, "help/lock")
    page = browser.get(url)
    text = page.content.decode()
    assert "<strong>1</strong> account" in text
    assert "<bdi>bob</bdi>" in text
    assert "carol" not in text
    assert "An attack has entered the account" in text
    assert "Identity confirmed" not in text
    again = browser.post(url, {"token": page.context["token"], "reason": " "})
    assert "This field is required." in again.content.decode()
    assert browser.post(url, {"token": "x", "reason": "Ticket"}).status_code == 403
    assert not lockout.is_account_locked("bob")


@pytest.mark.parametrize(("verdict", "stays"), [("scanner", True), ("attack", False)])
def test_who_opens_it_again_hears_that_what_it_taught_stays(
    staff: Any, incident: Incident, verdict: str, stays: bool
) -> None:
    browser = staff("root")
    do(browser, incident, "close", verdict=verdict)
    told = said(do(browser, incident, "reopen"))
    assert told.startswith("It is open again.")
    assert ("What it has taught stays in force" in told) is stays


@pytest.mark.parametrize("verb", ["lock", "sessions", "passwords"])
def test_the_record_of_help_is_in_english_whoever_helped(
    staff: Any, incident: Incident, settings: Any, verb: str
) -> None:
    settings.LANGUAGE_CODE = "de"
    told = said(helped(staff("root"), incident, verb))
    noted = IncidentEvent.objects.get(what="helped").text.removesuffix(" Ticket 4711")
    assert told.split()[0] == noted.split()[0]
    assert told != noted


def test_who_may_do_nothing_is_told_to_call_somebody(staff: Any, incident: Incident) -> None:
    call = "call somebody who may lock names"
    seen = ("view_incident", "view_successfullogin")
    assert call in given(staff("analyst"), *seen).get(url_of(incident)).content.decode()
    assert call not in staff("root").get(url_of(incident)).content.decode()


def test_who_may_do_some_of_it_is_told_whom_to_call_for_the_rest(
    staff: Any, incident: Incident
) -> None:
    call = "Sessions and passwords are for somebody who may change accounts"
    assert call in staff("security").get(url_of(incident)).content.decode()
    assert call not in staff("root").get(url_of(incident)).content.decode()


def test_what_was_done_is_beside_what_to_do(staff: Any, incident: Incident) -> None:
    helped(staff("root"), incident, "passwords")
    page = staff("security").get(url_of(incident)).content.decode()
    box = page.partition('class="lockout-inside"')[2].partition("</section>")[0]
    assert "1 account has to choose a new password; its sessions have ended. Ticket 4711" in box


def test_who_was_not_shown_is_not_helped(staff: Any, incident: Incident) -> None:
    browser, url = staff("security"), url_of(incident, "help/lock")
    token = browser.get(url).context["token"]
    tried(incident, "ann", entered_at=timezone.now())
    answer = browser.post(url, {"token": token, "reason": "Ticket 4711"})
    assert "have changed" in said(answer)
    assert answer.context["names"] == ["ann", "bob"]
    assert not lockout.is_account_locked("bob")


def test_a_consent_is_to_one_way_of_helping(staff: Any, incident: Incident) -> None:
    root = staff("root")
    token = root.get(url_of(incident, "help/sessions")).context["token"]
    form = {"token": token, "reason": "Ticket 4711"}
    assert root.post(url_of(incident, "help/passwords"), form).status_code == 403


def test_nobody_is_helped_where_nobody_was_entered(staff: Any, incident: Incident) -> None:
    IncidentName.objects.update(entered_at=None)
    answer = staff("security").get(url_of(incident, "help/lock"), follow=True)
    assert "there is no such account" in said(answer)


def test_the_owners_are_told_once(staff: Any, incident: Incident, settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "BASE_URL": "https://shop.example"}
    browser = staff("security")
    assert "Tell their owners" in browser.get(url_of(incident)).content.decode()
    assert "1 owner is told by mail" in said(helped(browser, incident, "tell"))
    assert Outbox.objects.get().kind == "entered"
    assert "owner told" in browser.get(url_of(incident)).content.decode()
    answer = browser.get(url_of(incident, "help/tell"), follow=True)
    assert "told already" in said(answer)


def test_a_site_without_mails_tells_no_owners(staff: Any, incident: Incident) -> None:
    browser = staff("security")
    assert "Tell their owners" not in browser.get(url_of(incident)).content.decode()
    answer = browser.get(url_of(incident, "help/tell"), follow=True)
    assert "the site has no means" in said(answer)


def test_accounts_that_are_no_keys_are_left_out(incident: Incident) -> None:
    names = [IncidentName(account=account) for account in ("", "x")]
    assert remedies.users_of(names) == []


def test_its_networks_are_blocked_but_for_honest_people(staff: Any, incident: Incident) -> None:
    came(incident, "10.0.0.7/32")
    browser = staff("security")
    page = browser.get(url_of(incident, "block"))
    shown = page.content.decode()
    assert "3 honest accounts came in from there" in shown
    assert "10.0.0.7/32 is private" in shown
    form = {"token": page.context["token"], "days": "30"}
    answer = browser.post(url_of(incident, "block"), form, follow=True)
    assert "1 network is blocked" in said(answer)
    rule = NetworkRule.objects.get()
    assert rule.cidr == "192.0.2.7/32"
    assert (rule.until or timezone.now()) - timezone.now() > timedelta(days=29)
    line = incident.events.get(what="blocked")
    assert (line.text, line.by) == ("1", "security")


@pytest.mark.parametrize("days", ["", "0", "-1", "7.5", "9" * 30, "x\0"])
def test_for_how_long_is_chosen(staff: Any, incident: Incident, days: str) -> None:
    browser = staff("security")
    token = browser.get(url_of(incident, "block")).context["token"]
    answer = browser.post(url_of(incident, "block"), {"token": token, "days": days})
    assert answer.context["form"].errors["days"]
    assert 'role="alert"' in answer.content.decode()
    assert not NetworkRule.objects.exists()


def test_whoever_got_in_is_no_honest_person(
    staff: Any, incident: Incident, bob: Any, enter: Any
) -> None:
    browser = staff("security")
    own = {"ip_address": "192.0.2.7", "network": number_of("192.0.2.7/32")}
    enter("bob", account=str(bob.pk), **own, ago=20)
    shown = browser.get(url_of(incident, "block")).content.decode()
    assert "logged in from 192.0.2.7/32" not in shown
    enter("dave", **own, ago=10)
    shown = browser.get(url_of(incident, "block")).content.decode()
    assert "1 account logged in from 192.0.2.7/32" in shown


def test_whoever_got_in_can_not_hide_honest_people_behind_many_logins(
    staff: Any, incident: Incident, bob: Any, enter: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("lockout_admin.defences.arrivals._MOST", 3)
    own = {"ip_address": "192.0.2.7", "network": number_of("192.0.2.7/32")}
    enter("dave", **own, ago=60)
    for ago in range(4):
        enter("bob", account=str(bob.pk), **own, ago=10 + ago)
    page = staff("security").get(url_of(incident, "block"))
    assert "192.0.2.7/32" not in map(str, page.context["plan"].block)
    assert "1 account logged in from 192.0.2.7/32" in page.content.decode()


def test_people_are_told_by_who_they_are_and_not_by_how_many(
    staff: Any, incident: Incident, enter: Any
) -> None:
    """As many came in as were entered, and they are others."""
    enter("dave", ip_address="192.0.2.7", network=number_of("192.0.2.7/32"), ago=60)
    shown = staff("security").get(url_of(incident, "block")).content.decode()
    assert "1 account logged in from 192.0.2.7/32" in shown


def test_who_blocks_is_not_blocked(staff: Any, incident: Incident) -> None:
    shown = staff("security").get(url_of(incident, "block"), REMOTE_ADDR="192.0.2.7")
    assert "You are in 192.0.2.7/32 yourself" in shown.content.decode()
    assert not shown.context["plan"].block


def test_what_is_left_out_is_not_in_the_way_of_the_rest(
    staff: Any, incident: Incident, monkeypatch: Any
) -> None:
    monkeypatch.setattr(remedies, "MOST_BLOCKED", 2)
    for number in range(5):
        came(incident, f"100.65.0.{number}/32")
        NetworkRule.objects.create(cidr=f"100.65.0.{number}/32", action="allow")
    plan = staff("security").get(url_of(incident, "block")).context["plan"]
    assert "192.0.2.7/32" in map(str, plan.block)
    assert len(plan.left_out) == 6
    assert not plan.is_cut


def test_what_has_failed_may_be_confirmed_again(
    staff: Any, incident: Incident, monkeypatch: Any
) -> None:
    browser, url = staff("security"), url_of(incident, "block")
    form = {"token": browser.get(url).context["token"], "days": "1"}
    with monkeypatch.context() as patch:
        patch.setattr(
            "lockout_admin.defences.rulebook.put", Mock(side_effect=OperationalError("locked"))
        )
        assert "Please try again" in said(browser.post(url, form, follow=True))
    assert not NetworkRule.objects.exists()
    assert "1 network is blocked" in said(browser.post(url, form, follow=True))


@pytest.mark.parametrize(
    ("permissions", "status"),
    [
        (["view_networkrule", "view_successfullogin"], 200),
        # What is left out tells from where people come in, …
        (["view_networkrule"], 403),
        # … and what staff have allowed.
        (["view_successfullogin"], 403),
    ],
)
def test_who_blocks_sees_logins_and_rules(
    staff: Any, incident: Incident, permissions: list[str], status: int
) -> None:
    own = ["view_incident", "change_incident", "add_networkrule"]
    browser = given(staff("analyst"), *own, *permissions)
    assert browser.get(url_of(incident, "block")).status_code == status
    page = browser.get(url_of(incident)).content.decode()
    assert (url_of(incident, "block") in page) is (status == 200)


def has_closed(incident: Incident, verdict: str = "people") -> None:
    """Close it as the site does, because people came in."""
    Incident.objects.filter(pk=incident.pk).update(
        state="closed", verdict=verdict, closed_at=timezone.now()
    )
    IncidentEvent.objects.create(incident=incident, what="closed", verdict=verdict, text="5 / 9")


@pytest.mark.parametrize("sees_logins", [True, False])
def test_that_people_came_in_after_all_is_for_who_sees_logins(
    staff: Any, incident: Incident, sees_logins: bool
) -> None:
    """It is open for all others, on each page and by each filter, as if nothing had happened."""
    needed = ["view_incident", "view_failedlogin", "view_accountlock"]
    browser = given(staff("analyst"), *needed, *["view_successfullogin"] * sees_logins)
    pages = {
        "page": url_of(incident),
        "list": LIST,
        "overview": reverse("admin:app_list", args=["lockout_admin"]),
        "first": reverse("admin:index"),
    }

    def shown() -> dict[str, str]:
        return {name: browser.get(url).content.decode() for name, url in pages.items()}

    before = shown()
    has_closed(incident)
    after = shown()
    for name in ("page", "list"):
        assert ("people who came in after all" in after[name]) is sees_logins
        assert bool(re.search("closed</span>|<small>closed", after[name])) is sees_logins
    for name in ("overview", "first"):
        assert ("spraying 192.0.2.0/24" in before[name]) is True
        assert ("spraying 192.0.2.0/24" in after[name]) is not sees_logins
    for state, found in (("open", not sees_logins), ("closed", sees_logins)):
        assert browser.get(LIST, {"state": state}).context["cl"].result_count == int(found)
    assert browser.get(LIST, {"state": "acknowledged"}).context["cl"].result_count == 0
    has_closed(incident, "attack")
    assert "attack</span>" in browser.get(url_of(incident)).content.decode()
    assert browser.get(LIST, {"state": "closed"}).context["cl"].result_count == 1


@pytest.mark.parametrize("verb", ["acknowledge", "close", "reopen", "merge"])
def test_what_may_not_be_known_answers_as_what_is_open(
    staff: Any, incident: Incident, verb: str
) -> None:
    """Who may not see logins can't find out by a deed whether people came in."""
    found = {"started_at": timezone.now(), "last_seen_at": timezone.now()}
    beside = Incident.objects.create(kind="stuffing", **found)
    browser = given(staff("analyst"), "view_incident", "change_incident")
    told = []
    for state in ("open", "closed"):
        fields = {"state": state, "verdict": "people" if state == "closed" else ""}
        Incident.objects.filter(pk=incident.pk).update(**fields)
        if verb == "merge":
            url = f"{url_of(beside, 'merge')}?other={incident.pk}"
            told.append(str(browser.get(url).status_code))
        else:
            told.append(said(do(browser, incident, verb, verdict="attack")))
    assert told[0] == told[1]


@pytest.mark.parametrize("by_whom", ["own", "others"])
def test_who_closes_and_opens_again_learns_nothing_of_people(
    staff: Any, incident: Incident, by_whom: str
) -> None:
    """The time line of what was closed because people came in is that of any other."""
    own = given(staff("analyst"), "view_incident", "change_incident")
    other = staff("root")
    lines = []
    for closes in (False, True):
        incident.events.all().delete()
        Incident.objects.filter(pk=incident.pk).update(state="open", verdict="")
        if closes:
            has_closed(incident)
        if by_whom == "others" and closes:
            do(other, incident, "reopen")
        for verb in ("acknowledge", "close", "reopen", "close"):
            do(own, incident, verb, verdict="nothing")
        shown = own.get(url_of(incident)).context["page"].events
        lines.append([row.what for _when, row in shown])
    assert lines[0] == lines[1] == ["closed", "reopened", "closed", "acknowledged"]


@pytest.mark.parametrize("verb", ["lock", "passwords", "sessions"])
def test_a_second_click_helps_nobody_twice(staff: Any, incident: Incident, verb: str) -> None:
    root = staff("root")
    url = url_of(incident, f"help/{verb}")
    form = {"token": root.get(url).context["token"], "reason": "Ticket 4711"}
    root.post(url, form)
    assert "done already" in said(root.post(url, form, follow=True))
    assert incident.events.filter(what="helped").count() == 1
    assert AccountLock.objects.count() == int(verb == "lock")


def test_a_second_click_merges_nothing_twice(staff: Any, incident: Incident) -> None:
    now = timezone.now()
    other = Incident.objects.create(kind="stuffing", started_at=now, last_seen_at=now)
    browser, url = staff("root"), f"{url_of(incident, 'merge')}?other={other.pk}"
    form = {"token": browser.get(url).context["token"]}
    assert "part of this one" in said(browser.post(url, form, follow=True))
    assert "done already" in said(browser.post(url, form, follow=True))
    assert incident.events.filter(what="merged").count() == 1


def test_a_merge_from_a_second_tab_says_why_nothing_is_done(staff: Any, incident: Incident) -> None:
    now = timezone.now()
    other = Incident.objects.create(kind="stuffing", started_at=now, last_seen_at=now)
    browser, url = staff("root"), f"{url_of(incident, 'merge')}?other={other.pk}"
    first, second = (browser.get(url).context["token"] for _tab in range(2))
    browser.post(url, {"token": first})
    assert "not open any more" in said(browser.post(url, {"token": second}, follow=True))
    assert incident.events.filter(what="merged").count() == 1


def test_nothing_is_merged_into_what_is_closed(staff: Any, incident: Incident) -> None:
    """Whoever was entered would be out of sight."""
    now = timezone.now()
    closed = Incident.objects.create(kind="stuffing", started_at=now, last_seen_at=now)
    browser, url = staff("root"), f"{url_of(closed, 'merge')}?other={incident.pk}"
    token = browser.get(url).context["token"]
    verbs.close(closed, "nothing", "sam")
    assert "Merge into this one" not in browser.get(url_of(closed)).content.decode()
    assert "This incident is closed" in said(browser.post(url, {"token": token}, follow=True))
    incident.refresh_from_db()
    assert incident.merged_into is None


def test_a_second_click_blocks_nothing_twice(staff: Any, incident: Incident) -> None:
    browser, url = staff("security"), url_of(incident, "block")
    form = {"token": browser.get(url).context["token"], "days": "30"}
    browser.post(url, form)
    assert "done already" in said(browser.post(url, {**form, "days": "1"}, follow=True))
    assert incident.events.filter(what="blocked").count() == 1


def test_of_two_clicks_at_once_one_does_it(
    staff: Any, incident: Incident, monkeypatch: Any
) -> None:
    """The second one comes while the first is at work: the token was not made use of yet."""
    browser, url = staff("security"), url_of(incident, "help/lock")
    form = {"token": browser.get(url).context["token"], "reason": "Ticket 4711"}
    browser.post(url, form)
    monkeypatch.setattr("lockout_admin.admin.consent.was_used", lambda _request: False)
    assert "done already" in said(browser.post(url, form, follow=True))
    assert incident.events.filter(what="helped").count() == 1


def test_without_a_store_what_was_confirmed_is_done(
    staff: Any, incident: Incident, monkeypatch: Any
) -> None:
    browser, url = staff("security"), url_of(incident, "block")
    form = {"token": browser.get(url).context["token"], "days": "30"}
    monkeypatch.setattr("lockout_admin.admin.consent.store.add", lambda *_args: None)
    assert "1 network is blocked" in said(browser.post(url, form, follow=True))


def test_who_may_not_see_logins_does_not_say_that_people_came_in(
    staff: Any, incident: Incident
) -> None:
    browser = given(staff("analyst"), "view_incident", "change_incident")
    assert "people who came in" not in browser.get(url_of(incident)).content.decode()
    assert "Choose what it was" in said(do(browser, incident, "close", verdict="people"))
    incident.refresh_from_db()
    assert incident.state == "open"


def test_what_was_not_shown_is_not_blocked(staff: Any, incident: Incident) -> None:
    browser = staff("security")
    token = browser.get(url_of(incident, "block")).context["token"]
    came(incident, "203.0.113.99/32")
    answer = browser.post(url_of(incident, "block"), {"token": token})
    assert "have changed" in said(answer)
    assert browser.post(url_of(incident, "block"), {"token": "x"}).status_code == 403
    assert not NetworkRule.objects.exists()


def test_no_more_are_blocked_at_once_than_a_person_can_look_at(
    staff: Any, incident: Incident, monkeypatch: Any
) -> None:
    monkeypatch.setattr(remedies, "MOST_BLOCKED", 1)
    browser, url = staff("security"), url_of(incident, "block")
    came(incident, "203.0.113.99/32")
    page = browser.get(url)
    shown = page.content.decode()
    assert "There are more" in shown
    assert "blocked already" not in shown
    browser.post(url, {"token": page.context["token"], "days": "1"})
    # Whoever comes back is asked about the rest.
    page = browser.get(url)
    shown = page.content.decode()
    assert "There are more" not in shown
    assert "1 network is blocked already" in shown
    assert "No network is left" not in shown
    browser.post(url, {"token": page.context["token"], "days": "1"})
    blocked = NetworkRule.objects.values_list("cidr", flat=True)
    assert sorted(blocked) == ["192.0.2.7/32", "203.0.113.99/32"]
    assert "No network is left to block" in browser.get(url).content.decode()


@pytest.mark.parametrize(
    "rule", [{"action": "allow"}, {"source": "drop"}, {"until": LONG_AGO}, {"cidr": "192.0.2.6/31"}]
)
def test_what_nobody_blocks_by_hand_is_there_to_be_blocked(
    staff: Any, incident: Incident, rule: dict[str, Any]
) -> None:
    NetworkRule.objects.create(**{"cidr": "192.0.2.7/32", **rule})
    plan = staff("security").get(url_of(incident, "block")).context["plan"]
    assert plan.blocked == 0
    assert "192.0.2.7/32" in [*map(str, plan.block), *(network for network, _why in plan.left_out)]


def test_the_bundle(staff: Any, incident: Incident) -> None:
    refuse("carol", "192.0.2.7", 40, 60)
    answer = staff("security").post(url_of(incident, "do/bundle"))
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    answer.getvalue()
    lines = {
        name: [json.loads(line) for line in archive.read(name).decode().splitlines()]
        for name in archive.namelist()
    }
    assert lines["incident.json"][0]["kind"] == "spraying"
    assert {row["username"] for row in lines["names.jsonl"]} == {"carol", "bob"}
    assert len(lines["networks.jsonl"]) == 2
    assert [row["username"] for row in lines["failures-of-names.jsonl"]] == ["carol"]
    assert [row["username"] for row in lines["failures-from-networks.jsonl"]] == ["carol"]
    assert [row["username"] for row in lines["logins.jsonl"]] == ["bob"]
    assert [row["times"] for row in lines["refused.jsonl"]] == [40]
    assert lines["incident.json"][0]["started_at"].endswith("Z")
    said = AuditEntry.objects.get(action="export").details
    assert said == f"Evidence of incident {incident.pk}."
    (manifest,) = lines.pop("manifest.json")
    assert (manifest["incident"], manifest["taken_by"]) == (incident.pk, "security")
    assert set(manifest["about"]) == set(lines)
    assert manifest["sha256"] == {name: sha256(archive.read(name)).hexdigest() for name in lines}


def test_a_bundle_has_an_end(staff: Any, incident: Incident, fail: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("lockout_admin.admin.bundles.MOST", 1)
    fail("carol", ip_address="192.0.2.7", ago=120)
    answer = staff("security").post(url_of(incident, "do/bundle"))
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    answer.getvalue()
    assert len(archive.read("failures-of-names.jsonl").splitlines()) == 1


# -- Who may ------------------------------------------------------------------------------------

ROLES = ["stranger", "analyst", "support", "security", "root"]
PAGES = [
    ("get", "", [403, 403, 200, 200, 200]),
    ("get", "thresholds/", [403, 403, 200, 200, 200]),
    ("post", "thresholds/", [405] * 5),
    ("get", "add/", [403] * 5),
    ("get", "{pk}/change/", [403, 403, 200, 200, 200]),
    ("post", "{pk}/change/", [403] * 5),
    ("get", "{pk}/history/", [403, 403, 200, 200, 200]),
    ("post", "{pk}/delete/", [403] * 5),
    ("get", "{pk}/block/", [403, 403, 403, 200, 200]),
    ("get", "{pk}/do/note/", [405] * 5),
    *(
        ("post", f"{{pk}}/do/{verb}/", [403, 403, 403, 302, 302])
        for verb in ("acknowledge", "name", "note", "close", "reopen")
    ),
    ("get", "{pk}/merge/", [403, 403, 403, 404, 404]),
    ("post", "{pk}/do/lock/", [403, 403, 404, 404, 404]),
    ("get", "{pk}/help/lock/", [403, 403, 403, 200, 200]),
    ("post", "{pk}/help/lock/", [403] * 5),
    ("get", "{pk}/help/tell/", [403, 403, 403, 302, 302]),
    ("get", "{pk}/help/explode/", [403, 403, 404, 404, 404]),
    *(
        ("get", f"{{pk}}/help/{verb}/", [403, 403, 403, 403, 200])
        for verb in ("passwords", "sessions")
    ),
    ("post", "{pk}/do/bundle/", [403, 403, 403, 200, 200]),
]


@pytest.mark.parametrize("role", ROLES)
def test_pages(staff: Any, incident: Incident, role: str) -> None:
    browser, place = staff(role), ROLES.index(role)
    for method, page, statuses in PAGES:
        answer = getattr(browser, method)(LIST + page.format(pk=incident.pk))
        answer.getvalue()
        assert answer.status_code == statuses[place], (method, page)


# -- Exemptions ---------------------------------------------------------------------------------


def exemptions(client: Client, *rows: Exemption) -> Any:
    form = {"action": "undo", "_selected_action": [row.pk for row in rows]}
    return client.post(EXEMPTIONS, form, follow=True)


def test_what_was_taught_is_listed_and_can_be_undone(staff: Any, incident: Incident) -> None:
    browser = staff("security")
    do(browser, incident, "close", verdict="scanner")
    page = browser.get(EXEMPTIONS).content.decode()
    assert "198.51.100.9/32" in page
    assert "in force" in page
    assert f'<a href="{url_of(incident)}">#{incident.pk}</a>' in page
    assert "2 exemptions ended" in said(exemptions(browser, *Exemption.objects.all()))
    assert not Exemption.objects.filter(ended_at=None).exists()
    assert "security" in Exemption.objects.values_list("ended_by", flat=True)
    assert "ended" in browser.get(EXEMPTIONS).content.decode()


def test_an_exemption_of_anything(staff: Any) -> None:
    Exemption.objects.create(verdict="client")
    assert "any" in staff("security").get(EXEMPTIONS).content.decode()


@pytest.mark.parametrize(
    ("role", "status"), [("stranger", 403), ("support", 403), ("security", 200), ("root", 200)]
)
def test_who_sees_exemptions(staff: Any, role: str, status: int) -> None:
    assert staff(role).get(EXEMPTIONS).status_code == status


def test_who_may_only_look_ends_none(staff: Any) -> None:
    one = Incident.objects.create(
        kind="stuffing", started_at=timezone.now(), last_seen_at=timezone.now()
    )
    row = Exemption.objects.create(verdict="client", incident=one)
    browser = given(staff("analyst"), "view_exemption")
    assert f"#{one.pk}" not in browser.get(EXEMPTIONS).content.decode()
    exemptions(browser, row)
    row.refresh_from_db()
    assert row.ended_at is None
    for page in ("add/", f"{row.pk}/delete/"):
        assert browser.get(EXEMPTIONS + page).status_code == 403


def test_what_is_no_key_is_refused(staff: Any) -> None:
    form = {"action": "undo", "_selected_action": ["x"]}
    assert staff("security").post(EXEMPTIONS, form).status_code == 400


def test_the_way_from_the_first_page(staff: Any, incident: Incident) -> None:
    browser = staff("security")
    index = browser.get(reverse("admin:index")).content.decode()
    assert url_of(incident) in index
    assert "Under attack" in index


def test_the_reason_is_in_the_language_of_whoever_reads_it_and_english_in_the_log(
    staff: Any, incident: Incident, caplog: pytest.LogCaptureFixture
) -> None:
    client = staff("root")
    for language, words in (
        ("de", "195 fremde Namen aus einem Netz in einer Stunde; die Schwelle ist 14."),
        ("es", "195 nombres extraños desde una red en una hora; el umbral es 14."),
        ("fr", "195 noms étrangers depuis un réseau en une heure ; le seuil est de 14."),
    ):
        assert words in read(client, incident, language), language
    with translation.override("de"), caplog.at_level(logging.WARNING, "lockout_admin"):
        log_incident(incident, IncidentEvent.What.FOUND)
    assert "195 strange names from one network in an hour" in str(vars(caplog.records[-1]))


def test_a_verdict_on_the_time_line_is_in_the_language_of_whoever_reads_it(
    staff: Any, incident: Incident
) -> None:
    verbs.close(incident, Incident.Verdict.SCANNER, "anna", "ticket 4711")
    line = read(staff("root"), incident, "de").partition("lockout-line-title")[2]
    assert "scanner" not in line
    with translation.override("de"):
        assert str(Incident.Verdict.SCANNER.label) in line
    assert "ticket 4711" in line


def test_that_people_came_in_is_on_no_time_line_of_whoever_may_not_know_of_logins(
    staff: Any, incident: Incident
) -> None:
    for by in ("", "anna"):
        IncidentEvent.objects.create(
            incident=incident, what="closed", by=by, verdict=Incident.Verdict.PEOPLE
        )
    client = given(staff("security"), "view_incident", "view_failedlogin")
    IncidentEvent.objects.create(incident=incident, what="reopened", text="2 / 9")
    line = client.get(url_of(incident)).content.decode().partition("lockout-line-title")[2]
    for word in ("closed", "reopened", "came in"):
        assert word not in line
    line = staff("root").get(url_of(incident)).content.decode().partition("lockout-line-title")[2]
    assert line.count("people who came in after all") == 2


@pytest.mark.parametrize(("verdict", "says"), [("scanner", True), ("attack", False)])
def test_whoever_teaches_is_told_so(
    staff: Any, incident: Incident, verdict: str, says: bool
) -> None:
    answer = do(staff("root"), incident, "close", verdict=verdict)
    assert ("raises no incident any more" in answer.content.decode()) is says


def read(client: Client, incident: Incident, language: str) -> str:
    """Return the page of an incident in a language."""
    with translation.override(language):
        return client.get(url_of(incident)).content.decode()
