"""Block networks."""

from __future__ import annotations

from ...models import NetworkRule
from ..putting import PutCommand


class Command(PutCommand):
    """``manage.py lockout_block``."""

    help = "Block networks: whoever comes from there is refused before anything is counted."
    action = NetworkRule.Action.BLOCK
