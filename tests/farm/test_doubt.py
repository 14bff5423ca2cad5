"""A coordinator that believes blobs to be in the store hears of it when workers do not find them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from tests.farm.worker_desk import bundle
from tests.scenario.toy_farm import NoModels, Toys, address, ramp, segment, step, toy_farm

from quincunx_orchestrator.core.segment import Segment
from quincunx_shared.manifest import Input, Option
from quincunx_shared.names import Digest
from quincunx_shared.ports import BlobStore
from quincunx_shared.recall import Recall
from quincunx_shared.step import StepContext
from quincunx_shared.stores.memory import MemoryBlobStore, MemoryBoard, MemoryEventLog, MemoryIndex, SystemClock
from quincunx_shared.stores.presence import Presence
from quincunx_workers.executor import run_bundle
from quincunx_workers.workbench import Workbench

END = address("p", "last.y")


class Believing:
    """A store that remembers for a long time what it saw there."""

    def __init__(self, within: BlobStore) -> None:
        self._within = within
        self._present = Presence(seconds=1e9)

    def put(self, digest: Digest, content: bytes | memoryview) -> None:
        self._within.put(digest, content)
        self._present.note((digest,))

    def get(self, digest: Digest) -> bytes | memoryview:
        return self._within.get(digest)

    def missing(self, digests: Iterable[Digest]) -> set[Digest]:
        asked = self._present.unknown(digests)
        missing = self._within.missing(asked)
        self._present.note(asked - missing)
        return missing

    def doubt(self, digests: Iterable[Digest]) -> None:
        for digest in digests:
            self._present.forget(digest)

    def flush(self) -> None:
        self._within.flush()


def chain(toys: Toys, amount: float = 1.0) -> Segment:
    """first → middle → last, of which the last adds so much."""
    nodes = [toys.node("add", "first"), toys.node("add", "middle"), toys.node("add", "last", amount=amount)]
    return segment("p", nodes, ["first.y > middle.x", "middle.y > last.x"], at="first.x")


def test_what_workers_do_not_find_is_looked_for_again_and_computed() -> None:
    with toy_farm(serial=True) as toys:
        toys.farm = replace(toys.farm, recall=Recall(toys.index, Believing(toys.farm.recall.blobs)))
        toys.render(chain(toys), targets=[END])
        middle = toys.bind(chain(toys)).step("p", "middle").signature  # type: ignore[arg-type]
        (output,) = toys.index.find([middle])[middle]
        toys.farm.recall.find([middle])
        toys.farm.forget()  # What was written behind is nowhere but in the store.
        del toys.blobs._blobs[output.digest]
        result = toys.render(chain(toys, amount=5.0), targets=[END])
        assert result.state == "succeeded"
        assert toys.ran == [("p", "last"), ("p", "middle")]
        assert np.array_equal(result.payloads[END], ramp() + np.float32(7))


def test_a_worker_does_not_answer_with_a_blob_that_it_only_believes_to_be_there() -> None:
    def run(inputs: Any, options: Any, context: StepContext) -> Any:  # noqa: ARG001
        return ramp()

    options = [Option(name=one, type="str", default="") for one in ("trace", "word")]
    options.append(Option(name="seconds", type="float", default=0.0))
    nap = step("nap", run, inputs=(Input(name="x", type="audio", required=False),), options=options)
    store, index = MemoryBlobStore(), MemoryIndex()
    bench = Workbench({"nap": nap}, Believing(store), index, MemoryEventLog(), SystemClock(), NoModels())
    ours = bundle("a")
    deep = ours.tasks[0].signature
    assert run_bundle(ours, MemoryBoard(), bench).ran == ["it"]
    # Another worker has found that the blob is gone, and the coordinator has forgotten what it knows of: the recipe.
    store._blobs.clear()
    index.forget([deep])
    assert run_bundle(ours, MemoryBoard(), bench).ran == ["it"]
    (output,) = index.find([deep])[deep]
    assert store.missing([output.digest]) == set()
