"""Somebody with a browser. Everything that the browser objects to is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from demo.people import STAFF

from .site import LOGIN, DemoSite

_PASSWORDS = {person.username: person.password for person in STAFF}

#: Says in the console what the policy forbade; scripts of the driver are not subject to it.
_TELL_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`Content Security Policy: ${event.violatedDirective} forbids`
                + ` ${event.blockedURI} ${event.sample}`));
"""
#: What Chromium logs of an answer that is an error on purpose: tests look at the status themselves.
_EXPECTED = ("status of 429", "status of 403", "status of 410")

Visit = Callable[..., Page]


@dataclass
class Visitor:
    """Opens pages of a site, each in a browser profile of its own."""

    browser: Browser
    site: DemoSite
    #: Who is signed in -> the cookies.
    sessions: dict[str, Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    def visit(self, path: str, user: str | None = None, **profile: Any) -> Page:
        """Open a page, signed in as one of the demo's staff or as nobody."""
        page = self._profile(
            **{"storage_state": self._session(user) if user else None, **profile}
        ).new_page()
        page.goto(path)
        return page

    def leave(self) -> list[str]:
        """Close everything; return what the browser objected to."""
        for context in self.contexts:
            context.close()
        return self.faults

    def _profile(self, **profile: Any) -> BrowserContext:
        defaults = {
            "viewport": {"width": 1280, "height": 800},
            "locale": "en-GB",
            "color_scheme": "light",
        }
        context = self.browser.new_context(base_url=self.site.url, **{**defaults, **profile})
        context.set_default_timeout(15_000)
        context.add_init_script(_TELL_VIOLATIONS)
        context.on("console", self._hear)
        context.on(
            "weberror",
            lambda error: self.faults.append(f"{error.page and error.page.url}: {error.error}"),
        )
        self.contexts.append(context)
        return context

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(text in message.text for text in _EXPECTED):
            self.faults.append(f"{message.page and message.page.url}: {message.text}")

    def _session(self, user: str) -> Any:
        if user not in self.sessions:
            context = self._profile()
            page = context.new_page()
            page.goto(LOGIN)
            log_in(page, user, _PASSWORDS[user])
            page.get_by_role("button", name="Log out").wait_for()
            self.sessions[user] = context.storage_state()
        return self.sessions[user]


def log_in(page: Page, username: str, password: str) -> int:
    """Fill in the demo's login form; return the status of the answer."""
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    with page.expect_response(lambda response: response.request.method == "POST") as answer:
        page.get_by_role("button", name="Log in").click()
    page.wait_for_load_state()
    return answer.value.status


def log_in_until_refused(page: Page, username: str, most: int = 10) -> bool:
    """Guess until the site refuses to look at a guess; tell whether it came to that."""
    return any(log_in(page, username, "a guess") == 429 for _ in range(most))
