"""Allow networks."""

from __future__ import annotations

from ...models import NetworkRule
from ..putting import PutCommand


class Command(PutCommand):
    """``manage.py lockout_allow``."""

    help = (
        "Allow networks: no rule on networks holds there, no list blocks them or a part of them,"
        " and no block of a wider one or of the same does. Rules on accounts hold all the same."
    )
    action = NetworkRule.Action.ALLOW
