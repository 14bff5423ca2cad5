"""Songs of the proof's steps, and what a serial render in this process makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tests.farm.proof_steps import STEPS
from tests.scenario.toy_farm import NoModels

from quincunx_orchestrator.core.binding import BoundSong, bind_song
from quincunx_orchestrator.core.compiler import Compiler
from quincunx_orchestrator.core.graph import Graph, connect, node_of
from quincunx_orchestrator.core.operations import SetInput
from quincunx_orchestrator.core.segment import Segment
from quincunx_orchestrator.embedded import manifests_of, open_farm
from quincunx_orchestrator.render import render
from quincunx_shared.names import SONG, Address, PortKey, SegmentId, Signature
from quincunx_shared.payload import ParamRef, encode
from quincunx_shared.stores.memory import MemoryBlobStore, MemoryEventLog, MemoryIndex

#: A chain of four that goes cpu, gpu, cpu: with the mix four stages.
STAGED: Mapping[str, str] = {"s0": "cpu", "s1": "gpu", "s2": "gpu", "s3": "cpu"}

TARGET = Address(SONG, PortKey("mix", "audio"))


@dataclass
class ProofSong:
    """`phrases` chains of `places` steps over `floats` numbers, and their mix; `odd` ones begin with another step."""

    phrases: int
    places: int = 4
    floats: int = 10_000
    seconds: float = 0.0
    trace: Path | None = None
    odd: Mapping[int, str] = field(default_factory=dict)
    #: Songs of another salt share nothing.
    salt: int = 0
    #: The class of machine of each step, where it is not any: every change is a stage of its own.
    colours: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._compiler = Compiler(manifests_of(STEPS))
        self._bound: BoundSong | None = None
        chain = self._graph()
        graphs = {name: self._graph(name) for name in set(self.odd.values())}
        self.segments = [
            Segment(
                SegmentId(f"p{number}"),
                graphs[self.odd[number]] if number in self.odd else chain,
                {PortKey("s0", "x"): encode(self.input(number))},
                colours=self.colours,
            )
            for number in range(self.phrases)
        ]
        last = PortKey(f"s{self.places - 1}", "y")
        links = {PortKey("mix", "audio"): tuple(Address(one.id, last) for one in self.segments)}
        mix = node_of(STEPS["proof.mix"].manifest, "mix", options={"trace": self._traced})
        self.segments.append(Segment(SONG, Graph.of([mix]), links=links))

    @property
    def _traced(self) -> str:
        return str(self.trace or "")

    def input(self, number: int, version: int = 0) -> Any:
        """What a phrase begins with; of each song, phrase and version another one."""
        numbers = np.full(self.floats, number * 10 + version / 8, dtype=np.float32)
        numbers[-1] = self.salt
        return numbers

    def edit(self, number: int, version: int) -> None:
        """Give a phrase another input."""
        changed = SetInput(PortKey("s0", "x"), encode(self.input(number, version)))
        self.segments[number] = self.segments[number].with_operation(changed)

    def bound(self) -> BoundSong:
        """The song as it can be rendered; what did not change since the last time is taken over."""
        self._bound = bind_song(self.segments, self._compiler, before=self._bound)
        return self._bound

    def reference(self) -> Reference:
        """Render it serially, in this process, from nothing. Steps that die or hang must not be in it."""
        blobs, index, log = MemoryBlobStore(), MemoryIndex(), MemoryEventLog()
        with open_farm(STEPS, blobs, index, log, models=NoModels(), threads=1) as farm:
            result = render(bind_song(self.segments, self._compiler), [TARGET], farm)
        assert result.state == "succeeded", result.failed
        if self.trace:
            self.trace.unlink()
        return Reference(result.payloads[TARGET], dict(index.find(self.signatures())), len(result.ran))

    def signatures(self) -> list[Signature]:
        """Those of all steps."""
        return [step.signature for one in self.bound().segments.values() for step in one.steps.values()]

    def _graph(self, first: str = "proof.work") -> Graph:
        nodes = []
        for place in range(self.places):
            name = first if place == 0 else "proof.work"
            options: dict[str, Any] = {"trace": self._traced}
            if name == "proof.work":
                options |= {"seconds": self.seconds, "place": place}
            nodes.append(node_of(STEPS[name].manifest, f"s{place}", options=options))
        edges = [connect(f"s{place}.y", f"s{place + 1}.x") for place in range(self.places - 1)]
        return Graph.of(nodes, edges)


@dataclass(frozen=True)
class Reference:
    """What a serial render came to: the sound, every record of the cache, and how many steps it took."""

    sound: Any
    records: Mapping[Signature, tuple[ParamRef, ...]]
    steps: int
