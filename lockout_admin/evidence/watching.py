"""What the console says where the site only watches."""

from __future__ import annotations

from django.utils.translation import gettext as _

from ..conf import conf
from ..engine import watching
from .bidi import clock


def notice() -> str:
    """Return what is to be read on each page, in the active language; empty where it enforces."""
    if not conf.only_watches:
        return ""
    said = _(
        "This site only watches: nobody is refused, but by a lock by hand. The lock history shows"
        " what would have locked."
    )
    began = watching.since()
    if began is None:
        return said
    return f"{said} {_('since')} {clock(began)}"
