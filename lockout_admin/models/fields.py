"""A database column for addresses that finds a network with a plain B-tree on every database."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from socket import inet_ntoa
from typing import Any

from django.core.exceptions import ValidationError
from django.db import NotSupportedError, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Lookup
from django.db.models.expressions import Expression
from django.db.models.sql.compiler import SQLCompiler
from django.utils.translation import gettext_lazy as _

Network = IPv4Network | IPv6Network

_MAPPED = IPv6Network("::ffff:0:0/96")
_MAPPED_PREFIX = b"\0" * 10 + b"\xff\xff"
_COLUMN_TYPES = {
    "postgresql": "inet",
    "sqlite": "blob",
    "mysql": "varbinary(16)",
    "oracle": "raw(16)",
}


class IPAddressField(models.GenericIPAddressField):  # type: ignore[type-arg]
    """An IPv4 or IPv6 address: ``inet`` on PostgreSQL, else 16 packed bytes (IPv4 as mapped IPv6).

    The Python value is the canonical text; mapped IPv4 comes out as IPv4. Beside the exact lookups
    there is ``__net``, for a CIDR or an ``ip_network``, which any B-tree on the column serves.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["unpack_ipv4"] = True
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """Leave out what the constructor fixes."""
        name, path, args, kwargs = super().deconstruct()
        del kwargs["unpack_ipv4"]
        return name, path, list(args), kwargs

    def get_internal_type(self) -> str:
        """Keep Django's converters for text addresses away from the packed column."""
        return "IPAddressField"

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        """Return the column type; raise `NotSupportedError` where none is known."""
        try:
            return _COLUMN_TYPES[connection.vendor]
        except KeyError:
            raise NotSupportedError(
                f"IPAddressField has no column type for {connection.vendor}."
            ) from None

    def get_db_prep_value(
        self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False
    ) -> Any:
        """Return what the driver stores: an ``inet``, or 16 bytes."""
        text = super().get_prep_value(value)
        if text is None or isinstance(text, bytes):
            return text
        if connection.vendor == "postgresql":
            return connection.ops.adapt_ipaddressfield_value(text)
        return _packed(text)

    def from_db_value(
        self, value: Any, expression: Expression, connection: BaseDatabaseWrapper
    ) -> str | None:
        """Return the canonical text of a stored address."""
        if value is None:
            return None
        if isinstance(value, str):
            # PostgreSQL is of another mind than RFC 5952 about ::1.2.3.4 only.
            return str(ip_address(value)) if value.startswith("::") else value
        packed = bytes(value)
        # The way of most rows of a long list, without an object for each.
        return (
            inet_ntoa(packed[12:]) if packed.startswith(_MAPPED_PREFIX) else str(ip_address(packed))
        )


@IPAddressField.register_lookup
class InNetwork(Lookup):
    """``ip_address__net="203.0.113.0/24"``: a range of the index, in every plan."""

    lookup_name = "net"
    prepare_rhs = False

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[Any, ...]]:
        """Return a BETWEEN over the first and the last address of the network.

        Of one address, the index has the rows in the order of its second column: for that a
        database wants to see that it is one.
        """
        network = parse_network(self.rhs)
        lhs, params = self.process_lhs(compiler, connection)
        on_postgresql = connection.vendor == "postgresql"
        if network.num_addresses == 1:
            address = _bounds(network, packed=not on_postgresql)[0]
            return f"{lhs} = %s{'::inet' * on_postgresql}", (*params, address)
        between = (
            f"{lhs} BETWEEN %s::inet AND %s::inet" if on_postgresql else f"{lhs} BETWEEN %s AND %s"
        )
        arguments = (*params, *_bounds(network, packed=not on_postgresql))
        # Packed, IPv4 lies inside IPv6; a network around it must not find it.
        if not on_postgresql and isinstance(network, IPv6Network) and network.supernet_of(_MAPPED):
            return f"({between} AND NOT {between})", (
                *arguments,
                *params,
                *_bounds(_MAPPED, packed=True),
            )
        return f"({between})", arguments


for _lookup in (
    "contains",
    "icontains",
    "startswith",
    "istartswith",
    "endswith",
    "iendswith",
    "regex",
    "iregex",
):
    # Packed bytes have no text in them; an error is better than an empty answer.
    IPAddressField.register_lookup(type("NoText", (Lookup,), {"lookup_name": _lookup}), _lookup)


def parse_network(value: Any) -> Network:
    """Return the network that `value` names; an address is a network of its own.

    Raises `ValidationError` for anything else.
    """
    try:
        network = ip_network(str(value).strip(), strict=False)
    except ValueError:
        raise ValidationError(
            _("“%(value)s” is no address and no network such as 203.0.113.0/24 or 2001:db8::/32."),
            code="invalid_network",
            params={"value": value},
        ) from None
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is not None and network.prefixlen >= 96:
        return ip_network((mapped, network.prefixlen - 96))
    return network


def exact_network(value: Any) -> Network:
    """Return the network that `value` names, as `parse_network` does.

    Raises `ValidationError` for an address inside a network, too: nobody can tell which is meant.
    """
    # A zone belongs to a host's own links.
    text = str(value).strip().replace("%", "?")
    try:
        network = ip_network(text)
    except ValueError:
        network = parse_network(text)
        address = ip_address(text.partition("/")[0])
        raise ValidationError(
            _("%(value)s has bits of a host. Do you mean the network %(network)s, or %(address)s?"),
            code="host_bits",
            params={"value": text, "network": network, "address": address},
        ) from None
    return parse_network(network) if network.version == 6 else network


def _bounds(network: Network, *, packed: bool) -> list[Any]:
    bounds = [str(network.network_address), str(network.broadcast_address)]
    return [_packed(bound) for bound in bounds] if packed else bounds


def _packed(text: str) -> bytes:
    address = ip_address(text)
    return address.packed if address.version == 6 else _MAPPED_PREFIX + address.packed
