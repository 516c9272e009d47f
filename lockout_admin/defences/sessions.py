"""The sessions of accounts, where the site keeps sessions in a table that can be looked through."""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module
from typing import Any, Final

from django.conf import settings
from django.utils import timezone

from ..models.walks import walk

#: Sessions that are looked through, and how many at a time.
MOST: Final = 100_000
_BATCH: Final = 1_000


def can_end() -> bool:
    """Tell whether the sessions of an account are found."""
    return hasattr(_store(), "get_model_class")


def end(accounts: Collection[str]) -> tuple[int, bool]:
    """End the sessions of accounts, by their primary keys; return how many, and whether all."""
    store: Any = _store()
    ended = seen = 0
    rows = store.get_model_class()._base_manager.filter(expire_date__gt=timezone.now())
    for chunk in walk(rows, ["pk", "session_data"], _BATCH):
        seen += len(chunk)
        mine = [key for key, data in chunk if _owner(store, data) in accounts]
        for key in mine:
            store(key).delete()
        ended += len(mine)
        if seen >= MOST:
            break
    return ended, seen < MOST


def _owner(store: Any, data: str) -> str:
    return str(store().decode(data).get("_auth_user_id", ""))


def _store() -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore
