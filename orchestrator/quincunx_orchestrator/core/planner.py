"""The planner: what has to run, what is recalled, what nobody needs, and why.

It asks from the end. The targets are looked up first; only what is not known there has to be computed, and only
the inputs of what is computed are looked up next. So a song that is known costs one look-up, and a phrase whose
audio is known costs one, even when its intermediate results are long gone.

The planner is pure, but the cache is not: `plan_render` is a generator that yields the signatures it wants to
know of and is sent what is known. `recall_from` drives it with any look-up.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from quincunx_orchestrator.core.bound import DrawnOn
from quincunx_orchestrator.core.collection import collector_paused
from quincunx_orchestrator.core.plannable import PlannableSong, PlannableStep
from quincunx_orchestrator.core.reasons import NEVER_RENDERED
from quincunx_shared.names import Address, PortKey, SegmentId, Signature
from quincunx_shared.payload import ParamRef
from quincunx_shared.recipe import Bundle, Task

StepKey: TypeAlias = tuple[SegmentId, str]
Known: TypeAlias = Mapping[Signature, tuple[ParamRef, ...]]
Why: TypeAlias = Callable[[StepKey], str]


@dataclass(frozen=True)
class DrawnOnConflict:
    """An override was drawn on an output that is another one now (`found`), or is not known any more (None)."""

    drawn_on: DrawnOn
    found: ParamRef | None


@dataclass(frozen=True)
class Plan:
    """The stages of one render, what is recalled for them, and the reason for every step that runs.

    `recalled` are results that are read; `covered` are steps whose results lie behind something recalled;
    `unneeded` are steps that nothing asked for leads to.
    """

    stages: tuple[tuple[Bundle, ...], ...]
    targets: tuple[Address, ...]
    recalled: Mapping[StepKey, tuple[ParamRef, ...]]
    board: Mapping[Address, ParamRef]
    reasons: Mapping[StepKey, str]
    covered: int = 0
    unneeded: int = 0
    conflicts: tuple[DrawnOnConflict, ...] = ()

    @property
    def to_run(self) -> tuple[StepKey, ...]:
        """The steps that must run, stage by stage."""
        return tuple(self.reasons)


@dataclass
class _Demand:
    """What following the targets upstream has found so far."""

    run: dict[StepKey, PlannableStep] = field(default_factory=dict)
    recalled: dict[StepKey, tuple[ParamRef, ...]] = field(default_factory=dict)


def plan_render(
    song: PlannableSong, targets: Sequence[Address], *, why: Why = lambda _: NEVER_RENDERED
) -> Generator[set[Signature], Known, Plan]:
    """Plan a render of the targets. `why` gives the reason for a step that has to run."""
    demand = _Demand()
    targets = tuple(song.places(targets).values())
    frontier = {(one.segment, one.key.node): None for one in targets}
    known: dict[Signature, tuple[ParamRef, ...]] = {}
    asked = watched_signatures(song)
    while frontier or asked:
        asked |= {song.step(*key).signature for key in frontier}
        known.update((yield asked))
        asked = set()
        frontier = _follow(song, frontier, known, demand)
    return _assemble(song, targets, demand, known, why)


def recall_from(planning: Generator[set[Signature], Known, Plan], find: Callable[[set[Signature]], Known]) -> Plan:
    """Drive the planner: answer every question with `find` until the plan stands."""
    with collector_paused():
        try:
            question = next(planning)
            while True:
                question = planning.send(find(question))
        except StopIteration as end:
            plan: Plan = end.value
            return plan


def _follow(song: PlannableSong, frontier: Iterable[StepKey], known: Known, demand: _Demand) -> dict[StepKey, None]:
    """Sort the frontier into known and unknown, and return what feeds the unknown and was not met before."""
    further: dict[StepKey, None] = {}
    for key in frontier:
        step = song.step(*key)
        outputs = known.get(step.signature)
        if outputs is not None and len(outputs) == len(step.outputs) and not step.nameless:
            demand.recalled[key] = outputs
            continue
        demand.run[key] = step
        for address in _addresses(step):
            feeder = (address.segment, address.key.node)
            if feeder not in demand.run and feeder not in demand.recalled:
                further[feeder] = None
    return further


def _addresses(step: PlannableStep) -> list[Address]:
    return [source.address for sources in step.sources for source in sources if source.address is not None]


def _assemble(song: PlannableSong, targets: Sequence[Address], demand: _Demand, known: Known, why: Why) -> Plan:
    stages = _stages(song, targets, demand, why)
    reachable = _reachable(song, targets)
    total = sum(len(one.steps) for one in song.segments.values())
    wanted = dict.fromkeys(targets)
    for step in demand.run.values():
        wanted.update(dict.fromkeys(_addresses(step)))
    board = {
        address: demand.recalled[key][song.step(*key).outputs[address.key.port]]
        for address in wanted
        if (key := (address.segment, address.key.node)) in demand.recalled
    }
    return Plan(
        stages=stages,
        targets=tuple(targets),
        recalled=demand.recalled,
        board=board,
        reasons={(one.segment, task.step.id): task.reason for stage in stages for one in stage for task in one.tasks},
        covered=reachable - len(demand.run) - len(demand.recalled),
        unneeded=total - reachable,
        conflicts=conflicts_of(song, known),
    )


def _stages(
    song: PlannableSong, targets: Sequence[Address], demand: _Demand, why: Why
) -> tuple[tuple[Bundle, ...], ...]:
    """Bundle the steps that run: by level, then in the order of the segments, then in the order of the recipe."""
    bundles: dict[tuple[int, str, SegmentId], list[Task]] = {}
    clusters: dict[str, str] = {}
    for segment, node in _in_song_order(song, demand.run):
        step = demand.run[segment, node]
        task = Task(step.step, step.signature, step.sources, why((segment, node)), step.nameless)
        bundles.setdefault((step.level, step.recipe, segment), []).append(task)
        clusters[step.recipe] = step.cluster
    readers, wanted = _readers(demand.run), frozenset(targets)
    levels = sorted({level for level, _, _ in bundles})
    return tuple(
        tuple(
            Bundle(segment, recipe, level, clusters[recipe], tuple(tasks), _exports(segment, tasks, readers, wanted))
            for (at, recipe, segment), tasks in bundles.items()
            if at == level
        )
        for level in levels
    )


def _in_song_order(song: PlannableSong, run: Mapping[StepKey, PlannableStep]) -> list[StepKey]:
    segments = {key[0] for key in run}
    return [
        (name, node)
        for name, bound in song.segments.items()
        if name in segments
        for node in bound.steps
        if (name, node) in run
    ]


def _readers(run: Mapping[StepKey, PlannableStep]) -> dict[Address, set[StepKey]]:
    """Which running steps read the outputs of running steps."""
    found: dict[Address, set[StepKey]] = {}
    for key, step in run.items():
        for address in _addresses(step):
            if (address.segment, address.key.node) in run:
                found.setdefault(address, set()).add(key)
    return found


def _exports(
    segment: SegmentId, tasks: Sequence[Task], readers: Mapping[Address, set[StepKey]], targets: frozenset[Address]
) -> tuple[PortKey, ...]:
    """The outputs that somebody outside the bundle reads in this render."""
    inside = {(segment, task.step.id) for task in tasks}
    keys = (PortKey(task.step.id, port) for task in tasks for port in task.step.outputs)
    return tuple(
        key for key in keys if (address := Address(segment, key)) in targets or readers.get(address, set()) - inside
    )


def _reachable(song: PlannableSong, targets: Sequence[Address]) -> int:
    """How many steps the targets depend on, whether they have to run or not."""
    needed: dict[SegmentId, int] = {}
    for target in targets:
        upstream = song.segments[target.segment].reach.upstream
        needed[target.segment] = needed.get(target.segment, 0) | upstream[target.key.node]
    # Segments that read others stand after them, so one pass from the end reaches everything.
    for name in reversed(tuple(song.segments)):
        bits = needed.get(name, 0)
        for place, address in song.segments[name].reach.outside:
            if bits & place:
                upstream = song.segments[address.segment].reach.upstream
                needed[address.segment] = needed.get(address.segment, 0) | upstream[address.key.node]
    return sum(bits.bit_count() for bits in needed.values())


def watched_signatures(song: PlannableSong) -> set[Signature]:
    """The signatures of the producers whose outputs some override was drawn on."""
    watched = (one.producer for bound in song.segments.values() for one in bound.drawn_on)
    return {song.step(one.segment, one.key.node).signature for one in watched}


def conflicts_of(song: PlannableSong, known: Known) -> tuple[DrawnOnConflict, ...]:
    """The overrides that were drawn on other outputs than those known."""
    found = []
    for bound in song.segments.values():
        for one in bound.drawn_on:
            step = bound.steps[one.producer.key.node]
            outputs = known.get(step.signature)
            output = outputs[step.outputs[one.producer.key.port]] if outputs else None
            if output is None or output.digest != one.digest:
                found.append(DrawnOnConflict(one, output))
    return tuple(found)
