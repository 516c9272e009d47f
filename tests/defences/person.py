"""People with browsers."""

from __future__ import annotations

from http.cookies import SimpleCookie

from django.test import Client

from ..conftest import HOME

COOKIE = "lockout_device"


class Person:
    """Somebody with a browser at the login form."""

    def __init__(self, ip: str = HOME, jar: Client | None = None) -> None:
        self.browser = Client(REMOTE_ADDR=ip, headers={"User-Agent": "Firefox"})
        if jar:
            self.browser.cookies = SimpleCookie(jar.cookies)
        self.tries = 0

    def log_in(self, password: str = "right", username: str = "alice", **more: str) -> str:
        """Try once: "in", "wrong" or "refused"."""
        form = {"username": username, "password": password, "next": "/admin/", **more}
        response = self.browser.post("/login/", form)
        if response.status_code == 429:
            return "refused"
        if response.status_code == 302:
            self.browser.cookies.pop("sessionid")
            return "in"
        return "wrong"

    def guess(self, times: int = 1, username: str = "alice") -> list[str]:
        """Try fresh wrong passwords."""
        self.tries += times
        return [self.log_in(f"guess {self.tries}.{n}.{id(self)}", username) for n in range(times)]

    @property
    def cookie(self) -> str:
        """What the browser has of ours."""
        return self.browser.cookies[COOKIE].value if COOKIE in self.browser.cookies else ""

    @cookie.setter
    def cookie(self, value: str) -> None:
        self.browser.cookies[COOKIE] = value
