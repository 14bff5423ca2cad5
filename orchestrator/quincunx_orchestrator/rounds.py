"""Rounds of a render: dispatch stage by stage, and plan again when the cache did not hold what it promised.

This is where decisions meet effects. The planner says what to do; the dispatcher, the stores and the log do it. Whoever
sees a render through, in this process or for a farm, does it here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from quincunx_orchestrator.core.lanes import STRICT, Barrier, Stage, lanes_of
from quincunx_orchestrator.core.plannable import PlannableSong
from quincunx_orchestrator.core.planner import Plan, StepKey, Why, plan_render, recall_from
from quincunx_orchestrator.core.pruning import Losses, losses_after, prune
from quincunx_orchestrator.render_result import RenderResult
from quincunx_shared.errors import MissingInputs, QuincunxError, StoreError
from quincunx_shared.events import RenderPlanned, StageEnded, StageStarted, StepSkipped
from quincunx_shared.names import Address, RenderId, SegmentId
from quincunx_shared.outcome import BundleOutcome
from quincunx_shared.payload import Encoded, ParamRef
from quincunx_shared.ports import Blackboard, EventLog
from quincunx_shared.recall import Recall
from quincunx_shared.recipe import Bundle

#: A store that loses blobs as fast as they are computed is broken; a handful of healing rounds is not.
HEALING_ROUNDS = 20


class RenderableSong(PlannableSong, Protocol):
    """A song that can be planned, with what its steps read from outside and what is wrong with it."""

    def errors(self) -> Mapping[SegmentId, QuincunxError]:
        """The segments that cannot be rendered, and why."""

    def payloads(self, segment: SegmentId) -> Iterator[Encoded]:
        """Every payload the steps of a segment may ask for and that is not stored yet."""


class Dispatcher(Protocol):
    """Runs bundles somewhere, stage by stage."""

    def announce(self, stages: Sequence[Sequence[Bundle]], recalled: Iterable[ParamRef]) -> None:
        """Hear what is to come and which known results it reads, before the first stage: time to warm up.

        May refuse a model that cannot be loaded (`BadVoicebank`); nothing has been stored by then.
        """

    def run_stage(self, bundles: Sequence[Bundle], board: Blackboard) -> Iterable[BundleOutcome]:
        """Return the outcome of every bundle when all have ended. Never raises for what a step did."""


@dataclass(frozen=True)
class Farm:
    """Everything a render touches. `forget` lets go of what was kept for the song before; models stay.

    With a `barrier` other than strict, stages of several lanes are dispatched at the same time.
    """

    recall: Recall
    dispatcher: Dispatcher
    log: EventLog
    new_board: Callable[[], Blackboard]
    forget: Callable[[], None] = lambda: None
    barrier: Barrier = STRICT


#: Takes the references of the targets that could be made. False if one of them cannot be had, and has to be made again.
Collect: TypeAlias = Callable[[RenderResult, Mapping[Address, ParamRef]], bool]


def see_through(
    song: RenderableSong, targets: Sequence[Address], farm: Farm, render_id: RenderId, *, why: Why, collect: Collect
) -> RenderResult:
    """Plan and run until `collect` has the targets: again and again, as long as blobs turn out to be lost.

    Where nothing is lost this is one round. Whoever begins anew in the middle, after whatever has happened, finds
    done what is done. Neither the final state nor the end of the render is told here.
    """
    current = recall_from(plan_render(song, targets, why=why), farm.recall.find)
    result = RenderResult(render_id, current)
    farm.log.append(RenderPlanned(result.id, len(current.to_run), len(current.recalled), current.unneeded))
    for _ in range(HEALING_ROUNDS):
        refs = _carry_out(current, song, farm, result)
        if refs is not None and collect(result, refs):
            return result
        current = recall_from(plan_render(song, targets, why=why), farm.recall.find)
    raise StoreError(
        f"results were lost {HEALING_ROUNDS} times while rendering", remedy="check the disk that holds the cache"
    )


def _carry_out(
    current: Plan, song: RenderableSong, farm: Farm, result: RenderResult
) -> Mapping[Address, ParamRef] | None:
    """Run the stages of a plan and return the targets. None if results were lost: the rest has to be planned anew."""
    _begin_round(current, song, result)
    farm.dispatcher.announce(current.stages, current.board.values())
    _store_payloads(current, song, farm)
    board = farm.new_board()
    board.put(current.board)
    try:
        lanes = lanes_of(current.stages, farm.barrier)
        round_ = _Round(farm, result, board)
        losses = round_.run_abreast(lanes.abreast)
        losses = None if losses is None else round_.run_lane(lanes.after, losses)
        if losses is None:
            return None
        return board.take([target for target in current.targets if target not in losses.absent])
    except MissingInputs:
        # A server that came back without its last words has forgotten what was on it.
        return None
    finally:
        board.close()


class _Round:
    """Runs the stages of one plan, and notes what becomes of them."""

    def __init__(self, farm: Farm, result: RenderResult, board: Blackboard) -> None:
        self._farm = farm
        self._result = result
        self._board = board
        self._noting = threading.Lock()

    def run_abreast(self, lanes: Sequence[Sequence[Stage]]) -> Losses | None:
        """Run lanes side by side, and return what is lost in any of them; None if blobs were."""
        if not lanes:
            return Losses()
        with ThreadPoolExecutor(min(len(lanes), self._farm.barrier.abreast), "quincunx-lane") as pool:
            ends = list(pool.map(lambda lane: self.run_lane(lane, Losses()), lanes))
        known = [one for one in ends if one is not None]
        if len(known) < len(ends):
            return None
        absent = {address: culprit for one in known for address, culprit in one.absent.items()}
        return Losses(absent, frozenset().union(*(one.nameless for one in known)))

    def run_lane(self, stages: Sequence[Stage], losses: Losses) -> Losses | None:
        """Run stages one after the other, without what fell before; None if blobs were lost."""
        farm, result = self._farm, self._result
        for stage in stages:
            pruned = prune(stage, losses)
            with self._noting:
                _skip(pruned.skipped, farm, result)
            farm.log.append(StageStarted(result.id, stage[0].level, len(pruned.bundles)))
            outcomes = list(farm.dispatcher.run_stage(pruned.bundles, self._board))
            farm.recall.flush()
            farm.log.append(StageEnded(result.id, stage[0].level))
            with self._noting:
                for outcome in outcomes:
                    _note(outcome, farm, result)
            lost = {digest for outcome in outcomes for digest in outcome.lost}
            if lost or any(outcome.unfed for outcome in outcomes):
                farm.recall.doubt(lost)
                return None
            losses = losses_after(outcomes, pruned.losses)
        return losses


def _begin_round(current: Plan, song: RenderableSong, result: RenderResult) -> None:
    """What failed in a round that lost blobs is tried again, so only the failures of the last round count."""
    result.failed = {(segment, ""): str(error) for segment, error in song.errors().items()}
    result.skipped = {}
    result.recalled.update(dict.fromkeys(current.recalled, "recipe"))


def _store_payloads(current: Plan, song: RenderableSong, farm: Farm) -> None:
    """Put the inputs of everything that runs where every worker finds them."""
    blobs = farm.recall.blobs
    large = {
        encoded.ref.digest: encoded.content
        for segment in {bundle.segment for stage in current.stages for bundle in stage}
        for encoded in song.payloads(segment)
        if encoded.ref.inline is None
    }
    for digest in blobs.missing(large):
        blobs.put(digest, large[digest])


def _note(outcome: BundleOutcome, farm: Farm, result: RenderResult) -> None:
    segment = outcome.bundle.segment
    reasons = {task.step.id: task.reason for task in outcome.bundle.tasks}
    result.ran.update({(segment, node): reasons[node] for node in outcome.ran})
    result.recalled.update({(segment, node): by for node, by in outcome.recalled.items()})
    result.failed.update({(segment, node): error for node, error in outcome.failed.items()})
    _skip({(segment, node): f"{segment}/{culprit}" for node, culprit in outcome.skipped.items()}, farm, result)


def _skip(skipped: Mapping[StepKey, str], farm: Farm, result: RenderResult) -> None:
    """Name every step that falls with another."""
    for (segment, node), culprit in skipped.items():
        result.skipped[segment, node] = f"{culprit} failed"
        farm.log.append(StepSkipped(segment, node, f"{culprit} failed"))
