"""Raises the limits of what many honest people share: an office, a provider's gateway."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.db import Error

from ..models import SuccessfulLogin
from ..models.transactions import shielded
from .attempt import Attempt, set_matters
from .rules import Bucket

logger = logging.getLogger("lockout_admin")


def raise_limits(attempt: Attempt, reached: Sequence[Bucket]) -> bool:
    """Add to limits that are reached what accounts vouch for. False: none was raised."""
    buckets = with_credit(attempt.buckets, reached, attempt.started)
    if buckets is None:
        return False
    attempt.buckets = buckets
    set_matters(attempt)
    return True


def with_credit(
    buckets: Sequence[Bucket], reached: Sequence[Bucket], now: datetime
) -> tuple[Bucket, ...] | None:
    """Return the buckets with the limits raised that are reached; ``None``: nobody vouches.

    Accounts are read here only, so that no attempt pays for it below the limit.
    """
    asked = {bucket.matter.key: bucket for bucket in reached if bucket.rule.credit}
    accounts = {key: _accounts(bucket, now) for key, bucket in asked.items()}
    if not any(accounts.values()):
        return None
    return tuple(
        _raised(bucket, accounts[bucket.matter.key]) if bucket.matter.key in accounts else bucket
        for bucket in buckets
    )


def _raised(bucket: Bucket, accounts: int) -> Bucket:
    rule = bucket.rule
    return replace(bucket, rule=replace(rule, limit=rule.limit + rule.credit * accounts, credit=0))


def _accounts(bucket: Bucket, now: datetime) -> int:
    ask = bucket.rule.scope.accounts
    if ask is None:
        return 0
    try:
        with shielded(SuccessfulLogin):
            return ask(bucket.matter, now)
    except Error:
        logger.exception("credit_unreadable: the database refused; the limit holds without it.")
        return 0
