"""Which client is asked: the site's, or one of our own that tells the truth."""

from __future__ import annotations

import os
from typing import Any

import pytest
from django.core.cache import BaseCache, caches
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from django.test import override_settings

from lockout_admin.engine import clients

REDIS = "django.core.cache.backends.redis.RedisCache"
PRIMARY, REPLICA = "redis://one", "redis://two"


class Closing(RedisCache):
    """Tells when it was closed."""

    closed = 0

    def close(self, **kwargs: Any) -> None:
        self.closed += 1


class HidesErrors(LocMemCache):
    """A client of a package that can be told to ignore errors."""

    def __init__(self, name: str, params: dict[str, Any]) -> None:
        super().__init__(name, params)
        self._ignore_exceptions = params["OPTIONS"]["IGNORE_EXCEPTIONS"]


class ShardClient:
    """Spreads keys over all its servers."""


class SentinelClient:
    """Knows the primary and its replicas by one name."""


class Shards(RedisCache):
    client = ShardClient()


class Sentinel(RedisCache):
    client = SentinelClient()


def on(backend: type | str, location: Any = "", **options: Any) -> Any:
    path = backend if isinstance(backend, str) else f"{__name__}.{backend.__qualname__}"
    cache = {"BACKEND": path, "LOCATION": location, "OPTIONS": options}
    return override_settings(CACHES={"default": cache})


def servers_of(cache: Any) -> list[str]:
    return list(cache._servers)


@pytest.mark.parametrize("location", [[PRIMARY, REPLICA], f"{PRIMARY},{REPLICA}"])
def test_the_first_of_several_servers_is_read(location: Any) -> None:
    with on(REDIS, location, db=3):
        ours: Any = clients.client("default")
        assert servers_of(ours) == [PRIMARY]
        assert ours._options == {"db": 3}
        assert clients.client("default") is ours


def test_the_primary_is_asked_for_by_the_name_that_sentinels_know() -> None:
    with on(Sentinel, "redis://mymaster/0"):
        assert servers_of(clients.client("default")) == ["redis://mymaster/0"]
        assert clients.client("default") is not caches["default"]


@pytest.mark.parametrize(
    ("backend", "location"), [(REDIS, PRIMARY), (Shards, [PRIMARY, REPLICA]), (Shards, PRIMARY)]
)
def test_the_sites_own_client_will_do(backend: Any, location: Any) -> None:
    with on(backend, location):
        assert clients.client("default") is caches["default"]


def test_a_semicolon_in_a_password_of_another_package_is_none_of_ours() -> None:
    with on(HidesErrors, "redis://:a;b@one,redis://two", IGNORE_EXCEPTIONS=False):
        cache = caches["default"]
        assert clients.servers(cache, "default") == ["redis://:a;b@one", "redis://two"]


def test_errors_are_not_hidden_from_us() -> None:
    with on(HidesErrors, IGNORE_EXCEPTIONS=True):
        ours: Any = clients.client("default")
        assert not ours._ignore_exceptions
        assert ours is not caches["default"]


def test_other_settings_are_other_clients() -> None:
    with on(REDIS, [PRIMARY, REPLICA]):
        first = clients.client("default")
    with on(REDIS, ["redis://three", REPLICA]):
        assert servers_of(clients.client("default")) == ["redis://three"]
        assert clients.client("default") is not first


def test_ours_is_closed_with_the_sites() -> None:
    with on(Closing, [PRIMARY, REPLICA]):
        ours: Any = clients.client("default")
        clients.close_ours()
        assert ours.closed == 1
        clients.close()
        assert ours.closed == 2


def test_ours_is_not_closed_while_somebody_asks_it() -> None:
    with on(Closing, [PRIMARY, REPLICA]):

        def asked(cache: Any) -> int:
            clients.close_ours()  # another request of the same task is over
            return int(cache.closed)

        assert clients.ask("default", asked) == 0
        clients.close_ours()
        assert clients.ask("default", lambda cache: cache.closed) == 1  # type: ignore[attr-defined]


def test_a_client_that_cannot_be_closed_stops_nobody() -> None:
    class Stuck(LocMemCache):
        def close(self, **kwargs: Any) -> None:
            raise OSError

    caches["default"] = Stuck("stuck", {})
    try:
        clients.close()
    finally:
        del caches["default"]


def test_a_forked_process_has_clients_of_its_own() -> None:
    with on(REDIS, [PRIMARY, REPLICA]):
        ours: BaseCache = clients.client("default")
        child = os.fork()
        if not child:
            os._exit(
                0 if clients.client("default") is not ours else 1
            )  # pragma: no cover - in the child
        assert os.waitpid(child, 0)[1] == 0
        assert clients.client("default") is ours
