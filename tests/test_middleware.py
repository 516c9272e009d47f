"""A refused person is told so where they look for it."""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import copy_context
from typing import Any

import pytest
from django import forms
from django.contrib.auth import authenticate, get_user_model, login
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import PermissionDenied
from django.http import (
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.template.response import TemplateResponse
from django.test import AsyncClient, Client, override_settings
from django.urls import path

from lockout_admin import lockout
from lockout_admin.engine.journal import Journal, current_journal
from lockout_admin.exceptions import AccountLocked
from lockout_admin.middleware import LockoutMiddleware
from lockout_admin.models import AccountLock, FailedLogin
from tests.conftest import request_from
from tests.urls import urlpatterns as pages

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

WRONG = {"username": "alice", "password": "wrong"}
RIGHT = {"username": "alice", "password": "right"}


class SearchForm(forms.Form):
    """One that asks for no password."""

    query = forms.CharField()


def plain(request: Any) -> HttpResponse:
    user = authenticate(
        request, username=request.POST["username"], password=request.POST["password"]
    )
    return HttpResponse("in" if user else "out", status=200 if user else 401)


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
    users = [
        authenticate(request, username=name, password=request.POST["password"]) for name in names
    ]
    return HttpResponse("in" if any(users) else "out")


def unbound(request: Any) -> Any:
    authenticate(request, username=request.POST["username"], password=request.POST["password"])
    return TemplateResponse(request, "admin/login.html", {"form": AuthenticationForm()})


def batch(request: Any) -> HttpResponse:
    for number in range(40):
        authenticate(request, username="alice", password=f"guess {number}")
    return HttpResponse()


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


def rendered(request: Any) -> HttpResponse:
    plain(request)
    return HttpResponse('<form><input name="password" type="password"></form>')


def packed(request: Any) -> HttpResponse:
    """What GZipMiddleware makes of a login form; or only says that it is."""
    response = rendered(request)
    if request.GET["really"] == "yes":
        response.content = gzip.compress(response.content)
    response["Content-Encoding"] = "gzip"
    return response


def searching(request: Any) -> TemplateResponse:
    plain(request)
    return TemplateResponse(request, "admin/login.html", {"form": SearchForm(request.GET)})


def by_pin(request: Any) -> TemplateResponse:
    plain(request)
    form = SearchForm({"query": ""})
    form.is_valid()
    return TemplateResponse(request, "admin/login.html", {"form": form})


def with_cookies(request: Any) -> HttpResponse:
    """Answer as a view does that checks the password itself, and has tokens in cookies."""
    response = plain(request)
    for name in ("jwt", "csrftoken", "new"):
        response.set_cookie(name, f"live {name}")
    response.set_cookie("basket", "3")
    response.delete_cookie("old")
    response.headers["Set-Cookie"] = "raw=live"
    return response


def asks(request: Any) -> HttpResponse:
    """Refuse as a framework does that catches exceptions itself."""
    with suppress(AccountLocked):
        lockout.raise_if_locked("alice")
    response = HttpResponse("no", status=403)
    response.set_cookie("new", "live")
    return response


def graphql(request: Any) -> HttpResponse:
    user = authenticate(request, **json.loads(request.body))
    return JsonResponse({"data": {"createOrder": 7, "login": str(user)}})


def moving_on(request: Any) -> HttpResponse:
    plain(request)
    return HttpResponseRedirect("/elsewhere/")


def streaming(request: Any) -> StreamingHttpResponse:
    plain(request)
    return StreamingHttpResponse([b"<input type=password>"])


def help_desk(request: Any) -> HttpResponse:
    said = []
    for name in ("alice", "bob"):
        try:
            lockout.raise_if_locked(name)
            said.append(f"{name}: free")
        except AccountLocked:
            said.append(f"{name}: locked")
    return HttpResponse("; ".join(said), status=int(request.GET["status"]))


def checks_itself(request: Any) -> HttpResponse:
    """Log in what `authenticate` has refused: a hole of the site's."""
    user = authenticate(request, username="alice", password=request.POST["password"])
    found = get_user_model().objects.get(username="alice")
    if user is None and found.check_password(request.POST["password"]):
        request.session["user"] = found.pk
        return HttpResponse("not yet", status=403)
    return HttpResponse("no", status=403)


def by_token(request: Any) -> HttpResponse:
    plain(request)
    login(request, get_user_model().objects.get(), "django.contrib.auth.backends.ModelBackend")
    return HttpResponse("no entry to this page", status=403)


urlpatterns = [
    *pages,
    path("packed/", packed),
    path("searching/", searching),
    path("by-pin/", by_pin),
    path("with-cookies/", with_cookies),
    path("asks/", asks),
    path("rendered/", rendered),
    path("graphql/", graphql),
    path("moving-on/", moving_on),
    path("streaming/", streaming),
    path("help-desk/", help_desk),
    path("checks-itself/", checks_itself),
    path("by-token/", by_token),
    path("two/", two_names),
    path("batch/", batch),
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
    client.cookies["csrftoken"] = "before"
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
def test_a_login_form_that_a_view_has_rendered_is_a_refusal(client: Client) -> None:
    response = client.post("/rendered/", RIGHT)
    assert (response.status_code, response["Retry-After"]) == (429, "45")
    assert "<h1>Please wait</h1>" in response.content.decode()


@pytest.mark.usefixtures("locked")
@pytest.mark.parametrize(
    ("url", "status", "content_type"),
    [
        ("/graphql/", 200, "application/json"),
        ("/moving-on/", 302, None),
        ("/streaming/", 200, None),
    ],
)
def test_an_answer_that_is_no_refusal_is_left_alone(
    url: str, status: int, content_type: Any, client: Client
) -> None:
    data: Any = json.dumps(RIGHT) if content_type else RIGHT
    kwargs: Any = {"content_type": content_type} if content_type else {}
    assert client.post(url, data, **kwargs).status_code == status


@pytest.mark.usefixtures("locked")
@pytest.mark.parametrize("really", ["yes", "no"])
def test_a_login_form_is_seen_though_it_is_packed(really: str, client: Client) -> None:
    assert client.post(f"/packed/?really={really}", RIGHT).status_code == 429


@pytest.mark.usefixtures("locked")
@pytest.mark.parametrize(("url", "status"), [("/searching/", 200), ("/by-pin/", 429)])
def test_a_form_that_has_no_word_of_it_is_left_alone(url: str, status: int, client: Client) -> None:
    assert client.post(url, RIGHT).status_code == status


@pytest.mark.usefixtures("locked")
def test_a_refusal_opens_nothing_by_other_cookies(client: Client) -> None:
    client.cookies.load(dict.fromkeys(("jwt", "csrftoken", "old"), "made-up"))
    client.cookies["basket"] = "3"
    response = client.post("/with-cookies/", RIGHT)
    assert response.status_code == 429
    assert {*response.cookies} == {"csrftoken", "basket", "old"}
    assert "live" not in str(response.headers)


@pytest.mark.usefixtures("locked")
def test_who_asked_and_refuses_opens_nothing_either(client: Client) -> None:
    response = client.get("/asks/")
    assert (response.status_code, {*response.cookies}) == (429, set())


@pytest.mark.usefixtures("locked")
@pytest.mark.parametrize("status", [200, 404])
def test_who_asks_about_others_is_not_refused(status: int, client: Client) -> None:
    response = client.get(f"/help-desk/?status={status}")
    assert (response.status_code, response.content) == (status, b"alice: locked; bob: free")


@pytest.mark.usefixtures("locked")
def test_the_answer_to_somebody_who_got_in_is_left_alone(client: Client) -> None:
    assert client.post("/by-token/", RIGHT).content == b"no entry to this page"


@pytest.mark.usefixtures("locked")
@pytest.mark.parametrize("brought", [None, "made-up"])
@pytest.mark.parametrize("comes_first", [True, False])
def test_a_refusal_opens_no_session(
    comes_first: bool, brought: str | None, client: Client, settings: Any
) -> None:
    ours = "lockout_admin.middleware.LockoutMiddleware"
    others = [name for name in settings.MIDDLEWARE if name != ours]
    settings.MIDDLEWARE = [ours, *others] if comes_first else [*others, ours]
    answers = []
    for password in ("right", "wrong"):
        client.cookies.clear()
        if brought:
            client.cookies["sessionid"] = brought
        response = client.post("/checks-itself/", {"password": password})
        opened = {name for name, cookie in response.cookies.items() if cookie.value}
        answers.append((response.status_code, opened, response.content))
    assert answers[0] == answers[1]
    assert answers[0][:2] == (429, set())


@pytest.mark.usefixtures("locked")
def test_a_refusal_keeps_the_session_that_is_there(client: Client) -> None:
    session = client.session
    session["basket"] = 3
    session.save()
    response = client.post("/checks-itself/", {"password": "right"})
    assert response.status_code == 429
    assert client.session["basket"] == 3


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
def test_locked_and_throttled_look_alike_for_all_names(
    url: str, alice: Any, client: Client, clock: Any
) -> None:
    bodies = set()
    for username in ("alice", "nobody"):
        for _ in range(4):
            client.post(url, {"username": username, "password": "wrong"})
        response = client.post(url, {"username": username, "password": "right"})
        bodies.add(
            (
                response.status_code,
                response.content.decode().replace(username, "?").split("csrf")[0],
            )
        )
    assert len(bodies) == 1


def test_the_last_failure_reads_like_the_first(alice: Any, client: Client) -> None:
    assert [client.post("/login/", WRONG).status_code for _ in range(5)] == [
        200,
        200,
        200,
        200,
        429,
    ]


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


def test_a_success_is_written_after_the_view(alice: Any) -> None:
    client = Client(REMOTE_ADDR="203.0.113.5")
    client.post("/plain/", WRONG)
    client.post("/plain/", RIGHT)
    assert FailedLogin.objects.get().outcome == "forgiven"


@pytest.mark.parametrize("cache", [None, "tests.test_outages.Down"])
def test_a_batch_of_logins_in_one_request_has_one_limit(
    cache: str | None, alice: Any, client: Client, settings: Any, monkeypatch: Any
) -> None:
    if cache:
        settings.CACHES = {"default": {"BACKEND": cache}}
    evaluated = []
    monkeypatch.setattr(ModelBackend, "authenticate", lambda *args, **kw: evaluated.append(kw))
    client.post("/batch/")
    assert len(evaluated) == FailedLogin.objects.count() == 4


def test_one_record_that_fails_takes_no_other_with_it(caplog: pytest.LogCaptureFixture) -> None:
    journal, written = Journal(), []
    journal.after_view = [lambda: 1 / 0, lambda: written.append(1)]
    journal.pending = [({1}, "failure")]
    journal.close()
    assert written == [1]
    assert not journal.pending
    assert "record_not_written" in caplog.text


def test_what_outlives_its_request_writes_at_once(alice: Any) -> None:
    contexts = []

    def view(request: Any) -> HttpResponse:
        contexts.append(copy_context())
        return HttpResponse()

    LockoutMiddleware(view)(Client().get("/login/").wsgi_request)
    contexts[0].run(authenticate, request_from(), username="alice", password="wrong")
    assert FailedLogin.objects.count() == 1


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


def test_a_page_out_of_the_cache_is_a_page(rf: Any) -> None:
    class Cached(HttpResponse):
        """What Django's cache makes of a template response: rendered, without its context."""

    middleware = LockoutMiddleware(lambda request: HttpResponse())
    response = Cached("page")
    with refused_already():
        assert middleware.process_template_response(rf.get("/"), response) is response
    assert response.status_code == 200


@contextmanager
def refused_already() -> Iterator[None]:
    """Act in a request that was refused."""
    token = current_journal.set(Journal(refusal=AccountLocked()))
    yield
    current_journal.reset(token)
