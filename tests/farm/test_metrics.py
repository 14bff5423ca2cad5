"""What a farm tells those who watch it, read from a real Redis and asked over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis

from quincunx_orchestrator.farm.metrics.exposition import exposition
from quincunx_orchestrator.farm.metrics.reader import FarmReader, device_of_bundle, lease_until
from quincunx_orchestrator.farm.metrics.reading import NOTHING, Reading
from quincunx_orchestrator.farm.metrics.server import MetricsServer
from quincunx_orchestrator.farm.redis_server import RedisServer, start
from quincunx_shared.errors import BadInput
from quincunx_shared.farm.counters import RedisCounters
from quincunx_shared.farm.nodes import Node, RedisNodes
from quincunx_shared.farm.redis_client import connect_to
from quincunx_shared.farm.redis_work_state import RedisWorkState
from quincunx_shared.farm.step_counts import STEP_BOUNDS, duration, named
from quincunx_shared.names import RenderId

RENDER = RenderId("r1")


def told(reading: Reading) -> dict[tuple[str, ...], float]:
    """Samples by name and the values of their labels, in the order of the labels' names."""
    text = exposition(reading).decode()
    return {
        (one.name, *(one.labels[label] for label in sorted(one.labels))): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def test_open_bundles_are_those_that_wait_and_those_that_run(redis: Redis) -> None:
    work = RedisWorkState(redis, "qx")
    redis.zadd("qx:running", {RENDER: 1.0})
    work.release(RENDER, 1, {"1/s1/gpu@1": b"a", "1/s2/gpu@1": b"b", "1/s1/cpu@0": b"c", "1/s1/default": b"d"})
    work.lease(RENDER, ["1/s1/gpu@1"], "anna")
    found = told(FarmReader(redis, "qx").read())
    assert found["quincunx_open_bundles", "gpu"] == 2
    assert found["quincunx_open_bundles", "cpu"] == 2
    assert found["quincunx_leases", "gpu"] == 1
    assert found["quincunx_leases", "cpu"] == 0
    assert found["quincunx_jobs", "", "running"] == 1


def test_jobs_and_messages_are_counted_by_class(redis: Redis) -> None:
    redis.zadd("qx:queue:user", {"r1": 1, "r2": 2})
    redis.lpush("qx:celery:quincunx.gpu.background", "one", "two", "three")
    found = told(FarmReader(redis, "qx").read())
    assert found["quincunx_jobs", "user", "pending"] == 2
    assert found["quincunx_jobs", "system", "pending"] == 0
    assert found["quincunx_queue_messages", "gpu", "background"] == 3


def test_machines_tell_what_they_are_and_what_they_measure(redis: Redis) -> None:
    queues = ("quincunx.gpu.user",)
    gauges = {"vram_used_bytes": 5e9}
    RedisNodes(redis, "qx").beat(Node("anna", "worker", "h", 1, "1", "gpu", queues, 4, gauges=gauges))
    found = told(FarmReader(redis, "qx").read())
    assert found["quincunx_nodes", "worker", "up"] == 1
    assert found["quincunx_slots", "gpu"] == 4
    assert found["quincunx_slots", "cpu"] == 0
    assert found["quincunx_vram_used_bytes", "anna"] == 5e9


def test_what_was_counted_outlives_whoever_counted_it(redis: Redis) -> None:
    for seconds in (0.3, 0.4, 3.0):
        RedisCounters(redis, "qx").add(duration(named("step_seconds", "acoustic"), seconds, STEP_BOUNDS))
    RedisCounters(redis, "qx").add(
        {"steps|acoustic|ran": 3, "bundles_redriven": 2, "planned_steps|recalled": 7, "refused|misfit": 4}
    )
    redis.hincrby("qx:refused", "forged", 1)
    found = told(FarmReader(redis, "qx").read())
    assert found["quincunx_step_seconds_bucket", "0.25", "acoustic"] == 0
    assert found["quincunx_step_seconds_bucket", "0.5", "acoustic"] == 2
    assert found["quincunx_step_seconds_bucket", "+Inf", "acoustic"] == 3
    assert found["quincunx_step_seconds_count", "acoustic"] == 3
    assert found["quincunx_step_seconds_sum", "acoustic"] == pytest.approx(3.7)
    assert found["quincunx_steps_total", "ran", "acoustic"] == 3
    assert found["quincunx_bundles_redriven_total",] == 2
    assert found["quincunx_planned_steps_total", "recalled"] == 7
    assert found["quincunx_refused_total", "forged"] == 1
    assert found["quincunx_refused_total", "misfit"] == 4


def test_what_redis_was_not_asked_for_is_not_told_as_zero() -> None:
    assert told(NOTHING) == {("quincunx_up",): 0}


def test_bundles_are_known_by_their_recipe() -> None:
    assert [device_of_bundle(name) for name in ("1/s/gpu", "1/s/gpu@2", "1/s/default@0", "odd")] == [
        "gpu",
        "gpu",
        "cpu",
        "cpu",
    ]
    assert lease_until("token 1700 1 anna b") == 1700
    assert lease_until("garbage") == 0


@pytest.fixture
def away(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis that a test may end."""
    server = start(tmp_path)
    try:
        yield server
    finally:
        server.kill()


def test_monitors_are_answered_while_redis_is_away(away: RedisServer) -> None:
    now = [0.0]
    with (
        closing(connect_to(away.url, timeout_seconds=0.2)) as client,
        closing(MetricsServer("127.0.0.1:0", FarmReader(client, "qx"), lambda: now[0])) as server,
    ):
        assert ask(server, "/ready")[0] == 200
        assert json.loads(ask(server, "/scale")[1])["open_bundles"] == {"cpu": 0, "gpu": 0}
        assert b"quincunx_up 1.0" in ask(server, "/metrics")[1]
        away.kill()
        now[0] += 60
        assert ask(server, "/live")[0] == 200
        assert ask(server, "/ready")[0] == 503
        assert ask(server, "/scale")[0] == 503, "told as zero it would end every worker"
        assert b"quincunx_up 0.0" in ask(server, "/metrics")[1]
        away.launch()
        now[0] += 60
        assert ask(server, "/ready")[0] == 200


def test_only_what_is_offered_is_served() -> None:
    with closing(MetricsServer("127.0.0.1:0", _Never())) as server:
        assert ask(server, "/etc/passwd")[0] == 404
        assert ask(server, "/metrics", "POST")[0] == 501


def test_an_address_without_a_port_is_refused() -> None:
    with pytest.raises(BadInput):
        MetricsServer("localhost", _Never())


class _Never:
    def read(self) -> Reading:
        raise AssertionError


def ask(server: MetricsServer, path: str, method: str = "GET") -> tuple[int, bytes]:
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=5)) as connection:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.read()
