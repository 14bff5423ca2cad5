"""What is left of a stage after failures: descendants are skipped by name, never silently missing.

A `partial` input goes on without the failed one and finds None in its place; everything computed from there on is
marked, because it is not what its recipe signature names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from quincunx_orchestrator.core.binding import BoundSong
from quincunx_shared.names import Address, PortKey, SegmentId
from quincunx_shared.payload import encode
from quincunx_shared.recipe import Bundle, Source, Task

_NULL = Source(value=encode(None).ref)


@dataclass(frozen=True)
class Losses:
    """Outputs that will never come, with what they fell with, and outputs made without some input."""

    absent: Mapping[Address, str] = field(default_factory=dict)
    partial: frozenset[Address] = frozenset()


@dataclass(frozen=True)
class Pruned:
    """The bundles that can still run, the tasks that cannot and why, and the losses after this stage's skips."""

    bundles: tuple[Bundle, ...]
    skipped: Mapping[tuple[SegmentId, str], str]
    losses: Losses


def prune(stage: Sequence[Bundle], losses: Losses, song: BoundSong) -> Pruned:
    """Drop what can no longer run; without losses the stage is returned as it is."""
    if not losses.absent and not losses.partial:
        return Pruned(tuple(stage), {}, losses)
    bundles: list[Bundle] = []
    skipped: dict[tuple[SegmentId, str], str] = {}
    for bundle in stage:
        tasks: list[Task] = []
        for task in bundle.tasks:
            culprit = _culprit(task, bundle.segment, losses, song)
            outputs = [Address(bundle.segment, PortKey(task.step.id, port)) for port in task.step.outputs]
            if culprit:
                skipped[bundle.segment, task.step.id] = culprit
                losses = replace(losses, absent={**losses.absent, **dict.fromkeys(outputs, culprit)})
                continue
            tasks.append(_without_absent(task, losses))
            if tasks[-1].partial:
                losses = replace(losses, partial=losses.partial | set(outputs))
        if tasks:
            bundles.append(replace(bundle, tasks=tuple(tasks)))
    return Pruned(tuple(bundles), skipped, losses)


def _culprit(task: Task, segment: SegmentId, losses: Losses, song: BoundSong) -> str:
    """What the task falls with: the first absent input that is not allowed to be absent."""
    ports = song.step(segment, task.step.id).compiled.manifest.inputs
    for port, sources in zip(ports, task.inputs, strict=True):
        for source in sources:
            culprit = losses.absent.get(source.address) if source.address else None
            if culprit is not None and not (port.multi and port.partial):
                return culprit
    return ""


def _without_absent(task: Task, losses: Losses) -> Task:
    inputs = tuple(
        tuple(_NULL if source.address in losses.absent else source for source in sources) for sources in task.inputs
    )
    reads_partial = any(source.address in losses.partial for sources in inputs for source in sources)
    return replace(task, inputs=inputs, partial=task.partial or reads_partial or inputs != task.inputs)
