"""Ending a job before its end or having it wait, and submitting it again as it was."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from quincunx_orchestrator.core.lanes import Barrier
from quincunx_orchestrator.farm.submission import Accepted, Submission
from quincunx_shared.names import RenderId

if TYPE_CHECKING:
    from quincunx_orchestrator.farm.client import FarmClient
    from quincunx_orchestrator.farm.job import CancelAnswer, JobRecord, JobState
    from quincunx_orchestrator.farm.job_store import RedisJobStore
    from quincunx_shared.farm.work_state import WorkState


def cancel(jobs: RedisJobStore, work: WorkState, render: RenderId, why: str = "") -> CancelAnswer:
    """Cancel a job; workers stop between two steps, whether or not its coordinator still lives."""
    answer = jobs.cancel(render, why)
    if answer == "cancelled":
        work.stop(render)
    return answer


def pause(jobs: RedisJobStore, work: WorkState, render: RenderId, why: str = "") -> JobState | None:
    """Let a job wait until it is resumed, and return the state it was in; workers end the step they are at."""
    was = jobs.pause(render, why)
    record = jobs.get(render)
    # Asked again, it is made good what somebody left half done; resumed by others meanwhile, it goes on.
    if record is not None and record.state == "paused":
        work.suspend(render, record.generation)
    return was


def retry(client: FarmClient, record: JobRecord, limit: int) -> RenderId:
    """Submit the order of a job again, and return the new job, or the active one of the same work.

    The new one has a name of its own, so that attempts are counted anew. Raises `QueueFull`.
    """
    barrier = Barrier(record.barrier, record.window)  # type: ignore[arg-type] # as it was written
    how = Submission(
        song=record.song,
        song_key=record.song_key,
        priority=record.priority,
        tags=record.tags,
        barrier=barrier,
        limit=limit,
    )
    new = RenderId(uuid.uuid4().hex)
    accepted, _, _ = client.accept(Accepted(new, record.order, record.fingerprint or f"retry {record.render}", how))
    return accepted
