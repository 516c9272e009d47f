"""Trusted devices: the owner's own browser is counted and locked apart from strangers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.cache import cache
from django.core.signing import Signer
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import Q
from django.test import Client
from django.utils import timezone

from lockout_admin import lockout
from lockout_admin.backends import LockoutBackend
from lockout_admin.decorators import apply_account_lock
from lockout_admin.defences import devices, revoking
from lockout_admin.engine.journal import Journal
from lockout_admin.engine.ruleset import account_rules
from lockout_admin.engine.successes import QUIET_SECS
from lockout_admin.identity.browser import MOST_OWNERS, Browser, changed
from lockout_admin.identity.subject import Subject
from lockout_admin.models import AccountLock, FailedLogin, SuccessfulLogin, TrustedDevice
from lockout_admin.models.devices import TrustedDeviceQuerySet
from lockout_admin.signals import new_device

from ..conftest import HOME, request_from
from ..engine.conftest import ELSEWHERE
from .person import COOKIE, Person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "alice")]

End = TrustedDevice.End


class ByAddress(LockoutBackend):
    """Finds accounts by their e-mail addresses."""

    @apply_account_lock(names="email")
    def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any: ...


class Silent(ModelBackend):
    """Finds accounts by their addresses too, and does not say so."""

    @apply_account_lock
    def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
        user = get_user_model().objects.filter(Q(username=username) | Q(email=username)).first()
        return user if user and user.check_password(password) else None


class AnyCase(ModelBackend):
    """Finds accounts in whatever case their names are typed."""

    @apply_account_lock(names="username")
    def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
        user = get_user_model().objects.filter(username__iexact=username).first()
        return user if user and user.check_password(password) else None


# -- Strangers lock the name for strangers only -------------------------------------------------


@pytest.fixture
def _delays(settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {
        **settings.LOCKOUT_ADMIN,
        "RULES": {"account": None, "delay": {"lock": 30}},
    }


@pytest.mark.usefixtures("_delays")
def test_an_owner_in_a_known_browser_waits_for_no_stranger(owner: Person, stranger: Person) -> None:
    assert stranger.guess(4) == ["wrong"] * 3 + ["refused"]
    assert owner.log_in() == "in"
    assert owner.guess(3) == ["wrong"] * 3
    assert owner.log_in() == "in"


def test_the_owner_gets_in_while_strangers_are_locked_out(owner: Person, stranger: Person) -> None:
    assert stranger.guess(5) == ["wrong"] * 4 + ["refused"]
    assert owner.log_in() == "in"
    assert stranger.log_in() == "refused"


def test_the_owner_gets_in_whatever_the_cache_has_lost(owner: Person, stranger: Person) -> None:
    stranger.guess(5)
    cache.clear()
    assert owner.log_in() == "in"
    assert stranger.log_in() == "refused"


def test_the_owner_gets_in_from_a_network_that_is_locked(owner: Person) -> None:
    infected = Person(HOME)
    answers = [infected.log_in("Winter2026", f"person-{number}") for number in range(11)]
    assert answers[-1] == "refused"
    assert owner.log_in() == "in"
    assert infected.log_in() == "refused"


def test_a_siege_costs_the_owner_nothing(owner: Person, stranger: Person, clock: Any) -> None:
    for _ in range(40):
        stranger.guess(3)
        assert owner.log_in() == "in"
        clock.tick(600)


def test_strangers_do_not_pay_for_what_a_device_fails(owner: Person, stranger: Person) -> None:
    assert owner.guess(5) == ["wrong"] * 4 + ["refused"]
    assert stranger.guess(4) == ["wrong"] * 4


def test_a_device_is_locked_by_itself(owner: Person, clock: Any) -> None:
    owner.guess(4)
    assert owner.log_in() == "refused"
    lock = AccountLock.objects.get()
    assert (lock.scope, lock.rule, lock.label) == ("device", "device", "alice")
    clock.tick(61)
    assert owner.log_in() == "in"


def test_a_lock_by_hand_binds_devices_too(owner: Person) -> None:
    lockout.lock_account("alice", 3600, note="phishing report")
    assert owner.log_in() == "refused"
    cache.clear()
    assert owner.log_in() == "refused"


def test_a_lock_by_hand_behind_a_longer_one_of_a_rule_binds_devices_too(
    owner: Person, stranger: Person, settings: Any
) -> None:
    settings.ACCOUNT_LOCKED_TIMEOUT_SECS = 7200
    stranger.guess(4)
    lockout.lock_account("alice", 3600, note="phishing report")
    assert owner.log_in() == "refused"
    cache.clear()
    assert owner.log_in() == "refused"


def test_unlocking_the_name_ends_what_keeps_the_owner_out(owner: Person) -> None:
    owner.guess(4)
    assert lockout.unlock_account("alice")
    assert owner.log_in() == "in"


# -- How a browser becomes a device -------------------------------------------------------------


def test_a_login_makes_the_browser_a_device(owner: Person) -> None:
    device = TrustedDevice.objects.get()
    account = get_user_model().objects.get()
    assert (device.account, device.ip_address, str(device.user_agent)) == (
        str(account.pk),
        HOME,
        "Firefox",
    )
    assert device.until - timezone.now() == timedelta(days=400)
    assert SuccessfulLogin.objects.get().device == device.pk


def test_the_cookie_is_one_that_scripts_and_other_sites_do_not_get(owner: Person) -> None:
    morsel = owner.browser.cookies[COOKIE]
    assert morsel["httponly"]
    assert (morsel["samesite"], morsel["max-age"], morsel["secure"]) == (
        "Lax",
        400 * 24 * 60 * 60,
        "",
    )


@pytest.mark.parametrize(("secure_setting", "https"), [(True, False), (False, True)])
def test_the_cookie_is_secure_where_the_site_is(
    settings: Any, secure_setting: bool, https: bool
) -> None:
    settings.SESSION_COOKIE_SECURE = secure_setting
    browser = Client(REMOTE_ADDR=HOME)
    browser.post("/login/", {"username": "alice", "password": "x"}, secure=https)
    assert browser.cookies[COOKIE]["secure"]


def test_the_cookie_holds_no_name(owner: Person) -> None:
    assert "alice" not in str(Signer(salt="x").sep.join([owner.cookie]))
    browser = Browser._read(owner.cookie)
    names = {*Subject.of("alice").fines, *Subject.of("alice@example.com").fines}
    assert names.issuperset(browser.owners[0].names)
    assert str(Subject.of("alice").key) not in str(browser.owners)


def test_logins_in_a_known_browser_add_no_device(owner: Person) -> None:
    before = owner.cookie
    assert owner.log_in() == "in"
    assert (TrustedDevice.objects.count(), owner.cookie) == (1, before)


def test_a_first_failure_makes_a_browser_known_and_trusts_nothing(
    owner: Person, stranger: Person
) -> None:
    stranger.guess(1)
    browser = Browser._read(stranger.cookie)
    assert browser.id
    assert not browser.owners
    assert FailedLogin.objects.get().browser == browser.id
    assert stranger.guess(4) == ["wrong"] * 3 + ["refused"]


def test_several_owners_share_a_browser(stranger: Person, owner: Person) -> None:
    get_user_model().objects.create_user("bob", password="right")
    assert owner.log_in(username="bob") == "in"
    Person(ELSEWHERE).guess(4, "bob")
    stranger.guess(4)
    assert (owner.log_in(username="bob"), owner.log_in()) == ("in", "in")


def test_a_browser_knows_its_twenty_last_owners() -> None:
    person = Person()
    for number in range(MOST_OWNERS + 2):
        get_user_model().objects.create_user(f"user-{number}", password="right")
        assert person.log_in(username=f"user-{number}") == "in"
    names = [owner.names for owner in Browser._read(person.cookie).owners]
    assert len(names) == MOST_OWNERS
    assert (Subject.of("user-1").fine,) not in names
    assert len(person.cookie) < 4096


def test_nobody_is_trusted_before_the_second_factor(stranger: Person) -> None:
    """A right password without a session: `authenticate()` and no `login()`."""
    person = Person()
    person.browser.post("/verify-only/", {"username": "alice", "password": "right"})
    assert not TrustedDevice.objects.exists()


def test_a_site_without_the_cookie_has_strangers_only(settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "DEVICE_COOKIE_NAME": ""}
    person = Person()
    assert person.log_in() == "in"
    assert not person.cookie
    assert not TrustedDevice.objects.exists()
    Person(ELSEWHERE).guess(4)
    assert person.log_in() == "refused"


def test_without_a_rule_for_devices_all_are_strangers(owner: Person, settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "RULES": list(account_rules())}
    assert owner.guess(5) == ["wrong"] * 4 + ["refused"]
    assert set(FailedLogin.objects.values_list("device", flat=True)) == {None}


# -- What a thief has of a device ---------------------------------------------------------------


@pytest.mark.parametrize("pace", [0, 1, 20.5, 60, 3600, 26_300])
def test_a_thief_gets_ten_guesses_at_any_pace(owner: Person, clock: Any, pace: float) -> None:
    thief = Person(ELSEWHERE, owner.browser)
    for _ in range(240 if pace == 1 else 40):
        thief.guess(1)
        clock.tick(pace or 0.01)
    rows = FailedLogin.objects.exclude(device=None)
    assert rows.count() == (4 if pace == 0 else 10)
    if pace:
        assert TrustedDevice.objects.get().end_reason == End.USED_UP


def test_a_thief_gets_ten_guesses_under_all_names_together(
    owner: Person, clock: Any, settings: Any
) -> None:
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.Silent"]
    get_user_model().objects.update(email="alice@example.com")
    assert owner.log_in() == "in"
    assert owner.log_in(username="alice@example.com") == "in"
    thief = Person(ELSEWHERE, owner.browser)
    for name in ["alice", "alice@example.com", "ALICE", "Alice@Example.com"] * 10:
        thief.guess(1, name)
        clock.tick(60)
    assert FailedLogin.objects.exclude(device=None).count() == 10


def test_an_owner_who_logs_in_elsewhere_gives_a_thief_no_more(owner: Person, clock: Any) -> None:
    thief = Person(ELSEWHERE, owner.browser)
    for _ in range(30):
        thief.guess(1)
        clock.tick(3600)
        assert owner.log_in() == "in"
    assert FailedLogin.objects.exclude(device=None).filter(ip_address=ELSEWHERE).count() == 10


def test_whoever_has_used_a_device_up_is_a_stranger(
    owner: Person, clock: Any, stranger: Person
) -> None:
    thief = Person(ELSEWHERE, owner.browser)
    for _ in range(10):
        thief.guess(1)
        clock.tick(60)
    stranger.guess(4)
    assert thief.log_in() == "refused"


def test_ten_failures_count_since_the_last_success(owner: Person, clock: Any) -> None:
    for _ in range(5):
        for _ in range(9):
            owner.guess(1)
            clock.tick(60)
        assert owner.log_in() == "in"
    assert TrustedDevice.objects.trusted().count() == 1


def test_a_stolen_cookie_is_void_after_a_new_password(
    owner: Person, stranger: Person, alice: Any
) -> None:
    thief = Person(ELSEWHERE, owner.browser)
    alice.set_password("another")
    alice.save()
    assert TrustedDevice.objects.get().end_reason == End.PASSWORD
    stranger.guess(4)
    assert thief.log_in("another") == "refused"


def test_a_password_that_is_kept_elsewhere_and_changed_there_ends_trust_too(
    owner: Person, stranger: Person, alice: Any
) -> None:
    lockout.handle_password_change(alice)
    assert TrustedDevice.objects.get().end_reason == End.PASSWORD
    stranger.guess(4)
    assert owner.log_in() == "refused"


def test_a_rehash_at_login_is_no_new_password(owner: Person, settings: Any) -> None:
    class Costlier(MD5PasswordHasher):
        algorithm = "costlier"

    globals()["Costlier"] = Costlier
    settings.PASSWORD_HASHERS = [f"{__name__}.Costlier", *settings.PASSWORD_HASHERS]
    assert owner.log_in() == "in"
    assert get_user_model().objects.get().password.startswith("costlier")
    assert TrustedDevice.objects.trusted().count() == 1


def test_a_revoked_device_is_a_stranger_and_its_copies_stay_so(
    owner: Person, stranger: Person, alice: Any
) -> None:
    thief = Person(ELSEWHERE, owner.browser)
    assert revoking.end_all(alice, End.REVOKED, "support") == 1
    assert owner.log_in() == "in"
    assert TrustedDevice.objects.trusted().count() == 1
    stranger.guess(4)
    assert owner.log_in() == "in"
    assert thief.log_in() == "refused"


def test_trust_ends_with_the_cookie(owner: Person, stranger: Person, clock: Any) -> None:
    clock.tick(401 * 24 * 60 * 60)
    stranger.guess(4)
    assert owner.log_in() == "refused"


# -- Cookies that strangers make ----------------------------------------------------------------


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        "x",
        "1:2",
        "a" * 10_000,
        "é\x00",
        Signer(salt="other").sign_object([1, []]),
        Signer(salt="lockout_admin.browser").sign_object([1, []]),
    ],
)
def test_a_forged_cookie_says_nothing(cookie: str, stranger: Person) -> None:
    stranger.cookie = cookie
    assert stranger.guess(5) == ["wrong"] * 4 + ["refused"]
    assert FailedLogin.objects.filter(device=None).count() == 4


@pytest.mark.parametrize(
    "content", [1, None, [], [1], [1, 2], ["x", []], [1, [[1]]], [1, [[1, 2, 3, 4]]], {"a": 1}]
)
def test_a_cookie_of_another_shape_says_nothing(
    content: Any, stranger: Person, settings: Any
) -> None:
    salt = f"lockout_admin.browser{settings.LOCKOUT_ADMIN_ISOLATION}"
    stranger.cookie = Signer(salt=salt).sign_object(content)
    assert stranger.guess(1) == ["wrong"]


def test_a_device_of_one_name_is_none_for_another(owner: Person, stranger: Person) -> None:
    get_user_model().objects.create_user("bob", password="right")
    stranger.guess(4, "bob")
    assert owner.log_in(username="bob") == "refused"


def test_a_device_of_a_twin_is_none_for_the_name_that_is_spelt_alike(stranger: Person) -> None:
    """Else each own login would hand out ten fresh guesses at somebody else's name."""
    get_user_model().objects.create_user("alisa", password="his own")
    assert Subject.of("alisa").key == Subject.of("alissa").key
    assert stranger.log_in("his own", "alisa") == "in"
    stranger.guess(5, "alissa")
    assert FailedLogin.objects.filter(device=None).count() == FailedLogin.objects.count() == 4


@pytest.mark.parametrize(("own", "other"), [("strauss", "strauß"), ("ünal", "ÜNAL"), ("ßa", "ssa")])
def test_accounts_that_differ_in_other_letters_than_those_of_ascii_share_no_device(
    own: str, other: str, stranger: Person
) -> None:
    assert Subject.of(own).key == Subject.of(other).key
    users = get_user_model().objects
    users.create_user(own, password="his own")
    with suppress(IntegrityError), transaction.atomic():  # MariaDB takes them for one
        users.create_user(other, password="hers")
    for _ in range(3):
        stranger.log_in("his own", own)
        stranger.guess(4, other)
    assert FailedLogin.objects.filter(username=other, device=None).exists()
    assert FailedLogin.objects.exclude(device=None).filter(username=other).count() == 0


def test_an_address_that_two_accounts_have_is_in_no_cookie(settings: Any) -> None:
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.ByAddress"]
    model = get_user_model()
    model.objects.filter(username="alice").update(email="a@example.com")
    mallory = model.objects.create_user("mallory", "a@example.com", "right")
    found = devices._names(mallory, ["a@example.com"])
    assert set(found).isdisjoint(Subject.of("a@example.com").fines)
    # The cookie does not tell that another account has it, neither by their number.
    model.objects.filter(username="alice").update(email="")
    assert len(found) == len(devices._names(mallory, ["a@example.com"]))


def test_what_was_typed_when_an_account_came_in_is_a_name_of_it(
    stranger: Person, settings: Any
) -> None:
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.AnyCase"]
    person = Person()
    assert person.log_in() == "in"
    assert person.log_in(username="ALICE") == "in"
    stranger.guess(4)
    assert (person.log_in(username="ALICE"), person.log_in()) == ("in", "in")


def test_a_cookie_outlives_a_change_of_the_secret(
    owner: Person, stranger: Person, settings: Any
) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a new one, that is long enough to be one of those"
    stranger.guess(4)
    assert owner.log_in() == "in"
    settings.SECRET_KEY_FALLBACKS = []
    assert owner.log_in() == "refused"


# -- What a success ends ------------------------------------------------------------------------


def test_a_copy_of_a_cookie_that_trusts_nothing_gets_nothing_by_its_owners_logins(
    clock: Any, settings: Any
) -> None:
    """An API without sessions makes no devices; its client keeps the cookie of a failure."""
    owner = Person()
    owner.guess(1)
    thief = Person(ELSEWHERE, owner.browser)
    for number in range(200):
        thief.guess(1)
        clock.tick(300)
        request = request_from(HOME)
        request.COOKIES = {COOKIE: owner.cookie}
        with suppress(lockout.AccountLocked), lockout.attempt("alice", request) as attempt:
            attempt.succeeded(get_user_model().objects.get())
        thief.browser.defaults["REMOTE_ADDR"] = f"198.51.{number % 250}.66"
    assert FailedLogin.objects.count() <= 34 + 1


def test_a_success_ends_what_its_browser_failed_in_every_rule(clock: Any) -> None:
    person = Person(HOME)
    for _ in range(3):
        for _ in range(9):
            assert person.guess(1) == ["wrong"]
            clock.tick(600)
        assert person.log_in() == "in"
        TrustedDevice.objects.all().delete()
    assert set(FailedLogin.objects.values_list("outcome", flat=True)) == {"forgiven"}


def test_a_success_elsewhere_in_its_network_ends_the_first_rule_only(clock: Any) -> None:
    in_the_same_house = Person(HOME)
    for _ in range(10):
        in_the_same_house.guess(1)
        clock.tick(600)
        TrustedDevice.objects.all().delete()
        if FailedLogin.objects.count() < 10:
            assert Person(HOME).log_in() == "in"
    assert Person(HOME).log_in() == "refused"


# -- One login by mail --------------------------------------------------------------------------


def once(person: Person, alice: Any) -> None:
    """Trust a browser for the login that follows, as the link of a mail does."""
    request = request_from(HOME)
    request.COOKIES = {COOKIE: person.cookie}
    devices.trust_next_login(request, alice)
    browser = Browser.of(request)
    assert browser
    person.cookie = browser.cookie


def test_a_browser_is_trusted_for_the_login_that_follows(alice: Any, stranger: Person) -> None:
    stranger.guess(4)
    person = Person()
    assert person.log_in() == "refused"
    once(person, alice)
    assert person.log_in() == "in"
    device = TrustedDevice.objects.get()
    assert (device.for_once, device.until - timezone.now()) == (False, timedelta(days=400))
    assert person.log_in() == "in"


def test_a_browser_that_was_trusted_stays_so_if_nobody_logs_in(
    owner: Person, alice: Any, stranger: Person, clock: Any
) -> None:
    once(owner, alice)
    clock.tick(1000)
    stranger.guess(4)
    assert owner.log_in() == "in"


def test_it_is_for_the_name_that_was_typed_as_well(alice: Any, stranger: Person) -> None:
    """A backend may find accounts by names that only it knows."""
    request = request_from(HOME)
    devices.trust_next_login(request, alice, "the nickname")
    browser = Browser.of(request)
    assert browser
    assert browser.device_of(Subject.of("The Nickname")) == TrustedDevice.objects.get().pk


def test_a_wrong_password_does_not_spend_it(alice: Any, stranger: Person) -> None:
    stranger.guess(4)
    person = Person()
    once(person, alice)
    assert person.guess(1) == ["wrong"]
    assert person.log_in() == "in"


def test_it_ends_after_fifteen_minutes(alice: Any, stranger: Person, clock: Any) -> None:
    person = Person()
    once(person, alice)
    clock.tick(15 * 60 + 1)
    stranger.guess(4)
    assert person.log_in() == "refused"


# -- API clients --------------------------------------------------------------------------------


def certificate(request: Any) -> Any:
    """Return what a proxy says of a client's certificate."""
    return getattr(request, "META", {}).get("HTTP_X_CERTIFICATE")


@pytest.fixture
def _certificates(settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "DEVICE_OF": f"{__name__}.certificate"}


def api(password: str, ip: str = HOME, *, username: str = "alice", **headers: str) -> str:
    request = request_from(ip, **headers)
    try:
        with lockout.attempt(username, request) as attempt:
            named = get_user_model().objects.filter(Q(username=username) | Q(email=username))
            user = next((one for one in named if one.check_password(password)), None)
            attempt.succeeded(user) if user else attempt.failed()
    except lockout.AccountLocked:
        return "refused"
    return "in" if user else "wrong"


@pytest.mark.usefixtures("_certificates")
def test_a_site_says_what_stands_for_the_device_of_an_api_client(stranger: Person) -> None:
    own = {"X-Certificate": "ab:cd"}
    assert api("right", **own) == "in"
    stranger.guess(4)
    assert (api("right"), api("right", **own)) == ("refused", "in")
    assert TrustedDevice.objects.count() == 1


@pytest.mark.usefixtures("_certificates")
def test_an_api_client_is_trusted_again_after_a_new_password_but_not_when_revoked(
    alice: Any, clock: Any
) -> None:
    own = {"X-Certificate": "ab:cd"}
    api("right", **own)
    revoking.end_all(alice, End.PASSWORD)
    clock.tick(QUIET_SECS + 1)
    api("right", **own)
    assert TrustedDevice.objects.trusted().count() == 1
    revoking.end_all(alice, End.REVOKED)
    clock.tick(QUIET_SECS + 1)
    api("right", **own)
    assert TrustedDevice.objects.trusted().count() == 0


@pytest.mark.parametrize("other", ["ALICE", "alıce"])
@pytest.mark.usefixtures("_certificates")
def test_what_stands_for_a_device_does_so_for_one_account(other: str, clock: Any) -> None:
    """Whoever has a certificate of his own gets no guesses at a name that is like his."""
    users = get_user_model().objects
    users.filter(username="alice").update(email="alice@example.com")
    with suppress(IntegrityError), transaction.atomic():  # MariaDB takes some for one
        users.create_user(other, "m@example.com", "his own")
    for _ in range(3):
        api("his own", username=other, **{"X-Certificate": "his"})
        for number in range(4):
            for name in ("alice", "alice@example.com"):
                api(f"no {number}", username=name, **{"X-Certificate": "his"})
        clock.tick(100)
    rows = FailedLogin.objects.filter(username__in=("alice", "alice@example.com"))
    assert rows.filter(device=None).exists()
    assert not rows.exclude(device=None).exists()


@pytest.mark.usefixtures("_certificates")
def test_who_comes_in_under_a_name_of_two_accounts_has_no_device(settings: Any) -> None:
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.ByAddress"]
    users = get_user_model().objects
    users.update(email="both@example.com")
    users.create_user("bob", "both@example.com", "his own")
    for password in ("right", "his own"):
        assert api(password, username="both@example.com", **{"X-Certificate": "ab"}) == "in"
    assert not TrustedDevice.objects.exists()


@pytest.mark.usefixtures("_certificates")
def test_an_account_that_is_gone_has_no_device(alice: Any) -> None:
    assert not devices._is_only_of("no number", "alice")
    assert not devices._is_only_of(str(alice.pk + 1000), "alice")
    assert devices._is_only_of(str(alice.pk), "Alice")


@pytest.mark.parametrize("tell", [lambda request: 1 / 0, "no.such.function"])
def test_a_site_that_can_not_tell_has_strangers(settings: Any, tell: Any, caplog: Any) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "DEVICE_OF": tell}
    assert api("right") == "in"
    assert not TrustedDevice.objects.exists()
    assert caplog.text


# -- Faults -------------------------------------------------------------------------------------


@pytest.fixture
def _no_table() -> Iterator[None]:
    with connection.schema_editor() as editor:
        editor.delete_model(TrustedDevice)
    yield
    with connection.schema_editor() as editor:
        editor.create_model(TrustedDevice)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_no_table", "_certificates")
def test_without_the_table_everybody_is_a_stranger(caplog: Any, alice: Any) -> None:
    person = Person()
    assert person.log_in() == "in"
    assert api("right", **{"X-Certificate": "ab:cd"}) == "in"
    assert revoking.end_all(alice, End.REVOKED) == 0
    assert "device_not_recorded" in caplog.text


def test_nobody_gets_a_device_whose_browser_gets_no_cookie(alice: Any, settings: Any) -> None:
    Client().force_login(alice)
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "lockout" not in name]
    assert Person().log_in() == "in"
    assert not TrustedDevice.objects.exists()


def test_where_there_is_no_cookie_nobody_is_trusted_for_one_login(
    alice: Any, settings: Any
) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "DEVICE_COOKIE_NAME": ""}
    devices.trust_next_login(request_from(HOME), alice)
    assert not devices.can_trust()
    assert not TrustedDevice.objects.exists()


def test_a_device_that_can_not_be_ended_is_told_of(
    owner: Person, clock: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def refuse(*args: Any) -> int:
        raise DatabaseError

    monkeypatch.setattr(TrustedDeviceQuerySet, "end", refuse)
    for _ in range(10):
        owner.guess(1)
        clock.tick(60)
    assert "device_not_ended" in caplog.text
    # What is overdue refuses, and is tried again.
    assert owner.log_in() == "refused"
    monkeypatch.undo()
    assert owner.log_in() == "refused"
    assert TrustedDevice.objects.get().end_reason == End.USED_UP


def test_a_second_browser_of_an_account_is_told_of_and_the_first_is_not(owner: Person) -> None:
    told: list[Any] = []

    def receive(user: Any, **signal: Any) -> None:
        told.append(user.get_username())

    new_device.connect(receive)
    try:
        assert owner.log_in() == "in"
        assert not told
        assert Person(ELSEWHERE).log_in() == "in"
    finally:
        new_device.disconnect(receive)
    assert told == ["alice"]


def test_a_second_factor_in_a_request_of_its_own_finds_the_device(
    owner: Person, alice: Any
) -> None:
    request = request_from(HOME)
    request.COOKIES = {COOKIE: owner.cookie}
    Journal.opened_for(request)
    devices.user_is_in(request, alice)
    assert TrustedDevice.objects.count() == 1
    assert changed(request) is None


@pytest.mark.usefixtures("_certificates")
def test_an_api_client_that_is_known_is_recorded_once(clock: Any) -> None:
    own = {"X-Certificate": "ab:cd"}
    for _ in range(3):
        assert api("right", **own) == "in"
        clock.tick(QUIET_SECS + 1)
    assert TrustedDevice.objects.count() == 1
    assert SuccessfulLogin.objects.exclude(device=None).count() == 2


def test_by_another_name_a_device_is_free_of_strangers_and_not_of_staff(
    stranger: Person, settings: Any
) -> None:
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.Silent"]
    person = Person()
    assert person.log_in(username="alice@example.com") == "in"
    stranger.guess(4)
    assert person.log_in(username="alice@example.com") == "in"
    lockout.lock_account("alice", 3600)
    assert person.log_in(username="alice@example.com") == "wrong"
