"""One attempt to see a job through: read its order, plan, run what is missing, and end it.

What an attempt works with is given to it; nothing of it is kept for the next one, which plans again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from quincunx_orchestrator.core.reasons import NOT_IN_CACHE
from quincunx_orchestrator.farm.dispatcher import FarmDispatcher, Post
from quincunx_orchestrator.farm.job import Claim, Priority
from quincunx_orchestrator.farm.order import Order, order_from_bytes, payload_digests
from quincunx_orchestrator.farm.order_rows import RowReader
from quincunx_orchestrator.farm.result import farm_result, result_to_bytes
from quincunx_orchestrator.farm.trouble import delay_seconds, may_pass
from quincunx_orchestrator.farm.wake import RenderStopped, Wake
from quincunx_orchestrator.render_result import RenderResult, steps_by_state
from quincunx_orchestrator.rounds import Farm, see_through
from quincunx_shared.canonical import digest_of_bytes
from quincunx_shared.errors import BlobsLost, QuincunxError
from quincunx_shared.events import Event, SegmentEnded
from quincunx_shared.farm.redis_client import plain_errors
from quincunx_shared.farm.step_counts import BUNDLES_REDRIVEN
from quincunx_shared.farm.work_state import WorkState
from quincunx_shared.names import Address, RenderId
from quincunx_shared.payload import ParamRef
from quincunx_shared.ports import Blackboard, EventLog
from quincunx_shared.recall import Recall

LOG = logging.getLogger(__name__)


class Jobs(Protocol):
    """The queue of jobs, as far as a coordinator needs it."""

    def claim_next(self, coordinator: str, classes: Sequence[Priority]) -> Claim | None:
        """Take the next job of these classes that may run, or one whose coordinator is gone."""

    def renew(self, render: RenderId, token: str) -> Priority | None:
        """Keep a job, and return its class. None if it is not ours any more: ended, stopped, paused, or another's."""

    def release(self, render: RenderId, token: str) -> bool:
        """Let a job go, so that another coordinator takes it at once."""

    def postpone(self, render: RenderId, token: str, seconds: float, why: str) -> bool:
        """Let a job go that met an error, so that somebody tries again after a while."""

    def end(
        self, render: RenderId, token: str, state: str, result: Mapping[str, Any], last: Sequence[Event] = ()
    ) -> bool:
        """End a job, once, with its last events. False if it was not ours to end."""


@dataclass(frozen=True)
class Surroundings:
    """What a coordinator works with."""

    jobs: Jobs
    work: WorkState
    post: Post
    recall: Recall
    new_log: Callable[[RenderId], EventLog]
    new_board: Callable[[RenderId], Blackboard]
    #: Lets go of what workers kept for a render.
    clear: Callable[[RenderId], None]
    pace: Callable[[], Mapping[str, float]] = dict
    #: Adds to what the farm counts.
    count: Callable[[Mapping[str, float]], None] = lambda _: None
    rows: RowReader = field(default_factory=RowReader)


@dataclass(frozen=True)
class LentBoard:
    """The board of a render while one coordinator sees it through.

    It outlives that coordinator: one that was held up and lost its job must not destroy what the next one's workers
    have put there.
    """

    board: Blackboard

    def put(self, values: Mapping[Address, ParamRef]) -> None:
        """Pin references."""
        self.board.put(values)

    def take(self, addresses: Sequence[Address]) -> Mapping[Address, ParamRef]:
        """Return references."""
        return self.board.take(addresses)

    def close(self) -> None:
        """Nothing: it is destroyed with the rest when the job has ended."""


class JobRun:
    """One attempt to see a job through."""

    def __init__(self, claim: Claim, around: Surroundings, wake: Wake) -> None:
        self._claim = claim
        self._around = around
        self._wake = wake
        self._targets: Mapping[Address, ParamRef] = {}

    def run(self) -> None:
        """Plan, run what is missing, and end the job, or let it go for another try later.

        Raises `RenderStopped` where it is not ours to end, and whatever keeps a job even from being let go.
        """
        try:
            with plain_errors():
                order = order_from_bytes(bytes(self._around.recall.blobs.get(self._claim.order)), self._around.rows)
                self._end(order, self._render(order))
        except RenderStopped:
            raise
        except Exception as error:
            LOG.exception("interrupted")
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        """Leave the job to a later attempt, or have it failed."""
        claim, around = self._claim, self._around
        why = str(error) if isinstance(error, QuincunxError) else f"{type(error).__name__}: {error}"
        if may_pass(error, claim):
            around.jobs.postpone(claim.render, claim.token, delay_seconds(claim), why)
            return
        lost = {"lost": list(error.digests)} if isinstance(error, BlobsLost) else {}
        if around.jobs.end(claim.render, claim.token, "failed", {"error": why} | lost):
            around.clear(claim.render)

    def _render(self, order: Order) -> RenderResult:
        claim, around = self._claim, self._around
        dispatcher = FarmDispatcher(
            claim.render,
            claim.generation,
            around.work,
            around.post,
            self._wake,
            pace=around.pace(),
            inputs=payload_digests(order) | order.files,
            labels=order.names.labels,
            redriven=lambda bundles: around.count({BUNDLES_REDRIVEN: bundles}),
        )
        farm = Farm(
            around.recall,
            dispatcher,
            around.new_log(claim.render),
            lambda: LentBoard(around.new_board(claim.render)),
            barrier=claim.barrier,
        )
        every = (*order.targets, *order.beside)
        why = order.reasons
        return see_through(
            order.song,
            every,
            farm,
            claim.render,
            why=lambda key: why.get(key, NOT_IN_CACHE),
            collect=self._collect,
        )

    def _collect(self, _: RenderResult, refs: Mapping[Address, ParamRef]) -> bool:
        """Whoever wants the targets fetches them; here it is enough that they are there."""
        self._targets = dict(refs)
        return not self._around.recall.blobs.missing([ref.digest for ref in refs.values() if ref.inline is None])

    def _end(self, order: Order, result: RenderResult) -> None:
        claim, around = self._claim, self._around
        absent = any(target not in self._targets for target in order.targets)
        result.state = "failed" if absent else "partial" if result.failed else "succeeded"
        content = result_to_bytes(farm_result(result, self._targets))
        digest = digest_of_bytes(content)
        around.recall.blobs.put(digest, content)
        around.recall.flush()
        told = {"digest": digest, "counts": dict(steps_by_state(result)), "failed": len(result.failed)}
        if around.jobs.end(claim.render, claim.token, result.state, told, _segment_ends(order, result)):
            LOG.info("ended: %s, %s", result.state, told["counts"])
            around.clear(claim.render)


def _segment_ends(order: Order, result: RenderResult) -> list[Event]:
    fallen = {segment for segment, _ in (*result.failed, *result.skipped)}
    return [SegmentEnded(name, "failed" if name in fallen else "succeeded") for name in order.song.segments]
