"""Whether the owners of attacked accounts still get in: in their own browser, and in a new one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx

from .people import ATTACKED, Person
from .target import FORM, Target, TargetError

_DEVICE = "lockout_device"
#: Each lives somewhere else.
_HOME = "192.0.2.{}"


@dataclass(slots=True)
class Owners:
    """People who log in before the attack and after it."""

    target: Target
    #: What their browsers keep.
    cookies: dict[str, str] = field(default_factory=dict)

    def log_in_before(self) -> None:
        """Have each log in in the browser that knows him from then on."""
        for number, person in enumerate(ATTACKED):
            with self._browser(number) as browser:
                if _log_in(browser, person):
                    self.cookies[person.username] = browser.cookies.get(_DEVICE) or ""

    def lines_after(self) -> Iterator[str]:
        """Yield how many get in now."""
        known = new = 0
        for number, person in enumerate(ATTACKED):
            with self._browser(number) as browser:
                browser.cookies.set(_DEVICE, self.cookies.get(person.username, ""))
                known += _log_in(browser, person)
            with self._browser(number + 100) as browser:
                new += _log_in(browser, person)
        every = len(ATTACKED)
        yield f"Owners who get in: {known} of {every} in their own browser, {new} in a new one"

    def _browser(self, number: int) -> httpx.Client:
        headers = {"Host": self.target.authority, "X-Forwarded-For": _HOME.format(number + 1)}
        return httpx.Client(
            base_url=next(iter(self.target.base_urls())),
            headers=headers,
            timeout=30,
            trust_env=False,
        )


def _log_in(browser: httpx.Client, person: Person) -> bool:
    try:
        browser.get(FORM)
        token = browser.cookies.get("csrftoken", "")
        form = {
            "username": person.username,
            "password": person.password,
            "csrfmiddlewaretoken": token,
        }
        return browser.post(FORM, data=form).status_code == 302
    except httpx.HTTPError as error:
        raise TargetError(f"The demo does not answer: {error}.") from None
