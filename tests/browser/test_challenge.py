"""A stranger's browser does a proof of work, under the site's strict policy."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from .site import LOGIN, DemoSite, demo_site
from .visitor import Visit, log_in

PASSWORD = "demo-account"
DONE = "Done: you can log in now."
LANGUAGES = {
    "en": DONE,
    "de": "Fertig: Sie können sich jetzt anmelden.",
    "es": "Listo: ya puede iniciar sesión.",
    "fr": "C’est fait : vous pouvez vous connecter.",
    "fa": "انجام شد: اکنون می‌توانید وارد شوید.",
}
#: Each visitor comes from a network of his own: failures of one are nothing to the others.
_hosts = count(1)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoSite]:
    directory = tmp_path_factory.mktemp("challenge")
    with demo_site(directory, "challenge", DEMO_CHALLENGE="1") as site:
        yield site


@pytest.fixture(scope="module")
def sessions() -> dict[str, Any]:
    return {}


def stranger(visit: Visit, path: str = LOGIN, **profile: Any) -> Page:
    headers = {"X-Forwarded-For": f"198.51.100.{next(_hosts)}"}
    return visit(path, extra_http_headers=headers, **profile)


def challenged(page: Page, name: str) -> None:
    """Fail until the browser is asked: at the third time; some were attacked before."""
    assert any(log_in(page, name, f"wrong {number}") == 429 for number in range(3))


def answer_in(page: Page) -> str:
    """Return the answer that the browser has found."""
    expect(page.locator(".lockout-challenge")).to_have_text(DONE)
    cookies = page.context.cookies()
    return next(one["value"] for one in cookies if one["name"] == "lockout_answer")


def answer_with(page: Page, answer: str) -> None:
    cookie: Any = {
        "name": "lockout_answer",
        "value": answer,
        "url": page.url.partition("/login")[0],
    }
    page.context.add_cookies([cookie])


def test_a_browser_computes_and_is_let_in(visit: Visit) -> None:
    page = stranger(visit)
    challenged(page, "grace")
    page.get_by_text(DONE).wait_for()
    assert log_in(page, "grace", PASSWORD) == 302


def test_whoever_is_faster_than_the_browser_waits_for_it(visit: Visit) -> None:
    page = stranger(visit)
    challenged(page, "heidi")
    page.evaluate(
        """([name, password]) => {
          document.querySelector("[name=username]").value = name;
          document.querySelector("[name=password]").value = password;
          document.querySelector("form button.main").click();
        }""",
        ["heidi", PASSWORD],
    )
    page.get_by_text("Hello, heidi.").wait_for()


def test_a_forged_answer_is_none(visit: Visit) -> None:
    page = stranger(visit)
    challenged(page, "ivan")
    answer = json.loads(base64.b64decode(answer_in(page)))
    answer["challenge"]["parameters"]["cost"] = 1
    answer_with(page, base64.b64encode(json.dumps(answer).encode()).decode())
    assert log_in(page, "ivan", PASSWORD) == 429


def test_an_answer_is_good_once(visit: Visit) -> None:
    page = stranger(visit)
    challenged(page, "judy")
    answer = answer_in(page)
    assert log_in(page, "judy", "wrong again") == 200
    answer_with(page, answer)
    assert log_in(page, "judy", PASSWORD) == 429


def test_an_answer_that_is_late_is_none(visit: Visit, site: DemoSite) -> None:
    page = stranger(visit)
    challenged(page, "nobody-is-late")
    late = site.shell(
        "import altcha, freezegun\n"
        "from lockout_admin.defences.work import ProofOfWork\n"
        "with freezegun.freeze_time(timezone.now() - timedelta(seconds=601)):\n"
        "    made = altcha.Challenge.from_dict(ProofOfWork().ask())\n"
        "print(altcha.Payload(made, altcha.solve_challenge(made)).to_base64())"
    )
    answer_in(page)
    answer_with(page, late)
    assert log_in(page, "nobody-is-late", "wrong") == 429


def test_without_scripts_a_page_says_so_and_offers_a_mail(visit: Visit) -> None:
    page = stranger(visit, java_script_enabled=False)
    challenged(page, "nobody-runs-scripts")
    assert page.get_by_text("Your browser cannot do this.").is_visible()
    page.get_by_role("link", name="Get in by e-mail").click()
    assert page.get_by_role("button", name="Send the mail").is_visible()


def test_a_trusted_device_is_never_asked(visit: Visit) -> None:
    page = stranger(visit)
    assert log_in(page, "peggy", PASSWORD) == 302
    page.get_by_role("button", name="Log out").click()
    challenged(stranger(visit), "peggy")
    page.goto(LOGIN)
    assert log_in(page, "peggy", "mistyped") == 200
    assert log_in(page, "peggy", PASSWORD) == 302


def test_the_login_of_the_admin_asks_as_well(visit: Visit) -> None:
    page = stranger(visit, "/admin/")
    faults_of_django = [one["id"] for one in Axe().run(page).response["violations"]]
    for number in range(3):
        page.get_by_label("Username").fill("nobody-in-the-admin")
        page.get_by_label("Password").fill(f"wrong {number}")
        page.get_by_role("button", name="Log in").click()
    page.get_by_text(DONE).wait_for()
    violations = [one["id"] for one in Axe().run(page).response["violations"]]
    assert violations == faults_of_django


@pytest.mark.parametrize("language", LANGUAGES)
def test_everybody_can_read_it(visit: Visit, language: str) -> None:
    page = stranger(visit, locale=language, viewport={"width": 400, "height": 700})
    for number in range(3):
        page.locator("[name=username]").fill(f"nobody-reads-{language}")
        page.locator("[name=password]").fill(f"wrong {number}")
        page.locator("form button.main").click()
    place = page.locator(".lockout-challenge")
    expect(place).to_have_text(re.compile(re.escape(LANGUAGES[language])))
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    assert Axe().run(page).response["violations"] == []
