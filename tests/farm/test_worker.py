"""Workers as processes: what they run, and what becomes of bundles when they die, hang, freeze or are told to end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.farm.worker_desk import WorkerDesk, bundle, worker_desk

from quincunx_orchestrator.farm.redis_server import RedisServer


@pytest.fixture
def desk(redis_server: RedisServer, tmp_path: Path) -> Iterator[WorkerDesk]:
    with worker_desk(redis_server.url, tmp_path) as one:
        yield one


def test_a_message_is_worked_off(desk: WorkerDesk) -> None:
    with desk.worker():
        desk.send(desk.release([bundle(name, trace=str(desk.trace)) for name in "abc"]))
        outcomes = desk.wait_for("a", "b", "c")
    assert all(one.ran == ["it"] for one in outcomes.values())
    assert desk.runs() == {"a": 1, "b": 1, "c": 1}
