"""The coordinator: takes jobs, sees each of them through, and gives up only what it no longer owns.

Any number of coordinators run; a job belongs to the one that holds its lease. Nothing of a job is remembered here that
could not be found again: who takes it over plans again, and what is done is recalled. So starting, restarting and
repairing are one code, and a coordinator may die at any moment.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from dataclasses import dataclass, field

from quincunx_orchestrator.farm.job import Claim
from quincunx_orchestrator.farm.job_run import JobRun, Surroundings
from quincunx_orchestrator.farm.places import PLACES, classes_with_room
from quincunx_orchestrator.farm.wake import RenderStopped, Wake
from quincunx_shared.farm.logs import about
from quincunx_shared.names import RenderId

LOG = logging.getLogger(__name__)


@dataclass(eq=False)
class _Attempt:
    """A job that is ours. `before` is our own earlier attempt at it, whose thread may not have ended yet."""

    claim: Claim
    before: _Attempt | None
    wake: Wake = field(init=False)
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.wake = Wake(self.claim.priority)

    def end_before(self) -> None:
        """Stop the earlier attempt and wait for its end: a job is seen through by one thread of ours at a time."""
        if self.before is not None:
            self.before.wake.stop("the job was taken anew")
            self.before.thread.join()
            self.before = None


class Coordinator:
    """Sees jobs through, each on a thread of its own, as many at once as there are places for their classes."""

    def __init__(self, name: str, around: Surroundings, places: int = PLACES) -> None:
        self.name = name
        self._around = around
        self._places = places
        self._guard = threading.Lock()
        self._running: dict[RenderId, _Attempt] = {}
        self._closing = False
        #: Asked to see through what it has, and to take no more.
        self.drained = False

    def wake(self, render: RenderId) -> None:
        """Something has happened to a render: its stage has ended, or it is new."""
        with self._guard:
            running = self._running.get(render)
        if running is None:
            self.take_jobs()
        else:
            running.wake.call()

    def stir(self, render: RenderId) -> None:
        """Something has happened to a render, which may be another's."""
        with self._guard:
            running = self._running.get(render)
        if running is not None:
            running.wake.call()

    def take_jobs(self) -> None:
        """Take as many jobs as there are places."""
        while True:
            with self._guard:
                if self._closing or self.drained:
                    return
                under_way = [attempt.wake.priority for attempt in self._running.values()]
                classes = classes_with_room(under_way, self._places)
                claim = self._around.jobs.claim_next(self.name, classes) if classes else None
                if claim is None:
                    return
                self._begin(claim)

    def _begin(self, claim: Claim) -> None:
        """Begin an attempt. The guard is held: nobody waits for a thread that has not begun."""
        # A job that was paused and resumed, or whose lease ended while we stood still, may be ours again.
        attempt = self._running[claim.render] = _Attempt(claim, self._running.get(claim.render))
        attempt.thread = threading.Thread(
            target=self._see_through, args=(attempt,), name=f"render-{claim.render}", daemon=True
        )
        attempt.thread.start()

    def tick(self) -> None:
        """Keep what is ours, stop what is not ours any more, and take what nobody has."""
        with self._guard:
            running = list(self._running.values())
        for attempt in running:
            priority = self._around.jobs.renew(attempt.claim.render, attempt.claim.token)
            if priority:
                attempt.wake.priority = priority
            else:
                attempt.wake.stop("the job is another's now, or has ended")
        self.take_jobs()

    def close(self) -> None:
        """Let go of all jobs, so that others take them over as soon as their leases end."""
        with self._guard:
            self._closing = True
            running = list(self._running.values())
        for attempt in running:
            attempt.wake.stop("this coordinator ends")
        for attempt in running:
            attempt.thread.join()

    def doing(self) -> tuple[str, ...]:
        """The jobs under way here, in words."""
        with self._guard:
            return tuple(f"render {render[:8]}" for render in self._running)

    def busy(self) -> int:
        """How many jobs are under way here."""
        with self._guard:
            return len(self._running)

    def _see_through(self, attempt: _Attempt) -> None:
        with about(attempt.claim.render):
            attempt.end_before()
            self._run(attempt)

    def _run(self, attempt: _Attempt) -> None:
        claim = attempt.claim
        LOG.info("taken, attempt %d", claim.generation)
        try:
            JobRun(claim, self._around, attempt.wake).run()
        except RenderStopped as stopped:
            LOG.info("left: %s", stopped)
            if self._closing:
                self._around.jobs.release(claim.render, claim.token)
        except Exception:
            # Its lease ends, and somebody tries again.
            LOG.exception("left as it is")
        finally:
            with self._guard:
                # It may be ours again by now, on a thread of its own.
                if self._running.get(claim.render) is attempt:
                    del self._running[claim.render]
        with contextlib.suppress(Exception):
            self.take_jobs()
