"""A device is of an account: of what it is called now, and of no other that has its name."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.decorators import login_required
from django.db import DatabaseError, connection, models
from django.db.models.signals import post_save
from django.http import HttpResponse
from django.urls import path

from lockout_admin import lockout
from lockout_admin.backends import LockoutBackend
from lockout_admin.decorators import apply_account_lock
from lockout_admin.defences import devices, revoking
from lockout_admin.engine import owners
from lockout_admin.exceptions import AccountLocked
from lockout_admin.identity.browser import Browser
from lockout_admin.identity.subject import account_of
from lockout_admin.models import FailedLogin, SuccessfulLogin, TrustedDevice

from ..conftest import HOME, request_from
from ..engine.conftest import ELSEWHERE
from ..urls import urlpatterns as pages
from .person import COOKIE, Person

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("clock", "alice"),
    pytest.mark.urls(__name__),
]

End = TrustedDevice.End


@login_required
def password(request: Any) -> HttpResponse:
    """Change one's own password."""
    request.user.set_password(request.POST["new"])
    request.user.save()
    return HttpResponse()


urlpatterns = [*pages, path("password/", password)]


class Customer(AbstractBaseUser):
    """An account of a model of its own, beside the users."""

    name = models.CharField(max_length=150, unique=True)
    USERNAME_FIELD = "name"

    class Meta:
        app_label = "customers"
        managed = False


class EitherName(LockoutBackend):
    """Finds accounts by username or address, in any letter case."""

    @apply_account_lock(names=("username", "email"))
    def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
        field = "email" if "@" in str(username) else "username"
        user = get_user_model().objects.filter(**{f"{field}__iexact": username}).first()
        return user if user and user.check_password(password) else None


class Directory(LockoutBackend):
    """Finds accounts by names that only it knows."""

    @apply_account_lock(names=lambda user: [user.get_username(), user.email, "the nickname"])
    def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
        user = get_user_model().objects.filter(username="alice").first()
        return user if user and user.check_password(password) else None


def with_cookie_of(person: Person) -> Any:
    request = request_from(HOME)
    request.COOKIES = {COOKIE: person.cookie}
    return request


# -- Names that are given up --------------------------------------------------------------------


@pytest.mark.parametrize("change", ["another name", "the account is deleted"])
def test_who_had_a_name_before_has_no_device_for_it(owner: Person, alice: Any, change: str) -> None:
    if change == "another name":
        alice.username = "alice2"
        alice.save()
    else:
        alice.delete()
    assert TrustedDevice.objects.get().end_reason == End.NAME
    get_user_model().objects.create_user("alice", password="hers")
    assert owner.guess(5) == ["wrong"] * 4 + ["refused"]


def save_it(user: Any) -> None:
    user.save()


def save_another_field(user: Any) -> None:
    user.username = "not written"
    user.save(update_fields=["last_login"])


def save_another_letter_case(user: Any) -> None:
    user.username = "Alice"
    user.save()


@pytest.mark.parametrize("save", [save_it, save_another_field, save_another_letter_case])
def test_who_keeps_a_name_keeps_the_devices(owner: Person, alice: Any, save: Any) -> None:
    save(alice)
    assert TrustedDevice.objects.trusted().count() == 1


def test_a_name_that_can_not_be_read_breaks_no_change_of_an_account(
    owner: Person, alice: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def fails() -> None:
        raise DatabaseError

    monkeypatch.setattr("lockout_admin.defences.revoking.lookup_fields", fails)
    alice.save()
    assert "names_unreadable" in caplog.text


def test_a_name_that_was_given_up_past_save_lets_nobody_in_by_the_device_of_old(
    owner: Person, caplog: Any
) -> None:
    """Not to be told from a wrong password, or the device would be a way to guess."""
    users = get_user_model().objects
    users.update(username="alice2")
    users.create_user("alice", password="hers")
    answers = [owner.log_in(password) for password in ("no", "hers", "nope", "hers")]
    assert answers == ["wrong"] * 4
    assert FailedLogin.objects.count() == 4
    assert "right_password_refused" in caplog.text


def test_in_a_block_the_device_of_another_account_is_refused(owner: Person) -> None:
    users = get_user_model().objects
    users.update(username="alice2")
    heir = users.create_user("alice", password="hers")
    answers = []
    for user in (heir, None):
        with (
            pytest.raises(AccountLocked) as refusal,
            lockout.attempt("alice", with_cookie_of(owner)) as attempt,
        ):
            attempt.succeeded(user) if user else attempt.failed()
        answers.append(refusal.value.details)
    assert answers[0] == answers[1]
    assert FailedLogin.objects.count() == 2


def test_in_a_block_a_device_lets_nobody_in_but_its_owner_whatever_the_site_finds(
    owner: Person,
) -> None:
    """By a name that only the site knows: another account's, and the owner's username."""
    bob = get_user_model().objects.create_user("bob", password="his own")
    with (
        pytest.raises(AccountLocked),
        lockout.attempt("alice", with_cookie_of(owner)) as attempt,
    ):
        attempt.succeeded(bob)
    assert FailedLogin.objects.count() == 1


def test_in_a_block_the_device_of_an_account_that_is_gone_is_refused(
    owner: Person, alice: Any
) -> None:
    get_user_model().objects.filter(pk=alice.pk)._raw_delete("default")  # past every signal
    with pytest.raises(AccountLocked), lockout.attempt("alice", with_cookie_of(owner)):
        raise LookupError  # a site's own refusal


def test_in_a_block_a_wrong_password_from_ones_own_device_is_no_refusal(owner: Person) -> None:
    with lockout.attempt("alice", with_cookie_of(owner)) as attempt:
        attempt.failed()
    assert not attempt.locked


# -- Accounts of other models -------------------------------------------------------------------


def test_a_customer_who_changes_his_password_ends_nothing_of_a_user(
    owner: Person, stranger: Person, alice: Any
) -> None:
    """With the same name and the same number."""
    stranger.guess(4)
    customer = Customer(pk=alice.pk, name="alice")
    customer.set_password("a new one")
    post_save.send(Customer, instance=customer, created=False)
    assert TrustedDevice.objects.trusted().count() == 1
    assert lockout.is_account_locked("alice")


def test_a_customer_who_logs_in_ends_nothing_of_a_user(stranger: Person, alice: Any) -> None:
    stranger.guess(3)
    with lockout.attempt("alice", request_from(ELSEWHERE)) as attempt:
        attempt.succeeded(Customer(pk=alice.pk, name="alice"))
    assert stranger.guess(2) == ["wrong", "refused"]
    assert SuccessfulLogin.objects.get().account == f"customers.customer:{alice.pk}"
    assert account_of(alice) == str(alice.pk)


# -- Under which names --------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["Alice", "ALICE@example.com", "alice@EXAMPLE.com"])
def test_an_owner_has_the_device_under_all_names_in_any_letter_case(
    stranger: Person, settings: Any, typed: str
) -> None:
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.EitherName"]
    """Once it came in by another than its own: the site takes letter cases for one then."""
    person = Person()
    assert person.log_in() == "in"
    assert person.log_in(username=typed.swapcase()) == "in"
    stranger.guess(4, typed)
    assert person.log_in(username=typed) == "in"


def test_an_owner_keeps_the_letter_cases_with_a_new_password(
    stranger: Person, settings: Any
) -> None:
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.EitherName"]
    person = Person()
    assert person.log_in(username="ALICE") == "in"
    person.browser.force_login(get_user_model().objects.get())
    person.browser.post("/password/", {"new": "right"})
    stranger.guess(4)
    assert person.log_in(username="Alice") == "in"


@pytest.mark.parametrize("made", ["by logins", "by mails"])
def test_who_has_a_name_before_its_like_exists_has_no_device_for_that(
    made: str, clock: Any
) -> None:
    """However many devices somebody prepares: `Alice` is registered, and then `alice`."""
    if connection.vendor == "mysql":
        pytest.skip("its column takes both names for one")
    users = get_user_model().objects
    users.all().delete()
    mallory = users.create_user("Alice", "m@example.com", "his own")
    prepared = [Person(ELSEWHERE) for _ in range(20)]
    for person in prepared:
        if made == "by mails":
            request = with_cookie_of(person) if person.cookie else request_from(ELSEWHERE)
            devices.trust_next_login(request, mallory, "alice")
            browser = Browser.of(request)
            assert browser
            person.cookie = browser.cookie
        assert person.log_in("his own", "Alice") == "in"
    clock.tick(86_400)
    users.create_user("alice", "alice@example.com", "hers")
    answers = [person.guess(1)[0] for person in prepared]
    assert answers == ["wrong"] * 4 + ["refused"] * 16
    assert not FailedLogin.objects.exclude(device=None).exists()


@pytest.mark.parametrize("typed", ["the nickname", "Alice@Example.com"])
def test_names_that_only_a_backend_knows_are_names_of_the_one_login_too(
    stranger: Person, settings: Any, alice: Any, typed: str
) -> None:
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.Directory"]
    stranger.guess(4, typed)
    person = Person()
    assert person.log_in(username=typed) == "refused"
    request = with_cookie_of(person)
    devices.trust_next_login(request, alice, typed)
    browser = Browser.of(request)
    assert browser
    person.cookie = browser.cookie
    assert person.log_in(username=typed) == "in"
    stranger.guess(4, typed)
    assert person.log_in(username=typed) == "in"


def test_who_reads_mail_at_an_address_ends_what_was_failed_under_it(
    stranger: Person, settings: Any, alice: Any
) -> None:
    """Where only a backend knows whose a name is, a password alone proves no address."""
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.Directory"]
    stranger.guess(4, alice.email)
    assert owners.end(alice, owners.BY_PASSWORD).locks == []
    assert len(owners.end(alice, owners.BY_MAIL, alice.email).locks) == 1
    assert Person().log_in(username=alice.email) == "in"


def test_two_accounts_that_differ_in_letter_case_share_a_browser() -> None:
    if connection.vendor == "mysql":
        pytest.skip("its column takes both names for one")
    get_user_model().objects.create_user("Alice", password="right")
    person = Person()
    assert (person.log_in(), person.log_in(username="Alice")) == ("in", "in")
    assert (person.log_in(), person.log_in(username="Alice")) == ("in", "in")


def test_a_verb_takes_a_device_that_is_void_for_a_stranger(owner: Person, alice: Any) -> None:
    """Else failures from it would count for no name."""
    revoking.end_all(alice, End.REVOKED)
    for _ in range(4):
        lockout.handle_failed_login("alice", with_cookie_of(owner))
    assert lockout.is_account_locked("alice")


def test_who_changes_a_password_keeps_the_browser_in_which_that_is_done(
    owner: Person, stranger: Person, alice: Any
) -> None:
    elsewhere = Person(jar=owner.browser)
    owner.browser.force_login(alice)
    owner.browser.post("/password/", {"new": "another"})
    stranger.guess(4)
    assert owner.log_in("another") == "in"
    assert elsewhere.log_in("another") == "refused"


def test_sites_with_namespaces_have_a_cookie_each(owner: Person, settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "NAMESPACE": "b"}
    assert owner.log_in() == "in"
    assert len([name for name in owner.browser.cookies if name.startswith(COOKIE)]) == 2
