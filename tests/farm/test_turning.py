"""What a coordinator sees to again and again: none of it holds up another, and none ends because it failed once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.farm.waiting import until

import quincunx_orchestrator.farm.__main__ as process
from quincunx_orchestrator.farm.coordinator import Coordinator
from quincunx_orchestrator.farm.opening import OpenFarm, open_farm
from quincunx_orchestrator.farm.redis_server import RedisServer
from quincunx_shared.farm.settings import FarmSettings
from quincunx_shared.stores.documents import MemoryDocuments

if TYPE_CHECKING:
    from redis import Redis


class Frozen(MemoryDocuments):
    """A store that does not answer until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()
        self.thaw = threading.Event()

    def names(self, prefix: str = "") -> list[str]:
        self.asked.set()
        self.thaw.wait(30)
        return super().names(prefix)


@pytest.fixture
def farm(redis: Redis, redis_server: RedisServer, tmp_path: Path) -> Iterator[OpenFarm]:  # noqa: ARG001 - it is emptied
    key = tmp_path / "key"
    key.touch(mode=0o600)
    key.write_text("k" * 64)
    settings = FarmSettings(
        redis_url=redis_server.url,
        store=f"file://{tmp_path}/store",
        envelope_key_file=key,
        cache_dir=tmp_path / "cache",
        alive_file=tmp_path / "alive",
    )
    with open_farm(settings) as opened:
        yield opened


def test_leases_are_renewed_while_the_store_does_not_answer(farm: OpenFarm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "TICK_SECONDS", 0.01)
    frozen, ticks = Frozen(), threading.Semaphore(0)
    farm = replace(farm, store=replace(farm.store, documents=frozen))
    coordinator = Coordinator("anna", farm.surroundings("anna"))
    monkeypatch.setattr(coordinator, "tick", ticks.release)
    ending = threading.Event()
    threads = [threading.Thread(target=one, name=name) for name, one in process.turning(farm, coordinator, ending)]
    for thread in threads:
        thread.start()
    try:
        assert frozen.asked.wait(10)
        for _ in range(20):
            assert ticks.acquire(timeout=10)
        alive = farm.settings.alive_file
        assert alive is not None
        before = alive.stat().st_mtime_ns
        until(lambda: alive.stat().st_mtime_ns > before)
        until(lambda: [one.node.name for one in farm.nodes.seen()] == ["anna"])
    finally:
        ending.set()
        frozen.thaw.set()
        for thread in threads:
            thread.join()


def test_what_fails_is_done_again() -> None:
    ending, calls = threading.Event(), iter(range(3))

    def fail() -> None:
        if next(calls) == 2:
            ending.set()
        raise ConnectionError("away")

    process.every(0.0, fail, ending)
    assert next(calls, None) is None
