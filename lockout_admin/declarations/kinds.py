"""The kinds of settings: numbers, switches, texts, lists."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from django.conf import settings
from django.utils.module_loading import import_string

from .setting import Fault, Setting
from .values import (
    LONGEST,
    is_dotted_path,
    is_list,
    is_network,
    is_number,
    is_web_address,
    is_whole,
    shown,
)


class Whole(Setting[int]):
    """A whole number."""

    def __init__(
        self,
        name: str,
        default: int,
        *,
        least: int,
        most: int = LONGEST,
        help: str,  # noqa: A002
        plain: bool = False,
    ) -> None:
        super().__init__(name, default, help=help, plain=plain)
        self.least: Final = least
        self.most: Final = most
        self.check = "E001" if plain else "E005"
        self.kind = f"a whole number from {least} to {most}"

    def accepts(self, value: Any) -> bool:
        """Tell whether it is in the range."""
        return is_whole(value, self.least, self.most)


class Limit(Whole):
    """A number of guesses. Too many are a fault of their own: they are no limit."""

    def faults_of_wrong(self, value: Any) -> list[Fault]:
        """Return what is wrong with a value."""
        if not is_whole(value, self.most + 1, LONGEST):
            return super().faults_of_wrong(value)
        problem = (
            f"{self.label} is {value}: more guesses than NIST SP 800-63B-4, 3.2.2 allows in a row."
        )
        return [Fault("E002", problem, f"Set it to at most {self.most}.")]


class Number(Setting[float]):
    """A number, whole or not."""

    check = "E005"

    def __init__(
        self,
        name: str,
        default: float,
        *,
        least: float,
        most: float,
        help: str,  # noqa: A002
    ) -> None:
        super().__init__(name, default, help=help)
        self.least: Final = least
        self.most: Final = most
        self.kind = f"a number from {least} to {most}"

    def accepts(self, value: Any) -> bool:
        """Tell whether it is in the range."""
        return is_number(value, self.least, self.most)


class Switch(Setting[bool]):
    """On or off."""

    kind = "True or False"

    def accepts(self, value: Any) -> bool:
        """Tell whether it is one of the two."""
        return isinstance(value, bool)


class Header(Setting[str]):
    """The name of an HTTP header that lists addresses, which RFC 7239's ``Forwarded`` does not.

    Or its key in ``request.META``, by which other packages want it.
    """

    kind = "text"

    def faults_of_wrong(self, value: Any) -> list[Fault]:
        """Return what is wrong with a value."""
        if not isinstance(value, str):
            return super().faults_of_wrong(value)
        problem = f"{self.label} is {value!r}, in which no address can be read."
        remedy = "Let the proxy append to X-Forwarded-For, and leave the setting out."
        return [Fault("E015", problem, remedy)]

    def accepts(self, value: Any) -> bool:
        """Tell whether it is the name of a header that lists addresses."""
        return isinstance(value, str) and self.read(value).lower() not in ("", "forwarded")

    def read(self, value: str) -> str:
        """Return the name as it is in HTTP."""
        name = value.strip()
        in_meta = name.startswith("HTTP_")
        return name.removeprefix("HTTP_").replace("_", "-") if in_meta else name


class Text(Setting[str]):
    """Text, or a callable without arguments that returns it."""

    kind = "text, or to a callable without arguments that returns text"

    def accepts(self, value: Any) -> bool:
        """Tell whether it is one of the two; what a callable returns is seen when it is used."""
        return isinstance(value, str) or callable(value)

    def read(self, value: str | Callable[[], Any]) -> str:
        """Return the text; the default where the callable gives none."""
        if isinstance(value, str):
            return value
        try:
            answer = value()
        except Exception as error:  # noqa: BLE001 - the site's code must not break a login
            answer = error
        if isinstance(answer, str):
            return answer
        problem = f"{self.label} was called and gave {type(answer).__name__} in place of text."
        Fault(self.check, problem, self.remedy).log_once(self.name)
        return self.default


class Address(Setting[str]):
    """Where a site is on the web; empty where it was not said."""

    kind = "an address such as 'https://example.org', without query and fragment"

    def accepts(self, value: Any) -> bool:
        """Tell whether it is empty, or one that a path can be put behind."""
        return value == "" or (isinstance(value, str) and is_web_address(value))


class CacheAlias(Setting[str | None]):
    """A key of ``settings.CACHES``, or ``None``."""

    kind = "None or the alias of a cache"

    def faults_of_wrong(self, value: Any) -> list[Fault]:
        """Return what is wrong with a value."""
        if not isinstance(value, str):
            return super().faults_of_wrong(value)
        problem = f"{self.label} is {value!r}, which is not in CACHES."
        remedy = f"Set it to None or to one of: {', '.join(settings.CACHES)}."
        return [Fault("E008", problem, remedy)]

    def accepts(self, value: Any) -> bool:
        """Tell whether it is one of the two."""
        return value is None or (isinstance(value, str) and value in settings.CACHES)


class Paths(Setting[Sequence[str]]):
    """Where in Python modules something is."""

    kind = "a list of dotted paths"

    def accepts(self, value: Any) -> bool:
        """Tell whether each entry is a path; whether something is there, it does not tell."""
        return is_list(value) and all(is_dotted_path(entry) for entry in value)


class CookieName(Setting[str]):
    """The name of a cookie; empty where there is to be none."""

    kind = "letters, digits, '-' and '_' (RFC 6265, 4.1.1), or an empty text"

    def accepts(self, value: Any) -> bool:
        """Tell whether every browser takes it."""
        return isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_-]{0,64}", value) is not None


class Function(Setting[Callable[..., Any] | None]):
    """A function of the site, or where it is; ``None`` where there is none."""

    kind = "the dotted path of a function, or None"

    def accepts(self, value: Any) -> bool:
        """Tell whether it is one, or may be the path of one."""
        return value is None or callable(value) or is_dotted_path(value)

    def read(self, value: Any) -> Callable[..., Any] | None:
        """Return the function; ``None`` where nothing is at the path."""
        if not isinstance(value, str):
            found: Callable[..., Any] | None = value
            return found
        try:
            function = import_string(value)
        except Exception as error:  # noqa: BLE001 - the site's code must not break a login
            problem = f"{self.label} can't be imported: {type(error).__name__}: {error}."
            Fault(self.check, problem, self.remedy).log_once(self.name)
            return None
        return function if callable(function) else None


class Proxies(Setting[int | Sequence[str] | None]):
    """Networks, or how many proxies there are; ``None`` when the site never said."""

    check = "E007"
    remedy = (
        "Set it to a list of CIDRs such as ['10.0.0.0/8'] ('unix' for a Unix socket), or to the"
        " number of proxies."
    )

    def faults_of_wrong(self, value: Any) -> list[Fault]:
        """Return what is wrong with a value: one fault an entry."""
        if not is_list(value):
            return super().faults_of_wrong(value)
        wrong = [shown(entry) for entry in value if not is_network(entry)]
        return [
            Fault(self.check, f"{self.label} has {entry}, which is no network.", self.remedy)
            for entry in wrong
        ]

    def accepts(self, value: Any) -> bool:
        """Tell whether it is a number of proxies, or lists networks only, or was never said."""
        if is_list(value):
            return all(map(is_network, value))
        return value is None or is_whole(value, 0, 100)
