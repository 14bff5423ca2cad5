"""Farms of toy steps over small arrays, with everything in memory, for tests of the engine itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from quincunx_orchestrator.core.binding import BoundSong, bind_song
from quincunx_orchestrator.core.compiler import Compiler
from quincunx_orchestrator.core.graph import Edge, Graph, Node, connect, node_of
from quincunx_orchestrator.core.lanes import STRICT, Barrier
from quincunx_orchestrator.core.planner import Plan
from quincunx_orchestrator.core.reasons import Ledger, record_of
from quincunx_orchestrator.core.segment import Segment
from quincunx_orchestrator.embedded import manifests_of, open_farm
from quincunx_orchestrator.render import plan, render
from quincunx_orchestrator.render_result import RenderResult
from quincunx_orchestrator.rounds import Farm
from quincunx_shared.intervention import Operator
from quincunx_shared.manifest import Input, Manifest, Option, Output
from quincunx_shared.names import SONG, Address, PortKey, SegmentId
from quincunx_shared.outcome import BundleOutcome
from quincunx_shared.payload import ParamRef, encode
from quincunx_shared.ports import Blackboard
from quincunx_shared.recipe import Bundle
from quincunx_shared.step import Step, StepContext
from quincunx_shared.stores.memory import MemoryBlobStore, MemoryEventLog, MemoryIndex, SystemClock
from quincunx_workers.executor import run_bundle
from quincunx_workers.workbench import Workbench

#: More than a payload that travels inside its reference.
FRAMES = 400

Run = Callable[[Mapping[str, Any], Mapping[str, Any], StepContext], Any]


def step(
    name: str,
    run: Run,
    *,
    inputs: Iterable[Input | str] = ("x",),
    outputs: Iterable[str] = ("y",),
    options: Iterable[Option] = (),
    deterministic: bool = True,
    version: str = "1",
) -> Step:
    """A step whose ports all carry audio."""
    manifest = Manifest(
        name=name,
        version=version,
        inputs=tuple(Input(name=one, type="audio") if isinstance(one, str) else one for one in inputs),
        outputs=tuple(Output(name=one, type="audio") for one in outputs),
        options=tuple(options),
        deterministic=deterministic,
    )
    return Step(manifest, run)


def _add(inputs: Mapping[str, Any], options: Mapping[str, Any], context: StepContext) -> Any:  # noqa: ARG001
    return inputs["x"] + np.float32(options["amount"])


def _split(inputs: Mapping[str, Any], options: Mapping[str, Any], context: StepContext) -> Any:  # noqa: ARG001
    return {"low": inputs["x"] / 2, "high": inputs["x"] * 2}


def _join(inputs: Mapping[str, Any], options: Mapping[str, Any], context: StepContext) -> Any:  # noqa: ARG001
    return inputs["a"] + inputs["b"]


def _mix(inputs: Mapping[str, Any], options: Mapping[str, Any], context: StepContext) -> Any:  # noqa: ARG001
    present = [one for one in inputs["audio"] if one is not None]
    return np.sum(present, axis=0, dtype=np.float32) if present else np.zeros(0, np.float32)


def _fail(inputs: Mapping[str, Any], options: Mapping[str, Any], context: StepContext) -> Any:  # noqa: ARG001
    raise ZeroDivisionError("the step broke")


ADD = step("add", _add, options=[Option(name="amount", type="float", default=1.0)])
SPLIT = step("split", _split, outputs=("low", "high"))
JOIN = step("join", _join, inputs=("a", "b"))
MIX = step("mix", _mix, inputs=[Input(name="audio", type="audio", multi=True, partial=True)], outputs=("audio",))
FAIL = step("fail", _fail)


class NoModels:
    """Toy steps need no models."""

    def model(self, digest: str) -> Any:
        raise KeyError(digest)

    def file(self, digest: str) -> bytes:
        raise KeyError(digest)


class Toys:
    """A farm of toy steps, and what its last render did."""

    def __init__(
        self,
        steps: Mapping[str, Step],
        farm: Farm,
        stores: tuple[MemoryBlobStore, MemoryIndex, MemoryEventLog],
        operators: Mapping[str, Operator],
    ) -> None:
        self.steps = steps
        self.farm = farm
        self.blobs, self.index, self.log = stores
        self.operators = operators
        self.compiler = Compiler(manifests_of(steps))
        self.ran: list[tuple[str, str]] = []

    def node(self, name: str, node_id: str = "", **options: Any) -> Node:
        """A node of one of the steps."""
        return node_of(self.steps[name].manifest, node_id, options=options)

    def bind(self, *segments: Segment) -> BoundSong:
        """Bind segments."""
        return bind_song(segments, self.compiler, operators=self.operators)

    def plan(self, *segments: Segment, target: Address, ledger: Ledger | None = None) -> Plan:
        """Plan one target."""
        return plan(self.bind(*segments), [target], self.farm.recall, ledger=ledger)

    def render(self, *segments: Segment, targets: Sequence[Address], ledger: Ledger | None = None) -> RenderResult:
        """Render targets, and note what ran."""
        result = render(self.bind(*segments), targets, self.farm, ledger=ledger)
        self.ran = sorted(result.ran)
        return result

    def ledger(self, *segments: Segment) -> Ledger:
        """What every step of these segments is made of."""
        song = self.bind(*segments)
        return {(name, node): record_of(song, name, node) for name, one in song.segments.items() for node in one.steps}


class SerialDispatcher:
    """Runs the bundles of a farm one after the other, in the order given."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    def announce(self, stages: Sequence[Sequence[Bundle]], recalled: Iterable[ParamRef]) -> None:
        pass

    def run_stage(self, bundles: Sequence[Bundle], board: Blackboard) -> Iterable[BundleOutcome]:
        return [run_bundle(bundle, board, self._bench) for bundle in bundles]


@contextmanager
def toy_farm(
    *more: Step,
    threads: int = 2,
    operators: Mapping[str, Operator] | None = None,
    serial: bool = False,
    barrier: Barrier = STRICT,
) -> Iterator[Toys]:
    """Yield a farm of the toy steps and `more`."""
    steps = {one.manifest.name: one for one in (ADD, SPLIT, JOIN, MIX, FAIL, *more)}
    blobs, index, log = MemoryBlobStore(), MemoryIndex(), MemoryEventLog()
    with open_farm(steps, blobs, index, log, models=NoModels(), threads=threads, operators=operators) as farm:
        if serial:
            # The store that the render writes behind: what waits there is found at once.
            bench = Workbench(steps, farm.recall.blobs, index, log, SystemClock(), NoModels(), operators or {})
            farm = replace(farm, dispatcher=SerialDispatcher(bench))
        farm = replace(farm, barrier=barrier)
        yield Toys(steps, farm, (blobs, index, log), operators or {})


def ramp(start: float = 0.0) -> Any:
    """A payload of its own for each start."""
    return np.arange(FRAMES, dtype=np.float32) + np.float32(start)


def segment(name: str, nodes: Iterable[Node], edges: Iterable[str] = (), *, at: str = "", start: float = 0) -> Segment:
    """A segment from nodes, edges as `a.y > b.x`, and a ramp on the input port `at`."""
    graph = Graph.of(nodes, map(edge, edges))
    inputs = {port(at): encode(ramp(start))} if at else {}
    return Segment(SegmentId(name), graph, inputs)


def edge(text: str) -> Edge:
    """The edge `a.y > b.x`."""
    source, target = text.split(" > ")
    return connect(source, target)


def port(text: str) -> PortKey:
    """The port `a.y`."""
    node, _, name = text.rpartition(".")
    return PortKey(node, name)


def address(name: str, text: str) -> Address:
    """The address of the port `a.y` in a segment."""
    return Address(SegmentId(name), port(text))


def mix_of(toys: Toys, *sources: Address) -> Segment:
    """The song's segment, mixing these outputs in this order."""
    return Segment(SONG, Graph.of([toys.node("mix")]), links={PortKey("mix", "audio"): sources})


MIXED = Address(SONG, PortKey("mix", "audio"))
