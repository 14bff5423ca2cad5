"""What is left of a stage after failures: descendants are skipped by name, never silently missing.

An input that can spare its producers goes on without the failed one and finds None in its place; everything
computed from there on is marked, because it is not what its recipe signature names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from quincunx_shared.names import Address, PortKey, SegmentId
from quincunx_shared.outcome import BundleOutcome
from quincunx_shared.recipe import NOTHING, Bundle, Task


@dataclass(frozen=True)
class Losses:
    """Outputs that will never come, with what they fell with (`segment/node`), and outputs made without some input."""

    absent: Mapping[Address, str] = field(default_factory=dict)
    nameless: frozenset[Address] = frozenset()


@dataclass(frozen=True)
class Pruned:
    """The bundles that can still run, the tasks that cannot and why, and the losses after this stage's skips."""

    bundles: tuple[Bundle, ...]
    skipped: Mapping[tuple[SegmentId, str], str]
    losses: Losses


def prune(stage: Sequence[Bundle], losses: Losses) -> Pruned:
    """Drop what can no longer run; without losses the stage is returned as it is."""
    if not losses.absent and not losses.nameless:
        return Pruned(tuple(stage), {}, losses)
    absent = dict(losses.absent)
    nameless = set(losses.nameless)
    bundles: list[Bundle] = []
    skipped: dict[tuple[SegmentId, str], str] = {}
    for bundle in stage:
        tasks: list[Task] = []
        for task in bundle.tasks:
            culprit = _culprit(task, absent)
            if culprit:
                skipped[bundle.segment, task.step.id] = culprit
                absent.update(dict.fromkeys(_outputs(bundle, task), culprit))
                continue
            tasks.append(_without_absent(task, absent, nameless))
            if tasks[-1].nameless:
                nameless.update(_outputs(bundle, task))
        if tasks:
            bundles.append(replace(bundle, tasks=tuple(tasks)))
    return Pruned(tuple(bundles), skipped, Losses(absent, frozenset(nameless)))


def losses_after(outcomes: Sequence[BundleOutcome], losses: Losses) -> Losses:
    """Add what the bundles of a stage did not deliver, and what they made without some input."""
    absent = dict(losses.absent)
    nameless = set(losses.nameless)
    for outcome in outcomes:
        fallen = {**{node: node for node in outcome.failed}, **outcome.skipped}
        for task in outcome.bundle.tasks:
            if task.step.id in fallen:
                culprit = f"{outcome.bundle.segment}/{fallen[task.step.id]}"
                absent.update(dict.fromkeys(_outputs(outcome.bundle, task), culprit))
                nameless.difference_update(_outputs(outcome.bundle, task))
            elif task.step.id in outcome.nameless:
                nameless.update(_outputs(outcome.bundle, task))
    return Losses(absent, frozenset(nameless))


def _outputs(bundle: Bundle, task: Task) -> list[Address]:
    return [Address(bundle.segment, PortKey(task.step.id, port)) for port in task.step.outputs]


def _culprit(task: Task, absent: Mapping[Address, str]) -> str:
    """What the task falls with: the first absent input that it cannot spare."""
    for feed, sources in zip(task.step.feeds, task.inputs, strict=True):
        for source in sources:
            culprit = absent.get(source.address) if source.address else None
            if culprit is not None and not feed.spares:
                return culprit
    return ""


def _without_absent(task: Task, absent: Mapping[Address, str], nameless: set[Address]) -> Task:
    inputs = tuple(tuple(NOTHING if one.address in absent else one for one in sources) for sources in task.inputs)
    reads_nameless = any(one.address in nameless for sources in inputs for one in sources)
    return replace(task, inputs=inputs, nameless=task.nameless or reads_nameless or inputs != task.inputs)
