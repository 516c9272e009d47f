"""Two verbs that the client of a cluster has not, or not as others have them.

django-valkey's writes many entries only for ever, in its own way of saying so: what others take for
a time-out it takes for a version. And it counts with a script that Redis does not understand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

#: Understood by Redis and by Valkey.
_COUNT: Final = """
if redis.call('EXISTS', KEYS[1]) == 1 then return redis.call('INCRBY', KEYS[1], 1) end
return 0
"""


def set_many(cache: Any, entries: Mapping[str, Any], seconds: int) -> list[str]:
    """Write entries that end together: one call to each node."""
    pipeline = cache.client.get_client(write=True).pipeline()
    for key, value in entries.items():
        cache.set(key, value, seconds, client=pipeline)
    pipeline.execute()
    return []


def incr(cache: Any, key: str) -> Any:
    """Add one to a counter and return it; 0 where there is none."""
    return cache.client.get_client(write=True).eval(_COUNT, 1, cache.make_key(key))
