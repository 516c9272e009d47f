"""A real browser on the real site. A missing part skips the tests; in CI it fails them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.services.servers import missing

from .site import DemoSite, demo_site
from .visitor import Visit, Visitor

_SWITCHES = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)

#: Stuffing that got into an account, and a scanner that staff have taught.
AN_INCIDENT = """
from lockout_admin.identity.network import number_of
from lockout_admin.identity.subject import Subject
now = timezone.now()
row = Incident.objects.create(kind="stuffing", about="2001:db8:ffff:ffff::/64",
    started_at=now - timedelta(hours=2), last_seen_at=now, names=195, names_existing=9,
    networks=2, evaluated=22, refused=1730, entered=1, sign="names-hour", counted=195, least=14)
for name, exists in (("nina", True), ("a-name-that-is-longer-than-most-" + "x" * 60, False)):
    IncidentName.objects.create(incident=row, subject=Subject.of(name).key, username=name,
        exists=exists, evaluated=11, refused=900, entered_at=now if exists else None)
for network in ("2001:db8:ffff:ffff::/64", "198.51.100.9/32"):
    IncidentNetwork.objects.create(incident=row, network=network, number=number_of(network),
        evaluated=11, entered=1, honest=3)
IncidentEvent.objects.create(incident=row, what="found", text="nina and 194 more")
IncidentEvent.objects.create(incident=row, what="note", by="admin", text="y" * 120)
Exemption.objects.create(network="2001:db8:ffff:ffff::/64", verdict="scanner", by="admin",
    user_agent="a scanner with a very long name " * 4)
print(row.pk)
"""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoSite]:
    with demo_site(tmp_path_factory.mktemp("site"), "browser") as site:
        yield site


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        missing("chromium", "apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_SWITCHES)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def sessions() -> dict[str, Any]:
    """Who is signed in where: a login hashes a password, which takes its time."""
    return {}


@pytest.fixture
def visitor(chromium: Browser, site: DemoSite, sessions: dict[str, Any]) -> Iterator[Visitor]:
    """A visitor; no page may break the site's security policy or have a script that fails."""
    visitor = Visitor(chromium, site, sessions)
    yield visitor
    assert visitor.leave() == []


@pytest.fixture
def visit(visitor: Visitor) -> Visit:
    return visitor.visit


@pytest.fixture(scope="session")
def keys(site: DemoSite) -> dict[str, str]:
    """Records to look at."""
    incident = site.shell(AN_INCIDENT)
    site.lock("nina", "<b>a very long stranger's name</b> " + "x" * 80, seconds=86_400)
    printed = site.shell(
        "from django.contrib.auth.models import User\n"
        "from lockout_admin.models import NetworkRule\n"
        "ours = NetworkRule.objects.create(cidr='2001:db8:ffff:ffff:ffff:ffff:ffff:fff0/124',"
        " reason='x' * 200, created_by='a very long name of a member of staff')\n"
        "listed = NetworkRule.objects.create(cidr='198.51.100.0/24', source='spamhaus-drop')\n"
        "print(FailedLogin.objects.latest('timestamp').pk,\n"
        "SuccessfulLogin.objects.latest('timestamp').pk,\n"
        "ActiveLock.objects.open().get(label='nina').pk,\n"
        "  AccountLock.objects.filter(ended_at__isnull=False).latest('started_at').pk,\n"
        "  User.objects.get(username='nina').pk, ours.pk, listed.pk)"
    )
    names = ["failure", "success", "lock", "ended", "user", "network", "listed"]
    return {"incident": incident, **dict(zip(names, printed.split(), strict=True))}
