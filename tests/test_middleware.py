"""A refused person is told so where they look for it."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.test import AsyncClient, Client, override_settings
from django.urls import path

from lockout_admin import lockout
from lockout_admin.middleware import LockoutMiddleware
from lockout_admin.models import AccountLock, FailedLogin
from tests.urls import urlpatterns as pages

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

WRONG = {"username": "alice", "password": "wrong"}
RIGHT = {"username": "alice", "password": "right"}


def plain(request: Any) -> HttpResponse:
    user = authenticate(request, username=request.POST["username"], password=request.POST["password"])
    return HttpResponse("in" if user else "out")


def api(request: Any) -> HttpResponse:
    user = authenticate(request, **json.loads(request.body))
    return JsonResponse({"user": str(user)}, status=200 if user else 401)


def raising(request: Any) -> HttpResponse:
    lockout.raise_if_locked(request.POST["username"])
    return HttpResponse("in")


def broken(request: Any) -> HttpResponse:
    raise ZeroDivisionError


def two_names(request: Any) -> HttpResponse:
    names = (request.POST["email"], request.POST["username"])
    users = [authenticate(request, username=name, password=request.POST["password"]) for name in names]
    return HttpResponse("in" if any(users) else "out")


def unbound(request: Any) -> Any:
    authenticate(request, username=request.POST["username"], password=request.POST["password"])
    return TemplateResponse(request, "admin/login.html", {"form": AuthenticationForm()})


def caught(request: Any) -> HttpResponse:
    with suppress(PermissionDenied):
        lockout.raise_if_locked(request.POST["username"])
    return HttpResponse("no", status=403)


def talkative(request: Any) -> HttpResponse:
    response = plain(request)
    response["Content-Security-Policy"] = "default-src 'self'"
    response["Access-Control-Allow-Origin"] = "https://shop.example"
    response["Location"] = "/in/"
    response["ETag"] = '"out"'
    response.set_cookie("csrftoken", "t")
    return response


urlpatterns = [
    *pages,
    path("two/", two_names),
    path("unbound/", unbound),
    path("caught/", caught),
    path("talkative/", talkative),
    path("plain/", plain),
    path("api/", api),
    path("raising/", raising),
    path("broken/", broken),
]


@pytest.fixture
def locked(alice: Any) -> None:
    lockout.lock_account("alice", 45)


@pytest.mark.usefixtures("locked")
def test_a_refusal_keeps_what_the_site_says_to_every_client(client: Client) -> None:
    response = client.post("/talkative/", RIGHT)
    assert response.status_code == 429
    assert response["Content-Security-Policy"] == "default-src 'self'"
    assert response["Access-Control-Allow-Origin"] == "https://shop.example"
    assert response.cookies["csrftoken"].value == "t"
    assert not {"Location", "ETag"} & {*response.headers}


@pytest.mark.usefixtures("locked")
def test_a_form_that_was_not_filled_in_says_it_too(client: Client) -> None:
    response = client.post("/unbound/", RIGHT)
    assert response.status_code == 429
    assert "try again in 45 seconds" in response.content.decode()
    assert 'name="username"' in response.content.decode()


@pytest.mark.usefixtures("locked")
def test_a_view_that_catches_the_refusal_answers_alike(client: Client) -> None:
    response = client.post("/caught/", RIGHT)
    assert (response.status_code, response["Retry-After"]) == (429, "45")


def test_who_gets_in_by_a_second_name_is_not_told_of_the_first(alice: Any, client: Client) -> None:
    lockout.lock_account("alice@example.com")
    response = client.post("/two/", {"email": "alice@example.com", **RIGHT})
    assert (response.status_code, response.content) == (200, b"in")


def wants_a_user(request: Any) -> dict[str, Any]:
    return {"name": request.user.name}


@pytest.mark.usefixtures("locked")
def test_a_context_processor_that_fails_makes_no_error_page(client: Client, settings: Any) -> None:
    settings.TEMPLATES = copy.deepcopy(settings.TEMPLATES)
    settings.TEMPLATES[0]["OPTIONS"]["context_processors"].append(f"{__name__}.wants_a_user")
    response = client.post("/plain/", RIGHT)
    assert (response.status_code, response["Retry-After"]) == (429, "45")
    assert response["Content-Type"].startswith("text/plain")


@pytest.mark.usefixtures("locked")
@pytest.mark.parametrize("url", ["/login/", "/admin/login/"])
def test_the_login_form_says_how_long_to_wait(url: str, client: Client) -> None:
    response = client.post(url, RIGHT)
    assert (response.status_code, response["Retry-After"]) == (429, "45")
    assert response["Cache-Control"] == "no-store"
    assert "try again in 45 seconds" in response.content.decode()
    assert "correct username" not in response.content.decode()


@pytest.mark.usefixtures("locked")
@pytest.mark.parametrize("url", ["/plain/", "/raising/"])
def test_other_views_get_a_page_of_its_own(url: str, client: Client) -> None:
    response = client.post(url, RIGHT)
    assert (response.status_code, response["Retry-After"]) == (429, "45")
    assert "<h1>Please wait</h1>" in response.content.decode()


@pytest.mark.usefixtures("locked")
@pytest.mark.parametrize(
    ("url", "data", "headers", "content_type"),
    [
        ("/plain/", RIGHT, {"Accept": "application/json"}, None),
        ("/login/", RIGHT, {"Accept": "application/json"}, None),
        ("/api/", json.dumps(RIGHT), {}, "application/json"),
        ("/api/", json.dumps(RIGHT), {}, "text/plain"),
    ],
)
def test_a_client_that_speaks_json_gets_json(
    url: str, data: Any, headers: Any, content_type: str | None, client: Client
) -> None:
    kwargs: Any = {"content_type": content_type} if content_type else {}
    response = client.post(url, data, headers=headers, **kwargs)
    assert (response.status_code, response["Retry-After"]) == (429, "45")
    detail = "Too many failed login attempts. Please try again in 45 seconds."
    assert response.json() == {"detail": detail, "code": "locked", "retry_after": 45}


@pytest.mark.usefixtures("locked")
def test_the_refusal_speaks_the_language_of_the_reader(client: Client) -> None:
    with override_settings(LANGUAGE_CODE="en-gb"):
        assert "Too many failed" in client.post("/plain/", RIGHT).content.decode()


@pytest.mark.usefixtures("locked")
def test_without_templates_the_refusal_is_plain_text(client: Client) -> None:
    with override_settings(TEMPLATES=[]):
        response = client.post("/plain/", RIGHT)
    assert (response.status_code, response["Content-Type"]) == (429, "text/plain; charset=utf-8")


@pytest.mark.parametrize("url", ["/login/", "/plain/"])
def test_locked_and_throttled_look_alike_for_all_names(url: str, alice: Any, client: Client) -> None:
    bodies = set()
    for username in ("alice", "nobody"):
        for _ in range(4):
            client.post(url, {"username": username, "password": "wrong"})
        response = client.post(url, {"username": username, "password": "right"})
        bodies.add((response.status_code, response.content.decode().replace(username, "?").split("csrf")[0]))
    assert len(bodies) == 1


def test_the_last_failure_reads_like_the_first(alice: Any, client: Client) -> None:
    assert [client.post("/login/", WRONG).status_code for _ in range(5)] == [200, 200, 200, 200, 429]


def test_pages_that_refuse_nobody_are_left_alone(alice: Any, client: Client) -> None:
    assert client.post("/plain/", RIGHT).content == b"in"
    assert client.post("/raising/", RIGHT).content == b"in"
    assert client.get("/login/").status_code == 200


def test_other_errors_are_left_alone(client: Client) -> None:
    client.raise_request_exception = False
    assert client.get("/broken/").status_code == 500


@pytest.mark.usefixtures("locked")
def test_without_the_middleware_a_refusal_is_still_one(client: Client, settings: Any) -> None:
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "lockout" not in name]
    assert client.post("/login/", RIGHT).status_code == 200
    assert "_auth_user_id" not in client.session
    assert client.post("/raising/", RIGHT).status_code == 403


def test_records_are_written_after_the_view(alice: Any, client: Client) -> None:
    # The test's own transaction stands for that of ATOMIC_REQUESTS.
    for _ in range(4):
        client.post("/plain/", WRONG)
    assert (FailedLogin.objects.count(), AccountLock.objects.count()) == (4, 1)
    assert client.post("/plain/", RIGHT).status_code == 429


def test_a_success_is_written_after_the_view(alice: Any, client: Client) -> None:
    client.post("/plain/", WRONG)
    client.post("/plain/", RIGHT)
    assert FailedLogin.objects.get().outcome == "cleared"


def test_handle_failed_login_foresees_the_lock_inside_a_transaction() -> None:
    answers = []

    def view(request: Any) -> HttpResponse:
        answers.append(lockout.handle_failed_login("alice", request))
        return HttpResponse()

    for _ in range(4):
        LockoutMiddleware(view)(Client().get("/login/").wsgi_request)
    assert answers == [False, False, False, True]
    assert lockout.is_account_locked("alice")


@pytest.mark.django_db(transaction=True)
async def test_async_sites_answer_alike(alice: Any) -> None:
    client = AsyncClient()
    statuses = [(await client.post("/login/", WRONG)).status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 200, 429]
    assert (await client.post("/raising/", RIGHT)).status_code == 429
