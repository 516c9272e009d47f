"""What the filters understand: networks, moments, several choices in one parameter."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from ..models.fields import Network, parse_network
from . import moments

_MOST_NETWORKS = 100
#: An address as logs and browsers have it: with a port, and in brackets if it is of IPv6.
_WITH_PORT = re.compile(
    r"\[(?P<ipv6>[\da-f:.]+)\](:\d{1,5})?|(?P<ipv4>\d+(\.\d+){3}):\d{1,5}", re.ASCII | re.IGNORECASE
)
#: The beginning of an IPv4 address, as far as somebody has read it out.
_OCTETS = re.compile(r"\d{1,3}(\.\d{1,3}){1,2}", re.ASCII)
#: What is hardly a name: three numbers with dots or more, two colons among hexadecimal digits.
_LIKE_ADDRESS = re.compile(
    r"\d+(\.\d*){2,}([/:]\d*)?|\[?[\da-f]*(:[\da-f.]*){2,}(\]:?\d*|/\d*)?",
    re.ASCII | re.IGNORECASE,
)


class TechnicalInput(forms.TextInput):
    """For what is written from left to right in every language."""

    def __init__(self, attrs: Any = None) -> None:
        super().__init__({"dir": "ltr", **(attrs or {})})


class MomentInput(forms.DateTimeInput):
    """A native date and time picker."""

    input_type = "datetime-local"

    def __init__(self, *, is_end: bool = False) -> None:
        self.is_end = is_end
        super().__init__(attrs={"step": "any"})

    def format_value(self, value: Any) -> str | None:
        """Return local time as the picker wants it: the next submit loses what it can't show."""
        try:
            moment = parse_datetime(str(value or ""))
            local = timezone.localtime(moment) if moment and timezone.is_aware(moment) else moment
            shown = local and self._wider(local.replace(tzinfo=None))
        except (ValueError, OverflowError):
            shown = None
        if shown is None:
            return str(value) if value else None
        return shown.isoformat(timespec="milliseconds" if shown.microsecond else "auto")

    def _wider(self, local: datetime) -> datetime:
        """Return a moment that a picker takes: of one with microseconds it would send nothing."""
        over = local.microsecond % 1000
        return local + timedelta(microseconds=1000 - over if over and self.is_end else -over)


class MomentField(forms.DateTimeField):
    """A moment, in ISO 8601."""

    def __init__(self, *, is_end: bool = False, **kwargs: Any) -> None:
        self.is_end = is_end
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> datetime | None:
        """Return the moment as the database has it."""
        try:
            moment = super().to_python(value)
        except ValidationError as error:
            if error.code != "ambiguous_timezone":
                raise
            moment = error.params["datetime"]  # type: ignore[index]
        return moment and moments.stored(moment, is_end=self.is_end)


class MomentFilter(django_filters.DateTimeFilter):  # type: ignore[misc]
    """A moment."""

    field_class = MomentField

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=MomentInput(is_end=kwargs.get("is_end", False)), **kwargs)


class HiddenKeyFilter(django_filters.Filter):  # type: ignore[misc]
    """The number of a record, which a link brings and nobody types."""

    field_class = forms.IntegerField

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput, **kwargs)


class NetworksField(forms.CharField):
    """Addresses and CIDRs, with commas or spaces; ``10.0.`` is short for ``10.0.0.0/16``."""

    def clean(self, value: Any) -> list[Network]:
        """Return the networks."""
        text = super().clean(value)
        networks = [_network(word) for word in re.split(r"[\s,;]+", text) if word]
        if text and not networks:
            parse_network(text)  # says what is missing: a filter that was given is never left out
        if len(networks) > _MOST_NETWORKS:
            raise ValidationError(
                _("At most %(count)d networks at once."), "too_many", {"count": _MOST_NETWORKS}
            )
        return networks


def without_port(text: str) -> str:
    """Return what was typed or pasted; of an address with a port, the address."""
    found = _WITH_PORT.fullmatch(text)
    return (found["ipv6"] or found["ipv4"]) if found else text


def _network(word: str) -> Network:
    word = without_port(word)
    octets = word.removesuffix(".").split(".")
    if word.endswith(".") and len(octets) < 4:
        return parse_network(f"{'.'.join([*octets, *['0'] * (4 - len(octets))])}/{8 * len(octets)}")
    groups = word.removesuffix(":").split(":")
    if word.endswith(":") and "" not in groups and len(groups) < 8:
        return parse_network(f"{word}:/{16 * len(groups)}")
    # A zone belongs to a host's own links; databases refuse it.
    return parse_network(word.replace("%", "?"))


def network_in(text: str) -> Network | None:
    """Return the network that a text names: an address, a CIDR, the beginning of an address."""
    if _OCTETS.fullmatch(text):
        text += "."
    try:
        networks = NetworksField(required=False).clean(text)
    except ValidationError:
        return None
    return networks[0] if len(networks) == 1 else None


def is_like_address(text: str) -> bool:
    """Tell whether a text looks like an address or a network; it may be none."""
    return bool(_LIKE_ADDRESS.fullmatch(text))


class NetworksFilter(django_filters.CharFilter):  # type: ignore[misc]
    """Any of several networks."""

    field_class = NetworksField

    def filter(self, qs: Any, value: list[Network]) -> Any:
        """Return the rows whose address is in one of the networks."""
        conditions = [Q(ip_address__net=network) for network in value]
        return qs.filter(reduce(or_, conditions)) if conditions else qs


class ChoiceInFilter(
    django_filters.BaseInFilter,  # type: ignore[misc]
    django_filters.ChoiceFilter,  # type: ignore[misc]
):
    """Several choices in one parameter: the admin's search form drops repeated parameters."""
