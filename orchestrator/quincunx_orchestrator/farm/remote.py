"""Renders on a farm as one renders here: the same call, the same result, computed elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from quincunx_orchestrator.core.bound import BoundSong
from quincunx_orchestrator.core.reasons import Ledger
from quincunx_orchestrator.farm.client import FarmClient, Submitted
from quincunx_orchestrator.farm.result import FarmResult
from quincunx_orchestrator.farm.submission import Submission
from quincunx_orchestrator.render import Deliver, conflicts_now, deliver_all
from quincunx_orchestrator.render_result import RenderResult, final_state
from quincunx_orchestrator.rounds import HEALING_ROUNDS
from quincunx_shared.errors import BlobsLost, StoreError
from quincunx_shared.names import Address, Digest, RenderId
from quincunx_shared.ports import EventLog
from quincunx_shared.recall import Recall


@dataclass
class OnFarm:
    """Submits, follows and fetches. `log` hears the events of the job as if it ran here; `files` are those of voices.

    `accepted` hears of every job before it is followed, so that somebody who leaves can say where to look for it.
    """

    client: FarmClient
    log: EventLog
    files: Mapping[Digest, Path]
    how: Submission
    accepted: Callable[[Submitted], None] = lambda _: None
    #: Hears of every look at a job that is followed whether anything had happened.
    looked: Callable[[RenderId, bool], None] = lambda *_: None

    @property
    def recall(self) -> Recall:
        """The cache of the farm."""
        return self.client.recall

    def render(
        self,
        song: BoundSong,
        targets: Sequence[Address],
        *,
        beside: Sequence[Address] = (),
        ledger: Ledger | None = None,
        deliver: Deliver | None = None,
    ) -> RenderResult:
        """Render on the farm, and fetch what came of it. Raises `RenderEndedOtherwise` if somebody stopped it."""
        every = (*targets, *beside)
        places = song.places(every)
        for _ in range(HEALING_ROUNDS):
            submitted = self.client.submit(song, targets, beside, how=self.how, files=self.files, ledger=ledger)
            try:
                told = submitted.result or self._follow(submitted)
            except BlobsLost:
                # Of what went in, or of the result itself: submitted again, only that is made again.
                continue
            result = _render_result(submitted, told)
            refs = {target: told.targets[at] for target, at in places.items() if at in told.targets}
            if deliver_all(result, refs, self.recall, deliver):
                result.state = final_state(result, targets)
                result.conflicts = conflicts_now(song, self.recall)
                return result
        raise StoreError(f"results were lost {HEALING_ROUNDS} times", remedy="check the store of the farm")

    def forget(self) -> None:
        """Nothing is kept here."""

    def _follow(self, submitted: Submitted) -> FarmResult:
        self.accepted(submitted)
        for found in self.client.looks(submitted.render):
            if found is not None:
                self.log.append(found[1])
            self.looked(submitted.render, found is not None)
        return self.client.result(submitted.render)


def _render_result(submitted: Submitted, told: FarmResult) -> RenderResult:
    return RenderResult(
        submitted.render,
        submitted.plan,
        told.state,
        dict(told.ran),
        dict(told.recalled),
        dict(told.failed),
        dict(told.skipped),
    )
