"""Works off one message: leases its bundles, runs them, and reports each with its exports and events.

Nothing here raises: whatever goes wrong, bundles go back, or their leases end, and the coordinator sends them again.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, replace

from quincunx_shared.errors import DeviceFailed
from quincunx_shared.farm.logs import about
from quincunx_shared.farm.messages import RunBundles
from quincunx_shared.farm.step_counts import BUNDLES_QUARANTINED, counts_of
from quincunx_shared.farm.wire import outcome_to_json
from quincunx_shared.farm.work_state import BundleId, Finished, Grant, Verdict, WorkState
from quincunx_shared.names import Digest, RenderId, Signature
from quincunx_shared.ports import Blackboard
from quincunx_shared.recipe import Bundle
from quincunx_workers.executor import run_bundle
from quincunx_workers.farm.aside import Aside
from quincunx_workers.farm.bundle_log import BundleLog
from quincunx_workers.farm.crowd import Crowd
from quincunx_workers.farm.draining import Draining
from quincunx_workers.farm.fit import misfit
from quincunx_workers.farm.granted import sort_out
from quincunx_workers.farm.keeper import Holding, Keeper
from quincunx_workers.farm.message_board import MessageBoard
from quincunx_workers.farm.quarantine import quarantined
from quincunx_workers.farm.reporter import Reporter
from quincunx_workers.farm.turns import BundleTurn
from quincunx_workers.workbench import Workbench

LOG = logging.getLogger(__name__)

#: Bundles that are begun with one question take no longer than this, all together, and are never more.
TOGETHER_SECONDS, MOST_TOGETHER = 0.05, 16

#: A step that waited so long for its turn asks first whether it is still wanted.
ASK_AGAIN_SECONDS = 0.1

#: And so long after it asked it does not ask again.
ASK_PAUSE_SECONDS = 0.5


@dataclass(frozen=True)
class Post:
    """Where a process of a worker stands: who it is, what it works with, and who keeps its leases."""

    name: str
    work: WorkState
    bench: Workbench
    keeper: Keeper
    draining: Draining
    crowd: Crowd
    aside: Aside
    board: Callable[[RenderId], Blackboard]
    #: Hears what was refused or handed back, in a word: forged, misfit, drained, outage.
    refused: Callable[[str], None] = lambda _: None
    #: Hears what happened in the bundles that were reported together, for those who watch.
    counted: Callable[[Mapping[str, float]], None] = lambda _: None
    #: Looks up together what the steps of a message are about to look up one by one.
    foresee: Callable[[Iterable[Signature]], None] = lambda _: None
    #: Begins to bring blobs to this machine that are about to be read.
    fetch: Callable[[Sequence[Digest]], object] = lambda _: None
    #: How the device failed the thread that asks, if it did: this process is of no use any more.
    failure: Callable[[], DeviceFailed | None] = lambda: None
    #: How many bundles of a message are under way at once. They take turns in computing (`Workbench.turn`).
    lanes: int = 1


def run_message(told: RunBundles, post: Post) -> int:
    """Run what is left to do of a message, and return how many bundles ended here."""
    with about(told.render):
        began = time.monotonic()
        ended = _run_message(told, post)
        LOG.info("%d of %d bundles ended in %.3f s", ended, len(told.bundles), time.monotonic() - began)
        return ended


def _run_message(told: RunBundles, post: Post) -> int:
    try:
        if post.draining.asked:
            post.work.leave(told.render, told.bundles)
            return 0
        grant = post.work.lease(told.render, told.bundles, post.name)
        bundles = _sorted_out(told, grant, post)
        if grant.bundles:
            post.aside.stand(fits=bool(bundles))
        if not bundles:
            return 0
        post.foresee(task.signature for bundle in bundles.values() for task in bundle.tasks)
        with post.keeper.keeping(told.render, grant.token, list(bundles)) as holding:
            return _MessageRun(holding, bundles, post).run()
    except Exception as error:  # a store or Redis that is away; leases end, and what is open is sent again
        post.refused("outage")
        LOG.warning("a message of render %s was left: %s", told.render, error)
        with suppress(Exception):
            post.work.leave(told.render, told.bundles)
        return 0


def _sorted_out(told: RunBundles, grant: Grant, post: Post) -> Mapping[BundleId, Bundle]:
    """Read what was granted, and hand back the rest, all that has the same reason at once."""
    bench = post.bench
    versions = {name: step.manifest.version for name, step in bench.steps.items()}
    meant = dict(zip(told.bundles, told.digests, strict=True))
    granted = sort_out(
        grant.bundles, meant, lambda bundle: misfit(bundle, versions, bench.numeric_class, bench.operators)
    )
    for (word, why), names in granted.refused.items():
        for _ in names:
            post.refused(word)
        post.work.hand_back(told.render, names, grant.token, f"worker {post.name} {why}")
    return granted.bundles


class _MessageRun:
    """The bundles of one message: one computes, and beside it the next one begins and the last one is stored."""

    def __init__(self, holding: Holding, bundles: Mapping[BundleId, Bundle], post: Post) -> None:
        self._holding = holding
        self._bundles = bundles
        self._post = post
        self._board = MessageBoard(post.board(holding.render), bundles.values())
        # All at once and beside the computing: one after the other, each step would wait for its own.
        post.fetch(self._board.large())
        self._sharing = threading.Lock()
        self._left = list(bundles)
        self._broken = False
        self._asked_at = -math.inf
        self._reporter = Reporter(holding, post.work, post.bench, self._count)

    def run(self) -> int:
        """Run them, and return how many ended."""
        try:
            with self._reporter.reporting():
                self._compute_all()
            self._leave("")
        except Exception as error:  # a store that is full or away is nobody's step: others may still reach it
            LOG.warning("render %s: bundles are handed back: %s", self._holding.render, error)
            self._leave(f"worker {self._post.name}: {error}")
        finally:
            # What others wait for may be among it, whatever has become of the bundles.
            with suppress(Exception):
                self._post.bench.flights.land()
                self._post.bench.recall.flush()
        return self._reporter.ended

    def _compute_all(self) -> None:
        if (lanes := min(self._post.lanes, len(self._bundles))) == 1:
            self._run_lane()
            return
        with ThreadPoolExecutor(lanes, "quincunx-lane") as pool:
            # Their words tell of the same render.
            for lane in [pool.submit(copy_context().run, self._run_lane) for _ in range(lanes)]:
                lane.result()

    def _run_lane(self) -> None:
        """Begin and compute what no other lane has, until nothing is left."""
        quick = 1
        try:
            while (some := self._next(quick)) and not self._is_over():
                began = time.monotonic()
                # Whoever waits for others here must not have begun: what ends them would count against it.
                with self._post.crowd.computing(alone=False):
                    verdicts = self._begin_and_follow(some)
                if verdicts[0] == "alone":
                    with self._post.crowd.computing(alone=True):
                        if not self._is_over():
                            self._begin_and_follow(some[:1], alone=True)
                # What is begun at once counts as one attempt if this process dies: no more than a moment's work.
                one = (time.monotonic() - began) / len(verdicts)
                quick = max(1, min(round(TOGETHER_SECONDS / one), 2 * quick, MOST_TOGETHER))
        except BaseException:
            self._broken = True
            raise

    def _begin_and_follow(self, some: Sequence[BundleId], *, alone: bool = False) -> Sequence[Verdict]:
        """Begin the first of some bundles, put back the others, and return what was said of the first."""
        holding, survived = self._holding, self._reporter.unreported
        verdicts = self._post.work.begin(holding.render, some, holding.token, survived=survived, alone=alone)
        self._put_back(some[len(verdicts) :])
        for name, verdict in zip(some, verdicts, strict=False):
            if self._is_over():
                break
            self._follow(name, verdict)
        return verdicts

    def _next(self, count: int) -> list[BundleId]:
        with self._sharing:
            some = self._left[:count]
            del self._left[:count]
            return some

    def _put_back(self, some: Sequence[BundleId]) -> None:
        with self._sharing:
            self._left[:0] = some

    def _is_over(self) -> bool:
        return self._broken or self._post.draining.asked or self._holding.verdict != "go"

    def _follow(self, name: BundleId, verdict: Verdict) -> None:
        """Act on what was said of a bundle."""
        if verdict == "stop":
            self._holding.verdict = verdict
        elif verdict == "quarantined":
            self._post.counted({BUNDLES_QUARANTINED: 1})
            self._reporter.take(quarantined(name, self._bundles[name]))
        elif verdict == "go":
            self._compute(name, self._bundles[name])

    def _compute(self, name: BundleId, bundle: Bundle) -> None:
        post, holding = self._post, self._holding
        log = BundleLog(lambda event: post.work.tell(holding.render, post.name, event), post.bench.clock)

        def going_on() -> bool:
            holding.sign()
            # What has computed something is finished; what only waits for its turn is left to others.
            leaving = post.draining.overdue if turn.begun else post.draining.asked
            return holding.verdict == "go" and not leaving and not turn.given_up

        def wanted(waited: float) -> bool:
            return going_on() and not self._broken and (waited < ASK_AGAIN_SECONDS or self._is_still_ours(name))

        turn = BundleTurn(post.bench.turn, wanted)
        bench = replace(post.bench, log=log, turn=turn, waiting=turn.waiting)
        try:
            outcome = run_bundle(bundle, self._board, bench, going_on=going_on)
        finally:
            failed = self._heed_failure(name)
        if going_on() and not failed:
            self._reporter.take(Finished(name, outcome_to_json(outcome), outcome.exports, log.events))

    def _heed_failure(self, name: BundleId) -> bool:
        """End the process if its device failed: whatever else it would begin, it would fail."""
        post = self._post
        if (failure := post.failure()) is None:
            return False
        # One that never computed says nothing about this bundle: a dead device counts against nobody.
        post.keeper.end_by(self._holding, name if failure.started else "", f"worker {post.name}: {failure}")
        return True

    def _is_still_ours(self, name: BundleId) -> bool:
        """Whether the render goes on, and with it a bundle that stood still for a while."""
        holding, now = self._holding, time.monotonic()
        if now - self._asked_at < ASK_PAUSE_SECONDS:
            return True
        self._asked_at = now
        try:
            verdict = self._post.work.renew(holding.render, [name], holding.token)
        except Exception:  # whatever it is: a lease may hold until somebody hears better
            return True
        if verdict == "stop":
            holding.verdict = verdict
        return verdict == "go"

    def _count(self, ended: Sequence[Finished]) -> None:
        counts: Counter[str] = Counter()
        for one in ended:
            counts.update(counts_of(self._bundles[one.id], one.events))
        self._post.counted(counts)

    def _leave(self, reason: str) -> None:
        """Let others have what is left."""
        holding, post = self._holding, self._post
        if holding.ids and holding.verdict == "go":
            post.refused("outage" if reason else "drained")
            post.keeper.hand_back(holding, reason)
