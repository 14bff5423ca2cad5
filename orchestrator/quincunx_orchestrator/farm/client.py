"""The farm from outside: submit a bound song, follow it, fetch what came of it.

The client plans first. What is known already needs no worker, so a song that did not change is done when it is
submitted, and no message is sent. Everything that an order reads is stored before the job is accepted: once accepted,
nothing of it depends on the one who submitted.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from quincunx_orchestrator.core.bound import BoundSong
from quincunx_orchestrator.core.planner import Plan
from quincunx_orchestrator.core.reasons import Ledger
from quincunx_orchestrator.farm.dispatcher import InputsLost
from quincunx_orchestrator.farm.following import follow_job
from quincunx_orchestrator.farm.order_store import OrderStore, Wanted, WrittenOrder
from quincunx_orchestrator.farm.result import FarmResult, result_from_bytes, result_to_bytes
from quincunx_orchestrator.farm.submission import Accepted, Submission, accepted_to_bytes, document_name
from quincunx_orchestrator.render import plan
from quincunx_shared.canonical import digest_of, digest_of_bytes
from quincunx_shared.errors import FarmUnreachable, QuincunxError
from quincunx_shared.events import Event
from quincunx_shared.farm.redis_client import is_outage
from quincunx_shared.names import SONG, Address, Digest, RenderId
from quincunx_shared.payload import ParamRef
from quincunx_shared.ports import Documents
from quincunx_shared.recall import Recall

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Submitted:
    """A job that was accepted: new, or the active one of the same work. `done` jobs needed nothing to run."""

    render: RenderId
    plan: Plan
    existing: bool = False
    done: bool = False
    superseded: tuple[RenderId, ...] = ()
    result: FarmResult | None = None


class RenderEndedOtherwise(QuincunxError):
    """The job was cancelled or superseded: there is no result."""

    exit_code = 7

    def __init__(self, render: RenderId, state: str) -> None:
        super().__init__(f"render {render} was {state}", remedy=f"quincunx show {render}")
        self.render = render
        self.state = state


class JobQueue(Protocol):
    """The queue of jobs, as far as a client needs it."""

    def submit(self, job: Accepted) -> tuple[RenderId, bool, tuple[RenderId, ...]]:
        """Accept a job: its id, whether it is an older one of the same work, and whom it supersedes.

        Raises `QueueFull`.
        """

    def record_done(self, job: Accepted, result: Mapping[str, Any]) -> tuple[RenderId, ...]:
        """Record a job that was done when it came, and return whom it supersedes: none that does the same work."""

    def ended(self, render: RenderId) -> tuple[str, Mapping[str, Any]] | None:
        """The final state of a job and what came of it; None while it is not over. Raises `NotFound`."""

    def follow(self, render: RenderId, since: int, seconds: float) -> Iterable[tuple[int, Event]]:
        """Events from that sequence number on; waits for the first of them, but no longer than that."""


@dataclass
class FarmClient:
    """A farm to submit to. `wake` tells the coordinators that there is something to do."""

    recall: Recall
    jobs: JobQueue
    wake: Callable[[RenderId], None]
    documents: Documents
    #: Has workers let go of a render that was superseded.
    stop: Callable[[RenderId], None]

    def __post_init__(self) -> None:
        self._orders = OrderStore(self.recall)

    def submit(
        self,
        song: BoundSong,
        targets: Sequence[Address],
        beside: Sequence[Address] = (),
        *,
        how: Submission | None = None,
        files: Mapping[Digest, Path] | None = None,
        ledger: Ledger | None = None,
    ) -> Submitted:
        """Store what the song reads and hand its order to the coordinators; `files` are those of its voices.

        Raises `QueueFull` and `StoreError`; nothing is accepted then. Raises `FarmUnreachable`; see `accept`.
        """
        wanted = Wanted(song, targets, beside, files or {})
        current = plan(song, wanted.every, self.recall, ledger=ledger)
        order = self._orders.write(wanted, current.reasons)
        job = _job(wanted, order, how or Submission())
        if not current.to_run and not song.errors():
            return self._done(job, order, current)
        self._orders.store(song, order)
        accepted, existing, superseded = self.accept(job)
        return Submitted(accepted, current, existing, superseded=superseded)

    def accept(self, job: Accepted) -> tuple[RenderId, bool, tuple[RenderId, ...]]:
        """Submit a job whose order is stored: its id, whether it is an older one of the same work, whom it supersedes.

        Raises `QueueFull`, and `FarmUnreachable`, which names the job if it may have been accepted.
        """
        # Before it is accepted, so that nobody can lose it afterwards; a document too many does no harm.
        self.documents.put(document_name(job.render), accepted_to_bytes(job))
        try:
            accepted, existing, superseded = self.jobs.submit(job)
        except Exception as error:
            if is_outage(error):
                raise _left_open(job.render, error) from error
            self.documents.delete(document_name(job.render))
            raise
        if existing:
            self.documents.delete(document_name(job.render))
        self._hint(self.stop, superseded)
        self._hint(self.wake, [accepted])
        return accepted, existing, superseded

    def keep(
        self,
        song: BoundSong,
        targets: Sequence[Address],
        beside: Sequence[Address] = (),
        *,
        how: Submission | None = None,
        files: Mapping[Digest, Path] | None = None,
    ) -> Accepted:
        """Store an order and what it reads, for a job that is submitted later: see `schedule`. Nothing is planned."""
        wanted = Wanted(song, targets, beside, files or {})
        order = self._orders.write(wanted)
        self._orders.store(song, order)
        return _job(wanted, order, how or Submission())

    def events(self, render: RenderId, since: int = 0) -> Iterator[tuple[int, Event]]:
        """Yield the events of a job from a sequence number on, until it is over.

        A Redis that is away or lost the job is waited for; after a loss, events begin at nought again.
        """
        return (found for found in self.looks(render, since) if found is not None)

    def looks(self, render: RenderId, since: int = 0) -> Iterator[tuple[int, Event] | None]:
        """Yield the events of a job as `events` does, and None after every look that found it not over."""

        def is_accepted() -> bool:
            return self.documents.get(document_name(render)) is not None

        return follow_job(self.jobs, render, since, is_accepted=is_accepted)

    def wait(self, render: RenderId) -> FarmResult:
        """Wait until a job is over, and return what came of it."""
        for _ in self.events(render):
            pass
        return self.result(render)

    def result(self, render: RenderId) -> FarmResult:
        """What came of a job that is over. Raises `RenderEndedOtherwise` if somebody stopped it.

        Raises `InputsLost` if the store lost what it was to read; submitted again, it is stored again.
        """
        ended = self.jobs.ended(render)
        state, told = ended if ended is not None else ("running", {})
        if state in ("cancelled", "superseded"):
            raise RenderEndedOtherwise(render, state)
        if "lost" in told:
            self._orders.lost(map(Digest, told["lost"]))
            raise InputsLost(told["lost"])
        if "digest" not in told:
            return FarmResult("failed", failed={(SONG, ""): str(told.get("error", state))})
        return result_from_bytes(bytes(self.recall.blobs.get(Digest(told["digest"]))))

    def _hint(self, tell: Callable[[RenderId], None], renders: Sequence[RenderId]) -> None:
        """Tell somebody who would find out alone: a job that was accepted is, whether or not this is heard."""
        for render in renders:
            try:
                tell(render)
            except Exception as error:
                LOG.warning("nobody was told of job %s: %s", render, error)

    def _done(self, job: Accepted, order: WrittenOrder, current: Plan) -> Submitted:
        """Record a job of which everything is known."""
        targets: dict[Address, ParamRef] = {target: current.board[target] for target in current.targets}
        recalled = dict.fromkeys(current.recalled, "recipe")
        counts = {"run": 0, "recalled": len(recalled) + current.covered, "failed": 0, "skipped": 0}
        result = FarmResult("succeeded", targets, recalled=recalled, counts=counts)
        content = result_to_bytes(result)
        digest = digest_of_bytes(content)
        self.recall.blobs.put(digest, content)
        self.recall.blobs.put(job.order, order.content)
        # Nobody is told of a result that cannot be read.
        self.recall.blobs.flush()
        superseded = self.jobs.record_done(job, {"digest": digest, "counts": counts, "failed": 0})
        self._hint(self.stop, superseded)
        return Submitted(job.render, current, done=True, superseded=superseded, result=result)


def _left_open(render: RenderId, error: Exception) -> FarmUnreachable:
    told = f"no answer: {error}; whether job {render} was accepted is not known, and what it needs is stored"
    return FarmUnreachable(told, where="Redis", remedy=f"when it answers again, quincunx show {render[:8]}")


def _job(wanted: Wanted, order: WrittenOrder, how: Submission) -> Accepted:
    """Name a job, and its work: that is the same whoever asks for it."""
    song = wanted.song
    signatures = [song.step(one.segment, one.key.node).signature for one in song.places(wanted.every).values()]
    fingerprint = how.idempotency_key or digest_of([*signatures, how.song_key])
    return Accepted(RenderId(uuid.uuid4().hex), order.digest, fingerprint, how, time.time())
