"""A coordinator that believes blobs to be in the store hears of it when workers do not find them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from tests.scenario.toy_farm import Toys, address, ramp, segment, toy_farm

from quincunx_orchestrator.core.segment import Segment
from quincunx_shared.names import Digest
from quincunx_shared.ports import BlobStore
from quincunx_shared.recall import Recall
from quincunx_shared.stores.presence import Presence

END = address("p", "last.y")


class Believing:
    """A store that remembers for a long time what it saw there."""

    def __init__(self, within: BlobStore) -> None:
        self._within = within
        self._present = Presence(seconds=1e9)

    def put(self, digest: Digest, content: bytes | memoryview) -> None:
        self._within.put(digest, content)

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
