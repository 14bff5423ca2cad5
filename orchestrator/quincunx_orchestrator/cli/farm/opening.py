"""Opening what a command needs of a farm, as little as possible; and telling its errors as ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from quincunx_orchestrator.cli.farm.options import named_farm

if TYPE_CHECKING:
    from redis import Redis

    from quincunx_orchestrator.farm.job import JobRecord, JobState
    from quincunx_orchestrator.farm.job_store import RedisJobStore
    from quincunx_shared.farm.nodes import RedisNodes
    from quincunx_shared.farm.settings import FarmSettings
    from quincunx_shared.farm.work_state import WorkState
    from quincunx_shared.names import RenderId


@dataclass(frozen=True)
class Desk:
    """What Redis knows of a farm: its jobs, its nodes, and who works on what."""

    settings: FarmSettings
    redis: Redis
    jobs: RedisJobStore
    nodes: RedisNodes
    work: WorkState

    def job(self, name: str) -> JobRecord:
        """The job of which somebody typed the id or its beginning; see `find_job`."""
        return find_job(self.jobs, name)


def find_job(jobs: RedisJobStore, name: str) -> JobRecord:
    """The job whose id begins like this. Raises `NotOnFarm`, and `BadInput` if several do."""
    from quincunx_shared.errors import BadInput, NotOnFarm

    found = jobs.find(name) if name else []
    if len(found) > 1:
        told = f"{len(found)} jobs begin so: {', '.join(one[:12] for one in found[:4])}"
        raise BadInput(told, where=name, remedy="type more of the id")
    record = jobs.get(found[0]) if found else None
    if record is None:
        raise NotOnFarm("the farm knows no such job", where=name, remedy="quincunx jobs, or quincunx history")
    return record


def refuse_ended(render: RenderId, state: JobState | None) -> None:
    """Refuse to change a job that is over."""
    from quincunx_orchestrator.farm.job import TERMINAL
    from quincunx_shared.errors import FarmError

    if state in TERMINAL:
        raise FarmError(f"this job is over: {state}", where=render, remedy=f"quincunx show {render[:8]}")


@contextmanager
def open_desk(**flags: str | None) -> Iterator[Desk]:
    """Open the farm that the settings name. Raises `FarmUnreachable` and `FarmRefused`, inside, too."""
    from quincunx_orchestrator.farm.job_store import RedisJobStore
    from quincunx_shared.farm.nodes import RedisNodes
    from quincunx_shared.farm.redis_client import connect, plain_errors
    from quincunx_shared.farm.redis_work_state import RedisWorkState

    settings = named_farm(**flags)
    with plain_errors(f"Redis at {settings.redis_url}"), closing(connect(settings, name="quincunx")) as client:
        jobs = RedisJobStore(client, settings.namespace, lease_seconds=settings.lease_seconds)
        work = RedisWorkState(client, settings.namespace, settings.lease_seconds)
        yield Desk(settings, client, jobs, RedisNodes(client, settings.namespace), work)
