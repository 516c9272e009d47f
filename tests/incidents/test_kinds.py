"""What is being tried, from what was counted alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lockout_admin.incidents.kinds import Facts, kind_of

#: Forty tries on one name from one network, each with another password.
ONE_NAME = Facts(
    names=1,
    existing=1,
    networks=1,
    evaluated=12,
    refused=28,
    common=0,
    repeated=0,
    entered=0,
    top=40,
    variety=1.0,
)
#: A try on each of forty names.
A_LIST = Facts(
    names=40,
    existing=20,
    networks=1,
    evaluated=40,
    refused=0,
    common=0,
    repeated=0,
    entered=0,
    top=1,
)


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        (ONE_NAME, "brute-force"),
        (replace(ONE_NAME, networks=5), "distributed"),
        (replace(ONE_NAME, common=8), "dictionary"),
        (replace(ONE_NAME, names=3, top=14, evaluated=4, common=3), "dictionary"),
        (replace(ONE_NAME, evaluated=3, refused=37, common=3), "brute-force"),
        (replace(ONE_NAME, repeated=6), "keeping-out"),
        (replace(ONE_NAME, repeated=6, existing=0), "brute-force"),
        (replace(ONE_NAME, variety=0.1), "keeping-out"),
        (replace(ONE_NAME, variety=None), "brute-force"),
        (replace(ONE_NAME, names=3, existing=3, top=14), "brute-force"),
        (replace(ONE_NAME, names=3, existing=3, top=14, networks=9), "distributed"),
        (replace(ONE_NAME, names=9, existing=9, top=5, networks=9), "distributed"),
        (replace(ONE_NAME, names=3, existing=3, top=14, networks=9, variety=0.4), "keeping-out"),
        (replace(ONE_NAME, names=9, existing=9, top=5, networks=9, variety=None), "keeping-out"),
        (replace(ONE_NAME, names=3, existing=3, top=14, networks=9, common=8), "dictionary"),
        (replace(ONE_NAME, names=3, existing=3, top=14, common=8, repeated=6), "keeping-out"),
        (
            replace(
                ONE_NAME, names=40, existing=40, networks=9, refused=480, common=8, variety=0.1
            ),
            "spraying",
        ),
        (
            replace(ONE_NAME, names=10, existing=10, networks=9, top=5, common=12, variety=0.05),
            "keeping-out",
        ),
        (replace(ONE_NAME, names=20, top=30), "brute-force"),
        (replace(A_LIST, variety=0.025), "spraying"),
        (replace(A_LIST, variety=1.0), "stuffing"),
        (replace(A_LIST, variety=0.4), "stuffing"),
        (replace(A_LIST, variety=0.4, existing=30), "spraying"),
        (replace(A_LIST, variety=1.0, evaluated=80), "spraying"),
        (replace(A_LIST, common=25), "spraying"),
        (replace(A_LIST, existing=40), "spraying"),
        (replace(A_LIST, existing=40, entered=1), "stuffing"),
        (replace(A_LIST, existing=10), "stuffing"),
        (replace(A_LIST, names=60, existing=60, evaluated=60, networks=60), "spraying"),
    ],
)
def test_a_kind_follows_from_what_was_counted(facts: Facts, kind: str) -> None:
    assert kind_of(facts) == kind
