"""The services. Outside CI a missing one skips its tests with the reason; in CI it fails them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from .servers import CacheServer, cache_server, cluster_of_three, database


@pytest.fixture
def redis() -> Iterator[CacheServer]:
    with cache_server("redis") as server:
        yield server


@pytest.fixture
def memcached() -> Iterator[CacheServer]:
    with cache_server("memcached") as server:
        yield server


@pytest.fixture
def three_nodes(tmp_path: Path) -> Iterator[list[CacheServer]]:
    with cluster_of_three(tmp_path) as nodes:
        yield nodes


@pytest.fixture
def postgres() -> Iterator[str]:
    with database("postgres", f"lockout_services_{os.getpid()}") as url:
        yield url


@pytest.fixture
def mariadb() -> Iterator[str]:
    with database("mariadb", f"lockout_services_{os.getpid()}") as url:
        yield url
