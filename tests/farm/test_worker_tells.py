"""What a worker tells those who watch: counts that stay when it ends, and lines that say of which render they speak."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from tests.farm.waiting import until
from tests.farm.worker_desk import QUEUE, RENDER, worker_desk

from quincunx_orchestrator.farm.metrics.reader import FarmReader
from quincunx_orchestrator.farm.redis_server import RedisServer
from quincunx_shared.farm.celery_settings import RUN_BUNDLES
from quincunx_shared.farm.logs import trace_of
from quincunx_shared.farm.step_counts import pace_of


def test_what_was_done_is_counted_and_told(
    redis_server: RedisServer, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with worker_desk(redis_server.url, tmp_path, log_format="json", alive_file=tmp_path / "alive") as desk:
        with desk.worker(concurrency=2):
            until((tmp_path / "alive").exists)
            desk.app.send_task(RUN_BUNDLES, args=["qx1 0 {}"], queue=QUEUE, ignore_result=True)
            desk.send(desk.release([desk.toy("a"), desk.toy("b", seconds=0.2)]))
            desk.wait_for("a", "b")
            desk.send(desk.release([desk.toy("c", "sour"), desk.toy("d", "hold")]))
            seen = until(lambda: [one.node for one in desk.nodes() if one.node.doing], 20)
            desk.trace.with_suffix(".go").touch()
            desk.wait_for("c", "d")
        counters = FarmReader(desk.client, "qx").read().counters
    assert [one.doing for one in seen] == [("render r1: toys",)]
    assert counters["steps|nap|ran"] == 2
    assert 0.2 <= counters["step_seconds|nap|sum"] < 5
    assert 0.1 <= pace_of(counters)["nap"] < 2.5
    assert counters["queue_wait_seconds|cpu|user|sum"] >= 0
    assert counters["refused|forged"] == 1
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines() if line.startswith("{")]
    about = [line for line in lines if line.get("render") == RENDER]
    assert {line["trace"] for line in about} == {trace_of(RENDER)}
    assert any("of 2 bundles ended" in line["message"] for line in about)
    assert {(line["role"], line["host"], line["node"]) for line in lines} == {("worker", socket.gethostname(), "one")}
    (failed,) = (line for line in about if "c/it raised" in line["message"])
    assert 'raise ValueError("sour")' in failed["error"], "the outcome is a line; who writes a step needs the place"
