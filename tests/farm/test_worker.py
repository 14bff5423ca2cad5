"""Workers as processes: what they run, and what becomes of bundles when they die, hang, freeze or are told to end."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.farm.waiting import until
from tests.farm.worker_desk import RENDER, WorkerDesk, worker_desk

from quincunx_orchestrator.farm.redis_server import RedisServer
from quincunx_shared.events import StepFailed, StepRan
from quincunx_shared.farm.nodes import RedisNodes
from quincunx_shared.farm.redis_board import RedisBoard
from quincunx_shared.farm.redis_events import RedisEventLog
from quincunx_shared.names import Address, PortKey, SegmentId
from quincunx_shared.payload import decode
from quincunx_shared.stores.farm_store import store_from

LEASE = 1.0


@pytest.fixture
def desk(redis_server: RedisServer, tmp_path: Path) -> Iterator[WorkerDesk]:
    with worker_desk(redis_server.url, tmp_path, lease_seconds=LEASE) as one:
        yield one


@pytest.mark.parametrize("device", ["cpu", "gpu"])
def test_a_message_is_worked_off_and_told_of_once(desk: WorkerDesk, device: str) -> None:
    queue = f"quincunx.{device}.user"
    with desk.worker("one", "--device", device, concurrency=2):
        message = desk.release([desk.toy(name) for name in "abc"])
        for _ in range(3):
            desk.send(message, queue)
        outcomes = desk.wait_for("a", "b", "c")
        node = RedisNodes(desk.client, "qx").seen()[0].node
    assert all(one.ran == ["it"] for one in outcomes.values())
    assert desk.runs() == {"a": 1, "b": 1, "c": 1}
    events = RedisEventLog(desk.client, "qx", RENDER).since(0)
    assert sorted((type(one), one.segment) for one in events if isinstance(one, StepRan)) == [
        (StepRan, name) for name in "abc"
    ]
    address = Address(SegmentId("a"), PortKey("it", "y"))
    ref = RedisBoard(desk.client, "qx", RENDER).take([address])[address]
    assert decode(ref, store_from(desk.settings).blobs.get(ref.digest))[0] == ord("a")
    assert (node.device, node.slots, node.steps["nap"]) == (device, 2, "1")
    assert RedisNodes(desk.client, "qx").seen() == []


def test_a_bundle_whose_worker_is_killed_runs_elsewhere(desk: WorkerDesk) -> None:
    with desk.worker(concurrency=2) as worker:
        desk.send(desk.release([desk.toy("long", seconds=1.5)]))
        until(lambda: desk.runs())
        victim = desk.child_that_holds("1/long/toy")
        os.kill(victim, signal.SIGKILL)
        until(desk.all_ended, 20)
        assert worker.poll() is None
    assert desk.outcomes()["long"].ran == ["it"]
    assert desk.runs() == {"long": 2}


@pytest.mark.parametrize("device", ["cpu", "gpu"])
def test_a_step_that_kills_its_process_is_quarantined_and_its_neighbours_are_not(desk: WorkerDesk, device: str) -> None:
    """On a gpu worker, threads compute beside the killer, and die with it."""
    naps = [f"nap{number}" for number in range(3)]
    with desk.worker("one", "--device", device, "--queues", "quincunx.cpu.user", concurrency=4):
        toys = [desk.toy("killer", "die"), *(desk.toy(name, seconds=0.2) for name in naps)]
        message = desk.release(toys)
        for name, digest in zip(message.bundles, message.digests, strict=True):
            desk.send(replace(message, bundles=(name,), digests=(digest,)))
        until(desk.all_ended, 90)
    outcomes = desk.outcomes()
    assert desk.runs()["killer"] == 3
    assert "its worker died 3 times" in outcomes["killer"].failed["it"]
    assert all(outcomes[name].failed == {} for name in naps)
    events = RedisEventLog(desk.client, "qx", RENDER).since(0)
    assert [one.segment for one in events if isinstance(one, StepFailed)] == ["killer"]


@pytest.mark.parametrize("device", ["cpu", "gpu"])
def test_steps_of_packages_that_are_not_trusted_run_apart(
    redis_server: RedisServer, tmp_path: Path, device: str
) -> None:
    """Such a step takes its own process along and nobody else's, in as many processes as there are at once."""
    naps = [f"nap{number}" for number in range(6)]
    with (
        worker_desk(redis_server.url, tmp_path, isolate="toy-steps", lease_seconds=5.0) as desk,
        desk.worker("one", "--device", device, "--queues", "quincunx.cpu.user", concurrency=2),
    ):
        toys = [desk.toy("killer", "die"), *(desk.toy(name, seconds=0.05) for name in naps)]
        message = desk.release(toys)
        for name, digest in zip(message.bundles, message.digests, strict=True):
            desk.send(replace(message, bundles=(name,), digests=(digest,)))
        outcomes = desk.wait_for("killer", *naps)
    assert desk.runs()["killer"] == 1
    assert "its process ended by signal 9" in outcomes["killer"].failed["it"]
    assert [outcomes[name].failed for name in naps] == [{}] * 6


def test_a_message_that_dies_with_its_reader_is_sent_again(desk: WorkerDesk) -> None:
    """Killed between the pop and the note of it: nobody but the work state knows of the message any more."""
    fuse = desk.folder / "fuse"
    with desk.worker(environment={"KILLED_AT_POP": str(fuse)}):
        desk.send(desk.release([desk.toy("a")]))
        desk.wait_for("a")
        for name in "bc":
            fuse.touch()
            desk.send(desk.release([desk.toy(name)]))
            until(lambda: not fuse.exists(), 20)
            until(desk.all_ended, 30)
    assert desk.runs() == {"a": 1, "b": 1, "c": 1}


@pytest.mark.parametrize("device", ["cpu", "gpu"])
def test_a_step_that_hangs_ends_its_process_and_is_quarantined(
    redis_server: RedisServer, tmp_path: Path, device: str
) -> None:
    with (
        worker_desk(redis_server.url, tmp_path, lease_seconds=LEASE, step_seconds=1.5) as desk,
        desk.worker("one", "--device", device, "--queues", "quincunx.cpu.user"),
    ):
        desk.send(desk.release([desk.toy("stuck", "hang"), desk.toy("fine")]))
        until(desk.all_ended, 60)
        outcomes = desk.outcomes()
    assert desk.runs()["stuck"] == 3
    assert "its worker died 3 times" in outcomes["stuck"].failed["it"]
    assert outcomes["fine"].failed == {}


def test_a_worker_that_was_frozen_past_its_lease_changes_nothing(desk: WorkerDesk) -> None:
    with desk.worker("frozen"):
        desk.send(desk.release([desk.toy("a", seconds=0.7)]))
        until(lambda: desk.runs())
        frozen = desk.child_that_holds("1/a/toy")
        os.kill(frozen, signal.SIGSTOP)
        until(lambda: desk.work.unclaimed(RENDER, desk.bundles))
        with desk.worker("other"):
            until(desk.all_ended, 20)
            os.kill(frozen, signal.SIGCONT)
            desk.send(desk.release([desk.toy("b")]))
            desk.wait_for("a", "b")
    assert len(RedisEventLog(desk.client, "qx", RENDER).since(0)) == 2


def test_a_cancelled_render_stops_between_two_steps(desk: WorkerDesk) -> None:
    with desk.worker():
        desk.send(desk.release([desk.toy(name, seconds=0.4) for name in "ab"]))
        until(lambda: desk.runs())
        desk.work.stop(RENDER)
        other = desk.release([desk.toy("c")], render="r2")
        desk.send(other)
        until(lambda: desk.runs()["c"])
    assert sorted(desk.runs().values()) == [1, 1], "one of the two, and the other render's"
    assert desk.outcomes() == {}


def test_a_worker_told_to_end_finishes_its_bundle_and_hands_back_the_rest(desk: WorkerDesk) -> None:
    with desk.worker(concurrency=1) as worker:
        desk.send(desk.release([desk.toy(name, seconds=0.5) for name in "abc"]))
        until(lambda: desk.runs())
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(10) == 0
    # Of two that are under way, whichever computes is finished.
    ((ran, times),) = desk.runs().items()
    assert (ran in "abc", times) == (True, 1)
    assert set(desk.outcomes()) == {ran}
    assert desk.work.unclaimed(RENDER, desk.bundles) == {f"1/{one}/toy" for one in "abc" if one != ran}


def test_a_drained_node_takes_no_more_until_it_may(desk: WorkerDesk) -> None:
    nodes = RedisNodes(desk.client, "qx")
    nodes.drain("one", "a new graphics card")
    with desk.worker("one"), desk.worker("other", "--queues", "quincunx.cpu.background"):
        desk.send(desk.release([desk.toy("a")]))
        desk.send(desk.release([desk.toy("b")], generation=1), "quincunx.cpu.background")
        desk.wait_for("b")
        assert desk.runs() == {"b": 1}
        nodes.undrain("one")
        desk.wait_for("a")


def test_a_worker_with_another_version_leaves_a_bundle_to_one_that_fits(desk: WorkerDesk) -> None:
    with desk.worker("old", version="1"):
        desk.send(desk.release([desk.toy("new", version="2"), desk.toy("old", version="1")]))
        desk.wait_for("old")
        until(lambda: desk.work.refusals(RENDER))
        assert "has nap 1, not 2" in desk.work.refusals(RENDER)["1/new/toy"]
        with desk.worker("new", version="2"):
            until(desk.all_ended, 20)
    assert desk.runs() == {"new": 1, "old": 1}
    assert desk.work.refusals(RENDER) == {}
