"""Work that is not measured: under coverage it would take more than twice as long."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any


def unmeasured(call: Callable[..., Any]) -> Callable[..., Any]:
    """Return a call that coverage does not look into: for what is done many times over.

    What it reaches is measured where it is done once.
    """

    def quick(*args: Any, **kwargs: Any) -> Any:  # pragma: no cover - by what it is for
        tracer = sys.gettrace()
        sys.settrace(None)
        try:
            return call(*args, **kwargs)
        finally:
            sys.settrace(tracer)
            _go_on()

    return quick


def _go_on() -> None:
    """Be called: the tracer takes over again with the next call, which is this one."""
