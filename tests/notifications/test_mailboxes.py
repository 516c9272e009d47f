"""How many mails go to one mailbox, whoever registers with its address."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from freezegun.api import FrozenDateTimeFactory

from lockout_admin.identity.client import Client as Source
from lockout_admin.models import Outbox
from lockout_admin.notifications import due, mailboxes
from lockout_admin.notifications.notifiers import Kind
from lockout_admin.signals import new_device

from ..conftest import request_from
from .conftest import send

Guess = Callable[..., Any]
State = Outbox.State
ADDRESS = "alice@example.com"
SPELLINGS = (
    "alice@example.com",
    "ALICE@Example.com",
    "alice+{}@example.com",
    "a.l.ice@example.com",
    # Where mail goes to example.com as well.
    "alice@ｅxample.com",
    "alice@exam\u00adple.com",
)


def register(number: int, spelling: str = ADDRESS, **fields: Any) -> Any:
    """Make an account of Mallory's with Alice's address."""
    users = get_user_model().objects
    return users.create_user(f"bot{number}", spelling.format(number), "right", **fields)


def ask(name: str, address: str = "198.51.100.7") -> None:
    Client(REMOTE_ADDR=address).post("/account/ask/", {"name": name})


def ask_for(names: list[str], times: int) -> int:
    for number, name in enumerate(names):
        for _ in range(times):
            ask(name, f"198.51.{number}.7")
    return len(send())


def test_a_domain_that_is_none_is_left_as_it_is() -> None:
    assert mailboxes.folded(f"A@{'x' * 64}.org") == f"a@{'x' * 64}org"


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_hundred_accounts_make_no_flood(spelling: str, clock: Any, db: None) -> None:
    register(0)
    names = [register(number, spelling).get_username() for number in range(1, 10)]
    # Six for the account that was first, and six for all of the others.
    assert ask_for(["bot0", *names], times=7) == 12


def test_the_next_day_has_mails_of_its_own(clock: FrozenDateTimeFactory, db: None) -> None:
    names = [register(number).get_username() for number in range(3)]
    assert ask_for(names[1:], times=6) == 6
    clock.tick(timedelta(days=1, seconds=1))
    assert ask_for(names[1:], times=6) == 6


def test_who_came_later_does_not_use_up_what_the_first_is_told(
    clock: Any, alice: Any, guess: Guess
) -> None:
    names = [register(number).get_username() for number in range(10)]
    for name in names:
        guess(name, times=4, request=request_from(f"198.51.100.{name[-1]}"))
    assert ask_for(names, times=2) == 6 + 6
    guess(times=4)
    assert len(send()) == 1
    assert ask_for(["alice"], times=7) == 6


def test_each_kind_of_mail_has_the_limit(clock: Any, alice: Any) -> None:
    for number in range(10):
        user = register(number)
        new_device.send(type(user), user=user, request=request_from())
        due.help_is_asked_for_again(user, Source())
    assert len(send()) == 2 * mailboxes.MOST_A_DAY
    assert Outbox.objects.filter(why=Outbox.Why.LIMIT).count() == 2 * 4


def test_an_account_by_itself_has_no_limit_but_its_own(clock: Any, alice: Any) -> None:
    assert ask_for(["alice"], times=6) == 6
    assert not mailboxes.is_full(Outbox.objects.all()[0], alice, (State.SENT,), {})


def test_who_is_not_active_was_not_first(clock: Any, alice: Any) -> None:
    type(alice).objects.update(is_active=False)
    register(1)
    register(2)
    register(3)
    assert ask_for(["bot2", "bot3"], times=6) == 6
    assert ask_for(["bot1"], times=6) == 6


def test_who_joined_first_was_first(clock: Any, alice: Any) -> None:
    register(1, date_joined=timezone.now() - timedelta(days=7))
    assert mailboxes._first(alice) == str(get_user_model().objects.get(username="bot1").pk)


def test_an_account_whose_model_knows_no_date_was_first_by_its_key(
    clock: Any, db: None, settings: Any
) -> None:
    settings.AUTH_USER_MODEL = "people.Numbered"
    model: Any = get_user_model()
    first, second = (model.objects.create_user(n, "right", email=ADDRESS) for n in (7, 3))
    assert mailboxes._first(second) == str(first.pk)


@pytest.mark.parametrize("field", ["post", "id"])
def test_an_address_that_can_not_be_looked_for_has_whoever_has_it(field: str, db: None) -> None:
    register(0)
    user = SimpleNamespace(pk=77, get_email_field_name=lambda: field, **{field: ADDRESS})
    assert mailboxes._first(user) == "77"


def test_an_address_that_the_database_does_not_find_has_whoever_has_it(db: None) -> None:
    user = SimpleNamespace(pk=77, email="nobody@example.com")
    assert mailboxes._first(user) == "77"


def test_signs_that_mean_something_to_a_database_are_letters(db: None) -> None:
    register(0, "%@example.com")
    register(1, "al_ce+x@example.com")
    assert mailboxes._first(SimpleNamespace(pk=77, email="al%ce@example.com")) == "77"
    assert mailboxes._first(SimpleNamespace(pk=77, email="alice@example.com")) == "77"


def test_the_address_is_not_kept(clock: Any, alice: Any, guess: Guess) -> None:
    guess(times=4)
    ask("alice")
    assert len(send()) == 2
    for row in Outbox.objects.values():
        assert row["mailbox"] == mailboxes.keys_of(alice)[0]
        assert "example.com" not in str(row)


def test_a_count_outlives_a_rotation_of_the_secret(clock: Any, db: None, settings: Any) -> None:
    names = [register(number).get_username() for number in range(4)]
    assert ask_for(names[1:3], times=6) == 6
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [settings.SECRET_KEY]
    assert ask_for(names[3:], times=6) == 0


def test_a_site_may_give_an_account_more(clock: Any, db: None, settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "ASKED_MAILS_PER_ACCOUNT": 8}
    names = [register(number).get_username() for number in range(3)]
    assert ask_for(names[1:], times=6) == 8


def test_who_was_first_is_looked_for_once_a_batch(clock: Any, db: None) -> None:
    names = [register(number).get_username() for number in range(6)]
    with CaptureQueriesContext(connection) as asked:
        ask_for(names[1:], times=4)
    scans = [query for query in asked.captured_queries if "REPLACE(" in query["sql"]]
    assert len(scans) == 1


@pytest.mark.parametrize("kind", [Kind.ASKED, Kind.NEW_DEVICE, Kind.LOCKED])
def test_what_is_on_its_way_to_a_mailbox_is_waited_for_at_its_limit_only(
    kind: Kind, clock: FrozenDateTimeFactory, alice: Any, guess: Guess
) -> None:
    """Other senders are at them."""
    users = [register(number) for number in range(8)]
    for user in users[:6]:
        tell(kind, user, guess)
    assert len(send()) == 6
    Outbox.objects.update(state=State.SENDING, due=timezone.now() + timedelta(minutes=9))
    tell(kind, users[6], guess)
    assert send() == []
    assert Outbox.objects.latest("pk").state == State.WAITING
    Outbox.objects.filter(account=users[0].pk).update(state=State.DROPPED)
    clock.tick(60)
    assert len(send()) == 1


def tell(kind: Kind, user: Any, guess: Guess) -> None:
    name = user.get_username()
    if kind == Kind.ASKED:
        ask(name)
    elif kind == Kind.LOCKED:
        guess(name, times=4, request=request_from(f"198.51.100.{name[-1]}"))
    else:
        new_device.send(type(user), user=user, request=request_from())
