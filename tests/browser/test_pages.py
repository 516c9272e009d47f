"""Every page holds under its security policy, fits a telephone and can be used by everybody."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage

from .site import (
    FAILURES,
    HISTORY,
    INCIDENTS,
    LOCKS,
    LOGIN,
    NETWORKS,
    SUCCESSES,
    TAUGHT,
)
from .visitor import Visit, Visitor, log_in_until_refused

PAGES = {
    "index": "/admin/",
    "app": "/admin/lockout_admin/",
    "incidents": INCIDENTS,
    "incident": f"{INCIDENTS}{{incident}}/change/",
    "incident-block": f"{INCIDENTS}{{incident}}/block/",
    "thresholds": f"{INCIDENTS}thresholds/",
    "taught": TAUGHT,
    "failures": FAILURES,
    "failures-all": f"{FAILURES}?time=all&net=203.0.113.0/24",
    "failures-filtered": f"{FAILURES}?time=90d&username=alice&account=yes",
    "locks-export": f"{LOCKS}export/",
    "audit": "/admin/lockout_admin/auditentry/?by=admin",
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
    "policy-try": f"{HISTORY}policy/try/",
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


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_keeps_the_policy_can_be_used_by_everybody_and_fits_a_telephone(
    visit: Visit, keys: dict[str, str], name: str, scheme: str
) -> None:
    page = visit(PAGES[name].format(**keys), "admin", color_scheme=scheme)
    assert page.locator("#content").is_visible()
    assert serious_faults(page) == []
    page.set_viewport_size({"width": 400, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_no_serious_fault_on_the_login_page_nor_on_its_refusal(
    visit: Visit, scheme: str
) -> None:
    page = visit(LOGIN, color_scheme=scheme)
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


#: What the button says, and whether it can be pressed again, when the answer is here.
NOTE_THE_BUTTON = """window.addEventListener("pagehide", () => {
    const button = document.querySelector("[data-busy]");
    sessionStorage.setItem("button", `${button.textContent} ${button.disabled}`);
})"""


def test_rules_are_tried_on_the_log(visit: Visit) -> None:
    page = visit(f"{HISTORY}policy/try/", "admin")
    page.set_default_timeout(60_000)  # the page replays for twenty seconds at most
    page.get_by_label("How much of the log").select_option("7")
    page.get_by_label("Wrong passwords on a name that lock it").fill("2")
    for _ in range(3):  # on a machine that is busy, the time of a page may be up before
        page.evaluate(NOTE_THE_BUTTON)
        page.get_by_role("button", name="Try", exact=True).click()
        page.get_by_role("heading", name="Rules in force, and rules tried").wait_for()
        if page.get_by_text("The time of a page was up").count() == 0:
            break
    assert page.evaluate("sessionStorage.getItem('button')") == "The log is replayed … true"
    assert page.get_by_role("button", name="Try", exact=True).is_enabled()
    assert page.locator("svg rect.lockout-side-1").count() > 4
    assert serious_faults(page) == []
    page.set_viewport_size({"width": 400, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
