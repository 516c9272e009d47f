"""What ``lockout_block`` and ``lockout_allow`` share: a network, for how long, why."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import router, transaction

from ..defences import dangers, rulebook
from ..models import NetworkRule
from ..models.fields import Network, exact_network
from ..models.networks import REASON_MAX_LENGTH
from .ends import add_end, end_of


class PutCommand(BaseCommand):
    """Puts a rule on each network that is named."""

    action: ClassVar[NetworkRule.Action]

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("network", nargs="+", help="an address or a CIDR, IPv4 or IPv6")
        parser.add_argument("--reason", default="", help="why; goes into the record")
        parser.add_argument(
            "--anyway", action="store_true", help="do it, whoever may be kept out by it"
        )
        parser.add_argument(
            "--end", action="store_true", help="delete the rules of this kind made by hand"
        )
        add_end(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Put the rules, all or none; say what came of it."""
        networks = [_network(text) for text in options["network"]]
        if options["end"]:
            return self._end(networks)
        until = end_of(options)
        self._look_out(networks, anyway=options["anyway"])
        reason = options["reason"][:REASON_MAX_LENGTH]
        with transaction.atomic(using=router.db_for_write(NetworkRule)):
            put = [
                rulebook.put(one, self.action, reason=reason, until=until, actor=self._name)
                for one in networks
            ]
        said = f"until {until:%Y-%m-%d %H:%M:%S%z}" if until else "for ever"
        done = self.action.value.capitalize() + "ed"
        for rule, is_new in put:
            self.stdout.write(f"{done} {rule.cidr} {said}{'' if is_new else ' (changed)'}.")
        return None

    @property
    def _name(self) -> str:
        return f"manage.py lockout_{self.action.value}"

    def _end(self, networks: list[Network]) -> None:
        for network in networks:
            rules = NetworkRule.objects.fresh().filter(
                cidr=str(network), action=self.action, source=""
            )
            if not rulebook.take_back(rules, self._name):
                raise CommandError(f"There is no such rule for {network}.")
            self.stdout.write(f"Ended the rule for {network}.")

    def _look_out(self, networks: list[Network], *, anyway: bool) -> None:
        for network in networks:
            if self.action == NetworkRule.Action.BLOCK and rulebook.is_allowed(str(network)):
                raise CommandError(rulebook.STRONGER % {"network": network})
        if anyway:
            return
        found = dangers.of([dangers.Planned(one, self.action) for one in networks], None)
        for danger in found:
            self.stderr.write(str(danger))
        if found:
            raise CommandError("Nothing was done. To do it all the same, add --anyway.")


def _network(text: str) -> Network:
    try:
        return exact_network(text)
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from error
