"""What keeps a farm whole while nobody looks: jobs and documents agree, and a Redis that came back empty is filled.

The store outlives Redis. Every job that is not over has a document there, and every record of the index stands in a
journal there. So whatever Redis has lost is found again: a document without a job is queued, an index without its
epoch is rebuilt. Any coordinator does this; a short lease keeps them from doing it twice at the same time.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from quincunx_orchestrator.core.lanes import Barrier
from quincunx_orchestrator.farm.history import History
from quincunx_orchestrator.farm.job import ACTIVE, TERMINAL, JobRecord
from quincunx_orchestrator.farm.job_store import QueueFull, RedisJobStore
from quincunx_orchestrator.farm.pins import Pins, last_orders
from quincunx_orchestrator.farm.submission import (
    DOCUMENTS,
    Accepted,
    Submission,
    accepted_from_bytes,
    accepted_to_bytes,
    document_name,
)
from quincunx_shared.farm.nodes import RedisNodes
from quincunx_shared.farm.queues import control_queue
from quincunx_shared.farm.wire import BadMessage
from quincunx_shared.names import RenderId
from quincunx_shared.ports import Documents
from quincunx_shared.stores.journal_upkeep import join

if TYPE_CHECKING:
    from redis import Redis

LOG = logging.getLogger(__name__)

#: Whoever looks after the farm does so alone for this time.
ALONE_SECONDS = 60

#: So often the journal is tidied, by whichever coordinator comes first.
TIDY_SECONDS = 3600


def epoch_key(namespace: str) -> str:
    """What a Redis has that knows what it should of this farm."""
    return f"{namespace}:epoch"


def forget_queue(redis: Redis, namespace: str, coordinator: str) -> None:
    """Drop the queue of a coordinator that is gone; its name never comes back."""
    queue = control_queue(coordinator)
    redis.unlink(f"{namespace}:celery:{queue}", f"{namespace}:celery:_kombu.binding.{queue}")


@dataclass(frozen=True)
class Housekeeper:
    """Looks after one farm. `rebuild` fills the index from its journal and returns how many records it found."""

    redis: Redis
    namespace: str
    jobs: RedisJobStore
    documents: Documents
    rebuild: Callable[[], int]
    #: Records of jobs that ended longer ago go.
    keep_seconds: float = 30 * 86_400.0
    #: Takes up schedules that Redis lost.
    restore: Callable[[], int] = int
    #: Lets go of what a job needed that was stopped, which no coordinator ends.
    clear: Callable[[RenderId], None] = lambda _: None
    #: How many jobs may wait.
    most_jobs: int = 1000
    #: Adds to what the farm counts.
    count: Callable[[Mapping[str, float]], None] = lambda _: None

    @property
    def history(self) -> History:
        """What the store knows of jobs that are over or paused."""
        return History(self.redis, self.namespace, self.documents, self.count)

    def look(self) -> None:
        """Put in order what is not, unless another coordinator is doing so."""
        lease = f"{self.namespace}:housekeeping"
        ours = uuid.uuid4().bytes
        if not self.redis.set(lease, ours, nx=True, ex=ALONE_SECONDS):
            return
        try:
            self.jobs.bound(self.most_jobs)
            self._fill_if_empty()
            self._agree()
            if found := self.restore():
                LOG.warning("%d schedules were lost by Redis and are taken up again", found)
            self._forget_queues()
            since = float(self.redis.time()[0]) - self.keep_seconds
            self.history.keep(since)
            self.jobs.forget_before(since)
        finally:
            # Whoever took long may find another's.
            if self.redis.get(lease) == ours:
                self.redis.delete(lease)

    def tidy(self) -> None:
        """Join what was journalled since somebody last did, once an hour: a rebuild reads it document by document.

        And have pins follow their songs, long before the jobs are forgotten that say what those use.
        """
        if self.redis.set(f"{self.namespace}:housekeeping:journal", "1", nx=True, ex=TIDY_SECONDS):
            joined = join(self.documents)
            LOG.info("%d documents of the journal were joined", joined)
            pins = Pins(self.documents)
            if pins.all():
                pins.renew(last_orders(self.jobs.jobs(limit=1_000_000)))

    def _forget_queues(self) -> None:
        """Drop what was sent to coordinators that died: nobody will ever read it, and it was a hint."""
        for one in RedisNodes(self.redis, self.namespace).seen():
            if one.node.role == "coordinator" and one.state == "silent":
                forget_queue(self.redis, self.namespace, one.node.name)

    def _fill_if_empty(self) -> None:
        """A Redis without an epoch has lost everything, or is new."""
        epoch = epoch_key(self.namespace)
        if self.redis.exists(epoch):
            return
        found, jobs = self.rebuild(), self.history.restore()
        self.redis.set(epoch, uuid.uuid4().hex)
        told = "Redis knew nothing of this farm: %d records and %d jobs that are over were found again in the store"
        LOG.warning(told, found, jobs)

    def _agree(self) -> None:
        active = {one.render: one for one in self.jobs.jobs(ACTIVE, limit=1_000_000)}
        self.history.agree(active.keys(), {render for render, one in active.items() if one.state == "paused"})
        there = {RenderId(name.removeprefix(DOCUMENTS)) for name in self.documents.names(DOCUMENTS)}
        unknown: list[Accepted] = []
        for render in there - active.keys():
            record = self.jobs.get(render)
            if record is None:
                unknown += self._documented(render)
            elif record.state in TERMINAL:
                self.clear(render)
                self.documents.delete(document_name(render))
        # In the order in which they came: a later one of the same song supersedes the earlier.
        for job in sorted(unknown, key=lambda job: job.submitted_at):
            self._queue_again(job)
        for render in active.keys() - there:
            self.documents.put(document_name(render), accepted_to_bytes(_accepted(active[render])))

    def _documented(self, render: RenderId) -> list[Accepted]:
        """The job of a document, if it is still there and can be read."""
        content = self.documents.get(document_name(render))
        try:
            return [accepted_from_bytes(content)] if content is not None else []
        except BadMessage as error:
            LOG.error("job %s cannot be queued again: %s", render, error)
            return []

    def _queue_again(self, job: Accepted) -> None:
        try:
            accepted, existing, _ = self.jobs.submit(job)
        except QueueFull:
            LOG.info("job %s is queued again when there is room", job.render)
            return
        LOG.warning("job %s was lost by Redis and is queued again", job.render)
        if existing:
            LOG.warning("job %s is the same work as job %s", job.render, accepted)
            self.documents.delete(document_name(job.render))


def _accepted(record: JobRecord) -> Accepted:
    how = Submission(
        song=record.song,
        song_key=record.song_key,
        priority=record.priority,
        tags=record.tags,
        barrier=Barrier(record.barrier, record.window),  # type: ignore[arg-type] # as it was written
    )
    return Accepted(record.render, record.order, record.fingerprint, how, record.submitted_at)
