"""Following a job to its end, whatever becomes of Redis on the way.

A Redis that is away for a while is asked again. One that came back empty knows neither job nor events: as long as the
job's document lies in the store, a coordinator queues it again, and its events begin anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

from quincunx_shared.errors import NotOnFarm
from quincunx_shared.events import Event
from quincunx_shared.farm.redis_client import is_outage
from quincunx_shared.names import RenderId

#: Whoever follows a job waits so long for a Redis that does not answer, or that lost the job.
PATIENCE_SECONDS = 60.0

#: Between two looks at a Redis that does not answer, or knows nothing.
_PAUSE_SECONDS = 0.2


class Jobs(Protocol):
    """The queue of jobs, as far as somebody who follows needs it."""

    def ended(self, render: RenderId) -> tuple[str, Mapping[str, Any]] | None:
        """The final state of a job and what came of it; None while it is not over. Raises `NotOnFarm`."""

    def follow(self, render: RenderId, since: int, seconds: float) -> Iterable[tuple[int, Event]]:
        """Events from that sequence number on; waits for the first of them, but no longer than that."""


def follow_job(
    jobs: Jobs,
    render: RenderId,
    since: int = 0,
    *,
    look_seconds: float = 1.0,
    is_accepted: Callable[[], bool] = lambda: False,
    patience_seconds: float = PATIENCE_SECONDS,
) -> Iterator[tuple[int, Event] | None]:
    """Yield the events of a job until it is over, and None after every look that found it not over.

    `is_accepted` says whether the store knows the job. Raises `NotOnFarm`, and what the client of Redis raises, when
    patience ends.
    """
    silent_since: float | None = None
    while True:
        try:
            over = jobs.ended(render) is not None
            found = list(jobs.follow(render, since, 0.0 if over else look_seconds))
        except Exception as error:
            lost = isinstance(error, NotOnFarm)
            silent_since = time.monotonic() if silent_since is None else silent_since
            if time.monotonic() - silent_since > patience_seconds or not (is_accepted() if lost else is_outage(error)):
                raise
            since = 0 if lost else since
            yield None
            time.sleep(_PAUSE_SECONDS)
            continue
        silent_since = None
        for sequence, event in found:
            since = sequence + 1
            yield sequence, event
        if over and not found:
            return
        if not over:
            yield None
