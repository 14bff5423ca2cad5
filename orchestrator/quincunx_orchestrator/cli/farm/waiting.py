"""Asking a farm what a job waits for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

from quincunx_orchestrator.farm.waits import Surroundings, what_it_waits_for

if TYPE_CHECKING:
    from redis import Redis

    from quincunx_orchestrator.farm.job import JobRecord
    from quincunx_orchestrator.farm.job_store import RedisJobStore
    from quincunx_shared.farm.nodes import RedisNodes
    from quincunx_shared.farm.settings import FarmSettings
    from quincunx_shared.farm.work_state import WorkState


class Asked(Protocol):
    """What of a farm is asked."""

    @property
    def settings(self) -> FarmSettings:
        """How it is called."""

    @property
    def redis(self) -> Redis:
        """How long its queues are."""

    @property
    def jobs(self) -> RedisJobStore:
        """Its jobs."""

    @property
    def nodes(self) -> RedisNodes:
        """Who is there."""

    @property
    def work(self) -> WorkState:
        """What workers said of its bundles."""


def reason_to_wait(farm: Asked, record: JobRecord, silent_seconds: float = math.inf) -> str:
    """Say what a job waits for of which nothing was heard for so long; empty if it is over or being worked on."""
    if record.ended_at:
        return ""
    around = Surroundings(
        farm.nodes.seen(),
        farm.jobs.ahead_of(record.render),
        farm.work.refusals(record.render),
        _waiting(farm),
        farm.work.in_hand(record.render),
        silent_seconds,
    )
    return what_it_waits_for(record, around)


def _waiting(farm: Asked) -> dict[str, int]:
    """How many messages wait in every queue of work."""
    from quincunx_shared.farm.queues import DEVICES, queues_of

    queues = queues_of(DEVICES)
    with farm.redis.pipeline(transaction=False) as asking:
        for queue in queues:
            asking.llen(f"{farm.settings.namespace}:celery:{queue}")
        return dict(zip(queues, asking.execute(), strict=True))
