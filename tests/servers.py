"""Servers of their own for tests: one per session, empty for every test. One that cannot be started is a failure."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from quincunx_orchestrator.farm.redis_server import RedisServer, start

if TYPE_CHECKING:
    from redis import Redis
    from tests.farm.s3_server import S3Server

    from quincunx_shared.stores.bucket import Bucket


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis for the whole session. Tests that stop, kill or freeze a server start one of their own."""
    server = start(tmp_path_factory.mktemp("redis"))
    try:
        yield server
    finally:
        server.kill()


@pytest.fixture
def redis(redis_server: RedisServer) -> Iterator[Redis]:
    """A client of the session's Redis, which is empty."""
    from quincunx_shared.farm.redis_client import connect_to

    with closing(connect_to(redis_server.url)) as client:
        client.flushall()
        yield client


@pytest.fixture
def fake_redis() -> Iterator[Redis]:
    """A client of a Redis in memory, which is empty: the quick tier of tests of adapters."""
    import fakeredis

    with closing(fakeredis.FakeRedis()) as client:
        yield client


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A real S3 server for all tests of a run that ask for it. Each takes a bucket of its own.

    QUINCUNX_TEST_S3=HOST:PORT,ACCESS_KEY,SECRET_KEY tries them on another server, which is running.
    """
    from tests.farm.s3_server import S3Server, running_s3

    if other := os.environ.get("QUINCUNX_TEST_S3"):
        endpoint, access_key, secret_key = other.split(",")
        yield S3Server(endpoint, access_key, secret_key, 0)
        return
    with running_s3(tmp_path_factory.mktemp("s3") / "server") as server:
        yield server


@pytest.fixture
def bucket(s3_server: S3Server) -> Bucket:
    """An empty bucket."""
    fresh = s3_server.bucket(f"test-{uuid.uuid4().hex[:16]}")
    fresh.make()
    return fresh
