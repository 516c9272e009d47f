"""Pages of other sites post forms too: they take no trusted device out of a visitor's browser."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from lockout_admin import lockout
from lockout_admin.identity.browser import Browser
from lockout_admin.identity.origin import is_of_another_site
from lockout_admin.identity.visit import Visit
from lockout_admin.integrations.asgi import LockoutMiddleware
from lockout_admin.models import FailedLogin

from ..conftest import HOME, request_from
from ..urls import urlpatterns as pages
from .person import COOKIE, Person

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("clock", "alice"),
    pytest.mark.urls(__name__),
]

FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"},
    {"Origin": "https://evil.example"},
    {"Origin": "https://testserver.evil.example"},
    {"Origin": "https://eviltestserver"},
    {"Origin": "null"},
    {"Origin": "http://["},
]
OWN = [
    {},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "same-site", "Origin": "https://app.example"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://testserver"},
    {"Origin": "https://testserver:8443"},
    {"Origin": "https://www.testserver"},
]


@csrf_exempt
def token(request: HttpRequest) -> HttpResponse:
    """An API's login, which asks for no token of a form."""
    with lockout.attempt(request.POST["username"], request) as attempt:
        attempt.failed()
    return HttpResponse(status=401)


urlpatterns = [*pages, path("token/", token)]


def post(browser: Client, headers: dict[str, str]) -> Any:
    headers = {"Host": "testserver", **headers}
    return browser.post("/token/", {"username": "mallory"}, headers=headers, REMOTE_ADDR=HOME)


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_form_of_another_site_gets_no_cookie_and_counts(headers: dict[str, str]) -> None:
    # A browser sends no Lax cookie with such a form.
    answer = post(Client(), headers)
    assert COOKIE not in answer.cookies
    assert answer.status_code == 401
    assert FailedLogin.objects.count() == 1


@pytest.mark.parametrize("headers", OWN)
def test_whoever_fails_on_the_site_itself_is_known_again(headers: dict[str, str]) -> None:
    assert COOKIE in post(Client(), headers).cookies


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_login_that_another_site_sends_takes_the_place_of_no_device(
    headers: dict[str, str],
) -> None:
    answer = Client(headers=headers, REMOTE_ADDR=HOME).post(
        "/login/", {"username": "alice", "password": "right"}
    )
    assert answer.status_code == 302
    assert COOKIE not in answer.cookies


def test_a_browser_that_brings_its_cookie_gets_the_next_one(owner: Person) -> None:
    # It follows a link, or the other site is none to the browser.
    owner.browser.cookies[COOKIE] = "of another shape"
    assert COOKIE in post(owner.browser, FOREIGN[0]).cookies


def test_the_hosts_that_the_site_declares_are_its_own(settings: Any) -> None:
    headers = {"Origin": "https://login.example"}
    assert COOKIE not in post(Client(), headers).cookies
    settings.CSRF_TRUSTED_ORIGINS = ["https://*.login.example", "https://login.example"]
    assert COOKIE in post(Client(), headers).cookies


def test_the_host_that_a_proxy_forwards_is_the_sites_own_where_it_is_believed(
    settings: Any,
) -> None:
    headers = {"Origin": "https://shop.example", "X-Forwarded-Host": "shop.example"}
    assert COOKIE not in post(Client(), headers).cookies
    settings.USE_X_FORWARDED_HOST = True
    assert COOKIE in post(Client(), headers).cookies


def test_a_link_from_another_site_is_no_form_of_it() -> None:
    request = request_from(HOME)
    request.method = "GET"
    request.META["HTTP_SEC_FETCH_SITE"] = "cross-site"
    assert not is_of_another_site(request)
    request.method = "POST"
    assert is_of_another_site(request)


@pytest.mark.parametrize("site", ["cross-site", "same-origin"])
async def test_it_is_the_same_beside_django(site: str) -> None:
    async def log_in(scope: Any, receive: Any, send: Any) -> None:
        browser = Browser.of(scope)
        assert browser
        browser.known()
        await send({"type": "http.response.start", "status": 401, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps({}).encode()})

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "headers": [(b"host", b"site.example"), (b"Sec-Fetch-Site", site.encode())],
        "client": (HOME, 4711),
    }
    await LockoutMiddleware(log_in)(scope, None, send)  # type: ignore[arg-type]
    names = [name for name, _ in sent[0]["headers"]]
    assert (b"set-cookie" in names) == (site == "same-origin")


def test_a_visit_has_the_headers_of_its_scope() -> None:
    visit = Visit({"headers": [(b"Origin", b"https://a.example")]})
    assert visit.header("origin") == "https://a.example"
    assert visit.header("host") == ""
