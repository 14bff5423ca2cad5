"""Rendering the songs of the vectors with steps that are told in JSON, and telling what happened in JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from tests.conformance import vectors

from quincunx_orchestrator.core.binding import BoundSong, bind_song
from quincunx_orchestrator.core.compiler import Compiler
from quincunx_orchestrator.core.planner import Plan, plan_render, recall_from
from quincunx_orchestrator.core.pruning import Losses, losses_after, prune
from quincunx_orchestrator.core.segment import Segment
from quincunx_shared.manifest import Manifest
from quincunx_shared.names import Address, Digest
from quincunx_shared.outcome import BundleOutcome
from quincunx_shared.payload import Payload
from quincunx_shared.step import Model, Step, StepContext
from quincunx_shared.stores.memory import ManualClock, MemoryBlobStore, MemoryBoard, MemoryEventLog, MemoryIndex
from quincunx_workers.executor import run_bundle
from quincunx_workers.held import Held
from quincunx_workers.workbench import Workbench


class NoModels:
    """Vectors use no models."""

    def model(self, digest: Digest) -> Model:
        raise KeyError(digest)

    def file(self, digest: Digest) -> bytes:
        raise KeyError(digest)


@dataclass
class Rendered:
    """What a render did, as `segment/node` and `segment/node.port`."""

    plan: Plan
    ran: list[str] = field(default_factory=list)
    recalled: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    def note(self, outcome: BundleOutcome) -> None:
        segment = outcome.bundle.segment
        self.ran += [f"{segment}/{node}" for node in outcome.ran]
        self.recalled.update({f"{segment}/{node}": by for node, by in outcome.recalled.items()})
        self.failed.update({f"{segment}/{node}": why for node, why in outcome.failed.items()})
        self.skipped.update({f"{segment}/{node}": f"{segment}/{why}" for node, why in outcome.skipped.items()})


class Workplace:
    """Steps, a cache that lasts, and a note of every call: what each step saw, in the order of the calls."""

    def __init__(self, told: Any, segments: Iterable[Segment] = (), pool: Executor | None = None) -> None:
        graphs = [segment.effective.graph for segment in segments]
        own = {name: vectors.plain_manifest(one) for name, one in told.items()}
        self.manifests = vectors.manifests(own, *graphs)
        self.saw: list[tuple[str, dict[str, Any], dict[str, Any]]] = []
        steps = {name: self._step(one, told.get(name, {})) for name, one in self.manifests.items()}
        self.bench = Workbench(
            steps, MemoryBlobStore(), MemoryIndex(), MemoryEventLog(), ManualClock(), NoModels(), vectors.OPERATORS
        )
        self.compiler = Compiler(self.manifests)
        self.pool = pool

    def _step(self, manifest: Manifest, told: Any) -> Step:
        def run(inputs: Mapping[str, Any], options: Mapping[str, Any], context: StepContext) -> Payload:
            self.saw.append((manifest.name, shown(dict(inputs)), dict(options)))
            for percent, text in told.get("reports", []):
                context.report(percent, text)
            if "raises" in told:
                raise ValueError(told["raises"])
            if "returns" in told:
                return vectors.returned(told["returns"])
            named = [f"{manifest.name}.{port.name}" for port in manifest.outputs]
            return named if len(named) > 1 else named[0]

        return Step(manifest, run)

    def bind(self, segments: Iterable[Segment], before: BoundSong | None = None) -> BoundSong:
        return bind_song(segments, self.compiler, operators=vectors.OPERATORS, before=before)

    def plan(self, song: BoundSong, targets: Sequence[Address]) -> Plan:
        return recall_from(plan_render(song, targets), self.bench.recall.find)

    def render(self, song: BoundSong, targets: Sequence[Address]) -> Rendered:
        """Plan, then run stage by stage; what failed is pruned from the stages after it."""
        plan = self.plan(song, targets)
        rendered, board, losses = Rendered(plan), MemoryBoard(), Losses()
        board.put(plan.board)
        self._store_payloads(song)
        for stage in plan.stages:
            pruned = prune(stage, losses)
            rendered.skipped.update({f"{segment}/{node}": why for (segment, node), why in pruned.skipped.items()})
            outcomes = [run_bundle(bundle, board, self.bench, self.pool) for bundle in pruned.bundles]
            for outcome in outcomes:
                rendered.note(outcome)
            losses = losses_after(outcomes, pruned.losses)
        found = board.take([target for target in plan.targets if target not in losses.absent])
        rendered.values = {str(target): shown(Held(ref, self.bench.blobs).payload()) for target, ref in found.items()}
        return rendered

    def _store_payloads(self, song: BoundSong) -> None:
        for name in song.segments:
            for one in song.payloads(name):
                self.bench.blobs.put(one.ref.digest, one.content)


def every_output(segments: Iterable[Segment]) -> list[Address]:
    """All outputs that the top graphs of the segments declare."""
    return [
        vectors.address(f"{segment.id}/{node.id}.{port}")
        for segment in segments
        for node in segment.effective.graph.nodes.values()
        for port in node.outputs
    ]


def shown(value: Payload) -> Any:
    """A payload as the vectors tell it."""
    if isinstance(value, np.ndarray):
        return {"array": value.tolist(), "dtype": str(value.dtype)}
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, dict):
        return {name: shown(one) for name, one in value.items()}
    return [shown(one) for one in value] if isinstance(value, list) else value
