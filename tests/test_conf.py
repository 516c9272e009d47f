"""A setting is read when it is used. A wrong one counts as not set, and is told of once."""

from __future__ import annotations

import logging
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.test import override_settings
from django.utils.encoding import force_str
from hypothesis import given
from hypothesis import strategies as st

from lockout_admin.conf import SETTINGS, LockoutSettings, conf, faults
from lockout_admin.declarations import setting as declarations
from lockout_admin.declarations.setting import Setting
from lockout_admin.declarations.values import LONGEST

from .conftest import request_from

NAN = float("nan")
INFINITE = float("inf")
#: Python does not write so many digits.
HUGE = 1 << 20_000
NO_NUMBERS: list[Any] = [None, True, "60", b"60", [60], {}, 4.5, NAN, INFINITE, -1, HUGE]
NO_LISTS: list[Any] = [None, True, 1, HUGE, "backends.Sso", b"backends.Sso", {"backends.Sso": 1}]
NO_CHANGES: list[Any] = [True, False, 0, 20, "monitor", [], [{}]]
NO_TERMS: list[Any] = ["limits", "LIMIT", "scope", "name", None, 1, HUGE]


class Unreadable:
    def __repr__(self) -> str:
        raise ZeroDivisionError


def raises() -> str:
    raise ZeroDivisionError


def terms(key: str, *values: Any) -> list[Any]:
    return [{"account": {key: value}} for value in values]


#: By setting: right values other than the default, then wrong ones.
VALUES: dict[str, tuple[list[Any], list[Any]]] = {
    "MAX_FAILED_LOGIN_ATTEMPTS": ([1, 100], [*NO_NUMBERS, 0, 101, 10**9, LONGEST + 1]),
    "FAILED_LOGIN_INTERVAL_SECS": ([1, LONGEST], [*NO_NUMBERS, 0, LONGEST + 1]),
    "ACCOUNT_LOCKED_TIMEOUT_SECS": ([1, LONGEST], [*NO_NUMBERS, 0, LONGEST + 1]),
    "CACHE": (["default"], ["locks", "", True, 1, b"default", ["default"], Unreadable()]),
    "FORWARDED_HEADER": (["X-Real-IP"], [None, True, 1, b"X", [], "", " ", "Forwarded"]),
    "LOCK_GROWTH_FACTOR": ([1, 1.5, 100], [None, True, "2", [2], NAN, INFINITE, 0.5, -2, 101]),
    "LOCK_GROWTH_WINDOW_SECS": ([0, LONGEST], [*NO_NUMBERS, LONGEST + 1]),
    "LOCK_MAX_SECS": ([1, LONGEST], [*NO_NUMBERS, 0, LONGEST + 1]),
    "LOG_LOGOUTS": ([True], [None, 0, 1, "", "False", []]),
    "LOG_SUCCESSES": ([True], [None, 0, 1, "", "False", []]),
    "MASK_UNKNOWN_USERNAMES": ([True], [None, 0, 1, "", "False", []]),
    "MODE": (["monitor"], [None, True, 1, "", "Monitor", b"monitor", ["monitor"]]),
    "NAMESPACE": (["shop"], [None, True, 1, b"shop", ["shop"], raises, lambda: None, lambda: b""]),
    "PASSWORD_FREE_BACKENDS": (
        [["a.B"], ("a.b.C", "d.E")],
        [*NO_LISTS, ["Sso"], ["a."], ["a.b c"], [int], {"a.B"}],
    ),
    "DEVICE_COOKIE_AGE_SECS": ([86_400, 34_560_000], [*NO_NUMBERS, 86_399, 34_560_001]),
    "DEVICE_COOKIE_NAME": (["", "d", "__Host-device_1"], [None, 1, "a b", "a=b", "a;", "é", "\n"]),
    "DEVICE_OF": ([None, len], [1, "len", "", "a.b c", b"a.b", []]),
    "IPV4_NETWORK_PREFIX": ([8, 24, 32], [*NO_NUMBERS, 7, 33]),
    "IPV6_NETWORK_PREFIX": ([16, 56, 64], [*NO_NUMBERS, 15, 65]),
    "IPV6_WIDE_PREFIX": ([16, 32, 64], [*NO_NUMBERS, 15, 65]),
    "PRESET": (["pci", "nist", "cis", "cnil"], [None, True, 1, "", "PCI", b"pci", ["pci"]]),
    "RAISE_WHEN_LOCKED": ([False], [None, 0, 1, "", "False", []]),
    "RETENTION_SECS": ([24 * 60 * 60, LONGEST], [*NO_NUMBERS, 0, 3600, LONGEST + 1]),
    "RULES": (
        [
            {"account": None},
            {"account-daily": {}},
            {"delay": {}},
            {"account-daily": {"limit": 1, "interval": 1, "lock": 1, "growth": 1, "longest": 1}},
            {"account-daily": {"limit": 100_000, "interval": LONGEST, "mode": "monitor"}},
            {"account": {"mode": "enforce", "growth": 1.5}, "account-total": None},
            ["a rule"],
            ("a rule",),
            "site.rules.RULES",
        ],
        [
            *[None, True, 1, "", "rules", "site.", b"site.rules", [], (), {"a rule"}],
            *[{"account": changes} for changes in NO_CHANGES],
            *[{"account": {key: 1}} for key in NO_TERMS],
            *terms("limit", *NO_NUMBERS, 0, 100_001),
            *terms("interval", *NO_NUMBERS, 0, LONGEST + 1),
            *terms("lock", *NO_NUMBERS, 0, LONGEST + 1),
            *terms("longest", *NO_NUMBERS, 0, LONGEST + 1),
            *terms("growth", None, True, "2", 0.5, NAN, 101),
            *terms("mode", None, True, "off", "Monitor", ["enforce"]),
            {"account": {"limit": 5}, "account-daily": {"limit": 0}, "account-total": None},
        ],
    ),
    "TRUSTED_PROXIES": (
        [0, 1, 100, [], ["10.0.0.0/8", "unix", "::1"], ("10.1.2.3/8",), [ip_network("::/8")]],
        [
            True,
            -1,
            101,
            1.5,
            NAN,
            "1",
            "10.0.0.0/8",
            b"1",
            {},
            ["10.0.0.0/33"],
            ["proxy"],
            [10],
            [Unreadable()],
        ],
    ),
}
ADDRESSES: list[Any] = [
    *[None, True, 1, b"https://a.example", "a.example", "https://", "ftp://a.example"],
    *[
        "https://a.example?b",
        "https://a.example#b",
        "https://me@a.example",
        "https://[",
        "https://a:x",
    ],
    *["https://a.example/b c", "https://a.example:0"],
]
TEXTS: list[Any] = [None, True, 1, b"shop", ["shop"], raises, lambda: None, lambda: b""]
VALUES |= {
    "CHALLENGE": ([None, len], [1, "len", "", "a.b c", b"a.b", []]),
    "CHALLENGE_AFTER_NAME": ([0, 100], [*NO_NUMBERS, -1, 101]),
    "CHALLENGE_AFTER_NETWORK": ([0, 100], [*NO_NUMBERS, -1, 101]),
    "CHALLENGE_DIFFICULTY": ([1, 1_000_000], [*NO_NUMBERS, 0, 1_000_001]),
    "ALARM_LEAST": ([0, LONGEST], [*NO_NUMBERS, -1, LONGEST + 1]),
    "ALARM_FACTOR": ([1, 2.5, 1000], [None, True, "2", 0.5, NAN, 1001]),
    "BASE_URL": (["https://a.example", "http://a.example:8000/shop/"], ADDRESSES),
    "NOTIFIERS": ([[], ["a.B"], ("a.b.C", "d.E")], [*NO_LISTS, ["Sms"], ["a."], [int], {"a.B"}]),
    "ALERTS": ([[], ["entry"], ("incident", "staff", "engine")], [*NO_LISTS, ["mail"], [1]]),
    "CONTACT": (["+49 30 123"], TEXTS),
    "MAILS_PER_HOUR": ([1, LONGEST], [*NO_NUMBERS, 0, LONGEST + 1]),
    "ASKED_MAILS_PER_ACCOUNT": ([1, 100], [*NO_NUMBERS, 0, 101]),
    "ASKED_MAILS_PER_NETWORK": ([1, LONGEST], [*NO_NUMBERS, 0, LONGEST + 1]),
    "NOTIFY_IN_THREAD": ([False], [None, 0, 1, "", "False", []]),
    "WEBHOOK_URL": (["https://a.example/hook"], ADDRESSES),
    "WEBHOOK_SECRET": (["a secret"], TEXTS),
    "IDENTITY_REQUIRED": ([True], [None, 0, 1, "", "False", []]),
    "GEO_DATABASES": ([["a.mmdb"], (Path("b"),)], [None, True, 1, "a", [""], [1], {"a"}]),
    "WEBHOOK_TO_PRIVATE": ([True], [None, 0, 1, "", "False", []]),
}

RIGHT = [(setting, value) for setting in SETTINGS for value in VALUES[setting.name][0]]
WRONG = [(setting, value) for setting in SETTINGS for value in VALUES[setting.name][1]]

#: What Python code in a settings module comes to; keys and words of ours among it.
words = st.sampled_from([*VALUES, "account", "limit", "mode", "monitor", "unix", "default", "a.b"])
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | words
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(words | scalars, inner),
    max_leaves=10,
)


def written(setting: Setting[Any], value: Any) -> override_settings:
    return override_settings(
        **{setting.name: value} if setting.plain else {"LOCKOUT_ADMIN": {setting.name: value}}
    )


def read(setting: Setting[Any]) -> Any:
    return getattr(conf, setting.name.lower())


def label(value: Any) -> str | None:
    if value == HUGE:
        return "huge"
    return value.name if isinstance(value, Setting) else None


@pytest.fixture(autouse=True)
def _fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(declarations, "_logged", {})


Log = pytest.LogCaptureFixture


@pytest.mark.parametrize("setting", SETTINGS, ids=label)
def test_what_is_not_set_is_the_default(setting: Setting[Any]) -> None:
    with override_settings(LOCKOUT_ADMIN={}):
        assert read(setting) == setting.default


def test_the_class_has_the_declarations() -> None:
    assert LockoutSettings.max_failed_login_attempts.most == 100
    assert LockoutSettings.max_failed_login_attempts in SETTINGS


@pytest.mark.parametrize("setting", SETTINGS, ids=label)
def test_a_default_is_a_right_value(setting: Setting[Any]) -> None:
    assert not setting.faults(setting.default)


@pytest.mark.parametrize(("setting", "value"), RIGHT, ids=label)
def test_a_right_value_is_read_when_it_is_used(
    setting: Setting[Any], value: Any, caplog: Log
) -> None:
    with written(setting, value):
        assert read(setting) == value
        assert not faults()
    assert not caplog.records


@pytest.mark.parametrize(("setting", "value"), WRONG, ids=label)
def test_a_wrong_value_counts_as_not_set_and_is_told_of_once(
    setting: Setting[Any], value: Any, caplog: Log
) -> None:
    with written(setting, value):
        assert [read(setting), read(setting)] == [setting.default] * 2
    (record,) = caplog.records
    assert (record.levelno, record.name) == (logging.ERROR, "lockout_admin")
    assert record.getMessage().startswith(f"setting_wrong: {setting.label}")


@given(st.sampled_from(SETTINGS), anything)
def test_whatever_is_written_a_setting_has_a_value_that_it_may_have(
    setting: Setting[Any], value: Any
) -> None:
    with written(setting, value):
        held = read(setting)
        is_right = not setting.faults(value)
    assert held is (value if is_right else setting.default)


@pytest.mark.parametrize("value", [None, [], "CACHE", 4, ("CACHE", None), Unreadable()])
def test_settings_that_are_no_dict_count_as_none(value: Any, caplog: Log) -> None:
    with override_settings(LOCKOUT_ADMIN=value):
        assert [read(setting) for setting in SETTINGS] == [s.default for s in SETTINGS]
    assert [record.getMessage().partition(" is ")[0] for record in caplog.records] == [
        "setting_wrong: LOCKOUT_ADMIN"
    ]


def test_each_unknown_key_is_told_of_once(caplog: Log) -> None:
    with override_settings(LOCKOUT_ADMIN={"CASH": 1, 2: 3, "LOCK_MAX_SECS": 7}):
        assert [conf.lock_max_secs, conf.lock_max_secs] == [7, 7]
        assert conf.cache is None
    assert [record.getMessage().partition(" It ")[0] for record in caplog.records] == [
        "setting_wrong: LOCKOUT_ADMIN has an unknown key 'CASH'.",
        "setting_wrong: LOCKOUT_ADMIN has an unknown key 2.",
    ]


def test_two_wrong_settings_are_told_of_each(caplog: Log) -> None:
    with override_settings(LOCKOUT_ADMIN={"LOCK_MAX_SECS": 0, "RETENTION_SECS": 0}):
        assert (conf.lock_max_secs, conf.retention_secs) == (3600, 180 * 24 * 60 * 60)
    assert len(caplog.records) == 2


def test_a_namespace_can_be_that_of_the_moment() -> None:
    tenants = iter(["one", "two"])
    with override_settings(LOCKOUT_ADMIN={"NAMESPACE": lambda: next(tenants)}):
        assert [conf.namespace, conf.namespace] == ["one", "two"]


def test_a_check_does_not_ask_for_a_namespace_of_the_moment() -> None:
    with override_settings(LOCKOUT_ADMIN={"NAMESPACE": raises}):
        assert not faults()


def test_the_secrets_are_the_present_one_and_those_still_honoured() -> None:
    with override_settings(SECRET_KEY="new", SECRET_KEY_FALLBACKS=["old"]):
        assert conf.secrets == ("new", "old")


NEW, OLD = "new", "old"


@pytest.mark.parametrize(
    ("fallbacks", "expected"),
    [
        ([], [NEW]),
        ([OLD], [NEW, OLD]),
        ([NEW], [NEW]),
        ([b"new", OLD, NEW, b"old", OLD], [NEW, OLD]),
        ((OLD, "older", OLD), [NEW, OLD, "older"]),
        ([None, OLD, "", 7, [OLD]], [NEW, OLD]),
        (None, [NEW]),
        (OLD, [NEW]),
        (7, [NEW]),
    ],
)
def test_each_key_of_the_site_counts_once(fallbacks: Any, expected: list[str]) -> None:
    with override_settings(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=fallbacks):
        assert [force_str(key) for key in conf.secrets] == expected


def test_an_older_key_that_is_none_is_told_of_once(caplog: Log) -> None:
    with override_settings(SECRET_KEY_FALLBACKS=[OLD, None]):
        assert len(conf.secrets) == len(conf.secrets) == 2
    (record,) = caplog.records
    assert "SECRET_KEY_FALLBACKS" in record.getMessage()
    assert OLD not in record.getMessage()


@pytest.mark.parametrize("times", [1, 2])
def test_the_present_key_among_the_older_ones_keeps_nobody_out(
    times: int, guess: Any, alice: Any, settings: Any
) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY] * times
    guess(times=3)
    assert authenticate(request_from(), username="alice", password="right") == alice


@pytest.mark.parametrize(("path", "function"), [("builtins.len", len), ("builtins.Ellipsis", None)])
def test_a_path_stands_for_the_function_that_is_there(path: str, function: Any) -> None:
    with override_settings(LOCKOUT_ADMIN={"DEVICE_OF": path}):
        assert conf.device_of is function
