"""Every page holds under its security policy, fits a telephone and can be used by everybody."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage

from .site import FAILURES, HISTORY, LOCKS, LOGIN, NETWORKS, SUCCESSES, DemoSite
from .visitor import Visit, Visitor, log_in_until_refused

PAGES = {
    "index": "/admin/",
    "app": "/admin/lockout_admin/",
    "failures": FAILURES,
    "failures-all": f"{FAILURES}?time=all&net=203.0.113.0/24",
    "failures-wrong": f"{FAILURES}?net=nonsense",
    "failures-pattern": f"{FAILURES}?time=7d&pattern=names",
    "failure": f"{FAILURES}{{failure}}/change/",
    "failures-export": f"{FAILURES}export/?time=all",
    "failures-entered": f"{FAILURES}?time=90d&username=alice",
    "successes": SUCCESSES,
    "successes-failed": f"{SUCCESSES}?time=90d&failed=alice",
    "success": f"{SUCCESSES}{{success}}/change/",
    "successes-export": f"{SUCCESSES}export/?time=all",
    "locks": LOCKS,
    "lock": f"{LOCKS}{{lock}}/change/",
    "unlock": f"{LOCKS}{{lock}}/unlock/",
    "lock-by-hand": f"{LOCKS}add/",
    "history": f"{HISTORY}?time=90d",
    "ended": f"{HISTORY}{{ended}}/change/",
    "policy": f"{HISTORY}policy/",
    "history-export": f"{HISTORY}export/",
    "networks": f"{NETWORKS}?time=all",
    "network": f"{NETWORKS}{{network}}/change/",
    "network-of-a-list": f"{NETWORKS}{{listed}}/change/",
    "network-add": f"{NETWORKS}add/?action=block&cidr=2001:db8::/64",
    "networks-import": f"{NETWORKS}import/",
    "networks-export": f"{NETWORKS}export/",
    "users": "/admin/auth/user/",
    "user": "/admin/auth/user/{user}/change/",
}
SCHEMES = ["light", "dark"]
#: Faults of Django's own admin, outside what this package renders: rule -> selectors.
DJANGO_OWN = {
    # The label of the search has an image, whose text is its name.
    "label-title-only": ("#searchbar",),
    # Help beside the two lists of groups and of permissions, on the page of a user.
    "aria-prohibited-attr": (".help-tooltip",),
}


@pytest.fixture(scope="session")
def keys(site: DemoSite) -> dict[str, str]:
    """Records to look at."""
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
    return dict(zip(names, printed.split(), strict=True))


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_keeps_the_policy_and_fits_a_telephone(
    visit: Visit, keys: dict[str, str], name: str, scheme: str
) -> None:
    page = visit(PAGES[name].format(**keys), "admin", color_scheme=scheme)
    assert page.locator("#content").is_visible()
    page.set_viewport_size({"width": 400, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_no_serious_fault_on_a_page(
    visit: Visit, keys: dict[str, str], name: str, scheme: str
) -> None:
    page = visit(PAGES[name].format(**keys), "admin", color_scheme=scheme, bypass_csp=True)
    assert serious_faults(page) == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_no_serious_fault_on_the_login_page_nor_on_its_refusal(
    visit: Visit, scheme: str
) -> None:
    page = visit(LOGIN, color_scheme=scheme, bypass_csp=True)
    assert serious_faults(page) == []
    assert log_in_until_refused(page, f"stranger-{scheme}")
    assert serious_faults(page) == []


def by_listener(message: ConsoleMessage) -> bool:
    return message.text.startswith("Content Security Policy:")


def test_what_the_policy_forbids_is_noticed(visitor: Visitor) -> None:
    page = visitor.visit(LOGIN)
    # The browser says it, and so does the page's own listener.
    with (
        page.expect_console_message(by_listener),
        page.expect_console_message(lambda told: not by_listener(told)),
    ):
        page.evaluate("document.body.setAttribute('style', 'color: red')")
    assert any("Content Security Policy" in fault for fault in visitor.faults)
    visitor.faults.clear()


def serious_faults(page: Any) -> list[str]:
    """Return the rules that axe finds broken, with where and why."""
    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']} at {node['target']}: {node['failureSummary']}"
        for rule in found
        if rule["impact"] in {"serious", "critical"}
        for node in rule["nodes"]
        if not any(selector in str(node["target"]) for selector in DJANGO_OWN.get(rule["id"], ()))
    ]
